//! [`Window`]: bytes that were read and not yet used, and the event that was found in them.

use alloc::vec::Vec;
use core::mem;

use crate::connection::receive::{Due, Found, ReceivePath, Signal};
use crate::{Event, ProtocolError};

/// Memory for one read. It is initialised once and not again, since a message is delivered from
/// it without being copied.
#[derive(Debug)]
pub(crate) struct Window {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// An event that was found and not taken, and where.
    signal: Signal,
    found: Found,
    /// A message has ended since [`Window::message_ended`] was asked.
    message_ended: bool,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            start: 0,
            end: 0,
            signal: Signal::NeedInput,
            found: Found::default(),
            message_ended: false,
        }
    }
}

impl Window {
    /// The size of a read: where larger ones stop paying off.
    pub(crate) const SIZE: usize = 64 << 10;

    pub(crate) fn with_leftover(leftover: &[u8]) -> Self {
        Self { bytes: leftover.to_vec(), end: leftover.len(), ..Self::default() }
    }

    pub(crate) fn unread(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether its memory is worth keeping for another connection.
    #[cfg(any(feature = "tokio", feature = "futures-io"))]
    pub(crate) fn is_reusable(&self) -> bool {
        self.bytes.len() == Self::SIZE && self.is_empty()
    }

    /// Room for a read. Nothing unread is left in it when it is asked for: the connection keeps
    /// what it cannot use yet.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.bytes.len() < Self::SIZE {
            self.bytes.resize(Self::SIZE, 0);
        }
        self.start = 0;
        self.end = 0;
        &mut self.bytes
    }

    /// A read has put `count` bytes into the room.
    pub(crate) fn filled(&mut self, count: usize) {
        // A reader that claims more than there was room for has broken its contract; what it
        // claims beyond is not there.
        self.end = count.min(self.bytes.len());
    }

    /// The message that a read goes straight into, past the window, and how many bytes at most.
    ///
    /// For little it does not pay: the copy that is saved costs less than the read that follows and
    /// finds nothing, which one into the window, with room for more than there is, makes needless.
    #[cfg(any(feature = "tokio", feature = "futures-io"))]
    pub(crate) fn bypass(receive: &mut ReceivePath) -> Option<(&mut Vec<u8>, usize)> {
        receive.direct().filter(|(_, most)| *most >= Self::SIZE / 4)
    }

    /// The first `count` unread bytes.
    pub(crate) fn take(&mut self, count: usize) -> &mut [u8] {
        let start = self.start;
        self.start = start.saturating_add(count).min(self.end);
        self.bytes.get_mut(start..self.start).unwrap_or_default()
    }

    /// Looks for the next event. If there is one, [`event`](Self::event) makes it, now or later:
    /// it is found again until then. If not, all is read.
    ///
    /// # Errors
    ///
    /// The peer broke the protocol; all is read.
    #[inline]
    pub(crate) fn find(&mut self, receive: &mut ReceivePath) -> Result<bool, ProtocolError> {
        if self.signal != Signal::NeedInput {
            return Ok(true);
        }
        if self.is_empty() && !receive.is_direct() {
            return Ok(false);
        }
        let unread = self.bytes.get_mut(self.start..self.end).unwrap_or_default();
        match receive.step(unread, &mut self.found) {
            Signal::NeedInput => {
                self.start = self.end;
                Ok(false)
            }
            Signal::Failed => {
                self.start = self.end;
                Err(receive.fail(ProtocolError::UnexpectedEof)) // the first error stays
            }
            signal => {
                self.signal = signal;
                Ok(true)
            }
        }
    }

    /// Makes the event that was found, tells `answer` of what is due to it, and uses up its bytes.
    ///
    /// # Errors
    ///
    /// It was text and is not valid; what follows is read and dropped.
    #[inline(always)]
    pub(crate) fn event(
        &mut self,
        receive: &mut ReceivePath,
        answer: impl FnOnce(Due<'_>),
    ) -> Result<Option<Event<'_>>, ProtocolError> {
        let signal = mem::replace(&mut self.signal, Signal::NeedInput);
        let found = mem::take(&mut self.found);
        self.message_ended |= found.last;
        let taken = self.take(found.consumed);
        receive.event(signal, &found, taken, answer)
    }

    /// Whether a message has ended since this was asked the last time.
    pub(crate) fn message_ended(&mut self) -> bool {
        mem::take(&mut self.message_ended)
    }
}
