use bytes::Bytes;
use futures_util::SinkExt;
use yawc::{CompressionLevel, Frame, OpCode, Options, WebSocket};

use crate::engine::{Deflate, Engine, Kind, LIMIT, Role, Sink};
use crate::memory::{Memory, now};

pub struct Yawc(WebSocket<Memory>);

impl Engine for Yawc {
    const NAME: &'static str = "yawc";
    const HOW: &'static str = "async only: polled over memory that is always ready, no runtime; UTF-8 \
                               check on (it is off by default)";

    fn new(role: Role, memory: Memory) -> Self {
        let role = match role {
            Role::Client => yawc::Role::Client,
            Role::Server => yawc::Role::Server,
        };
        let options = Options::default().with_limits(LIMIT, 2 * LIMIT).with_utf8();
        Self(WebSocket::from_stream(memory, role, options).expect("no extensions"))
    }

    fn deflated(role: Role, memory: Memory, deflate: Deflate) -> Option<Self> {
        let role = match role {
            Role::Client => yawc::Role::Client,
            Role::Server => yawc::Role::Server,
        };
        let level = CompressionLevel::new(deflate.level.into());
        let mut options = Options::default().with_limits(LIMIT, 2 * LIMIT).with_utf8();
        options = options.with_compression_level(level).with_compression_threshold(0);
        if !deflate.takeover {
            options = options.server_no_context_takeover().client_no_context_takeover();
        }
        let extensions = Some(deflate.header());
        let websocket = WebSocket::from_stream_with_extensions(memory, role, extensions, options);
        Some(Self(websocket.expect("compression is on")))
    }

    fn receive<S: Sink>(&mut self, messages: u64, sink: &mut S) {
        now(async {
            for _ in 0..messages {
                let frame = self.0.next_frame().await.expect("a good peer");
                let kind = if frame.opcode() == OpCode::Text { Kind::Text } else { Kind::Binary };
                sink.message(kind, frame.payload());
            }
        });
    }

    fn send(&mut self, payload: &Bytes, messages: u64) {
        now(async {
            for _ in 0..messages {
                self.0.send(Frame::binary(payload.clone())).await.expect("memory");
            }
        });
    }
}
