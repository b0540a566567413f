use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio_websockets::{ClientBuilder, Limits, Message, ServerBuilder, WebSocketStream};

use crate::engine::{Engine, Kind, LIMIT, Role, Sink};
use crate::memory::{Memory, now};

pub struct TokioWebsockets(WebSocketStream<Memory>);

impl Engine for TokioWebsockets {
    const NAME: &'static str = "tokio-websockets";
    const HOW: &'static str = "async only: polled over memory that is always ready, no runtime";

    fn new(role: Role, memory: Memory) -> Self {
        let limits = Limits::default().max_payload_len(Some(LIMIT));
        Self(match role {
            Role::Client => ClientBuilder::new().limits(limits).take_over(memory),
            Role::Server => ServerBuilder::new().limits(limits).serve(memory),
        })
    }

    fn receive<S: Sink>(&mut self, messages: u64, sink: &mut S) {
        now(async {
            for _ in 0..messages {
                let message = self.0.next().await.expect("endless").expect("a good peer");
                let kind = if message.is_text() { Kind::Text } else { Kind::Binary };
                sink.message(kind, message.as_payload());
            }
        });
    }

    fn send(&mut self, payload: &Bytes, messages: u64) {
        now(async {
            for _ in 0..messages {
                self.0.send(Message::binary(payload.clone())).await.expect("memory");
            }
        });
    }
}
