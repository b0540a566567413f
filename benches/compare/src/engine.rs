//! What is compared: one small trait, one file for each engine.

use bytes::Bytes;

use crate::memory::Memory;
use crate::wire::Wire;

/// A WebSocket implementation (or a reference) between a [`Memory`] and an application.
pub trait Engine: Sized + 'static {
    const NAME: &'static str;
    /// How it is driven, and what it does not do.
    const HOW: &'static str;

    /// Whether it takes part in receiving this.
    fn receives(_role: Role, _kind: Kind, _fragmented: bool) -> bool {
        true
    }

    /// Whether it takes part in sending.
    fn sends(_role: Role) -> bool {
        true
    }

    /// Whether what it hands to the sink is the payload. A plain copy of masked bytes is not.
    const DECODES: bool = true;

    fn new(role: Role, memory: Memory) -> Self;

    /// The same with permessage-deflate, every message compressed. `None`: not there, or not so.
    fn deflated(_role: Role, _memory: Memory, _deflate: Deflate) -> Option<Self> {
        None
    }

    /// Reads messages from the memory, as its users do, and shows each to the sink.
    fn receive<S: Sink>(&mut self, messages: u64, sink: &mut S);

    /// Sends a message so that its bytes are with the memory, `messages` times.
    fn send(&mut self, payload: &Bytes, messages: u64);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Client,
    Server,
}

/// What was agreed for permessage-deflate, for both directions, with windows of 15 bits.
#[derive(Clone, Copy, Debug)]
pub struct Deflate {
    pub takeover: bool,
    /// From 0 to 9, as zlib has it.
    pub level: u8,
}

impl Deflate {
    /// The value of `Sec-WebSocket-Extensions` that says so.
    pub fn header(self) -> &'static str {
        if self.takeover {
            "permessage-deflate"
        } else {
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Binary,
    Text,
}

impl Kind {
    pub fn opcode(self) -> u8 {
        match self {
            Self::Text => 1,
            Self::Binary => 2,
        }
    }
}

/// Where messages go.
pub trait Sink {
    fn message(&mut self, kind: Kind, payload: &[u8]);
}

/// Compares every message with what was encoded.
pub struct Verify<'w> {
    pub wire: &'w Wire,
    pub seen: usize,
    pub decodes: bool,
}

impl Sink for Verify<'_> {
    fn message(&mut self, kind: Kind, payload: &[u8]) {
        assert_eq!(kind, self.wire.kind);
        let expected = &self.wire.messages[self.seen % self.wire.messages.len()];
        if self.decodes {
            assert!(payload == expected.payload, "message {} differs", self.seen);
        } else {
            assert_eq!(payload.len(), expected.payload.len());
        }
        self.seen += 1;
    }
}

/// Looks at the length, and keeps the optimiser from dropping the payload.
#[derive(Default)]
pub struct Count {
    pub messages: u64,
    pub bytes: u64,
}

impl Sink for Count {
    #[inline(always)]
    fn message(&mut self, _: Kind, payload: &[u8]) {
        self.messages += 1;
        self.bytes += payload.len() as u64;
        std::hint::black_box(payload);
    }
}

/// The limit set where an engine has one.
pub const LIMIT: usize = 64 << 20;
