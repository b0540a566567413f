//! What the benchmarks share: frames made independently of the crate, and a connection that reads
//! them in chunks, for ever.
#![allow(dead_code, reason = "each benchmark uses a part of it")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};
use websocket_proto::{Config, Connection, Event, MaskKeys, Message, Negotiated, Output};

pub(crate) const SIZES: [(&str, usize); 6] = [
    ("16 B", 16),
    ("125 B", 125),
    ("1 KiB", 1 << 10),
    ("16 KiB", 16 << 10),
    ("256 KiB", 256 << 10),
    ("1 MiB", 1 << 20),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Client,
    Server,
}

/// The content of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Binary,
    Ascii,
    /// Random characters of one to four bytes each.
    Mixed,
}

/// Messages as they travel, and what they must decode to.
#[derive(Debug)]
pub(crate) struct Wire {
    bytes: Vec<u8>,
    messages: Vec<Vec<u8>>,
    text: bool,
}

impl Wire {
    /// Messages of `fragments` frames of `size` bytes each, as the peer of `receiver` sends them;
    /// with a Ping behind each fragment if asked for.
    pub(crate) fn new(
        receiver: Role,
        content: Content,
        fragments: usize,
        size: usize,
        pings: bool,
    ) -> Self {
        let mut random = Random(1);
        let count = ((256 << 10) / (size * fragments)).clamp(2, 4096);
        let text = content != Content::Binary;
        let mut wire = Self { bytes: Vec::new(), messages: Vec::new(), text };
        for _ in 0..count {
            let payload = random.content(content, size * fragments);
            for (index, part) in payload.chunks(size).enumerate() {
                let opcode = if index > 0 { 0 } else { 2 - u8::from(text) };
                let fin = if index + 1 == fragments { 0x80 } else { 0 };
                let key = (receiver == Role::Server).then(|| random.next_u64() as u32);
                encode(fin | opcode, key, part, &mut wire.bytes);
                if pings {
                    encode(0x89, key, b"", &mut wire.bytes);
                }
            }
            wire.messages.push(payload);
        }
        wire
    }
}

/// A frame: RFC 6455 section 5.2.
pub(crate) fn encode(byte0: u8, key: Option<u32>, payload: &[u8], out: &mut Vec<u8>) {
    let mask = if key.is_some() { 0x80 } else { 0 };
    out.push(byte0);
    match payload.len() {
        len @ ..126 => out.push(mask | len as u8),
        len @ ..0x1_0000 => {
            out.push(mask | 126);
            out.extend((len as u16).to_be_bytes());
        }
        len => {
            out.push(mask | 127);
            out.extend((len as u64).to_be_bytes());
        }
    }
    let key = key.map(u32::to_ne_bytes);
    out.extend(key.into_iter().flatten());
    let key = key.unwrap_or_default();
    out.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
}

pub(crate) fn connection(role: Role) -> Connection {
    let mut config = Config::default();
    config.max_message_size = 64 << 20;
    config.max_frame_size = 64 << 20;
    match role {
        Role::Client => {
            Connection::client(Negotiated::default(), config, MaskKeys::from_seed([7; 32]))
        }
        Role::Server => Connection::server(Negotiated::default(), config),
    }
}

/// A connection that reads a [`Wire`] over and over, in chunks. Each read is a copy, as it is from a
/// socket.
#[derive(Debug)]
pub(crate) struct Receiver<'w> {
    wire: &'w Wire,
    read: usize,
    connection: Connection,
    output: Output,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl<'w> Receiver<'w> {
    /// A receiver that has seen every message of the wire twice, and found it right.
    pub(crate) fn verified(wire: &'w Wire, role: Role, chunk: usize) -> Self {
        let connection = connection(role);
        let buffer = vec![0; chunk];
        let output = Output::new();
        let mut receiver = Self { wire, read: 0, connection, output, buffer, start: 0, end: 0 };
        let mut seen = 0;
        receiver.each(2 * wire.messages.len() as u64, |event| {
            let message = Message::try_from(event).expect("a message");
            assert_eq!(message.as_text().is_some(), wire.text);
            let expected = &wire.messages[seen % wire.messages.len()];
            assert!(message.as_bytes() == expected, "message {seen} differs");
            seen += 1;
        });
        assert_eq!(seen, 2 * wire.messages.len());
        receiver
    }

    /// Receives so many messages; control frames do not count.
    pub(crate) fn each(&mut self, messages: u64, mut each: impl FnMut(Event<'_>)) {
        let mut left = messages;
        while left > 0 {
            if self.start == self.end {
                let rest = &self.wire.bytes[self.read..];
                self.end = rest.len().min(self.buffer.len());
                self.buffer[..self.end].copy_from_slice(&rest[..self.end]);
                self.read = (self.read + self.end) % self.wire.bytes.len();
                self.start = 0;
            }
            let mut input = &mut self.buffer[self.start..self.end];
            while left > 0
                && let Some(event) =
                    self.connection.receive(&mut input, &mut self.output).expect("a good peer")
            {
                if !matches!(event, Event::Ping(_)) {
                    each(event);
                    left -= 1;
                }
            }
            self.start = self.end - input.len();
            // Pongs, if there are any.
            self.output.advance(self.output.len());
        }
    }

    /// The time for so many messages, each looked at where it was lent or owned.
    pub(crate) fn time(&mut self, messages: u64, owned: bool) -> Duration {
        let start = Instant::now();
        if owned {
            self.each(messages, |event| {
                black_box(event.into_owned());
            });
        } else {
            self.each(messages, |event| {
                black_box(&event);
            });
        }
        start.elapsed()
    }
}

/// A group with short measurements: there are many cases.
pub(crate) fn group<'c>(criterion: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.warm_up_time(Duration::from_millis(200));
    group.measurement_time(Duration::from_millis(800));
    group.sample_size(20);
    group
}

/// SplitMix64: the same content in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Exactly `len` bytes.
    pub(crate) fn content(&mut self, content: Content, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len + 8);
        while bytes.len() < len {
            match content {
                Content::Binary => bytes.extend(self.next_u64().to_le_bytes()),
                Content::Ascii => bytes.push(b' ' + (self.next_u64() % 95) as u8),
                Content::Mixed => {
                    let width = if len - bytes.len() < 4 { 0 } else { self.next_u64() % 4 };
                    let (from, to) = match width {
                        0 => (0x20, 0x7F),
                        1 => (0x80, 0x800),
                        2 => (0x800, 0xD800), // below the surrogates
                        _ => (0x1_0000, 0x11_0000),
                    };
                    let code = from + (self.next_u64() % u64::from(to - from)) as u32;
                    let c = char::from_u32(code).expect("no surrogate");
                    bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
        bytes.truncate(len);
        bytes
    }
}
