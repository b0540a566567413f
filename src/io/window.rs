//! [`Window`]: bytes that were read and not yet used, and the event that was found in them.

use alloc::vec::Vec;
use core::{fmt, mem};

use crate::connection::receive::{Due, Found, ReceivePath, Signal};
use crate::{Event, ProtocolError};

/// Memory for one read. It is initialised once and not again, since a message is delivered from
/// it without being copied.
///
/// It holds bytes of a connection and nothing else that is to be known of it: a pool hands it to
/// the next connection.
pub(crate) struct Window {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// What lies behind was not written to since it was last cleared.
    touched: usize,
    /// An event that was found and not taken, and where.
    signal: Signal,
    found: Found,
}

/// Lengths: what is in it is the peer's, and what was in it may be another's.
impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unread = self.end.saturating_sub(self.start);
        f.debug_struct("Window").field("unread", &unread).field("found", &self.signal).finish()
    }
}

impl Default for Window {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            start: 0,
            end: 0,
            touched: 0,
            signal: Signal::NeedInput,
            found: Found::default(),
        }
    }
}

impl Window {
    /// The size of a read: where larger ones stop paying off.
    pub(crate) const SIZE: usize = 64 << 10;

    pub(crate) fn with_leftover(leftover: &[u8]) -> Self {
        let len = leftover.len();
        Self { bytes: leftover.to_vec(), end: len, touched: len, ..Self::default() }
    }

    pub(crate) fn unread(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether there is an event in it that was found and not taken.
    pub(crate) fn has_event(&self) -> bool {
        self.signal != Signal::NeedInput
    }

    /// What was found and not taken.
    pub(crate) const fn signal(&self) -> Signal {
        self.signal
    }

    /// Clears it for another connection, which must not be able to read what was in it: its stream
    /// is handed this memory. Whether it is worth keeping.
    #[cfg(any(feature = "tokio", feature = "futures-io"))]
    pub(crate) fn clear(&mut self) -> bool {
        if self.bytes.len() != Self::SIZE || !self.is_empty() {
            return false;
        }
        self.bytes.get_mut(..self.touched).unwrap_or_default().fill(0);
        self.touched = 0;
        true
    }

    /// Room for a read of `size` bytes at most. Nothing unread is left in it when it is asked for:
    /// the connection keeps what it cannot use yet.
    pub(crate) fn room(&mut self, size: usize) -> &mut [u8] {
        if self.bytes.len() < size {
            self.bytes.resize(size, 0);
        }
        self.start = 0;
        self.end = 0;
        &mut self.bytes
    }

    /// Room behind what is unread for a read of `size` bytes, or as much as is left of the largest
    /// window, which may be none.
    pub(crate) fn spare_room(&mut self, size: usize) -> &mut [u8] {
        // What was found is counted from the first unread byte.
        self.bytes.copy_within(self.start..self.end, 0);
        self.end = self.end.saturating_sub(self.start);
        self.start = 0;
        let wanted = self.end.saturating_add(size).min(Self::SIZE);
        if self.bytes.len() < wanted {
            self.bytes.resize(wanted, 0);
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// Gives memory beyond `size` back. Nothing unread is left in it when it is asked for.
    pub(crate) fn shrink(&mut self, size: usize) {
        if self.bytes.len() > size {
            self.bytes = Vec::new();
        }
        (self.start, self.end, self.touched) = (0, 0, 0);
    }

    /// Puts bytes that were read elsewhere behind what is unread.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        let room = self.spare_room(bytes.len());
        let count = bytes.len().min(room.len());
        room.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = *byte);
        self.filled(count);
    }

    /// A read has put `count` bytes behind what was unread.
    pub(crate) fn filled(&mut self, count: usize) {
        // A reader that claims more than there was room for has broken its contract; what it
        // claims beyond is not there.
        self.end = self.end.saturating_add(count).min(self.bytes.len());
        self.touched = self.touched.max(self.end);
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
        if self.has_event() {
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
        let taken = self.take(found.consumed);
        receive.event(signal, &found, taken, answer)
    }

    /// The payload of the control frame that was found.
    pub(crate) fn control_payload<'w>(&'w mut self, receive: &'w ReceivePath) -> &'w [u8] {
        let unread = self.bytes.get(self.start..self.end).unwrap_or_default();
        receive.peek_control(&self.found, unread)
    }
}
