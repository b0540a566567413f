use std::borrow::Cow;
use std::io::{IoSlice, Read, Write};
use std::mem;

use bytes::{BufMut, Bytes};
use tokio::io::AsyncReadExt;
use websocket_proto::{
    Config, Connection, DeflateParams, Event, MaskKeys, Message, Negotiated, Output, Prepared,
};

use crate::engine::{Deflate, Engine, Kind, LIMIT, Role, Sink};
use crate::memory::{Memory, READ, now};

/// The read buffer. Large messages are read directly past it, and the nearest cache holds it: with
/// 64 KiB, unmasking in place waits for the next cache, and 16 KiB messages took twice as long.
const WINDOW: usize = 16 << 10;
/// How much is read after a message that was completed directly, as `Connection::direct` says: as
/// much as is copied twice of the next one, if it is as large.
const START: usize = 512;
/// From here on `Connection::send_prepared` shares a payload.
const SHARED: usize = 16 << 10;

/// The core, with payloads lent.
pub struct Ours {
    connection: Connection,
    output: Output,
    memory: Memory,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// A server, which does not mask, shares large payloads: they are `Bytes` already.
    shares: bool,
    /// Whether the last message was completed directly, and its memory handed back.
    was_direct: bool,
}

impl Ours {
    fn with(role: Role, memory: Memory, negotiated: Negotiated, mut config: Config) -> Self {
        let plain = negotiated.deflate.is_none();
        config.max_message_size = LIMIT as u64;
        config.max_frame_size = LIMIT as u64;
        let connection = match role {
            Role::Client => Connection::client(negotiated, config, MaskKeys::from_seed([7; 32])),
            Role::Server => Connection::server(negotiated, config),
        };
        // Nothing compressed is read directly, and inflating costs more for each cut.
        let buffer = vec![0; if plain { WINDOW } else { READ }].into();
        let output = Output::new();
        let shares = matches!(role, Role::Server) && plain;
        Self { connection, output, memory, buffer, start: 0, end: 0, shares, was_direct: false }
    }

