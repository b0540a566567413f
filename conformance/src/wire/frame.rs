//! A frame to be sent, right or wrong, and its bytes (RFC 6455 5.2).

use std::fmt;

use super::opcode::{self, BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT};
use super::payload::Payload;

/// Everything that a header can say; what is not said is as the RFC wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) fin: bool,
    /// The three bits as a number: RSV1 is 4.
    pub(crate) rsv: u8,
    pub(crate) opcode: u8,
    pub(crate) payload: Payload,
    pub(crate) mask: Mask,
    pub(crate) length: Length,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mask {
    /// As the role demands: a client masks with a fresh key, a server does not mask.
    Role,
    None,
    /// With a fresh key, whatever the role.
    Always,
}

/// How the header says the payload's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Minimal,
    In16,
    In64,
    /// In 64 bits, whatever is really there.
    Declared(u64),
}

pub(crate) fn frame(opcode: u8, payload: impl Into<Payload>) -> Frame {
    Frame {
        fin: true,
        rsv: 0,
        opcode,
        payload: payload.into(),
        mask: Mask::Role,
        length: Length::Minimal,
    }
}

pub(crate) fn text(payload: impl Into<Payload>) -> Frame {
    frame(TEXT, payload)
}

pub(crate) fn binary(payload: impl Into<Payload>) -> Frame {
    frame(BINARY, payload)
}

pub(crate) fn continuation(payload: impl Into<Payload>) -> Frame {
    frame(CONTINUATION, payload)
}

pub(crate) fn ping(payload: impl Into<Payload>) -> Frame {
    frame(PING, payload)
}

pub(crate) fn pong(payload: impl Into<Payload>) -> Frame {
    frame(PONG, payload)
}

/// A Close frame with exactly this body.
pub(crate) fn close_body(payload: impl Into<Payload>) -> Frame {
    frame(CLOSE, payload)
}

pub(crate) fn close(code: u16, reason: &[u8]) -> Frame {
    close_body([&code.to_be_bytes()[..], reason].concat())
}

impl Frame {
    /// More fragments follow: FIN is 0.
    pub(crate) fn more(mut self) -> Self {
        self.fin = false;
        self
    }

    pub(crate) fn rsv(mut self, bits: u8) -> Self {
        self.rsv = bits;
        self
    }

    pub(crate) fn mask(mut self, mask: Mask) -> Self {
        self.mask = mask;
        self
    }

    pub(crate) fn length(mut self, length: Length) -> Self {
        self.length = length;
        self
    }

    /// `fresh` is a key that was not used before, for where one is needed.
    pub(crate) fn encode(&self, we_are_client: bool, fresh: [u8; 4]) -> Vec<u8> {
        let payload = self.payload.bytes();
        let key = match self.mask {
            Mask::Always => Some(fresh),
            Mask::Role if we_are_client => Some(fresh),
            Mask::Role | Mask::None => None,
        };
        let mut bytes = Vec::with_capacity(payload.len().saturating_add(14));
        bytes.push(u8::from(self.fin) << 7 | (self.rsv & 7) << 4 | self.opcode & 15);
        self.encode_length(payload.len(), if key.is_some() { 0x80 } else { 0 }, &mut bytes);
        if let Some(key) = key {
            bytes.extend_from_slice(&key);
        }
        let start = bytes.len();
        bytes.extend_from_slice(&payload);
        if let (Some(key), Some(payload)) = (key, bytes.get_mut(start..)) {
            mask(payload, key);
        }
        bytes
    }

