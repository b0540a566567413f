//! WebSocket over the streams of tokio, with its clock.
//!
//! The runtime needs its time driver (`Builder::enable_time`), and its I/O driver for [`connect`].
//!
//! ```no_run
//! use websocket_proto::io::tokio;
//!
//! # async fn run() -> Result<(), websocket_proto::io::Error> {
//! let mut websocket = tokio::connect("ws://localhost:9001/chat").await?;
//! websocket.send("Hello").await?;
//! while let Some(message) = websocket.recv().await? {
//!     println!("{message:?}");
//! }
//! # Ok(())
//! # }
//! ```

use std::boxed::Box;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::LazyLock;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use std::vec::Vec;

use bytes::BufMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{self, Instant, Sleep};

use super::asynchronous::{self, AsyncTransport};
use super::dial;
use super::error::Error;
use super::options::{ClientOptions, DEFAULT_OPTIONS, ServerOptions};
use super::parts::Parts;
use crate::Connection;
use crate::handshake::{Accept, ClientRequest, Refusal, Request, Response, Url};

/// A WebSocket connection over a stream of tokio.
pub type WebSocket<S> = asynchronous::WebSocket<Tokio<S>>;

/// A stream of tokio with tokio's clock. There is a timer only while there is a deadline.
#[derive(Debug)]
pub struct Tokio<S> {
    stream: S,
    sleep: Option<Pin<Box<Sleep>>>,
}

/// What all times count from; one for each connection would be 16 bytes of an idle one. It lies a
/// while back, since the paused clock of a test stands where its runtime began.
static EPOCH: LazyLock<Instant> = LazyLock::new(|| {
    let now = Instant::from_std(std::time::Instant::now());
    now.checked_sub(Duration::from_secs(60)).unwrap_or(now)
});

impl<S> WebSocket<S> {
    /// The stream.
    #[must_use]
    pub fn stream(&self) -> &S {
        &self.transport().stream
    }

    /// Takes it apart. What was not flushed is lost.
    #[must_use]
    pub fn into_parts(self) -> Parts<S> {
        let Parts { stream, connection, event, leftover } = self.apart();
        Parts { stream: stream.stream, connection, event, leftover }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// A connection whose opening handshake was done elsewhere, for example by an HTTP framework.
    /// `leftover` is what was read after it.
    #[must_use]
    pub fn from_parts(stream: S, connection: Connection, leftover: &[u8]) -> Self {
        Self::over(Tokio::new(stream), connection, leftover)
    }
}

/// Connects to a `ws://` URL, with default options. See [`connect_with`].
///
/// *Cancellation*: as [`connect_with`].
///
/// # Errors
///
/// As [`connect_with`].
pub async fn connect(url: &str) -> Result<WebSocket<TcpStream>, Error> {
    let url: Url = url.parse()?;
    let request = ClientRequest::from_url(&url);
    Ok(connect_with(&url, request, &ClientOptions::default()).await?.0)
}

/// Connects to the host of a `ws://` URL with a request of one's own. Returns the server's
/// response as well.
///
/// The addresses of the host are tried side by side (RFC 8305): the next one begins when one has
/// failed, or has not connected within 250 ms; the first that connects is taken. The handshake
/// deadline bounds it all: looking the name up, connecting, and the handshake.
///
/// *Cancellation*: the connection is dropped, and every attempt to make one. A look-up that has
/// begun ends by itself: the resolver of the operating system cannot be interrupted, and tokio
/// runs it in a thread of its pool. A runtime that is dropped waits for such a thread,
/// `Runtime::shutdown_timeout` does not.
///
/// # Errors
///
/// - [`Error::Io`]: the name has no address, or none of its addresses could be connected to. The
///   error names each, and has the kind of the one that says most about the server.
/// - [`Error::Handshake`]: with the server's answer, or
///   [`Timeout`](crate::handshake::HandshakeError::Timeout) once the deadline has passed, whatever was going on.
/// - [`Error::Misuse`]: a URL that cannot be used (`wss://` needs a TLS stream, see [`client`]), or
///   a request that cannot be sent.
pub async fn connect_with(
    url: &Url,
    request: ClientRequest,
    options: &ClientOptions,
) -> Result<(WebSocket<TcpStream>, Response), Error> {
    let (stream, options) = dial::tokio::dial(url, options).await?;
    client(stream, request, &options).await
}

/// Opens a WebSocket connection as the client over any stream. Returns the server's response as
/// well.
///
/// *Cancellation*: the stream is dropped.
///
/// # Errors
///
/// As [`connect_with`].
pub async fn client<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    request: ClientRequest,
    options: &ClientOptions,
) -> Result<(WebSocket<S>, Response), Error> {
    asynchronous::client(Tokio::new(stream), request, options).await
}

