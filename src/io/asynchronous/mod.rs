//! The async adapter, written once: `io::tokio` and `io::futures` are two ways to give it a
//! stream and a clock.

mod endpoint;
mod open;
mod pump;
mod reunite;
mod shared;
mod split;
mod stream;
mod tasks;
mod transport;

use std::boxed::Box;
use std::future::{Future, poll_fn};

use endpoint::Endpoint;
pub(super) use open::{accept, client};
pub use reunite::ReuniteError;
pub use split::{Receiver, Sender};
pub use transport::AsyncTransport;

use super::driver::Driver;
use super::error::Error;
use super::options::default_deadlines;
use super::parts::Parts;
use super::reply::Reply;
use super::window::Window;
use crate::connection::send::SendPath;
use crate::deadlines::{DeadlineConfig, Deadlines};
use crate::{ApiMisuse, CloseCode, Connection, Event, Message, Prepared};

/// A WebSocket connection over an async stream.
///
/// Pings and the peer's Close are answered, and deadlines are kept, while a call waits: a program
/// that expects nothing should still wait in [`recv`](Self::recv) or [`read`](Self::read).
///
/// *Cancellation*: every method may be dropped at any point and any method called next. What was
/// received stays, what was queued is sent once and whole. Each method says what it leaves undone.
///
/// *Memory*: a connection owns buffers only while it has bytes. The window that is read into, and
/// that of the output, belong to the thread.
#[derive(Debug)]
pub struct WebSocket<T> {
    endpoint: Endpoint<T>,
    subprotocol: Option<Box<str>>,
}

impl<T> WebSocket<T> {
    /// The subprotocol that was agreed (RFC 6455 section 1.9), if the handshake was done here.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// The connection: its state, how it ended, statistics.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.endpoint.pump.driver.connection
    }

    pub(super) fn transport(&self) -> &T {
        &self.endpoint.pump.transport
    }

    pub(super) fn apart(self) -> Parts<T> {
        let Endpoint { pump, mut slot } = self.endpoint;
        Parts::new(pump.transport, pump.driver, slot.as_deref_mut())
    }
}

impl<T: AsyncTransport> WebSocket<T> {
    /// A connection over a transport whose opening handshake was done elsewhere. `leftover` is
    /// what was read after it.
    pub fn over(transport: T, connection: Connection, leftover: &[u8]) -> Self {
        let mut link = open::link(&transport, &default_deadlines());
        link.deadlines.opened(transport.now());
        let driver = Driver::new(connection, link);
        let slot = (!leftover.is_empty()).then(|| Box::new(Window::with_leftover(leftover)));
        Self { endpoint: Endpoint::new(transport, driver, slot), subprotocol: None }
    }

    /// The same with other deadlines than those of the options' defaults, counted from now.
    #[must_use]
    pub fn with_deadlines(mut self, config: &DeadlineConfig) -> Self {
        let now = self.transport().now();
        let deadlines = &mut self.endpoint.pump.driver.link.deadlines;
        *deadlines = Deadlines::new(config, now);
        deadlines.opened(now);
        self
    }

    /// The next event, lent from the read buffer, with a handle that queues answers while it
    /// lives; they are written before the next read. `None` is the end of the connection, after a
    /// closing handshake.
    ///
    /// *Cancel safe*: no event is lost.
    ///
    /// # Errors
    ///
    /// [`Error::Protocol`] after the Close frame that says so was written; [`Error::Io`].
    pub async fn read(&mut self) -> Result<Option<(Event<'_>, Reply<'_>)>, Error> {
        let Endpoint { pump, slot } = &mut self.endpoint;
        if !poll_fn(|cx| pump.poll_event(slot, cx)).await.map_err(|error| *error)? {
            return Ok(None);
        }
        let Some(window) = slot else { return Ok(None) }; // not reached: the event is in it
        match pump.driver.event(window) {
            Ok(Some(event)) => Ok(Some((event, Reply::new(&mut pump.driver)))),
            Ok(None) => Ok(None), // not reached: one was found
            Err(_) => {
                // The window holds nothing more, but the compiler takes it to be lent. What is left
                // to do is to write the Close frame that says so; the connection tells the error.
                let mut slot = None;
                match poll_fn(|cx| pump.poll_event(&mut slot, cx)).await {
                    Ok(_) => Ok(None), // not reached: it has failed
                    Err(error) => Err(*error),
                }
            }
        }
    }

