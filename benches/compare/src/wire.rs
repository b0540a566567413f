//! What travels: frames made and read here, independently of every engine.

use std::ops::Range;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

use crate::engine::{Deflate, Kind, Role};

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

    /// Compressed text, as the peer of `receiver` sends it, by code that no engine shares.
    pub fn deflated(receiver: Role, sample: Sample, deflate: Deflate) -> Self {
        let mut random = Random(3);
        let mut compress = Compress::new(Compression::new(deflate.level.into()), false);
        let mut wire = Self { kind: Kind::Text, bytes: Vec::new(), messages: Vec::new() };
        for payload in sample.messages() {
            if !deflate.takeover {
                compress.reset();
            }
            let mut compressed = Vec::with_capacity(payload.len() * 2 + 64);
            compress.compress_vec(&payload, &mut compressed, FlushCompress::Sync).expect("valid");
            let body = compressed.strip_suffix(&TAIL).expect("RFC 7692 section 7.2.1");
            let key = (receiver == Role::Server).then(|| random.next_u64().to_le_bytes());
            let key = key.map(|[a, b, c, d, ..]| [a, b, c, d]);
            encode(true, RSV1 | wire.kind.opcode(), key, body, &mut wire.bytes);
            let end = wire.bytes.len();
            let frames =
                vec![Frame { payload: end - body.len()..end, key: key.unwrap_or_default() }];
            wire.messages.push(Message { payload, frames });
        }
        wire
    }

    /// No input: for an engine that only sends.
    pub fn empty() -> Self {
        Self { kind: Kind::Binary, bytes: Vec::new(), messages: Vec::new() }
    }
}

/// What compressed messages say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// Price ticks of about 200 bytes.
    Json,
    /// 16 KiB of words.
    Text,
}

impl Sample {
    pub fn bytes(self) -> usize {
        match self {
            Self::Json => 200,
            Self::Text => 16 << 10,
        }
    }

    pub fn messages(self) -> Vec<Vec<u8>> {
        let mut random = Random(4);
        match self {
            Self::Json => (0..500).map(|_| random.tick().into_bytes()).collect(),
            Self::Text => (0..20).map(|_| random.words(self.bytes()).into_bytes()).collect(),
        }
    }
}

/// RFC 7692 section 6: in byte 0 of a compressed message.
const RSV1: u8 = 0x40;
/// RFC 7692 section 7.2.1.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// Inflates what was sent, each message by itself or not.
pub struct Unpack {
    inflate: Decompress,
    takeover: bool,
}

impl Unpack {
    pub fn new(takeover: bool) -> Self {
        Self { inflate: Decompress::new(false), takeover }
    }

    /// Reads one whole message, which must be compressed, off the front of `bytes`.
    pub fn message(&mut self, bytes: &mut &[u8], masked: bool, len: usize) -> Vec<u8> {
        let (byte0, mut payload) = decode_with(bytes, masked, RSV1);
        assert_eq!(byte0 & RSV1, RSV1, "not compressed");
        payload.extend_from_slice(&TAIL);
        if !self.takeover {
            self.inflate.reset(false);
        }
        let mut message = Vec::with_capacity(len + 1);
        self.inflate.decompress_vec(&payload, &mut message, FlushDecompress::Sync).expect("valid");
        message
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
    decode_with(bytes, masked, 0)
}

/// The same where a message may have these reserved bits; they come with the opcode.
fn decode_with(bytes: &mut &[u8], masked: bool, reserved: u8) -> (u8, Vec<u8>) {
    let mut opcode = None;
    let mut payload = Vec::new();
    loop {
        let byte0 = take(bytes, 1)[0];
        let byte1 = take(bytes, 1)[0];
        assert_eq!(byte1 & 0x80 != 0, masked, "mask bit");
        let allowed = if opcode.is_none() { reserved } else { 0 };
        assert_eq!(byte0 & 0x70 & !allowed, 0, "reserved bits");
        let len = match byte1 & 0x7F {
            126 => u16::from_be_bytes(take(bytes, 2).try_into().expect("two")) as usize,
            127 => u64::from_be_bytes(take(bytes, 8).try_into().expect("eight")) as usize,
            len => len as usize,
        };
        let key = if masked { take(bytes, 4).to_vec() } else { vec![0; 4] };
        let part = take(bytes, len);
        payload.extend(part.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        match opcode {
            None => opcode = Some(byte0 & 0x7F),
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

    fn below(&mut self, bound: u64) -> u64 {
        self.next_u64() % bound
    }

    fn tick(&mut self) -> String {
        let symbol = ["ABC", "DEFG", "XYZ", "QRS"][self.below(4) as usize];
        let [bid, ask] = [0; 2].map(|_| self.below(100_000) as f64 / 100.0);
        let [bids, asks, micros] = [10_000, 10_000, 1_000_000].map(|bound| self.below(bound));
        let [sequence, second] = [1_000_000_000, 60].map(|bound| self.below(bound));
        format!(
            "{{\"type\":\"tick\",\"symbol\":\"{symbol}\",\"bid\":{bid:.2},\"ask\":{ask:.2},\
             \"bid_size\":{bids},\"ask_size\":{asks},\"exchange\":\"XNAS\",\
             \"sequence\":{sequence},\"time\":\"2024-05-17T12:34:{second:02}.{micros:06}Z\",\
             \"flags\":[\"regular\",\"open\"]}}"
        )
    }

    /// Words, the first ones more often.
    fn words(&mut self, len: usize) -> String {
        const WORDS: &str = "the of and to a in that is was he for it with as his on be at by this \
            had not are but from or have an they which one you were all her she there would their \
            protocol message frame payload connection endpoint extension compress window server";
        let words: Vec<&str> = WORDS.split_whitespace().collect();
        let mut text = String::new();
        while text.len() < len {
            let most = self.below(words.len() as u64) + 1;
            text.push_str(words[self.below(most) as usize]);
            text.push(' ');
        }
        text.truncate(len);
        text
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
