//! `Stream` and `Sink`: on top of the methods, not under them.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::stream::{FusedStream, Stream};
use futures_sink::Sink;

use super::shared::Half;
use super::{AsyncTransport, Receiver, Sender, WebSocket};
use crate::io::driver::Driver;
use crate::io::error::Error;
use crate::{ApiMisuse, CloseCode, Message};

/// The messages, as [`WebSocket::recv`] gives them. It ends after an error.
impl<T: AsyncTransport + Unpin> Stream for WebSocket<T> {
    type Item = Result<Message<'static>, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.driver.link.told {
            return Poll::Ready(None);
        }
        let received = ready!(this.poll_recv(cx));
        this.driver.link.told = !matches!(received, Ok(Some(_)));
        Poll::Ready(received.transpose())
    }
}

impl<T: AsyncTransport + Unpin> FusedStream for WebSocket<T> {
    fn is_terminated(&self) -> bool {
        self.driver.link.told
    }
}

/// The messages, as [`Receiver::recv`] gives them. It ends after an error.
impl<T: AsyncTransport + Unpin> Stream for Receiver<T> {
    type Item = Result<Message<'static>, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.told {
            return Poll::Ready(None);
        }
        let received = ready!(this.poll_recv(cx));
        this.told = !matches!(received, Ok(Some(_)));
        Poll::Ready(received.transpose())
    }
}

impl<T: AsyncTransport + Unpin> FusedStream for Receiver<T> {
    fn is_terminated(&self) -> bool {
        self.told
    }
}

/// Takes messages as [`WebSocket::feed`] does. Since a sink cannot hand a message back, one may
/// wait beyond [`Config::output_hard_limit`](crate::Config::output_hard_limit). Closing it sends a
/// Close frame with 1000; the stream then gives what the peer sends before its own.
impl<'m, T: AsyncTransport + Unpin> Sink<Message<'m>> for WebSocket<T> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.get_mut().poll_write_until(|sending| !sending.wants_write(), cx)
    }

    fn start_send(self: Pin<&mut Self>, message: Message<'m>) -> Result<(), Error> {
        let Driver { connection, link } = &mut self.get_mut().driver;
        connection.send.send_beyond(message, &mut link.output)?;
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.get_mut().poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        let link = &mut this.driver.link;
        // Closing already is as good.
        let _ = this.driver.connection.close(CloseCode::NORMAL, "", &mut link.output);
        this.poll_flush(cx).map(end)
    }
}

/// As for [`WebSocket`].
impl<'m, T: AsyncTransport> Sink<Message<'m>> for Sender<T> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.shared.poll_write_until(|sending| !sending.wants_write(), cx)
    }

    fn start_send(self: Pin<&mut Self>, message: Message<'m>) -> Result<(), Error> {
        self.shared.with(Half::Sender, |out| {
            let sending = &mut out.sending;
            sending.path.send_beyond(message, &mut sending.link.output)
        })?;
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.get_mut().poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        // Closing already is as good.
        let _ = this.shared.with(Half::Sender, |out| {
            let sending = &mut out.sending;
            sending.path.close(Some((CloseCode::NORMAL, "")), &mut sending.link.output)
        });
        this.poll_flush(cx).map(end)
    }
}

/// A sink that has ended is closed.
fn end(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(Error::Misuse(ApiMisuse::Closing)) => Ok(()),
        result => result,
    }
}
