use bytes::Bytes;
use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload, WebSocket};

use crate::engine::{Engine, Kind, LIMIT, Role, Sink};
use crate::memory::{Memory, now};

pub struct Fastwebsockets(FragmentCollector<Memory>);

impl Engine for Fastwebsockets {
    const NAME: &'static str = "fastwebsockets";
    const HOW: &'static str =
        "async only, `FragmentCollector`: polled over memory that is always ready, no runtime";

    fn new(role: Role, memory: Memory) -> Self {
        let role = match role {
            Role::Client => fastwebsockets::Role::Client,
            Role::Server => fastwebsockets::Role::Server,
        };
        let mut websocket = WebSocket::after_handshake(memory, role);
        websocket.set_max_message_size(LIMIT);
        Self(FragmentCollector::new(websocket))
    }

    fn receive<S: Sink>(&mut self, messages: u64, sink: &mut S) {
        now(async {
            for _ in 0..messages {
                let frame = self.0.read_frame().await.expect("a good peer");
                let kind = if frame.opcode == OpCode::Text { Kind::Text } else { Kind::Binary };
                sink.message(kind, &frame.payload);
            }
        });
    }

    fn send(&mut self, payload: &Bytes, messages: u64) {
        now(async {
            for _ in 0..messages {
                let frame = Frame::binary(Payload::Borrowed(payload));
                self.0.write_frame(frame).await.expect("memory");
            }
        });
    }
}
