//! Data that nobody waits for any more: its frames are still frames, its payload goes by.

use super::{Found, ReceivePath, Signal};
use crate::ProtocolError;

impl ReceivePath {
    /// From here on data is passed over as it comes, and what was kept of a message is given back:
    /// 1.4, 5.5.1, after a Close frame "a peer discards any further data received".
    pub(crate) fn discard_data(&mut self) {
        if self.assembler.is_direct() {
            self.pass_over_direct();
        }
        self.assembler.discard();
    }

    /// What was appended to a message came off the wire: the next frame begins behind it.
    #[cold]
    fn pass_over_direct(&mut self) {
        let Some(frame) = self.decoder.frame() else { return };
        match self.assembler.take_direct(&frame) {
            Ok((count, ends_message)) => {
                self.decoder.advance(count);
                self.delivered(ends_message);
            }
            // The next call tells.
            Err(error) => {
                self.fail(error);
            }
        }
    }

    /// Finds the next control frame in `input`. Of data, the headers are held against the rules,
    /// and the payload is not looked at: a text need not be text, nor compressed data deflate.
    #[cold]
    pub(super) fn pass_over_data(
        &mut self,
        input: &mut [u8],
        found: &mut Found,
    ) -> Result<Signal, ProtocolError> {
        let mut position = 0;
        loop {
            let frame = match self.decoder.frame() {
                Some(frame) => frame,
                None => match self.next_frame(input, &mut position, &mut (0..0))? {
                    Some(frame) => frame,
                    None => break,
                },
            };
            let (len, ends_frame) = frame.payload(input.len().saturating_sub(position));
            if frame.opcode.is_control() {
                found.payload = position..position.saturating_add(len);
                found.consumed = found.payload.end;
                return self.control(input, &frame, found, ends_frame);
            }
            self.decoder.advance(len);
            position = position.saturating_add(len);
            if !ends_frame {
                break;
            }
            if frame.fin {
                self.assembler.end_dropped();
                self.delivered(true);
            }
        }
        found.consumed = input.len();
        Ok(Signal::NeedInput)
    }
}
