//! `Stream` and `Sink`: on top of the methods, not under them.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::stream::{FusedStream, Stream};
use futures_sink::Sink;

use super::endpoint::Endpoint;
use super::{AsyncTransport, Receiver, Sender, WebSocket};
use crate::io::driver::Driver;
use crate::io::error::Error;
use crate::{CloseCode, Message};

impl<T: AsyncTransport> Endpoint<T> {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message<'static>, Error>>> {
        if self.is_told() {
            return Poll::Ready(None);
        }
        let received = ready!(self.poll_recv(cx));
        self.pump.driver.link.told = !matches!(received, Ok(Some(_)));
        Poll::Ready(received.transpose())
    }

    /// Since a sink cannot hand a message back, one may wait beyond the hard limit.
    fn start_send(&mut self, message: Message<'_>) -> Result<(), Error> {
        let driver = &mut self.pump.driver;
        let Driver { connection, link } = driver;
        let sent = connection.send.send_beyond(message, &mut link.output);
        sent.map_err(|misuse| driver.blame(misuse))
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.pump.driver.queue_close(Some((CloseCode::NORMAL, ""))).is_ok() {
            self.pump.wake_receiver();
        }
        ready!(self.poll_flush(cx))?;
        // Closing already is as good; having failed is not.
        let failed = self.pump.driver.connection.error();
        Poll::Ready(failed.map_or(Ok(()), |error| Err(Error::Protocol(error))))
    }
}

impl<T> Endpoint<T> {
    const fn is_told(&self) -> bool {
        self.pump.driver.link.told
    }
}

/// The messages, as [`WebSocket::recv`] gives them. It ends after an error.
impl<T: AsyncTransport + Unpin> Stream for WebSocket<T> {
    type Item = Result<Message<'static>, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().endpoint.poll_next(cx)
    }
}

impl<T: AsyncTransport + Unpin> FusedStream for WebSocket<T> {
    fn is_terminated(&self) -> bool {
        self.endpoint.is_told()
    }
}

/// The messages, as [`Receiver::recv`] gives them. It ends after an error.
impl<T: AsyncTransport + Unpin> Stream for Receiver<T> {
    type Item = Result<Message<'static>, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().with(|endpoint| endpoint.poll_next(cx))
    }
}

impl<T: AsyncTransport + Unpin> FusedStream for Receiver<T> {
    fn is_terminated(&self) -> bool {
        self.shared.lock().is_told()
    }
}

/// Takes messages as [`WebSocket::feed`] does. Since a sink cannot hand a message back, one may
/// wait beyond [`Config::output_hard_limit`](crate::Config::output_hard_limit). Closing it sends a
/// Close frame with 1000; the stream then gives what the peer sends before its own.
impl<'m, T: AsyncTransport + Unpin> Sink<Message<'m>> for WebSocket<T> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.get_mut().endpoint.poll_room(cx)
    }

    fn start_send(self: Pin<&mut Self>, message: Message<'m>) -> Result<(), Error> {
        self.get_mut().endpoint.start_send(message)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.get_mut().endpoint.poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.get_mut().endpoint.poll_close(cx)
    }
}

/// As for [`WebSocket`].
impl<'m, T: AsyncTransport> Sink<Message<'m>> for Sender<T> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.shared.lock().poll_room(cx)
    }

    fn start_send(self: Pin<&mut Self>, message: Message<'m>) -> Result<(), Error> {
        self.shared.lock().start_send(message)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.shared.lock().poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.shared.lock().poll_close(cx)
    }
}
