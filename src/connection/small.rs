//! The common case of sending in one look: a small message that goes out as it is, in one frame,
//! into room that the output has.
//!
//! It decides nothing by itself. Whatever is unusual (a closing connection, a full output, a
//! message that is compressed or goes out in fragments) goes the long way, which says what it is.

use super::send::SendPath;
use crate::message::Kind;
use crate::{Message, Output, SendError};

impl SendPath {
    /// Sends a whole message.
    #[inline(always)]
    pub(crate) fn send<'m>(
        &mut self,
        message: Message<'m>,
        output: &mut Output,
    ) -> Result<(), SendError<Message<'m>>> {
        let kind = if message.as_text().is_some() { Kind::Text } else { Kind::Binary };
        if self.send_small(kind, message.as_bytes(), output) {
            return Ok(());
        }
        self.send_any(message, output)
    }

    /// Sends it if there is nothing unusual about it; otherwise nothing is done.
    #[inline(never)]
    fn send_small(&mut self, kind: Kind, payload: &[u8], output: &mut Output) -> bool {
        #[cfg(feature = "deflate")]
        if self.compressor.as_ref().is_some_and(|compressor| compressor.wants(payload.len())) {
            return false;
        }
        self.admit((), payload.len(), output).is_ok() && self.framer.small(kind, payload, output)
    }
}
