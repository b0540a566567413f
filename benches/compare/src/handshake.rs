//! The opening handshake of a server, in memory: a browser's request in, the 101 out.

use std::io::{self, IoSlice, Read, Write};
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};

use websocket_proto::Output;
use websocket_proto::handshake::{Accept as Acceptance, Server, ServerConfig};

use crate::memory::now;

#[path = "../../common/browser.rs"]
mod browser;

pub(crate) use browser::{ACCEPT, REQUEST};

/// Answers the request that the stream holds.
pub type Accept = fn(&mut Stream);

/// fastwebsockets and yawc answer through hyper, web-socket, websocket-sans-io not at all.
pub const ENGINES: &[(&str, Accept)] = &[
    ("websocket-proto", ours),
    ("tungstenite", |stream| drop(tungstenite::accept(stream).expect("a good request"))),
    ("tokio-websockets", |stream| {
        let builder = tokio_websockets::ServerBuilder::new();
        drop(now(builder.accept(stream)).expect("a good request"));
    }),
    ("soketto", |stream| {
        let mut server = soketto::handshake::Server::new(stream);
        now(async {
            let key = server.receive_request().await.expect("a good request").key();
            let response = soketto::handshake::server::Response::Accept { key, protocol: None };
            server.send_response(&response).await.expect("memory");
        });
    }),
    ("sockudo-ws", |stream| {
        now(sockudo_ws::handshake::server_handshake(stream)).expect("a good request");
    }),
];

fn ours(stream: &mut Stream) {
    static CONFIG: LazyLock<Arc<ServerConfig>> = LazyLock::new(Arc::default);
    let mut server = Server::new(CONFIG.clone());
    let mut output = Output::new();
    let mut buffer = std::mem::take(&mut stream.shared);
    let count = stream.read(&mut buffer).expect("memory");
    let request = server.receive(&mut &buffer[..count], &mut output).expect("a good request");
    let request = request.expect("a whole request");
    request.accept(&Acceptance::new(), &mut output).expect("nothing that it may not hold");
    while !output.is_empty() {
        let count = stream.write(output.pending()).expect("memory");
        output.advance(count);
    }
    stream.shared = buffer;
}

/// Checks the answer of an engine.
pub fn verify(engine: &str, accept: Accept) {
    let mut stream = Stream::default();
    accept(&mut stream);
    let response = std::str::from_utf8(&stream.output[..stream.written]).expect("text");
    check(response).unwrap_or_else(|problem| panic!("{engine}: {problem}"));
}

/// Whether a head is the right answer to [`REQUEST`].
pub fn check(response: &str) -> Result<(), String> {
    let mut lines = response.split("\r\n");
    if !lines.next().is_some_and(|line| line.starts_with("HTTP/1.1 101")) {
        return Err(format!("not a 101: {response}"));
    }
    let accepts = lines.filter_map(|line| line.split_once(':')).any(|(name, value)| {
        name.eq_ignore_ascii_case("sec-websocket-accept") && value.trim() == ACCEPT
    });
    if accepts { Ok(()) } else { Err(format!("wrong accept: {response}")) }
}

/// Answers so many requests.
pub fn run(accept: Accept, count: u64) {
    let mut stream = Stream::default();
    for _ in 0..count {
        stream.read = 0;
        stream.written = 0;
        accept(&mut stream);
        std::hint::black_box(&mut stream);
    }
}

/// The request, once, and room for the answer.
pub struct Stream {
    read: usize,
    output: [u8; 1024],
    written: usize,
    /// The read buffer that a thread has, for an engine that is given its input.
    shared: Vec<u8>,
}

impl Default for Stream {
    fn default() -> Self {
        Self { read: 0, output: [0; 1024], written: 0, shared: vec![0; 4096] }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (&REQUEST.as_bytes()[self.read..]).read(buffer)?;
        self.read += count;
        Ok(count)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = (&mut self.output[self.written..]).write(bytes)?;
        self.written += count;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl tokio::io::AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let rest = &REQUEST.as_bytes()[self.read..];
        let count = rest.len().min(buffer.remaining());
        buffer.put_slice(&rest[..count]);
        self.read += count;
        Poll::Ready(Ok(()))
    }
}

impl tokio::io::AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write(bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write_vectored(slices))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl futures_util::io::AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.read(buffer))
    }
}

impl futures_util::io::AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
