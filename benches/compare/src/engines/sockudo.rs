use std::io::Write;

use bytes::{Bytes, BytesMut};
use sockudo_ws::protocol::{self, CompressedProtocol, Protocol};
use sockudo_ws::{DeflateConfig, Message};
use tokio::io::AsyncReadExt;

use crate::engine::{Deflate, Engine, Kind, LIMIT, Role, Sink};
use crate::memory::{Memory, READ, now};

pub struct Sockudo {
    protocol: Either,
    memory: Memory,
    input: BytesMut,
    output: BytesMut,
    ready: Vec<Message>,
    shown: usize,
}

enum Either {
    Plain(Protocol),
    Compressed(Box<CompressedProtocol>),
}

impl Sockudo {
    fn with(protocol: Either, memory: Memory) -> Self {
        Self {
            protocol,
            memory,
            input: BytesMut::new(),
            output: BytesMut::new(),
            ready: Vec::new(),
            shown: 0,
        }
    }
}

impl Engine for Sockudo {
    const NAME: &'static str = "sockudo-ws";
    const HOW: &'static str =
        "its protocol layer (`Protocol::process_into`, `encode_message`), without its stream";

    fn new(role: Role, memory: Memory) -> Self {
        let role = match role {
            Role::Client => protocol::Role::Client,
            Role::Server => protocol::Role::Server,
        };
        Self::with(Either::Plain(Protocol::new(role, LIMIT, LIMIT)), memory)
    }

    fn deflated(role: Role, memory: Memory, deflate: Deflate) -> Option<Self> {
        let config = DeflateConfig {
            server_no_context_takeover: !deflate.takeover,
            client_no_context_takeover: !deflate.takeover,
            compression_level: deflate.level.into(),
            compression_threshold: 0,
            ..DeflateConfig::default()
        };
        let protocol = match role {
            Role::Client => CompressedProtocol::client(LIMIT, LIMIT, config),
            Role::Server => CompressedProtocol::server(LIMIT, LIMIT, config),
        };
        Some(Self::with(Either::Compressed(protocol.into()), memory))
    }

    fn receive<S: Sink>(&mut self, messages: u64, sink: &mut S) {
        for _ in 0..messages {
            while self.shown == self.ready.len() {
                self.ready.clear();
                self.shown = 0;
                self.input.reserve(READ);
                now(self.memory.read_buf(&mut self.input)).expect("memory");
                let done = match &mut self.protocol {
                    Either::Plain(it) => it.process_into(&mut self.input, &mut self.ready),
                    Either::Compressed(it) => it.process_into(&mut self.input, &mut self.ready),
                };
                done.expect("a good peer");
            }
            match &self.ready[self.shown] {
                Message::Binary(data) => sink.message(Kind::Binary, data),
                Message::Text(data) => sink.message(Kind::Text, data),
                other => panic!("{other:?}"),
            }
            self.shown += 1;
        }
    }

    fn send(&mut self, payload: &Bytes, messages: u64) {
        let message = Message::Binary(payload.clone());
        for _ in 0..messages {
            let done = match &mut self.protocol {
                Either::Plain(it) => it.encode_message(&message, &mut self.output),
                Either::Compressed(it) => it.encode_message(&message, &mut self.output),
            };
            done.expect("memory");
            self.memory.write_all(&self.output).expect("memory");
            self.output.clear();
        }
    }
}
