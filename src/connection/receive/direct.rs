//! Reading straight into an unfinished message: the part of the frame decoder in it.

use alloc::vec::Vec;

use super::{End, Found, ReceivePath, Signal};
use crate::ProtocolError;

impl ReceivePath {
    /// The unfinished message, and how many bytes may be appended to it; `None` where what comes
    /// next is no payload, or it does not pay.
    pub(crate) fn direct(&mut self) -> Option<(&mut Vec<u8>, usize)> {
        if !matches!(self.end, End::No) {
            return None;
        }
        let frame = self.decoder.frame().filter(|frame| !frame.opcode.is_control())?;
        self.assembler.direct(&frame)
    }

    /// Whether there may be bytes in the message that were not looked at yet.
    #[cfg(feature = "std")]
    #[inline]
    pub(crate) const fn is_direct(&self) -> bool {
        self.assembler.is_direct()
    }

    /// Takes what was appended to the message as input that comes before any other.
    #[cold]
    pub(super) fn take_direct(
        &mut self,
        found: &mut Found,
    ) -> Result<Option<Signal>, ProtocolError> {
        let Some(frame) = self.decoder.frame() else { return Ok(None) };
        let (count, ends_message) = self.assembler.take_direct(&frame)?;
        self.decoder.advance(count);
        if !ends_message {
            return Ok(None);
        }
        *found = Found { owned: true, last: true, ..Found::default() };
        Ok(Some(self.data_signal()))
    }

    /// Takes the memory of a message that the application is done with.
    pub(crate) fn recycle(&mut self, spent: Vec<u8>) {
        self.assembler.recycle(spent);
    }
}
