//! What a header may say: every rule of RFC 6455 section 5 that a header can break, decided at
//! the earliest byte that proves it.

use super::header::{FIN, LENGTH, LENGTH_16, LENGTH_64, MASK, OPCODE, RSV, RSV1};
use super::opcode::Opcode;
use crate::ProtocolError;

/// What the next frame is held against.
///
/// The role and the extensions are constant, the rest changes with each frame of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Whether frames are masked: we are the server.
    pub(crate) masked: bool,
    /// Whether RSV1 has a meaning: permessage-deflate was agreed.
    pub(crate) rsv1: bool,
    /// Whether a message has begun and not ended.
    pub(crate) in_message: bool,
    /// Whether the message in progress is compressed, so that `message_left` does not count the
    /// bytes of frames.
    pub(crate) compressed: bool,
    /// Whether one more fragment is over the limit.
    pub(crate) no_fragment_left: bool,
    /// Whether one more fragment without payload is over the limit.
    pub(crate) no_empty_left: bool,
    pub(crate) limits: Limits,
    /// Bytes of payload that the message in progress has so far.
    pub(crate) message_size: u64,
}

/// The limits of [`Config`](crate::Config) that a receiver enforces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) message: u64,
    pub(crate) frame: u64,
    pub(crate) fragments: u32,
    pub(crate) empty_fragments: u32,
}

impl Rules {
    /// Holds a header, or the first bytes of one, against the rules.
    ///
    /// A fault is reported as of the byte that proves it, however many bytes are given: the
    /// outcome does not depend on how the header was cut on its way.
    pub(crate) fn check(&self, header: &[u8]) -> Result<(), ProtocolError> {
        let Some((&byte0, rest)) = header.split_first() else { return Ok(()) };
        let opcode = self.check_first(byte0)?;
        let Some((&byte1, rest)) = rest.split_first() else { return Ok(()) };
        self.check_second(byte0, opcode, byte1)?;
        match byte1 & LENGTH {
            LENGTH_16 => self.check_length(byte0, rest, 2),
            LENGTH_64 => self.check_length(byte0, rest, 8),
            length => self.check_size(byte0, u64::from(length)),
        }
    }

    /// The first byte: FIN, RSV1 to RSV3, opcode.
    fn check_first(&self, byte0: u8) -> Result<Opcode, ProtocolError> {
        let opcode = Opcode::try_from(byte0 & OPCODE);
        // 5.2: "MUST be 0 unless an extension is negotiated that defines meanings for non-zero
        // values." RFC 7692 6: RSV1 on the first frame of a data message only.
        let reserved = match opcode {
            Ok(Opcode::Text | Opcode::Binary) if self.rsv1 => RSV & !RSV1,
            _ => RSV,
        };
        if byte0 & reserved != 0 {
            return Err(ProtocolError::ReservedBits(byte0));
        }
        // 5.2: "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket
        // Connection_."
        let opcode = opcode.map_err(ProtocolError::ReservedOpcode)?;
        match opcode {
            // 5.5: "All control frames [...] MUST NOT be fragmented."
            Opcode::Close | Opcode::Ping | Opcode::Pong if byte0 & FIN == 0 => {
                Err(ProtocolError::FragmentedControl(opcode as u8))
            }
            // 5.4: a continuation continues something.
            Opcode::Continuation if !self.in_message => Err(ProtocolError::UnexpectedContinuation),
            Opcode::Continuation if self.no_fragment_left => {
                Err(ProtocolError::TooManyFragments { limit: self.limits.fragments })
            }
            // 5.4: "The fragments of one message MUST NOT be interleaved between the fragments of
            // another message".
            Opcode::Text | Opcode::Binary if self.in_message => {
                Err(ProtocolError::ExpectedContinuation)
            }
            _ => Ok(opcode),
        }
    }

    /// The second byte: MASK and the 7-bit length.
    fn check_second(&self, byte0: u8, opcode: Opcode, byte1: u8) -> Result<(), ProtocolError> {
        let length = byte1 & LENGTH;
        match (byte1 & MASK != 0, self.masked) {
            // 5.1: "The server MUST close the connection upon receiving a frame that is not masked."
            (false, true) => return Err(ProtocolError::Unmasked),
            // 5.1: "A client MUST close a connection if it detects a masked frame."
            (true, false) => return Err(ProtocolError::Masked),
            _ => {}
        }
        if opcode.is_control() {
            // 5.5: "All control frames MUST have a payload length of 125 bytes or less".
            if length > 125 {
                return Err(ProtocolError::LongControl(byte0 & OPCODE));
            }
            // 5.5.1: the body is empty, or begins with a code of two bytes.
            if opcode == Opcode::Close && length == 1 {
                return Err(ProtocolError::CloseBodyTooShort);
            }
        } else if length == 0 && self.no_empty_left {
            return Err(ProtocolError::TooManyEmptyFragments {
                limit: self.limits.empty_fragments,
            });
        }
        Ok(())
    }

    /// The extended length: `rest` is what is there of its `width` bytes, and what follows.
    fn check_length(&self, byte0: u8, rest: &[u8], width: usize) -> Result<(), ProtocolError> {
        let bytes = rest.get(..width).unwrap_or(rest);
        if let Ok(length) = <[u8; 8]>::try_from(bytes).map(u64::from_be_bytes)
            && length > 0xFFFF
            && length >> 63 == 0
            && self.check_size(byte0, length).is_ok()
        {
            return Ok(()); // what the loop below would find, for the common case
        }
        let mut value = 0_u64;
        for (index, &byte) in bytes.iter().enumerate() {
            value = value << 8 | u64::from(byte);
            // 5.2: "(the most significant bit MUST be 0)".
            if width == 8 && index == 0 && byte & 0x80 != 0 {
                return Err(ProtocolError::LengthTopBit);
            }
            // 5.2: "the minimal number of bytes MUST be used to encode the length". Six zero bytes
            // of eight prove that 16 bits were enough.
            let minimal = match (width, index) {
                (2, 1) => value >= u64::from(LENGTH_16),
                (8, 5) => value != 0,
                _ => true,
            };
            if !minimal {
                return Err(ProtocolError::LengthNotMinimal);
            }
            let missing = width.saturating_sub(index).saturating_sub(1).saturating_mul(8);
            let least = u32::try_from(missing).ok().and_then(|bits| value.checked_shl(bits));
            self.check_size(byte0, least.unwrap_or(value))?;
        }
        Ok(())
    }

    /// A payload of at least `length` bytes. Control frames are shorter than any sensible limit.
    fn check_size(&self, byte0: u8, length: u64) -> Result<(), ProtocolError> {
        if byte0 & OPCODE >= Opcode::Close as u8 {
            return Ok(());
        }
        let Limits { message, frame, .. } = self.limits;
        if length > frame {
            return Err(ProtocolError::FrameTooBig { seen: length, limit: frame });
        }
        // RFC 7692 6: the frames of a compressed message say nothing about its size.
        let compressed = self.compressed || byte0 & RSV1 != 0;
        if !compressed && length > message.saturating_sub(self.message_size) {
            let seen = self.message_size.saturating_add(length);
            return Err(ProtocolError::MessageTooBig { seen, limit: message });
        }
        Ok(())
    }
}
