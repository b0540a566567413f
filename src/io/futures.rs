//! WebSocket over the streams of `futures-io`, with a timer that the caller brings: any function
//! from a duration to a future, such as `async_io::Timer::after` or `gloo_timers::future::sleep`.
//! Each runtime has its own, and a timer of ours would be one more thread.
//!
//! ```
//! use futures_util::io::{AsyncRead, AsyncWrite};
//! use std::{future::Future, time::Duration};
//! use websocket_proto::io::{Error, futures};
//!
//! async fn echo<S, F: Future>(stream: S, sleep: impl FnMut(Duration) -> F) -> Result<(), Error>
//! where
//!     S: AsyncRead + AsyncWrite + Unpin,
//! {
//!     let mut websocket = futures::accept(stream, sleep).await?;
//!     while let Some(message) = websocket.recv().await? {
//!         websocket.feed(message).await?;
//!     }
//!     Ok(())
//! }
//! ```

use std::boxed::Box;
use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures_io::{AsyncRead, AsyncWrite};

use super::asynchronous::{self, AsyncTransport};
use super::error::Error;
use super::options::{ClientOptions, DEFAULT_OPTIONS, ServerOptions};
use super::parts::Parts;
use crate::Connection;
use crate::handshake::{Accept, ClientRequest, Refusal, Request, Response};

/// A WebSocket connection over a stream of `futures-io`.
pub type WebSocket<S, F, G> = asynchronous::WebSocket<Futures<S, F, G>>;

/// A stream of `futures-io` with a timer, `F`, that makes futures, `G`. There is one only while
/// there is a deadline.
///
/// With `|_| std::future::pending::<()>()` there are no deadlines: nothing bounds how long a peer
/// may keep a call waiting.
pub struct Futures<S, F, G> {
    stream: S,
    epoch: Instant,
    sleep: F,
    /// The timer that is under way, and when it fires.
    timer: Option<(Pin<Box<G>>, Duration)>,
}

impl<S, F, G> WebSocket<S, F, G> {
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

impl<S, F, G> WebSocket<S, F, G>
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: FnMut(Duration) -> G,
    G: Future,
{
    /// A connection whose opening handshake was done elsewhere, for example by an HTTP framework.
    /// `leftover` is what was read after it.
    #[must_use]
    pub fn from_parts(stream: S, sleep: F, connection: Connection, leftover: &[u8]) -> Self {
        Self::over(Futures::new(stream, sleep), connection, leftover)
    }
}

/// Opens a WebSocket connection as the client over any stream. Returns the server's response as
/// well.
///
/// *Cancellation*: the stream is dropped.
///
/// # Errors
///
/// [`Error::Io`]; [`Error::Handshake`] with the server's answer; [`Error::Misuse`] for a request
/// that cannot be sent.
pub async fn client<S, F, G>(
    stream: S,
    sleep: F,
    request: ClientRequest,
    options: &ClientOptions,
) -> Result<(WebSocket<S, F, G>, Response), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: FnMut(Duration) -> G,
    G: Future,
{
    asynchronous::client(Futures::new(stream, sleep), request, options).await
}

/// Accepts a WebSocket connection as the server, with default options.
///
/// *Cancellation*: the stream is dropped.
///
/// # Errors
///
/// [`Error::Handshake`] for a request that cannot be accepted, after the answer was written.
pub async fn accept<S, F, G>(stream: S, sleep: F) -> Result<WebSocket<S, F, G>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: FnMut(Duration) -> G,
    G: Future,
{
    let options = &*DEFAULT_OPTIONS;
    accept_with(stream, sleep, options, |request| Ok(options.accept(request))).await
}

/// Accepts a WebSocket connection as the server. `decide` looks at the request, which is valid
/// and from an allowed origin: it may add headers, choose a subprotocol, or refuse.
///
/// *Cancellation*: the stream is dropped.
///
/// # Errors
///
/// As [`accept`]; [`Error::Refused`] after the refusal was written; [`Error::Misuse`] for a
/// decision that cannot be sent: the client gets status 500.
pub async fn accept_with<'o, S, F, G>(
    stream: S,
    sleep: F,
    options: &'o ServerOptions,
    decide: impl FnOnce(&Request) -> Result<Accept<'o>, Refusal<'o>>,
) -> Result<WebSocket<S, F, G>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: FnMut(Duration) -> G,
    G: Future,
{
    asynchronous::accept(Futures::new(stream, sleep), options, decide).await
}

impl<S, F, G> Futures<S, F, G> {
    /// The stream, with a clock that begins now.
    #[must_use]
    pub fn new(stream: S, sleep: F) -> Self {
        Self { stream, epoch: Instant::now(), sleep, timer: None }
    }
}

impl<S: fmt::Debug, F, G> fmt::Debug for Futures<S, F, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let due = self.timer.as_ref().map(|(_, due)| due);
        f.debug_struct("Futures").field("stream", &self.stream).field("timer", &due).finish()
    }
}

impl<S, F, G> AsyncTransport for Futures<S, F, G>
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: FnMut(Duration) -> G,
    G: Future,
{
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match slices {
            [first] => Pin::new(&mut self.stream).poll_write(cx, first),
            slices => Pin::new(&mut self.stream).poll_write_vectored(cx, slices),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>, deadline: Option<Duration>) -> Poll<()> {
        let Some(deadline) = deadline else {
            self.timer = None;
            return Poll::Pending;
        };
        // Most deadlines move away before they are due: a timer that fires early is let do so,
        // once, and another made then.
        if self.timer.as_ref().is_some_and(|(_, due)| *due > deadline) {
            self.timer = None;
        }
        loop {
            if let Some((timer, _)) = &mut self.timer {
                ready!(timer.as_mut().poll(cx));
                self.timer = None;
            }
            let now = self.now();
            if now >= deadline {
                return Poll::Ready(());
            }
            let timer = Box::pin((self.sleep)(deadline.saturating_sub(now)));
            self.timer = Some((timer, deadline));
        }
    }
}
