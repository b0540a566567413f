//! The ways to use a connection, under one name each.

use std::fmt;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use websocket_proto::io::{AsyncTransport, Error, Receiver, Sender, WebSocket};
use websocket_proto::{CloseCode, Connection, Event, Message};

use crate::wire::PROGRAM_PING;

/// What a transport must be for all that follows.
pub trait Transport: AsyncTransport + Unpin + fmt::Debug {}

impl<T: AsyncTransport + Unpin + fmt::Debug> Transport for T {}

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

pub struct ByRecv<T>(pub WebSocket<T>);
pub struct ByRead<T>(pub WebSocket<T>);
pub struct ByStream<T>(pub WebSocket<T>);

impl<T: Transport> Receives for ByRecv<T> {
    async fn recv(&mut self) -> Received {
        self.0.recv().await
    }
}

impl<T: Transport> Receives for ByRead<T> {
    async fn recv(&mut self) -> Received {
        while let Some((event, _)) = self.0.read().await? {
            if let Ok(message) = Message::try_from(event) {
                return Ok(Some(message.into_owned()));
            }
        }
        Ok(None)
    }
}

impl<T: Transport> Receives for ByStream<T> {
    async fn recv(&mut self) -> Received {
        self.0.next().await.transpose()
    }
}

/// The calls that send are the connection's own.
macro_rules! sends {
    ($type:ident) => {
        impl<T: Transport> Sends for $type<T> {
            async fn send(&mut self, message: Message<'static>) -> Result<(), Error> {
                self.0.send(message).await
            }

            async fn feed(&mut self, message: Message<'static>) -> Result<(), Error> {
                self.0.feed(message).await
            }

            async fn flush(&mut self) -> Result<(), Error> {
                self.0.flush().await
            }

            async fn ping(&mut self) -> Result<(), Error> {
                self.0.ping(PROGRAM_PING).await
            }

            async fn send_close(&mut self) -> Result<(), Error> {
                self.0.send_close(CloseCode::NORMAL, "").await
            }
        }
    };
}

sends!(ByRecv);
sends!(ByRead);

impl<T: Transport> Sends for ByStream<T> {
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

impl<T: Transport> Whole for ByRecv<T> {
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

impl<T: Transport> Whole for ByRead<T> {
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

impl<T: Transport> Whole for ByStream<T> {
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
pub trait Halves<T>: Sized {
    type Other;

    /// The connection, put together again.
    fn reunite(self, other: Self::Other) -> WebSocket<T>;
    /// Where it can be printed.
    fn debug(&self) -> Option<String>;
}

/// The halves of the crate, whichever comes first there.
pub fn halves<T: Transport>(websocket: WebSocket<T>) -> (Receiver<T>, Sender<T>) {
    websocket.split()
}

pub type StreamHalf<T> = SplitStream<WebSocket<T>>;
pub type SinkHalf<T> = SplitSink<WebSocket<T>, Message<'static>>;

pub fn stream_halves<T: Transport>(websocket: WebSocket<T>) -> (StreamHalf<T>, SinkHalf<T>) {
    let (sink, stream) = StreamExt::split(websocket);
    (stream, sink)
}

impl<T: Transport> Receives for Receiver<T> {
    async fn recv(&mut self) -> Received {
        Self::recv(self).await
    }
}

impl<T: Transport> Receives for StreamHalf<T> {
    async fn recv(&mut self) -> Received {
        self.next().await.transpose()
    }
}

impl<T: Transport> Sends for Sender<T> {
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

impl<T: Transport> Sends for SinkHalf<T> {
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

impl<T: Transport> Halves<T> for Sender<T> {
    type Other = Receiver<T>;

    fn reunite(self, other: Receiver<T>) -> WebSocket<T> {
        Self::reunite(self, other).expect("they are of one connection")
    }

    fn debug(&self) -> Option<String> {
        Some(format!("{self:?}"))
    }
}

impl<T: Transport> Halves<T> for SinkHalf<T> {
    type Other = StreamHalf<T>;

    fn reunite(self, other: StreamHalf<T>) -> WebSocket<T> {
        Self::reunite(self, other).expect("they are of one connection")
    }

    fn debug(&self) -> Option<String> {
        None
    }
}
