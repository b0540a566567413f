//! As `adapter`, for the async adapter: in addition every call is dropped after a few polls, and
//! nothing is lost or done twice for it.

use std::future::{Future, pending};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use websocket_proto::io::futures::WebSocket;
use websocket_proto::{Config, Connection, Message, Negotiated};

use super::super::common::{self, feed};
use super::super::model::check_written;
use super::super::script::Script;
use super::super::stream::{Faulty, Over};

pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let (calls, faults, input) = (script.string(), Script(script.string()), script.0);
    let expected = feed(&mut common::server(Config::default()), [input]);
    let connection = Connection::server(Negotiated::default(), Config::default());
    let never = |_| pending::<()>();
    let mut socket = WebSocket::from_parts(Faulty::new(faults, input), never, connection, &[]);
    let (mut events, mut sent, mut over) = (Vec::new(), Vec::new(), Over::default());
    for call in calls.iter().chain(&[0; 600]) {
        let result = match call % 4 {
            3 => polled(socket.flush(), call / 64),
            2 => {
                let message = Message::binary(vec![*call; usize::from(*call) << (call >> 5)]);
                let fed = polled(socket.feed(message.clone()), call / 64);
                sent.extend(matches!(fed, Some(Ok(()))).then_some(message));
                fed
            }
            _ => polled(
                async {
                    let read = socket.read().await?;
                    events.extend(read.map(|(event, _)| event.into_owned()));
                    Ok(())
                },
                call / 64,
            ),
        };
        if let Some(result) = result {
            over.check(call % 4 < 2, result);
        }
    }
    let stream = socket.stream();
    assert!(expected.events.starts_with(&events), "what a bare connection sees");
    assert!(stream.broken || events == expected.events, "all of it");
    check_written(&stream.written, &sent, &expected.output, !stream.broken);
}

/// Polls once and `more` times, then drops the call.
fn polled<T>(call: impl Future<Output = T>, more: u8) -> Option<T> {
    let mut call = pin!(call);
    let mut context = Context::from_waker(Waker::noop());
    (0..=more).find_map(|_| match call.as_mut().poll(&mut context) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    })
}