    fn encode_length(&self, length: usize, bit: u8, bytes: &mut Vec<u8>) {
        let length = length as u64;
        match (self.length, length) {
            (Length::Declared(declared), _) => {
                bytes.push(bit | 127);
                bytes.extend_from_slice(&declared.to_be_bytes());
            }
            (Length::In64, _) | (Length::Minimal | Length::In16, 65_536..) => {
                bytes.push(bit | 127);
                bytes.extend_from_slice(&length.to_be_bytes());
            }
            (Length::In16, _) | (Length::Minimal, 126..) => {
                bytes.push(bit | 126);
                bytes.extend_from_slice(&(length as u16).to_be_bytes());
            }
            (Length::Minimal, _) => bytes.push(bit | length as u8),
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (opcode {})", opcode::name(self.opcode), self.opcode)?;
        if !self.fin {
            f.write_str(", FIN 0")?;
        }
        if self.rsv != 0 {
            write!(f, ", RSV {:03b}", self.rsv)?;
        }
        match self.mask {
            Mask::None => f.write_str(", not masked")?,
            Mask::Always => f.write_str(", masked")?,
            Mask::Role => {}
        }
        match self.length {
            Length::Minimal => {}
            Length::In16 => f.write_str(", length in 16 bits")?,
            Length::In64 => f.write_str(", length in 64 bits")?,
            Length::Declared(length) => write!(f, ", declared length {length}")?,
        }
        if self.payload.len() > 0 {
            write!(f, ": {}", self.payload)
        } else {
            f.write_str(", empty")
        }
    }
}

/// Masks or unmasks (5.3). Eight bytes at once, because some cases send sixteen megabytes.
pub(crate) fn mask(payload: &mut [u8], key: [u8; 4]) {
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (chunks, rest) = payload.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

/// The frames of one message in fragments of `size`. Where the length is a multiple of it, the last
/// fragment is empty.
pub(crate) fn fragments(message: &Frame, size: usize) -> Vec<Frame> {
    let payload = message.payload.bytes();
    let size = size.max(1);
    if payload.len() <= size {
        return vec![message.clone()];
    }
    let whole = payload.len() / size * size;
    let (full, last) = payload.split_at(whole);
    let mut frames: Vec<Frame> =
        full.chunks(size).map(|part| continuation(part.to_vec()).more()).collect();
    frames.push(continuation(last.to_vec()));
    if let Some(first) = frames.first_mut() {
        (first.opcode, first.rsv) = (message.opcode, message.rsv);
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 6455 5.7.
    #[test]
    fn the_examples_of_the_rfc() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let plain = |frame: Frame| frame.encode(false, key);
        assert_eq!(plain(text("Hello")), b"\x81\x05Hello");
        assert_eq!(
            text("Hello").encode(true, key),
            [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]
        );
        assert_eq!(plain(text("Hel").more()), b"\x01\x03Hel");
        assert_eq!(plain(continuation("lo")), b"\x80\x02lo");
        assert_eq!(plain(ping("Hello")), b"\x89\x05Hello");
        let long = plain(binary(Payload::repeated(b"x", 256)));
        assert!(long.starts_with(b"\x82\x7e\x01\x00") && long.len() == 260);
        let longer = plain(binary(Payload::repeated(b"x", 65_536)));
        assert!(longer.starts_with(b"\x82\x7f\0\0\0\0\0\x01\0\0") && longer.len() == 65_546);
    }

    #[test]
    fn what_is_wrong_is_sent_as_asked() {
        let encode = |frame: Frame| frame.encode(true, [0; 4]);
        assert_eq!(encode(text("a").mask(Mask::None).rsv(7)), b"\xf1\x01a");
        assert_eq!(encode(text("a").length(Length::In16)), b"\x81\xfe\0\x01\0\0\0\0a");
        assert_eq!(
            encode(ping("a").more().length(Length::In64)),
            b"\x09\xff\0\0\0\0\0\0\0\x01\0\0\0\0a"
        );
        assert_eq!(close(1000, b"x").encode(false, [0; 4]), b"\x88\x03\x03\xe8x");
    }

    #[test]
    fn fragments_carry_the_message_and_end_with_fin() {
        let frames = fragments(&text("abcdefg").rsv(4), 3);
        let parts: Vec<_> =
            frames.iter().map(|f| (f.opcode, f.rsv, f.fin, f.payload.len())).collect();
        assert_eq!(parts, [(1, 4, false, 3), (0, 0, false, 3), (0, 0, true, 1)]);
        assert_eq!(fragments(&text("abc"), 3).len(), 1);
        let parts: Vec<_> = fragments(&text("abcdef"), 3).iter().map(|f| f.payload.len()).collect();
        assert_eq!(parts, [3, 3, 0]);
    }
}
