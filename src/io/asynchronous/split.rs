//! [`Receiver`] and [`Sender`]: the two directions in two tasks.

use std::boxed::Box;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll};

use super::endpoint::Endpoint;
use super::pump::{Next, Slot, Taker};
use super::reunite::ReuniteError;
use super::shared::Shared;
use super::{AsyncTransport, WebSocket};
use crate::connection::send::SendPath;
use crate::io::error::Error;
use crate::{CloseCode, Event, Message, Output, Prepared, SendError, State};

/// The receiving half of a [`WebSocket`], from [`split`](WebSocket::split).
///
/// It answers pings and the peer's Close, and keeps the deadlines, by itself while it waits: the
/// sender may be idle, or gone. If it is dropped, the sender goes on, and does all that while it
/// sends; messages that still arrive are dropped.
#[derive(Debug)]
pub struct Receiver<T> {
    pub(super) shared: Arc<Shared<T>>,
    /// The window while an event in it is lent.
    slot: Slot,
    subprotocol: Option<Box<str>>,
}

/// The sending half of a [`WebSocket`], from [`split`](WebSocket::split).
#[derive(Debug)]
pub struct Sender<T> {
    pub(super) shared: Arc<Shared<T>>,
}

impl<T: AsyncTransport> WebSocket<T> {
    /// Splits the connection into two halves for two tasks.
    ///
    /// They share the connection and a lock, which is held for one poll at a time and never while a
    /// task waits.
    #[must_use]
    pub fn split(self) -> (Receiver<T>, Sender<T>) {
        let Self { endpoint, subprotocol } = self;
        let shared = Arc::new(Shared::new(endpoint));
        let receiver = Receiver { shared: Arc::clone(&shared), slot: None, subprotocol };
        (receiver, Sender { shared })
    }
}

impl<T> Receiver<T> {
    /// The subprotocol that was agreed (RFC 6455 section 1.9), if the handshake was done here.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Lends all of the connection, and puts the window back before that.
    pub(super) fn with<R>(&mut self, f: impl FnOnce(&mut Endpoint<T>) -> R) -> R {
        let mut endpoint = self.shared.lock();
        if endpoint.pump.taker != Taker::Here {
            if let Some(window) = self.slot.take() {
                endpoint.slot = Some(window);
            }
            endpoint.pump.taker_is(Taker::Here);
        }
        f(&mut endpoint)
    }
}

/// Nobody takes messages any more: the sender does not have to wait for that.
impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.with(|endpoint| endpoint.pump.taker_is(Taker::Nobody));
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
        if !poll_fn(|cx| self.poll_event(cx)).await.map_err(|error| *error)? {
            return Ok(None);
        }
        let Self { slot, shared, .. } = self;
        let event = {
            let mut endpoint = shared.lock();
            *slot = endpoint.slot.take();
            endpoint.pump.taker = Taker::Away;
            let Some(window) = slot else { return Ok(None) }; // not reached: the event is in it
            endpoint.pump.driver.event(window)
        };
        match event {
            Ok(event) => Ok(event),
            Err(_) => {
                // As in `WebSocket::read`.
                let mut slot = None;
                match poll_fn(|cx| shared.lock().pump.poll_event(&mut slot, cx)).await {
                    Ok(_) => Ok(None), // not reached: it has failed
                    Err(error) => Err(*error),
                }
            }
        }
    }

    /// The next message. Control frames are dealt with on the way. `None` is the end of the
    /// connection, after a closing handshake: [`Sender::reunite`] with the other half to ask
    /// [`Connection::closed`](crate::Connection::closed) of it.
    ///
    /// Messages only: with [`Delivery::Chunks`](crate::Delivery::Chunks) use [`read`](Self::read).
    ///
    /// *Cancel safe*: no message is lost.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn recv(&mut self) -> impl Future<Output = Result<Option<Message<'static>>, Error>> {
        poll_fn(|cx| self.with(|endpoint| endpoint.poll_recv(cx)))
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        self.with(|Endpoint { pump, slot }| pump.poll_event(slot, cx))
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
    /// closing; [`Error::Io`]; [`Error::Protocol`] where the connection has failed. `Ok`: all of
    /// it has left.
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

    /// Sends a piece of a message, see
    /// [`Connection::send_fragment`](crate::Connection::send_fragment).
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
    /// [`Error::Misuse`] for a code that must not be sent, or if the connection is closing already;
    /// [`Error::Io`]. A reason over 123 bytes is cut at a character's boundary.
    pub async fn send_close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.shared.lock().queue_close(Some((code, reason)))?;
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
        self.shared.lock().queue_reply()?;
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
        poll_fn(|cx| self.shared.lock().poll_flush(cx))
    }

    /// How far the closing handshake has come.
    #[must_use]
    pub fn state(&self) -> State {
        self.shared.lock().pump.driver.connection.state()
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
        let mut receiver = receiver;
        receiver.with(|_| {}); // the window goes back
        let subprotocol = receiver.subprotocol.take();
        drop(receiver);
        match Arc::try_unwrap(self.shared) {
            Ok(shared) => {
                let mut endpoint = shared.into_inner();
                endpoint.pump.taker = Taker::Here;
                Ok(WebSocket { endpoint, subprotocol })
            }
            Err(shared) => {
                // Not reached: nothing but the two halves ever holds it.
                let receiver = Receiver { shared: Arc::clone(&shared), slot: None, subprotocol };
                Err(ReuniteError::new(Self { shared }, receiver))
            }
        }
    }

    fn queue<M>(
        &mut self,
        item: M,
        mut queue: impl FnMut(&mut SendPath, M, &mut Output) -> Result<(), SendError<M>>,
    ) -> impl Future<Output = Result<(), Error>> {
        let mut item = Some(item);
        poll_fn(move |cx| self.shared.lock().poll_queue(cx, &mut item, &mut queue))
    }
}
