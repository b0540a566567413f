//! However the input is cut, a connection sees the same and does the same, and chunks are what
//! messages are made of.

use websocket_proto::{Config, Counters, Delivery};

use super::super::common::{self, Log, feed};
use super::super::script::Script;

pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let is_server = script.flag();
    let (config, cuts) = (script.config(), script.cuts());
    let mut differently = config;
    differently.delivery = match config.delivery {
        Delivery::Messages => Delivery::Chunks,
        Delivery::Chunks => Delivery::Messages,
    };
    let input = script.0;
    let whole = feed_to_the_end(is_server, config, [input]);
    assert_eq!(feed_to_the_end(is_server, config, cuts.of(input)), whole, "cut");
    assert_eq!(feed_to_the_end(is_server, config, input.chunks(1)), whole, "byte by byte");
    assert_eq!(feed_to_the_end(is_server, differently, [input]), whole, "other delivery");
    assert_eq!(feed_to_the_end(is_server, differently, cuts.of(input)), whole, "cut, other");
}

fn feed_to_the_end<'i>(
    is_server: bool,
    config: Config,
    pieces: impl IntoIterator<Item = &'i [u8]>,
) -> (Log, u64, u64, Counters) {
    let new = if is_server { common::server } else { common::client };
    let mut connection = new(config);
    let mut log = feed(&mut connection, pieces).join_chunks();
    log.error = connection.receive_eof().err();
    let statistics = connection.statistics();
    // How many frames arrived behind a bad byte, in the same piece, is of no interest.
    let frames = if log.error.is_none() { statistics.received.frames } else { 0 };
    (log, statistics.received.messages, frames, statistics.sent)
}
