//! [`Held`]: a connection as a whole or as halves, and how its calls are polled.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use websocket_proto::Connection;
use websocket_proto::io::{AsyncTransport, Receiver, Sender, WebSocket};

use super::super::super::stream::Shared;

pub enum Held<T> {
    Whole(Box<WebSocket<T>>),
    Halves(Receiver<T>, Sender<T>),
    /// The receiving half was dropped.
    Sender(Sender<T>),
    /// While it changes.
    Nothing,
}

impl<T: AsyncTransport> Held<T> {
    pub fn connection(&self) -> Option<&Connection> {
        match self {
            Self::Whole(socket) => Some(socket.connection()),
            _ => None,
        }
    }

    /// Splits what is whole, and puts together what is not.
    pub fn turn(&mut self) {
        *self = match std::mem::replace(self, Self::Nothing) {
            Self::Whole(socket) => {
                let (receiver, sender) = socket.split();
                Self::Halves(receiver, sender)
            }
            Self::Halves(receiver, sender) => {
                let whole = sender.reunite(receiver).ok().expect("halves of one connection");
                Self::Whole(Box::new(whole))
            }
            other => other,
        };
    }

    /// Drops the receiving half.
    pub fn drop_receiver(&mut self) -> bool {
        *self = match std::mem::replace(self, Self::Nothing) {
            Self::Halves(_, sender) => Self::Sender(sender),
            other => other,
        };
        matches!(self, Self::Sender(_))
    }
}

struct Quiet;

impl Wake for Quiet {
    fn wake(self: Arc<Self>) {}
}

/// Polls so often at the most, then drops the call.
pub fn polled<R>(call: impl Future<Output = R>, wire: &Shared<'_>, polls: usize) -> Option<R> {
    polled_by(Waker::noop(), call, wire, polls)
}

/// The same as another task.
pub fn polled_elsewhere<R>(
    call: impl Future<Output = R>,
    wire: &Shared<'_>,
    polls: usize,
) -> Option<R> {
    polled_by(&Waker::from(Arc::new(Quiet)), call, wire, polls)
}

fn polled_by<R>(
    waker: &Waker,
    call: impl Future<Output = R>,
    wire: &Shared<'_>,
    polls: usize,
) -> Option<R> {
    let mut call = pin!(call);
    let mut context = Context::from_waker(waker);
    (0..polls).find_map(|_| {
        wire.get().begin();
        match call.as_mut().poll(&mut context) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        }
    })
}
