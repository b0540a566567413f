//! The blocking adapter over a stream that does little at a time, is not ready, is interrupted,
//! ends or breaks: what arrives is what a bare connection sees, what leaves is what was sent, an
//! error is for ever, and nothing spins.

use websocket_proto::io::{NoDeadlines, blocking::WebSocket};
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
    let stream = NoDeadlines(Faulty::new(faults, input));
    let mut socket = WebSocket::from_parts(stream, connection, &[]);
    let (mut events, mut sent, mut over) = (Vec::new(), Vec::new(), Over::default());
    for call in calls.iter().chain(&[0; 600]) {
        let result = match call % 4 {
            3 => socket.flush(),
            2 => {
                let message = Message::binary(vec![*call; usize::from(*call) << (call >> 5)]);
                let fed = socket.feed(message.clone());
                sent.extend(fed.is_ok().then_some(message));
                fed
            }
            _ => socket.read().map(|it| events.extend(it.map(|(event, _)| event.into_owned()))),
        };
        over.check(call % 4 < 2, result);
    }
    let stream = &socket.stream().0;
    assert!(expected.events.starts_with(&events), "what a bare connection sees");
    assert!(stream.broken || events == expected.events, "all of it");
    check_written(&stream.written, &sent, &expected.output, !stream.broken);
    assert!(stream.calls < 10_000, "nothing spins");
}
