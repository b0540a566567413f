use bytes::Bytes;
use tokio::io::BufReader;
use web_socket::{DataType, Event, MessageType, WebSocket};

use crate::engine::{Engine, Kind, LIMIT, Role, Sink};
use crate::memory::{Memory, READ, now};

pub struct WebSocketCrate(WebSocket<BufReader<Memory>>);

impl Engine for WebSocketCrate {
    const NAME: &'static str = "web-socket";
    const HOW: &'static str = "async only, behind a 64 KiB `BufReader`, as it reads headers byte-wise; a \
                               `Box` each message; no UTF-8 check; does not join fragments";

    fn receives(_: Role, kind: Kind, fragmented: bool) -> bool {
        kind == Kind::Binary && !fragmented
    }

    fn new(role: Role, memory: Memory) -> Self {
        let stream = BufReader::with_capacity(READ, memory);
        let mut websocket = match role {
            Role::Client => WebSocket::client(stream),
            Role::Server => WebSocket::server(stream),
        };
        websocket.max_payload_len = LIMIT;
        Self(websocket)
    }

    fn receive<S: Sink>(&mut self, messages: u64, sink: &mut S) {
        now(async {
            for _ in 0..messages {
                match self.0.recv().await.expect("memory") {
                    Event::Data { ty: DataType::Complete(MessageType::Binary), data } => {
                        sink.message(Kind::Binary, &data);
                    }
                    other => panic!("{other:?}"),
                }
            }
        });
    }

    fn send(&mut self, payload: &Bytes, messages: u64) {
        now(async {
            for _ in 0..messages {
                self.0.send(&payload[..]).await.expect("memory");
            }
        });
    }
}
