//! The ways to use a connection, under one name each.

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use websocket_proto::io::{Error, Receiver, Sender, WebSocket};
use websocket_proto::{CloseCode, Connection, Event, Message};

use super::PROGRAM_PING;
use crate::wire::Wire;

pub type Received = Result<Option<Message<'static>>, Error>;

pub trait Receives {
    async fn recv(&mut self) -> Received;
}

pub trait Sends {
    async fn send(&mut self, message: Message<'static>) -> Result<(), Error>;
    async fn feed(&mut self, message: Message<'static>) -> Result<(), Error>;
    async fn flush(&mut self) -> Result<(), Error>;
    async fn ping(&mut self) -> Result<(), Error>;
    async fn send_close(&mut self) -> Result<(), Error>;
}

pub trait Whole: Receives + Sends {
    /// Receives a message and queues the answer, if that can be done in one. What was not queued
    /// is handed back.
    async fn answer(&mut self, answer: Message<'static>) -> (Received, Option<Message<'static>>) {
        (self.recv().await, Some(answer))
    }

    async fn close(&mut self) -> Result<(), Error>;
    fn connection(&self) -> &Connection;
    fn debug(&self) -> String;
}

pub struct ByRecv(pub WebSocket<Wire>);
pub struct ByRead(pub WebSocket<Wire>);
pub struct ByStream(pub WebSocket<Wire>);

impl Receives for ByRecv {
    async fn recv(&mut self) -> Received {
        self.0.recv().await
    }
}

impl Receives for ByRead {
    async fn recv(&mut self) -> Received {
        while let Some((event, _)) = self.0.read().await? {
            if let Ok(message) = Message::try_from(event) {
                return Ok(Some(message.into_owned()));
            }
        }
        Ok(None)
    }
}

impl Receives for ByStream {
    async fn recv(&mut self) -> Received {
        self.0.next().await.transpose()
    }
}

/// The calls that send are the connection's own.
macro_rules! sends {
    ($type:ty, $inner:tt) => {
        impl Sends for $type {
            async fn send(&mut self, message: Message<'static>) -> Result<(), Error> {
                self.$inner.send(message).await
            }

            async fn feed(&mut self, message: Message<'static>) -> Result<(), Error> {
                self.$inner.feed(message).await
            }

            async fn flush(&mut self) -> Result<(), Error> {
                self.$inner.flush().await
            }

            async fn ping(&mut self) -> Result<(), Error> {
                self.$inner.ping(PROGRAM_PING).await
            }

            async fn send_close(&mut self) -> Result<(), Error> {
                self.$inner.send_close(CloseCode::NORMAL, "").await
            }
        }
    };
}

sends!(ByRecv, 0);
sends!(ByRead, 0);

impl Sends for ByStream {
    async fn send(&mut self, message: Message<'static>) -> Result<(), Error> {
        SinkExt::send(&mut self.0, message).await
    }

    async fn feed(&mut self, message: Message<'static>) -> Result<(), Error> {
        SinkExt::feed(&mut self.0, message).await
    }

    async fn flush(&mut self) -> Result<(), Error> {
        SinkExt::<Message<'static>>::flush(&mut self.0).await
    }

    async fn ping(&mut self) -> Result<(), Error> {
        self.0.ping(PROGRAM_PING).await
    }

    async fn send_close(&mut self) -> Result<(), Error> {
        SinkExt::<Message<'static>>::close(&mut self.0).await
    }
}

impl Whole for ByRecv {
    async fn close(&mut self) -> Result<(), Error> {
        self.0.close(CloseCode::NORMAL, "").await
    }

    fn connection(&self) -> &Connection {
        self.0.connection()
    }

    fn debug(&self) -> String {
        format!("{:?}", self.0)
    }
}

impl Whole for ByRead {
    async fn answer(&mut self, answer: Message<'static>) -> (Received, Option<Message<'static>>) {
        loop {
            match self.0.read().await {
                Ok(Some((event @ (Event::Text(_) | Event::Binary(_)), mut reply))) => {
                    let back = reply.send(answer.clone()).err().map(|_| answer);
                    let message = Message::try_from(event).map(Message::into_owned);
                    return (Ok(message.ok()), back);
                }
                Ok(Some(_)) => {}
                Ok(None) => return (Ok(None), Some(answer)),
                Err(error) => return (Err(error), Some(answer)),
            }
        }
    }

    async fn close(&mut self) -> Result<(), Error> {
        self.0.close(CloseCode::NORMAL, "").await
    }

    fn connection(&self) -> &Connection {
        self.0.connection()
    }

    fn debug(&self) -> String {
        format!("{:?}", self.0)
    }
}

impl Whole for ByStream {
    async fn close(&mut self) -> Result<(), Error> {
        self.0.close(CloseCode::NORMAL, "").await
    }

    fn connection(&self) -> &Connection {
        self.0.connection()
    }

    fn debug(&self) -> String {
        format!("{:?}", self.0)
    }
}

/// Two halves, in two tasks.
pub trait Halves: Sized {
    type Other;

    /// The connection, if the halves can be put together again.
    fn reunite(self, other: Self::Other) -> Option<WebSocket<Wire>>;
    fn debug(&self) -> Option<String>;
}

/// The halves of the crate, whichever comes first there.
pub fn halves(websocket: WebSocket<Wire>) -> (Receiver<Wire>, Sender<Wire>) {
    websocket.split()
}

pub type StreamHalf = SplitStream<WebSocket<Wire>>;
pub type SinkHalf = SplitSink<WebSocket<Wire>, Message<'static>>;

pub fn stream_halves(websocket: WebSocket<Wire>) -> (SinkHalf, StreamHalf) {
    StreamExt::split(websocket)
}

impl Receives for Receiver<Wire> {
    async fn recv(&mut self) -> Received {
        Self::recv(self).await
    }
}

impl Receives for StreamHalf {
    async fn recv(&mut self) -> Received {
        self.next().await.transpose()
    }
}

impl Sends for Sender<Wire> {
    async fn send(&mut self, message: Message<'static>) -> Result<(), Error> {
        Self::send(self, message).await
    }

    async fn feed(&mut self, message: Message<'static>) -> Result<(), Error> {
        Self::feed(self, message).await
    }

    async fn flush(&mut self) -> Result<(), Error> {
        Self::flush(self).await
    }

    async fn ping(&mut self) -> Result<(), Error> {
        Self::ping(self, PROGRAM_PING).await
    }

    async fn send_close(&mut self) -> Result<(), Error> {
        Self::send_close(self, CloseCode::NORMAL, "").await
    }
}

impl Sends for SinkHalf {
    async fn send(&mut self, message: Message<'static>) -> Result<(), Error> {
        SinkExt::send(self, message).await
    }

    async fn feed(&mut self, message: Message<'static>) -> Result<(), Error> {
        SinkExt::feed(self, message).await
    }

    async fn flush(&mut self) -> Result<(), Error> {
        SinkExt::flush(self).await
    }

    /// A sink has none.
    async fn ping(&mut self) -> Result<(), Error> {
        SinkExt::flush(self).await
    }

    async fn send_close(&mut self) -> Result<(), Error> {
        SinkExt::close(self).await
    }
}

impl Halves for Sender<Wire> {
    type Other = Receiver<Wire>;

    fn reunite(self, other: Receiver<Wire>) -> Option<WebSocket<Wire>> {
        Some(Self::reunite(self, other).unwrap())
    }

    fn debug(&self) -> Option<String> {
        Some(format!("{self:?}"))
    }
}

impl Halves for SinkHalf {
    type Other = StreamHalf;

    fn reunite(self, other: StreamHalf) -> Option<WebSocket<Wire>> {
        Some(Self::reunite(self, other).unwrap())
    }

    fn debug(&self) -> Option<String> {
        None
    }
}
