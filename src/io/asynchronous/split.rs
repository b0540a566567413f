//! [`Receiver`] and [`Sender`]: the two directions in two tasks.

use std::boxed::Box;
use std::future::{Future, poll_fn};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::poll::{Next, Slot, found, poll_event};
use super::reunite::ReuniteError;
use super::shared::{Behind, Half, Inner, Shared};
use super::{AsyncTransport, WebSocket};
use crate::connection::receive::{Due, ReceivePath};
use crate::connection::send::SendPath;
use crate::io::driver::Driver;
use crate::io::error::Error;
use crate::io::pool;
use crate::{CloseCode, Connection, Event, Message, Output, Prepared, SendError, State};

/// The receiving half of a [`WebSocket`], from [`split`](WebSocket::split).
///
/// It answers pings and the peer's Close, and keeps the deadlines, by itself while it waits: the
/// sender may be idle, or gone. If it is dropped, nobody reads any more, and the sender goes on
/// until the peer minds.
#[derive(Debug)]
pub struct Receiver<T> {
    path: ReceivePath,
    slot: Slot,
    shared: Arc<Shared<T>>,
    subprotocol: Option<Box<str>>,
    /// The end has been told to whoever reads the messages as a stream.
    pub(super) told: bool,
}

/// The sending half of a [`WebSocket`], from [`split`](WebSocket::split).
#[derive(Debug)]
pub struct Sender<T> {
    pub(super) shared: Arc<Shared<T>>,
}

impl<T: AsyncTransport> WebSocket<T> {
    /// Splits the connection into two halves for two tasks.
    ///
    /// They share the stream and a lock, which is held for one call of the stream at a time and
    /// never while a task waits.
    #[must_use]
    pub fn split(self) -> (Receiver<T>, Sender<T>) {
        let Self { transport, slot, driver, subprotocol } = self;
        let Driver { connection: Connection { receive, send }, link } = driver;
        let failed = receive.error();
        let told = link.told;
        let shared = Arc::new(Shared::new(Inner { transport, path: send, link, failed }));
        let receiver =
            Receiver { path: receive, slot, shared: Arc::clone(&shared), subprotocol, told };
        (receiver, Sender { shared })
    }
}

impl<T> Receiver<T> {
    /// The subprotocol that was agreed (RFC 6455 section 1.9), if the handshake was done here.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }
}

impl<T: AsyncTransport> Receiver<T> {
    /// The next event, lent from the read buffer. `None` is the end of the connection, after a
    /// closing handshake.
    ///
    /// *Cancel safe*: no event is lost.
    ///
    /// # Errors
    ///
    /// [`Error::Protocol`] after the Close frame that says so was written; [`Error::Io`].
    pub async fn read(&mut self) -> Result<Option<Event<'_>>, Error> {
        match poll_fn(|cx| self.poll_event(cx)).await {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => return Err(*error),
        }
        let Self { path, slot: Some(window), shared, .. } = self else {
            return Ok(None); // not reached: the event is in it
        };
        match window.event(path, |due| answer(shared, due)) {
            Ok(event) => Ok(event),
            Err(_) => {
                // As in `WebSocket::read`.
                let mut slot = None;
                match poll_fn(|cx| poll_shared(path, &mut slot, shared, cx)).await {
                    Ok(_) => Ok(None), // not reached: it has failed
                    Err(error) => Err(*error),
                }
            }
        }
    }

    /// The next message. Control frames are dealt with on the way. `None` is the end of the
    /// connection, after a closing handshake: [`Sender::reunite`] with the other half to ask
    /// [`Connection::closed`] of it.
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

    pub(super) fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Message<'static>>, Error>> {
        while ready!(self.poll_event(cx)).map_err(|error| *error)? {
            let Self { path, slot, shared, .. } = self;
            let Some(window) = slot else { continue };
            // A failure stays with the connection: the next round writes the Close and tells it.
            if let Ok(Some(event)) = window.event(path, |due| answer(shared, due))
                && let Ok(message) = Message::try_from(event)
            {
                let message = message.into_owned();
                // The program may take its time before it comes back.
                pool::give_window(slot);
                return Poll::Ready(Ok(Some(message)));
            }
        }
        Poll::Ready(Ok(None))
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        let Self { path, slot, shared, .. } = self;
        // Without the lock, where the last read has brought more than one.
        if found(path, slot, |error| shared.with(Half::Receiver, |out| out.fail(error))) {
            return Poll::Ready(Ok(true));
        }
        poll_shared(path, slot, shared, cx)
    }
}

