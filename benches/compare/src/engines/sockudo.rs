use std::io::Write;

use bytes::{Bytes, BytesMut};
use sockudo_ws::Message;
use sockudo_ws::protocol::{self, Protocol};
use tokio::io::AsyncReadExt;

use crate::engine::{Engine, Kind, LIMIT, Role, Sink};
use crate::memory::{Memory, READ, now};

pub struct Sockudo {
    protocol: Protocol,
    memory: Memory,
    input: BytesMut,
    output: BytesMut,
    ready: Vec<Message>,
    shown: usize,
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
        Self {
            protocol: Protocol::new(role, LIMIT, LIMIT),
            memory,
            input: BytesMut::new(),
            output: BytesMut::new(),
            ready: Vec::new(),
            shown: 0,
        }
    }

    fn receive<S: Sink>(&mut self, messages: u64, sink: &mut S) {
        for _ in 0..messages {
            while self.shown == self.ready.len() {
                self.ready.clear();
                self.shown = 0;
                self.input.reserve(READ);
                now(self.memory.read_buf(&mut self.input)).expect("memory");
                self.protocol.process_into(&mut self.input, &mut self.ready).expect("a good peer");
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
            self.protocol.encode_message(&message, &mut self.output).expect("memory");
            self.memory.write_all(&self.output).expect("memory");
            self.output.clear();
        }
    }
}
