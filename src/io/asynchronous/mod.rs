//! The async adapter, written once: `io::tokio` and `io::futures` are two ways to give it a
//! stream and a clock.

mod open;
mod poll;
mod reunite;
mod shared;
mod split;
mod stream;
mod transport;

use std::boxed::Box;
use std::future::{Future, poll_fn};
use std::io;
use std::task::{Context, Poll, ready};

pub(super) use open::{accept, client};
use poll::{Next, Out, Slot, poll_driver};
pub use reunite::ReuniteError;
pub use split::{Receiver, Sender};
pub use transport::AsyncTransport;

use super::driver::{Driver, Sending};
use super::error::Error;
use super::options::default_deadlines;
use super::parts::Parts;
use super::pool;
use super::reply::Reply;
use super::window::Window;
use crate::deadlines::{DeadlineConfig, Deadlines};
use crate::{ApiMisuse, CloseCode, Connection, Event, Message, Output, Prepared, SendError};

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
    transport: T,
    slot: Slot,
    driver: Driver,
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
        &self.driver.connection
    }

    pub(super) fn transport(&self) -> &T {
        &self.transport
    }

    pub(super) fn apart(mut self) -> Parts<T> {
        Parts::new(self.transport, self.driver, self.slot.as_deref_mut())
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
        Self { transport, slot, driver, subprotocol: None }
    }

    /// The same with other deadlines than those of the options' defaults, counted from now.
    #[must_use]
    pub fn with_deadlines(mut self, config: &DeadlineConfig) -> Self {
        let now = self.transport.now();
        self.driver.link.deadlines = Deadlines::new(config, now);
        self.driver.link.deadlines.opened(now);
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
        match poll_fn(|cx| self.poll_event(cx)).await {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => return Err(*error),
        }
        let Self { transport, slot: Some(window), driver, .. } = self else {
            return Ok(None); // not reached: the event is in it
        };
        match driver.event(window) {
            Ok(Some(event)) => Ok(Some((event, Reply::new(driver)))),
            Ok(None) => Ok(None), // not reached: one was found
            Err(_) => {
                // The window is spent, as far as the compiler can tell lent, and not needed. What
                // is left to do is to say so, and to leave. The connection tells the error.
                let mut slot = None;
                match poll_fn(|cx| poll_driver(transport, &mut slot, driver, cx)).await {
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
        poll_fn(|cx| self.poll_recv(cx))
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
        poll_fn(move |cx| {
            self.poll_queue(cx, &mut message, |connection, message, output| {
                connection.send(message, output)
            })
        })
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
        self.queue(fragment.into(), |connection, fragment, output| {
            connection.send_fragment(fragment, fin, output)
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
        self.queue((), |connection, (), output| connection.send_prepared(prepared, output)).await?;
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
        self.queue((), |connection, (), output| connection.ping(payload, output)).await?;
        self.flush().await
    }

    /// Sends a Close frame, and leaves the rest to the calls that receive: messages that the peer
    /// sent before its own Close are still delivered, then comes `None`.
    ///
    /// *Cancel safe*: once polled, the frame is queued, and leaves with the next call.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] for a code or a reason that must not be sent, or if the connection is
    /// closing already; [`Error::Io`].
    pub async fn send_close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.driver.connection.close(code, reason, &mut self.driver.link.output)?;
        self.flush().await
    }

    /// Ends the connection: sends a Close frame if none was sent, drops what still arrives, and
    /// returns when the peer has closed too, or the close deadline has passed.
    ///
    /// *Cancel safe*: once polled, the frame is queued; call again to wait for the rest.
    ///
    /// # Errors
    ///
    /// As [`send_close`](Self::send_close) and [`read`](Self::read). That the connection is closing
    /// already is not an error here.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        let Driver { connection, link } = &mut self.driver;
        match connection.close(code, reason, &mut link.output) {
            Ok(()) | Err(ApiMisuse::Closing) => {}
            Err(misuse) => return Err(misuse.into()),
        }
        while poll_fn(|cx| self.poll_event(cx)).await.map_err(|error| *error)? {
            if let Some(window) = &mut self.slot {
                // A failure stays with the connection, which tells it again.
                let _ = self.driver.event(window);
            }
        }
        Ok(())
    }

    /// Writes what is queued.
    ///
    /// *Cancel safe*: what was not written stays queued.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn flush(&mut self) -> impl Future<Output = Result<(), Error>> {
        poll_fn(|cx| self.poll_flush(cx))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        ready!(self.poll_write_until(|sending| sending.link.next_to_flush().is_none(), cx))?;
        pool::give_output(&mut self.driver.link.output);
        Poll::Ready(Ok(()))
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message<'static>>, Error>> {
        while ready!(self.poll_event(cx)).map_err(|error| *error)? {
            // A failure stays with the connection: the next round writes the Close and tells it.
            if let Some(window) = &mut self.slot
                && let Ok(Some(event)) = self.driver.event(window)
                && let Ok(message) = Message::try_from(event)
            {
                let message = message.into_owned();
                // The program may take its time before it comes back.
                pool::give_window(&mut self.slot);
                return Poll::Ready(Ok(Some(message)));
            }
        }
        Poll::Ready(Ok(None))
    }

    #[inline]
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        poll_driver(&mut self.transport, &mut self.slot, &mut self.driver, cx)
    }

    fn queue<M>(
        &mut self,
        item: M,
        mut queue: impl FnMut(&mut Connection, M, &mut Output) -> Result<(), SendError<M>>,
    ) -> impl Future<Output = Result<(), Error>> {
        let mut item = Some(item);
        poll_fn(move |cx| self.poll_queue(cx, &mut item, &mut queue))
    }

    /// Waits for room and queues `item`, at once where there is room.
    #[inline]
    fn poll_queue<M>(
        &mut self,
        cx: &mut Context<'_>,
        item: &mut Option<M>,
        mut queue: impl FnMut(&mut Connection, M, &mut Output) -> Result<(), SendError<M>>,
    ) -> Poll<Result<(), Error>> {
        let Driver { connection, link } = &self.driver;
        if connection.wants_write(&link.output) || link.is_shut() {
            ready!(self.poll_write_until(|sending| !sending.wants_write(), cx))?;
        }
        loop {
            let Some(message) = item.take() else { return Poll::Ready(Ok(())) };
            let Driver { connection, link } = &mut self.driver;
            pool::lend_output(&mut link.output);
            match queue(connection, message, &mut link.output) {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(SendError::Misuse(misuse)) => return Poll::Ready(Err(misuse.into())),
                Err(SendError::Full(_)) if link.output.is_empty() => {
                    // Not reached: one message fits into an empty output.
                    let error = io::Error::from(io::ErrorKind::WouldBlock);
                    return Poll::Ready(Err(error.into()));
                }
                Err(SendError::Full(message)) => *item = Some(message),
            }
            ready!(self.poll_write_until(|sending| sending.link.output.is_empty(), cx))?;
        }
    }

    /// Writes until `done`. While the peer takes nothing, reads on until there is an event: it may
    /// be waiting for us to read.
    fn poll_write_until(
        &mut self,
        done: impl Fn(&Sending<'_>) -> bool,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        loop {
            let (_, sending) = self.driver.halves();
            let mut out = Out { transport: &mut self.transport, sending, failed: &mut None };
            if out.poll_write_until(&done, cx).is_ready() {
                return Poll::Ready(self.driver.check_writable());
            }
            // That call may write, too.
            match self.poll_event(cx) {
                Poll::Ready(Err(error)) => return Poll::Ready(Err(*error)),
                Poll::Ready(Ok(false)) => return Poll::Ready(self.driver.check_writable()),
                Poll::Pending if !done(&self.driver.halves().1) => return Poll::Pending,
                Poll::Pending => {}
                Poll::Ready(Ok(true)) => {
                    // It waits to be taken, and nothing more is read until then.
                    let (receive, sending) = self.driver.halves();
                    let failed = &mut None;
                    let mut out = Out { transport: &mut self.transport, sending, failed };
                    ready!(out.poll_deadline(cx));
                    if let Some(error) = *failed {
                        receive.fail(error);
                    }
                }
            }
        }
    }
}
