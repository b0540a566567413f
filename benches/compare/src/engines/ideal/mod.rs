//! What the machine can do: one buffer, payloads borrowed, unmasked in place with AVX2, SIMD UTF-8.
//! No limits, no close state, no control replies, and it trusts its peer's header bits. Without AVX2
//! it is not run.
#![allow(unsafe_code)]

mod codec;

use std::io::{IoSlice, Read, Write};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

pub use codec::{Parser, echo, possible};
use codec::{header, mask};

use crate::engine::{Engine, Kind, Role, Sink};
use crate::memory::{Memory, READ};

/// A payload from here up is written beside its header, not copied behind it.
const VECTORED: usize = 8 << 10;
/// Masked while copied, in pieces that stay in the L1 and L2 caches.
const PIECE: usize = 32 << 10;

pub struct Ideal {
    parser: Parser,
    memory: Memory,
    output: Vec<u8>,
    keys: Option<StdRng>,
}

impl Ideal {
    #[target_feature(enable = "avx2")]
    fn each(&mut self, messages: u64, mut each: impl FnMut(Kind, &[u8])) {
        let mut left = messages;
        while left > 0 {
            match self.parser.next() {
                Some((kind, payload)) => {
                    each(kind, payload);
                    left -= 1;
                }
                None => {
                    let count = self.memory.read(self.parser.room()).expect("memory");
                    self.parser.filled(count);
                }
            }
        }
    }

    #[target_feature(enable = "avx2")]
    fn send_all(&mut self, payload: &[u8], messages: u64) {
        for _ in 0..messages {
            let key = self.keys.as_mut().map(|keys| keys.next_u32());
            let mut head = [0; 14];
            let head_len = header(2, key, payload.len(), &mut head);
            match key {
                None if payload.len() >= VECTORED => {
                    let slices = [IoSlice::new(&head[..head_len]), IoSlice::new(payload)];
                    let written = self.memory.write_vectored(&slices).expect("memory");
                    assert_eq!(written, head_len + payload.len());
                    continue;
                }
                _ => {}
            }
            self.output.clear();
            self.output.extend_from_slice(&head[..head_len]);
            for piece in payload.chunks(PIECE) {
                let start = self.output.len();
                self.output.extend_from_slice(piece);
                if let Some(key) = key {
                    mask(&mut self.output[start..], key); // PIECE is a multiple of four
                    self.memory.write_all(&self.output).expect("memory");
                    self.output.clear();
                }
            }
            if !self.output.is_empty() {
                self.memory.write_all(&self.output).expect("memory");
            }
        }
    }
}

impl Engine for Ideal {
    const NAME: &'static str = "ideal";
    const HOW: &'static str =
        "by hand, `unsafe`: the practical limit; no limits, close state or control replies";

    fn receives(_: Role, _: Kind, _: bool) -> bool {
        possible()
    }

    fn sends(_: Role) -> bool {
        possible()
    }

    fn new(role: Role, memory: Memory) -> Self {
        let keys = (role == Role::Client).then(|| StdRng::from_seed([7; 32]));
        Self { parser: Parser::default(), memory, output: Vec::new(), keys }
    }

    fn receive<S: Sink>(&mut self, messages: u64, sink: &mut S) {
        // SAFETY: it takes part only where AVX2 is there.
        unsafe { self.each(messages, |kind, payload| sink.message(kind, payload)) }
    }

    fn send(&mut self, payload: &Bytes, messages: u64) {
        // SAFETY: as above.
        unsafe { self.send_all(payload, messages) }
    }
}

pub struct IdealOwned(Ideal);

impl Engine for IdealOwned {
    const NAME: &'static str = "ideal, owned";
    const HOW: &'static str = "the same, each payload copied to a `Bytes` of its own";

    fn receives(_: Role, _: Kind, _: bool) -> bool {
        possible()
    }

    fn sends(_: Role) -> bool {
        false
    }

    fn new(role: Role, memory: Memory) -> Self {
        Self(Ideal::new(role, memory))
    }

    fn receive<S: Sink>(&mut self, messages: u64, sink: &mut S) {
        // SAFETY: it takes part only where AVX2 is there.
        unsafe {
            self.0.each(messages, |kind, payload| {
                sink.message(kind, &Bytes::copy_from_slice(payload));
            });
        }
    }

    fn send(&mut self, _: &Bytes, _: u64) {
        unreachable!("does not take part");
    }
}

/// Copies each payload out of the input and unmasks it; it knows where the payloads lie.
pub struct CopyXor {
    memory: Memory,
    buffer: Box<[u8]>,
    next: usize,
}

impl CopyXor {
    #[target_feature(enable = "avx2")]
    fn each(&mut self, messages: u64, mut each: impl FnMut(Kind, &[u8])) {
        let wire = &self.memory.wire;
        for _ in 0..messages {
            let mut end = 0;
            for frame in &wire.messages[self.next].frames {
                let input = &wire.bytes[frame.payload.clone()];
                // In pieces of one read, so that the second pass finds them in the cache.
                for piece in input.chunks(READ) {
                    let output = &mut self.buffer[end..end + piece.len()];
                    output.copy_from_slice(piece);
                    mask(output, u32::from_ne_bytes(frame.key));
                    end += piece.len();
                }
            }
            each(wire.kind, &self.buffer[..end]);
            self.next = if self.next + 1 == wire.messages.len() { 0 } else { self.next + 1 };
        }
    }
}

impl Engine for CopyXor {
    const NAME: &'static str = "memcpy + xor";
    const HOW: &'static str =
        "reference: copies and unmasks payloads whose places it knows; no text check";

    fn receives(role: Role, kind: Kind, _: bool) -> bool {
        possible() && role == Role::Server && kind == Kind::Binary
    }

    fn sends(_: Role) -> bool {
        false
    }

    fn new(_: Role, memory: Memory) -> Self {
        let longest = memory.wire.messages.iter().map(|message| message.payload.len()).max();
        let buffer = vec![0; longest.unwrap_or_default()].into();
        Self { memory, buffer, next: 0 }
    }

    fn receive<S: Sink>(&mut self, messages: u64, sink: &mut S) {
        // SAFETY: it takes part only where AVX2 is there.
        unsafe { self.each(messages, |kind, payload| sink.message(kind, payload)) }
    }

    fn send(&mut self, _: &Bytes, _: u64) {
        unreachable!("does not take part");
    }
}
