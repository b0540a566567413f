use bytes::Bytes;
use tungstenite::protocol::{self, WebSocketConfig};
use tungstenite::{Message, WebSocket};

use crate::engine::{Engine, Kind, LIMIT, Role, Sink};
use crate::memory::Memory;

pub struct Tungstenite(WebSocket<Memory>);

impl Engine for Tungstenite {
    const NAME: &'static str = "tungstenite";
    const HOW: &'static str = "blocking `read` and `send`; payloads are shared `Bytes`";

    fn new(role: Role, memory: Memory) -> Self {
        let role = match role {
            Role::Client => protocol::Role::Client,
            Role::Server => protocol::Role::Server,
        };
        let config =
            WebSocketConfig::default().max_message_size(Some(LIMIT)).max_frame_size(Some(LIMIT));
        Self(WebSocket::from_raw_socket(memory, role, Some(config)))
    }

    fn receive<S: Sink>(&mut self, messages: u64, sink: &mut S) {
        for _ in 0..messages {
            match self.0.read().expect("a good peer") {
                Message::Binary(data) => sink.message(Kind::Binary, &data),
                Message::Text(text) => sink.message(Kind::Text, text.as_bytes()),
                other => panic!("{other}"),
            }
        }
    }

    fn send(&mut self, payload: &Bytes, messages: u64) {
        for _ in 0..messages {
            self.0.send(Message::Binary(payload.clone())).expect("memory");
        }
    }
}