    /// Shows each message, and hands back the memory that `each` returns.
    #[inline(always)]
    fn each(&mut self, messages: u64, mut each: impl FnMut(Event<'_>) -> Option<Vec<u8>>) {
        let mut left = messages;
        while left > 0 {
            if self.start == self.end {
                if self.read_direct(&mut each) {
                    left -= 1;
                    continue;
                }
                let room = if mem::take(&mut self.was_direct) { START } else { self.buffer.len() };
                let window = &mut self.buffer[..room];
                self.end = Read::read(&mut self.memory, window).expect("memory");
                self.start = 0;
            }
            let mut input = &mut self.buffer[self.start..self.end];
            while left > 0
                && let Some(event) =
                    self.connection.receive(&mut input, &mut self.output).expect("a good peer")
            {
                if let Some(spent) = each(event) {
                    self.connection.recycle(spent);
                }
                left -= 1;
            }
            self.start = self.end - input.len();
        }
    }

    /// Reads straight into a large message for as long as it takes that. Whether it is complete.
    fn read_direct(&mut self, each: &mut impl FnMut(Event<'_>) -> Option<Vec<u8>>) -> bool {
        while let Some((message, room)) = self.connection.direct() {
            let mut message = message.limit(room);
            now(AsyncReadExt::read_buf(&mut self.memory, &mut message)).expect("memory");
            let done = self.connection.direct_done(&mut self.output).expect("a good peer");
            if let Some(event) = done {
                if let Some(spent) = each(event) {
                    self.connection.recycle(spent);
                    self.was_direct = true;
                }
                return true;
            }
        }
        false
    }

    #[inline(always)]
    fn write(&mut self) {
        // The usual case: one piece.
        let pending = self.output.pending();
        if pending.len() == self.output.len() {
            let written = Write::write(&mut self.memory, pending).expect("memory");
            self.output.advance(written);
        }
        while !self.output.is_empty() {
            let mut slices = [IoSlice::new(&[]); 4];
            let count = self.output.io_slices(&mut slices);
            let written = self.memory.write_vectored(&slices[..count]).expect("memory");
            self.output.advance(written);
        }
    }
}

/// Shows a message. Returns its memory, if it has any.
#[inline(always)]
fn show(event: Event<'_>, sink: &mut impl Sink) -> Option<Vec<u8>> {
    match event {
        Event::Binary(data) => {
            sink.message(Kind::Binary, &data);
            if let Cow::Owned(data) = data { Some(data) } else { None }
        }
        Event::Text(text) => {
            sink.message(Kind::Text, text.as_bytes());
            if let Cow::Owned(text) = text { Some(text.into_bytes()) } else { None }
        }
        other => panic!("{other:?}"),
    }
}

impl Engine for Ours {
    const NAME: &'static str = "websocket-proto";
    const HOW: &'static str = "the core, reads of 16 KiB (512 B after a message that was read directly, 64 KiB \
                               with compression); received payloads are lent, or read directly into memory that is used again; sent ones \
                               borrowed, a server's shared from 16 KiB up";

    fn new(role: Role, memory: Memory) -> Self {
        Self::with(role, memory, Negotiated::default(), Config::default())
    }

    fn deflated(role: Role, memory: Memory, deflate: Deflate) -> Option<Self> {
        let mut negotiated = Negotiated::default();
        negotiated.deflate = Some(DeflateParams {
            server_no_context_takeover: !deflate.takeover,
            client_no_context_takeover: !deflate.takeover,
            ..DeflateParams::default()
        });
        let mut config = Config::default();
        config.compression_threshold = 0;
        config.compression_level = deflate.level;
        Some(Self::with(role, memory, negotiated, config))
    }

    fn receive<S: Sink>(&mut self, messages: u64, sink: &mut S) {
        self.each(messages, |event| show(event, sink));
    }

    fn send(&mut self, payload: &Bytes, messages: u64) {
        if self.shares && payload.len() >= SHARED {
            for _ in 0..messages {
                let message = Prepared::binary(payload.clone());
                self.connection.send_prepared(&message, &mut self.output).expect("open, written");
                self.write();
            }
            return;
        }
        for _ in 0..messages {
            let message = Message::binary(&payload[..]);
            self.connection.send(message, &mut self.output).expect("open, and all is written");
            self.write();
        }
    }
}

/// The core, with payloads that outlive the input.
pub struct OursOwned(Ours);

impl Engine for OursOwned {
    const NAME: &'static str = "websocket-proto, owned";
    const HOW: &'static str = "the core; received payloads become a `Vec`, sent ones are a fresh `Vec` (its making is in the time)";

    fn new(role: Role, memory: Memory) -> Self {
        Self(Ours::new(role, memory))
    }

    fn receive<S: Sink>(&mut self, messages: u64, sink: &mut S) {
        self.0.each(messages, |event| {
            show(event.into_owned(), sink);
            None
        });
    }

    fn send(&mut self, payload: &Bytes, messages: u64) {
        for _ in 0..messages {
            let message = Message::from(payload.to_vec());
            self.0.connection.send(message, &mut self.0.output).expect("open, all is written");
            self.0.write();
        }
    }
}

/// The core, with one message for many connections.
pub struct OursPrepared(Ours);

impl Engine for OursPrepared {
    const NAME: &'static str = "websocket-proto, prepared";
    const HOW: &'static str = "the core; the message is prepared once, payload shared";

    fn receives(_: Role, _: Kind, _: bool) -> bool {
        false
    }

    fn new(role: Role, memory: Memory) -> Self {
        Self(Ours::new(role, memory))
    }

    fn receive<S: Sink>(&mut self, _: u64, _: &mut S) {
        unreachable!("does not take part");
    }

    fn send(&mut self, payload: &Bytes, messages: u64) {
        let prepared = Prepared::binary(payload.clone());
        for _ in 0..messages {
            self.0.connection.send_prepared(&prepared, &mut self.0.output).expect("open, written");
            self.0.write();
        }
    }
}