impl<T: AsyncTransport> Sender<T> {
    /// Sends a message: when the call returns, its bytes are with the transport. It is
    /// [`feed`](Self::feed), then [`flush`](Self::flush).
    ///
    /// *Cancel safe*: if dropped, the message was either queued whole, and leaves with the next
    /// call of either half, or not at all. To know which, use the two calls.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] where it must not be sent, which it never may once the connection is
    /// closing; [`Error::Io`]; [`Error::Protocol`] where the connection has failed.
    pub async fn send<'m>(&mut self, message: impl Into<Message<'m>>) -> Result<(), Error> {
        self.feed(message).await?;
        self.flush().await
    }

    /// Queues a message. It is written by [`flush`](Self::flush), when the receiver has something
    /// to do, or when much waits. Waits only where more than
    /// [`Config::output_soft_limit`](crate::Config::output_soft_limit) bytes are queued.
    ///
    /// *Cancel safe*: if dropped before it was ready, the message was not queued.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn feed<'m>(
        &mut self,
        message: impl Into<Message<'m>>,
    ) -> impl Future<Output = Result<(), Error>> {
        self.queue(message.into(), SendPath::send)
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
        self.queue(fragment.into(), |path, fragment, output| {
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
        self.queue((), |path, (), output| path.send_prepared(prepared, output)).await?;
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
        self.queue((), |path, (), output| path.ping(payload, output)).await?;
        self.flush().await
    }

    /// Sends a Pong with up to 125 bytes of payload, where
    /// [`Config::auto_pong`](crate::Config::auto_pong) is off.
    ///
    /// *Cancel safe*, as [`send`](Self::send).
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn pong(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.queue((), |path, (), output| path.pong(payload, output)).await?;
        self.flush().await
    }

    /// Sends a Close frame. The receiver gets what the peer sends before its own Close, then the
    /// end.
    ///
    /// *Cancel safe*: once polled, the frame is queued, and leaves with the next call of either
    /// half.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] for a code or a reason that must not be sent, or if the connection is
    /// closing already; [`Error::Io`].
    pub async fn send_close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.shared.with(Half::Sender, |out| {
            out.sending.path.close(Some((code, reason)), &mut out.sending.link.output)
        })?;
        self.flush().await
    }

    /// Answers the peer's Close, where [`Config::auto_close`](crate::Config::auto_close) is off.
    ///
    /// *Cancel safe*, as [`send_close`](Self::send_close).
    ///
    /// # Errors
    ///
    /// As [`send_close`](Self::send_close).
    pub async fn reply_close(&mut self) -> Result<(), Error> {
        self.shared
            .with(Half::Sender, |out| out.sending.path.reply_close(&mut out.sending.link.output))?;
        self.flush().await
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

    /// How far the closing handshake has come.
    #[must_use]
    pub fn state(&self) -> State {
        self.shared.with(Half::Sender, |out| out.sending.path.closing.state())
    }

    /// Puts the halves together again.
    ///
    /// # Errors
    ///
    /// They are not of the same connection.
    pub fn reunite(self, receiver: Receiver<T>) -> Result<WebSocket<T>, ReuniteError<T>> {
        if !Arc::ptr_eq(&self.shared, &receiver.shared) {
            return Err(ReuniteError::new(self, receiver));
        }
        drop(self);
        let shared = match Arc::try_unwrap(receiver.shared) {
            Ok(shared) => shared,
            Err(shared) => {
                // Not reached: nothing but the two halves ever holds it.
                let sender = Self { shared: Arc::clone(&shared) };
                return Err(ReuniteError::new(sender, Receiver { shared, ..receiver }));
            }
        };
        let Receiver { path: mut receive, slot, subprotocol, .. } = receiver;
        let Inner { transport, path: send, link, failed } = shared.into_inner();
        if let Some(error) = failed {
            receive.fail(error);
        }
        let driver = Driver::new(Connection { receive, send }, link);
        Ok(WebSocket { transport, slot, driver, subprotocol })
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let flushed =
            self.shared.poll_write_until(|sending| sending.link.next_to_flush().is_none(), cx);
        if flushed.is_ready() {
            self.shared.with(Half::Sender, |out| pool::give_output(&mut out.sending.link.output));
        }
        flushed
    }

    fn queue<M>(
        &mut self,
        item: M,
        mut queue: impl FnMut(&mut SendPath, M, &mut Output) -> Result<(), SendError<M>>,
    ) -> impl Future<Output = Result<(), Error>> {
        let mut item = Some(item);
        poll_fn(move |cx| self.poll_queue(cx, &mut item, &mut queue))
    }

    /// Waits for room and queues `item`, at once where there is room.
    fn poll_queue<M>(
        &mut self,
        cx: &Context<'_>,
        item: &mut Option<M>,
        mut queue: impl FnMut(&mut SendPath, M, &mut Output) -> Result<(), SendError<M>>,
    ) -> Poll<Result<(), Error>> {
        let mut for_all = false;
        loop {
            let sent = self.shared.with(Half::Sender, |out| {
                if let Err(error) = out.check_writable() {
                    return Some(Err(error));
                }
                let message = item.take_if(|_| !out.sending.wants_write())?;
                pool::lend_output(&mut out.sending.link.output);
                match queue(out.sending.path, message, &mut out.sending.link.output) {
                    Ok(()) => Some(Ok(())),
                    Err(SendError::Misuse(misuse)) => Some(Err(misuse.into())),
                    Err(SendError::Full(_)) if out.sending.link.output.is_empty() => {
                        // Not reached: one message fits into an empty output.
                        Some(Err(io::Error::from(io::ErrorKind::WouldBlock).into()))
                    }
                    Err(SendError::Full(message)) => {
                        for_all = true;
                        *item = Some(message);
                        None
                    }
                }
            });
            if let Some(result) = sent {
                return Poll::Ready(result);
            }
            ready!(self.shared.poll_write_until(
                |sending| {
                    if for_all { sending.link.output.is_empty() } else { !sending.wants_write() }
                },
                cx,
            ))?;
        }
    }
}

fn poll_shared<T: AsyncTransport>(
    path: &mut ReceivePath,
    slot: &mut Slot,
    shared: &Shared<T>,
    cx: &Context<'_>,
) -> Poll<Next> {
    shared.poll(Half::Receiver, cx, |cx| poll_event(path, slot, &mut Behind(shared), cx))
}

/// Answers what was received. Data needs no answer, and so no lock.
fn answer<T: AsyncTransport>(shared: &Shared<T>, due: Due<'_>) {
    shared.with(Half::Receiver, |out| out.sending.answer(due));
}
