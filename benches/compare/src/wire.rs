//! What travels: frames made and read here, independently of every engine.

use std::ops::Range;

use crate::engine::{Kind, Role};

/// Encoded messages, and what they must decode to.
pub struct Wire {
    pub kind: Kind,
    pub bytes: Vec<u8>,
    pub messages: Vec<Message>,
}

pub struct Message {
    pub payload: Vec<u8>,
    /// Where its frames lie in [`Wire::bytes`].
    pub frames: Vec<Frame>,
}

pub struct Frame {
    pub payload: Range<usize>,
    pub key: [u8; 4],
}

/// The content of text messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    Binary,
    Ascii,
    /// Random characters of one to four bytes each.
    Mixed,
}

impl Wire {
    /// Messages of `fragments` frames of `size` bytes each, as the peer of `receiver` sends them.
    pub fn new(receiver: Role, content: Content, fragments: usize, size: usize) -> Self {
        let mut random = Random(1);
        // A few hundred KiB, so that small messages lie in the L2 cache and differ.
        let count = ((256 << 10) / (size * fragments)).clamp(2, 4096);
        let kind = if content == Content::Binary { Kind::Binary } else { Kind::Text };
        let mut wire = Self { kind, bytes: Vec::new(), messages: Vec::new() };
        for _ in 0..count {
            let payload = random.content(content, size * fragments);
            let mut frames = Vec::new();
            for (index, part) in payload.chunks(size).enumerate() {
                let opcode = if index == 0 { kind.opcode() } else { 0 };
                let fin = index + 1 == fragments;
                let key = (receiver == Role::Server).then(|| random.next_u64().to_le_bytes());
                let key = key.map(|[a, b, c, d, ..]| [a, b, c, d]);
                encode(fin, opcode, key, part, &mut wire.bytes);
                let end = wire.bytes.len();
                frames.push(Frame { payload: end - part.len()..end, key: key.unwrap_or_default() });
            }
            wire.messages.push(Message { payload, frames });
        }
        wire
    }

    /// No input: for an engine that only sends.
    pub fn empty() -> Self {
        Self { kind: Kind::Binary, bytes: Vec::new(), messages: Vec::new() }
    }
}

/// Appends a frame.
pub fn encode(fin: bool, opcode: u8, key: Option<[u8; 4]>, payload: &[u8], out: &mut Vec<u8>) {
    let mask = if key.is_some() { 0x80 } else { 0 };
    out.push(if fin { 0x80 } else { 0 } | opcode);
    match payload.len() {
        len @ ..126 => out.push(mask | len as u8),
        len @ ..0x1_0000 => {
            out.push(mask | 126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            out.push(mask | 127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    let key = match key {
        Some(key) => {
            out.extend_from_slice(&key);
            key
        }
        None => [0; 4],
    };
    out.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
}

/// Reads one whole message, of any number of frames, off the front of `bytes`: its first opcode
/// and payload. Panics where a frame breaks RFC 6455.
pub fn decode(bytes: &mut &[u8], masked: bool) -> (u8, Vec<u8>) {
    let mut opcode = None;
    let mut payload = Vec::new();
    loop {
        let byte0 = take(bytes, 1)[0];
        let byte1 = take(bytes, 1)[0];
        assert_eq!(byte1 & 0x80 != 0, masked, "mask bit");
        assert_eq!(byte0 & 0x70, 0, "reserved bits");
        let len = match byte1 & 0x7F {
            126 => u16::from_be_bytes(take(bytes, 2).try_into().expect("two")) as usize,
            127 => u64::from_be_bytes(take(bytes, 8).try_into().expect("eight")) as usize,
            len => len as usize,
        };
        let key = if masked { take(bytes, 4).to_vec() } else { vec![0; 4] };
        let part = take(bytes, len);
        payload.extend(part.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        match opcode {
            None => opcode = Some(byte0 & 0xF),
            Some(_) => assert_eq!(byte0 & 0xF, 0, "a continuation"),
        }
        if byte0 & 0x80 != 0 {
            return (opcode.expect("set above"), payload);
        }
    }
}

fn take<'a>(bytes: &mut &'a [u8], len: usize) -> &'a [u8] {
    bytes.split_off(..len).expect("the frame is whole")
}

/// SplitMix64: the same content in every run.
pub struct Random(pub u64);

impl Random {
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Exactly `len` bytes.
    pub fn content(&mut self, content: Content, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len + 8);
        while bytes.len() < len {
            match content {
                Content::Binary => bytes.extend_from_slice(&self.next_u64().to_le_bytes()),
                Content::Ascii => bytes.push(b' ' + (self.next_u64() % 95) as u8),
                Content::Mixed => {
                    let [from, to] = [
                        [0x20, 0x7F],
                        [0x80, 0x800],
                        [0x800, 0xD800],
                        [0x1_0000, 0x11_0000],
                    ][if len - bytes.len() < 4 { 0 } else { (self.next_u64() % 4) as usize }];
                    let code = from + (self.next_u64() % u64::from(to - from)) as u32;
                    let c = char::from_u32(code).expect("no surrogate in the ranges");
                    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
        bytes.truncate(len);
        bytes
    }
}