/// Accepts a WebSocket connection as the server, with default options.
///
/// *Cancellation*: the stream is dropped.
///
/// # Errors
///
/// [`Error::Handshake`] for a request that cannot be accepted, after the answer was written.
pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> Result<WebSocket<S>, Error> {
    let options = &*DEFAULT_OPTIONS;
    accept_with(stream, options, |request| Ok(options.accept(request))).await
}

/// Accepts a WebSocket connection as the server. `decide` looks at the request, which is valid
/// and from an allowed origin: it may add headers, choose a subprotocol, or refuse.
///
/// *Cancellation*: the stream is dropped.
///
/// ```no_run
/// use websocket_proto::handshake::Refusal;
/// use websocket_proto::io::{ServerOptions, tokio::accept_with};
///
/// # async fn run() -> Result<(), websocket_proto::io::Error> {
/// let options = ServerOptions::default();
/// let (stream, _) = tokio::net::TcpListener::bind("127.0.0.1:9001").await?.accept().await?;
/// let websocket = accept_with(stream, &options, |request| {
///     if request.path() == "/chat" { Ok(options.accept(request)) } else { Err(Refusal::new(404)) }
/// })
/// .await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As [`accept`]; [`Error::Refused`] after the refusal was written; [`Error::Misuse`] for a
/// decision that cannot be sent: the client gets status 500.
pub async fn accept_with<'o, S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    options: &'o ServerOptions,
    decide: impl FnOnce(&Request) -> Result<Accept<'o>, Refusal<'o>>,
) -> Result<WebSocket<S>, Error> {
    asynchronous::accept(Tokio::new(stream), options, decide).await
}

impl<S> Tokio<S> {
    /// The stream with a clock.
    #[must_use]
    pub const fn new(stream: S) -> Self {
        Self { stream, sleep: None }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncTransport for Tokio<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn poll_append(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<u8>,
        most: usize,
    ) -> Option<Poll<io::Result<usize>>> {
        // The future keeps nothing: it polls the stream.
        Some(pin!(self.stream.read_buf(&mut buffer.limit(most))).poll(cx))
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let stream = Pin::new(&mut self.stream);
        match slices {
            // Where a stream has no vectored write, it would take the first piece only, too.
            [_, _, ..] if stream.is_write_vectored() => stream.poll_write_vectored(cx, slices),
            [first, ..] => stream.poll_write(cx, first),
            [] => Poll::Ready(Ok(0)), // not reached: there is something to write
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn now(&self) -> Duration {
        Instant::now().saturating_duration_since(*EPOCH)
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>, deadline: Option<Duration>) -> Poll<()> {
        let Some(deadline) = deadline.and_then(|deadline| EPOCH.checked_add(deadline)) else {
            self.sleep = None;
            return Poll::Pending;
        };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(time::sleep_until(deadline)));
        // Most deadlines move away before they are due. The timer is let fire early, once, and
        // set again then.
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if sleep.deadline() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an idle connection costs beside its task.
    #[test]
    fn sizes() {
        assert!(size_of::<WebSocket<TcpStream>>() <= 544, "{}", size_of::<WebSocket<TcpStream>>());
    }
}
