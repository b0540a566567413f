//! However the input is cut, a connection sees the same and does the same, and chunks are what
//! messages are made of.

use websocket_proto::{Connection, Counters, Delivery, Event};

use super::super::common::{Log, feed, feed_direct, keys};
use super::super::script::Script;

pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let is_server = script.flag();
    let (config, agreed, cuts) = (script.config(), script.negotiated(), script.cuts());
    let mut differently = config;
    differently.delivery = match config.delivery {
        Delivery::Messages => Delivery::Chunks,
        Delivery::Chunks => Delivery::Messages,
    };
    // Fragments count in the one and not in the other.
    let mut uncounted = config;
    uncounted.max_fragments = u32::MAX;
    differently.max_fragments = u32::MAX;
    let input = script.0;
    let new = |config| match is_server {
        true => Connection::server(agreed.clone(), config),
        false => Connection::client(agreed.clone(), config, keys()),
    };
    let whole = feed_to_the_end(new(config), [input]);
    assert_eq!(feed_to_the_end(new(config), cuts.of(input)), whole, "cut");
    assert_eq!(feed_to_the_end(new(config), input.chunks(1)), whole, "byte by byte");
    let directly = |pieces, kept| {
        to_the_end(new(config), |connection| {
            connection.recycle(Vec::with_capacity(kept));
            feed_direct(connection, pieces)
        })
    };
    assert_eq!(directly(cuts.of(input).collect::<Vec<_>>(), 0), whole, "cut, directly");
    assert_eq!(directly(cuts.of(input).collect(), input.len()), whole, "the same, memory kept");
    assert_eq!(directly(input.chunks(1).collect(), 0), whole, "byte by byte, directly");
    assert_eq!(directly(input.chunks(1).collect(), input.len()), whole, "the same, memory kept");
    let whole = feed_to_the_end(new(uncounted), [input]);
    assert_eq!(feed_to_the_end(new(differently), [input]), whole, "other delivery");
    assert_eq!(feed_to_the_end(new(differently), cuts.of(input)), whole, "cut, other");
    let discarded = |pieces| {
        to_the_end(new(config), |connection| {
            connection.discard_data();
            feed(connection, pieces)
        })
    };
    let whole = discarded(vec![input]);
    let is_data = |event: &Event<'_>| matches!(event, Event::Text(_) | Event::Binary(_));
    assert!(!whole.0.events.iter().any(is_data), "no data");
    assert_eq!(discarded(cuts.of(input).collect()), whole, "cut, discarded");
    assert_eq!(discarded(input.chunks(1).collect()), whole, "byte by byte, discarded");
}

fn feed_to_the_end<'i>(
    connection: Connection,
    pieces: impl IntoIterator<Item = &'i [u8]>,
) -> (Log, u64, u64, Counters) {
    to_the_end(connection, |connection| feed(connection, pieces))
}

fn to_the_end(
    mut connection: Connection,
    feed: impl FnOnce(&mut Connection) -> Log,
) -> (Log, u64, u64, Counters) {
    let mut log = feed(&mut connection).join_chunks();
    log.error = connection.receive_eof().err();
    let statistics = connection.statistics();
    // How many frames arrived behind a bad byte, in the same piece, is of no interest.
    let frames = if log.error.is_none() { statistics.received.frames } else { 0 };
    (log, statistics.received.messages, frames, statistics.sent)
}
