//! The ways to use a connection, for a case that is the same for all of them.

use std::future::Future;

use futures_util::StreamExt;
use futures_util::future::{FutureExt, LocalBoxFuture};
use futures_util::stream::FuturesUnordered;
use websocket_proto::io::{Error, WebSocket};
use websocket_proto::{Connection, Message};

use crate::program::api::{
    ByRead, ByRecv, ByStream, Halves, Received, Receives, Sends, Transport, Whole, halves,
    stream_halves,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Whole,
    Read,
    StreamSink,
    Split,
    StreamSplit,
}

/// What our calls came to.
#[derive(Debug)]
pub struct Outcome {
    pub sent: Result<(), Error>,
    pub received: Received,
    /// `clean` and the code.
    pub closed: Option<(bool, u16)>,
}

/// What a form sends.
pub struct Job {
    pub messages: Vec<Message<'static>>,
    /// Queued first and then written, or each by itself.
    pub feeds: bool,
    pub closes: bool,
}

impl Job {
    pub fn nothing() -> Self {
        Self { messages: Vec::new(), feeds: false, closes: false }
    }

    pub fn send(message: Message<'static>) -> Self {
        Self { messages: vec![message], feeds: false, closes: false }
    }

    async fn run(self, sender: &mut impl Sends) -> Result<(), Error> {
        for message in self.messages {
            if self.feeds {
                sender.feed(message).await?;
            } else {
                sender.send(message).await?;
            }
        }
        if self.closes { sender.send_close().await } else { Ok(()) }
    }
}

/// Each in a task of its own, with a waker of its own.
pub async fn tasks(list: Vec<LocalBoxFuture<'_, ()>>) {
    list.into_iter().collect::<FuturesUnordered<_>>().collect::<()>().await;
}

async fn in_two_tasks<A, B>(one: impl Future<Output = A>, two: impl Future<Output = B>) -> (A, B) {
    let (mut first, mut second) = (None, None);
    let one = async { first = Some(one.await) };
    let two = async { second = Some(two.await) };
    tasks(vec![one.boxed_local(), two.boxed_local()]).await;
    (first.unwrap(), second.unwrap())
}

async fn to_the_end(receiver: &mut impl Receives) -> Received {
    loop {
        match receiver.recv().await {
            Ok(Some(_)) => {}
            end => return end,
        }
    }
}

/// Does the job, and receives until the end: at the same time where there are two halves.
pub async fn use_it<T: Transport>(form: Form, websocket: WebSocket<T>, job: Job) -> Outcome {
    match form {
        Form::Whole => whole(ByRecv(websocket), job).await,
        Form::Read => whole(ByRead(websocket), job).await,
        Form::StreamSink => whole(ByStream(websocket), job).await,
        Form::Split => {
            let (receiver, sender) = halves(websocket);
            in_halves(receiver, sender, job).await
        }
        Form::StreamSplit => {
            let (receiver, sender) = stream_halves(websocket);
            in_halves(receiver, sender, job).await
        }
    }
}

async fn whole(mut websocket: impl Whole, job: Job) -> Outcome {
    let sent = job.run(&mut websocket).await;
    let received = to_the_end(&mut websocket).await;
    Outcome { sent, received, closed: closed(websocket.connection()) }
}

async fn in_halves<T, R: Receives, S>(mut receiver: R, mut sender: S, job: Job) -> Outcome
where
    S: Sends + Halves<T, Other = R>,
{
    let (sent, received) = in_two_tasks(job.run(&mut sender), to_the_end(&mut receiver)).await;
    let websocket = sender.reunite(receiver);
    Outcome { sent, received, closed: closed(websocket.connection()) }
}

pub fn closed(connection: &Connection) -> Option<(bool, u16)> {
    connection.closed().map(|closed| (closed.clean, closed.code.get()))
}
