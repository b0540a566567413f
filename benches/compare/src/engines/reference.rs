use std::io::Write;

use bytes::Bytes;

use crate::engine::{Engine, Kind, Role, Sink};
use crate::memory::Memory;

/// One copy of each payload, masked or not: what any read costs.
pub struct Memcpy {
    memory: Memory,
    buffer: Box<[u8]>,
    next: usize,
}

impl Engine for Memcpy {
    const NAME: &'static str = "memcpy";
    const HOW: &'static str =
        "reference: one copy of each payload, left masked; sending: one write, no header";
    const DECODES: bool = false;

    fn receives(role: Role, kind: Kind, _: bool) -> bool {
        role == Role::Server && kind == Kind::Binary
    }

    fn sends(role: Role) -> bool {
        role == Role::Server
    }

    fn new(_: Role, memory: Memory) -> Self {
        let longest = memory.wire.messages.iter().map(|message| message.payload.len()).max();
        let buffer = vec![0; longest.unwrap_or_default()].into();
        Self { memory, buffer, next: 0 }
    }

    fn receive<S: Sink>(&mut self, messages: u64, sink: &mut S) {
        let wire = &self.memory.wire;
        for _ in 0..messages {
            let mut end = 0;
            for frame in &wire.messages[self.next].frames {
                let input = &wire.bytes[frame.payload.clone()];
                self.buffer[end..end + input.len()].copy_from_slice(input);
                end += input.len();
            }
            sink.message(wire.kind, &self.buffer[..end]);
            self.next = if self.next + 1 == wire.messages.len() { 0 } else { self.next + 1 };
        }
    }

    fn send(&mut self, payload: &Bytes, messages: u64) {
        for _ in 0..messages {
            self.memory.write_all(payload).expect("memory");
        }
    }
}

/// The validator alone, over payloads that are plain already.
pub struct SimdUtf8 {
    memory: Memory,
    next: usize,
}

impl Engine for SimdUtf8 {
    const NAME: &'static str = "simdutf8";
    const HOW: &'static str = "reference: UTF-8 check of plain payloads alone (`simdutf8::basic`)";

    fn receives(role: Role, kind: Kind, _: bool) -> bool {
        role == Role::Server && kind == Kind::Text
    }

    fn sends(_: Role) -> bool {
        false
    }

    fn new(_: Role, memory: Memory) -> Self {
        Self { memory, next: 0 }
    }

    fn receive<S: Sink>(&mut self, messages: u64, sink: &mut S) {
        let wire = &self.memory.wire;
        for _ in 0..messages {
            let payload = &wire.messages[self.next].payload;
            let text = simdutf8::basic::from_utf8(payload).expect("text");
            sink.message(Kind::Text, text.as_bytes());
            self.next = if self.next + 1 == wire.messages.len() { 0 } else { self.next + 1 };
        }
    }

    fn send(&mut self, _: &Bytes, _: u64) {
        unreachable!("does not take part");
    }
}
