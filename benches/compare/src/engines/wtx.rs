use bytes::Bytes;
use wtx::collection::Vector;
use wtx::rng::{ChaCha20, CryptoSeedableRng};
use wtx::stream::{StreamReader, StreamWriter};
use wtx::web_socket::compression::{Flate2, NegotiatedCompression, NegotiatedFlate2, WindowBits};
use wtx::web_socket::{Compression, CompressionLevel, DeflateConfig};
use wtx::web_socket::{Frame, OpCode, WebSocketBuffer, WebSocketOwned, WebSocketPayloadOrigin};

use crate::engine::{Deflate, Engine, Kind, LIMIT, Role, Sink};
use crate::memory::{Memory, now};

macro_rules! each {
    ($self:expr, $websocket:ident, $buffer:ident => $body:expr) => {
        match $self {
            Wtx::Client($websocket, $buffer) => $body,
            Wtx::Server($websocket, $buffer) => $body,
        }
    };
}

pub enum Wtx<N = ()> {
    Client(WebSocketOwned<N, ChaCha20, Stream, true>, Vector<u8>),
    Server(WebSocketOwned<N, ChaCha20, Stream, false>, Vector<u8>),
}

impl<N: NegotiatedCompression> Wtx<N> {
    fn with(role: Role, memory: Memory, compression: N) -> Self {
        let keys = ChaCha20::from_seed([7; 32]).expect("a seed");
        let buffer = WebSocketBuffer::new();
        let stream = Stream(memory);
        match role {
            Role::Client => {
                let mut websocket = WebSocketOwned::new(compression, false, keys, stream, buffer);
                websocket.set_max_payload_len(LIMIT);
                Self::Client(websocket, Vector::new())
            }
            Role::Server => {
                let mut websocket = WebSocketOwned::new(compression, false, keys, stream, buffer);
                websocket.set_max_payload_len(LIMIT);
                Self::Server(websocket, Vector::new())
            }
        }
    }

    fn receive_all<S: Sink>(&mut self, messages: u64, sink: &mut S) {
        now(async {
            each!(self, websocket, buffer => for _ in 0..messages {
                buffer.clear();
                let origin = WebSocketPayloadOrigin::Adaptive;
                let frame = websocket.read_frame(buffer, origin).await.expect("a good peer");
                let kind = if frame.op_code() == OpCode::Text { Kind::Text } else { Kind::Binary };
                sink.message(kind, frame.payload());
            });
        });
    }

    fn send_all(&mut self, payload: &Bytes, messages: u64) {
        now(async {
            each!(self, websocket, buffer => for _ in 0..messages {
                // It masks the payload where it lies, so the copy is part of sending.
                buffer.clear();
                buffer.extend_from_copyable_slice(payload).expect("memory");
                let mut frame = Frame::new_fin(OpCode::Binary, &mut *buffer);
                websocket.write_frame(&mut frame).await.expect("memory");
            });
        });
    }
}

pub struct Stream(Memory);

impl StreamReader for Stream {
    async fn read(&mut self, bytes: &mut [u8]) -> wtx::Result<usize> {
        Ok(std::io::Read::read(&mut self.0, bytes)?)
    }
}

impl StreamWriter for Stream {
    async fn write_all(&mut self, bytes: &[u8]) -> wtx::Result<()> {
        Ok(std::io::Write::write_all(&mut self.0, bytes)?)
    }

    async fn write_all_vectored(&mut self, bytes: &[&[u8]]) -> wtx::Result<()> {
        bytes.iter().try_for_each(|bytes| Ok(std::io::Write::write_all(&mut self.0, bytes)?))
    }
}

impl Engine for Wtx {
    const NAME: &'static str = "wtx";
    const HOW: &'static str = "async only: polled over memory that is always ready, no runtime; payloads \
                               lent (`WebSocketPayloadOrigin::Adaptive`)";

    fn new(role: Role, memory: Memory) -> Self {
        Self::with(role, memory, ())
    }

    fn receive<S: Sink>(&mut self, messages: u64, sink: &mut S) {
        self.receive_all(messages, sink);
    }

    fn send(&mut self, payload: &Bytes, messages: u64) {
        self.send_all(payload, messages);
    }
}

/// Another type, so that compression that is off costs nothing above.
pub struct WtxDeflate(Wtx<Option<NegotiatedFlate2>>);

impl Engine for WtxDeflate {
    const NAME: &'static str = "wtx, compressed";
    const HOW: &'static str = "the same with `Flate2`, which knows no context takeover";

    fn receives(_: Role, _: Kind, _: bool) -> bool {
        false
    }

    fn sends(_: Role) -> bool {
        false
    }

    fn new(_: Role, _: Memory) -> Self {
        unreachable!("does not take part");
    }

    fn deflated(role: Role, memory: Memory, deflate: Deflate) -> Option<Self> {
        if deflate.takeover {
            return None;
        }
        let config = DeflateConfig {
            client_max_window_bits: WindowBits::Fifteen,
            compression_level: CompressionLevel::try_from(deflate.level).expect("0 to 9"),
            server_max_window_bits: WindowBits::Fifteen,
        };
        let name = "sec-websocket-extensions".as_bytes();
        let answer = [[name, deflate.header().as_bytes()]];
        let flate2 = Flate2::from(config);
        let negotiated = match role {
            Role::Client => Compression::<true>::negotiate(flate2, answer.into_iter()),
            Role::Server => Compression::<false>::negotiate(flate2, answer.into_iter()),
        };
        Some(Self(Wtx::with(role, memory, negotiated.expect("known parameters"))))
    }

    fn receive<S: Sink>(&mut self, messages: u64, sink: &mut S) {
        self.0.receive_all(messages, sink);
    }

    fn send(&mut self, payload: &Bytes, messages: u64) {
        self.0.send_all(payload, messages);
    }
}