    /// The next message. Control frames are dealt with on the way. `None` is the end of the
    /// connection, after a closing handshake: [`Connection::closed`] tells of it.
    ///
    /// What is queued is written before it waits, so this loop needs no [`flush`](Self::flush),
    /// and the answers to all messages that came together leave together:
    ///
    /// ```
    /// # use websocket_proto::io::{AsyncTransport, Error, WebSocket};
    /// # async fn echo<T: AsyncTransport>(mut websocket: WebSocket<T>) -> Result<(), Error> {
    /// while let Some(message) = websocket.recv().await? {
    ///     websocket.feed(message).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Messages only: with [`Delivery::Chunks`](crate::Delivery::Chunks) use [`read`](Self::read).
    ///
    /// *Cancel safe*: no message is lost.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn recv(&mut self) -> impl Future<Output = Result<Option<Message<'static>>, Error>> {
        poll_fn(|cx| self.endpoint.poll_recv(cx))
    }

    /// Sends a message: when the call returns, its bytes are with the transport. It is
    /// [`feed`](Self::feed), then [`flush`](Self::flush).
    ///
    /// While the peer takes nothing, the next message is received, but no more than one: two
    /// peers that send to each other go on as long as each receives what it is sent.
    ///
    /// *Cancel safe*: if dropped, the message was either queued whole, and leaves with the next
    /// call, or not at all. To know which, use the two calls.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] where it must not be sent; [`Error::Io`]; [`Error::Protocol`] where the
    /// connection has failed.
    pub async fn send<'m>(&mut self, message: impl Into<Message<'m>>) -> Result<(), Error> {
        self.feed(message).await?;
        self.flush().await
    }

    /// Queues a message. It is written by [`flush`](Self::flush), by the next call that receives,
    /// or when much waits. Waits only where more than
    /// [`Config::output_soft_limit`](crate::Config::output_soft_limit) bytes are queued.
    ///
    /// *Cancel safe*: if dropped before it was ready, the message was not queued.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    #[inline]
    pub fn feed<'m>(
        &mut self,
        message: impl Into<Message<'m>>,
    ) -> impl Future<Output = Result<(), Error>> {
        let mut message = Some(message.into());
        poll_fn(move |cx| self.endpoint.poll_queue(cx, &mut message, SendPath::send))
    }

    /// Sends a piece of a message, see [`Connection::send_fragment`].
    ///
    /// *Cancel safe*, as [`send`](Self::send).
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn send_fragment<'m>(
        &mut self,
        fragment: impl Into<Message<'m>>,
        fin: bool,
    ) -> Result<(), Error> {
        self.endpoint
            .queue(fragment.into(), |path, fragment, output| {
                path.send_fragment(fragment, fin, output)
            })
            .await?;
        self.flush().await
    }

    /// Sends a message that was prepared once for many connections.
    ///
    /// *Cancel safe*, as [`send`](Self::send).
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn send_prepared(&mut self, prepared: &Prepared) -> Result<(), Error> {
        self.endpoint.queue((), |path, (), output| path.send_prepared(prepared, output)).await?;
        self.flush().await
    }

    /// Sends a Ping with up to 125 bytes of payload.
    ///
    /// *Cancel safe*, as [`send`](Self::send).
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.endpoint.queue((), |path, (), output| path.ping(payload, output)).await?;
        self.flush().await
    }

    /// Sends a Close frame, and leaves the rest to the calls that receive: messages that the peer
    /// sent before its own Close are still delivered, then comes `None`.
    ///
    /// *Cancel safe*: once polled, the frame is queued, and leaves with the next call.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] for a code that must not be sent, or if the connection is closing already;
    /// [`Error::Io`]. A reason over 123 bytes is cut at a character's boundary.
    pub async fn send_close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.endpoint.queue_close(Some((code, reason)))?;
        self.flush().await
    }

    /// Ends the connection: sends a Close frame if none was sent, drops what still arrives, and
    /// returns when the peer has closed too, or a deadline has passed. Then the end of the
    /// transport is waited for, for [`DeadlineConfig::linger`] at most.
    ///
    /// *Cancel safe*: once polled, the frame is queued; call again to wait for the rest.
    ///
    /// # Errors
    ///
    /// As [`send_close`](Self::send_close) and [`read`](Self::read); that the connection is closing
    /// already is not an error here. `Ok`: all that was queued has left, and our Close frame.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        match self.endpoint.pump.driver.queue_close(Some((code, reason))) {
            Ok(()) | Err(ApiMisuse::Closing) => {}
            Err(misuse) => return Err(misuse.into()),
        }
        let result = poll_fn(|cx| self.endpoint.poll_end(cx)).await;
        let Endpoint { pump, slot } = &mut self.endpoint;
        poll_fn(|cx| pump.poll_linger(slot, cx)).await;
        result
    }

    /// Writes what is queued.
    ///
    /// *Cancel safe*: what was not written stays queued.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn flush(&mut self) -> impl Future<Output = Result<(), Error>> {
        poll_fn(|cx| self.endpoint.poll_flush(cx))
    }
}
