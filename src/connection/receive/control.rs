//! Control frames: they may come in pieces, but are delivered whole.

use alloc::borrow::Cow;

use super::{End, Found, ReceivePath, Signal};
use crate::frame::control::ControlPayload;
use crate::frame::decoder::Frame;
use crate::frame::opcode::Opcode;
use crate::frame::{close, mask};
use crate::{CloseFrame, ProtocolError};

impl ReceivePath {
    /// A control frame's payload: `found.payload` of the input, or a part of it.
    pub(super) fn control(
        &mut self,
        input: &mut [u8],
        frame: &Frame,
        found: &mut Found,
        ends_frame: bool,
    ) -> Result<Signal, ProtocolError> {
        let bytes = input.get_mut(found.payload.clone()).unwrap_or_default();
        mask::apply(frame.key, 0, bytes);
        self.decoder.advance(bytes.len());
        if !ends_frame || self.control.is_some() {
            self.control.get_or_insert_with(ControlPayload::new).extend(bytes);
        }
        let body = match &self.control {
            Some(body) => body.as_slice(),
            None => bytes,
        };
        if !ends_frame {
            if frame.opcode == Opcode::Close {
                close::check_prefix(body)?;
            }
            return Ok(Signal::NeedInput);
        }
        match frame.opcode {
            Opcode::Ping => Ok(Signal::Ping),
            Opcode::Pong => Ok(Signal::Pong),
            _ => {
                self.end = End::Closed(close::parse(body)?);
                // Nothing will be delivered any more: what was kept for it is given back.
                self.assembler.discard();
                self.control = None;
                Ok(Signal::Close)
            }
        }
    }

    pub(super) fn close_frame(&mut self) -> Option<CloseFrame> {
        match &mut self.end {
            End::Closed(frame) => frame.take(),
            End::Failed(_) => {
                let body = self.control.take()?;
                close::parse(body.as_slice()).ok().flatten()
            }
            End::No => None, // not reached: the step has set it
        }
    }

    /// The connection fails before the event of a Close frame was made. 7.1.5: the peer's code
    /// counts, whatever comes after it.
    pub(super) fn keep_close(&mut self, frame: &CloseFrame) {
        let body = self.control.insert(ControlPayload::new());
        body.extend(&frame.code().get().to_be_bytes());
        body.extend(frame.reason().as_bytes());
    }

    /// The peer's Close frame that was found and whose event was not made yet, unless the
    /// connection has failed since.
    #[cfg(feature = "std")]
    pub(crate) const fn found_close(&self) -> Option<&CloseFrame> {
        match &self.end {
            End::Closed(frame) => frame.as_ref(),
            End::No | End::Failed(_) => None,
        }
    }

    /// The payload of a Ping or Pong that was found in `input` and whose event was not made yet.
    #[cfg(feature = "std")]
    pub(crate) fn peek_control<'a>(&'a self, found: &Found, input: &'a [u8]) -> &'a [u8] {
        match &self.control {
            Some(body) => body.as_slice(),
            None => input.get(found.payload.clone()).unwrap_or_default(),
        }
    }

    pub(super) fn control_payload<'i>(&mut self, found: &Found, taken: &'i [u8]) -> Cow<'i, [u8]> {
        match self.control.take() {
            Some(body) => Cow::Owned(body.as_slice().to_vec()),
            None => Cow::Borrowed(taken.get(found.payload.clone()).unwrap_or_default()),
        }
    }
}
