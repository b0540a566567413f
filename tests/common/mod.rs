//! What the integration tests share: vectors, logs of what happened, cuts of an input.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]

#[cfg(feature = "std")]
pub mod dialed;
pub mod example;
#[cfg(feature = "std")]
pub mod loopback;
pub mod pair;
pub mod peer;
#[cfg(feature = "std")]
pub mod script;
pub mod wire;

use serde_json::Value;
use websocket_proto::{
    Config, Connection, Event, MaskKeys, Negotiated, Output, ProtocolError, State,
};

/// Everything that an observer of a connection can see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    pub events: Vec<Event<'static>>,
    pub output: Vec<u8>,
    pub error: Option<ProtocolError>,
}

impl Log {
    /// The events with the chunks of each message joined, as whole messages.
    pub fn join_chunks(mut self) -> Self {
        let mut joined: Vec<Event<'static>> = Vec::new();
        let mut text = String::new();
        let mut data = Vec::new();
        for event in self.events {
            match event {
                Event::TextChunk { text: chunk, last } => {
                    text.push_str(&chunk);
                    if last {
                        joined.push(Event::Text(std::mem::take(&mut text).into()));
                    }
                }
                Event::BinaryChunk { data: chunk, last } => {
                    data.extend_from_slice(&chunk);
                    if last {
                        joined.push(Event::Binary(std::mem::take(&mut data).into()));
                    }
                }
                other => joined.push(other),
            }
        }
        self.events = joined;
        self
    }
}

pub fn keys() -> MaskKeys {
    MaskKeys::from_seed([7; 32])
}

pub fn server(config: Config) -> Connection {
    Connection::server(Negotiated::default(), config)
}

pub fn client(config: Config) -> Connection {
    Connection::client(Negotiated::default(), config, keys())
}

/// Feeds the pieces one after the other and logs what happens, until the connection fails.
pub fn feed<'a>(connection: &mut Connection, pieces: impl IntoIterator<Item = &'a [u8]>) -> Log {
    let mut log = Log::default();
    let mut output = Output::new();
    for piece in pieces {
        feed_piece(connection, piece, &mut output, &mut log);
    }
    drain(&mut output, &mut log.output);
    log
}

/// The same, but what may be appended to a message directly is.
pub fn feed_direct<'a>(
    connection: &mut Connection,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Log {
    let mut log = Log::default();
    let mut output = Output::new();
    for mut piece in pieces {
        while !piece.is_empty()
            && let Some((message, room)) = connection.direct()
        {
            message.extend_from_slice(piece.split_off(..room.min(piece.len())).expect("in range"));
            match connection.direct_done(&mut output) {
                Ok(event) => log.events.extend(event),
                Err(error) => panic!("nothing but payload was appended: {error}"),
            }
        }
        feed_piece(connection, piece, &mut output, &mut log);
    }
    drain(&mut output, &mut log.output);
    log
}

fn feed_piece(connection: &mut Connection, piece: &[u8], output: &mut Output, log: &mut Log) {
    let mut piece = piece.to_vec();
    let mut input = &mut piece[..];
    loop {
        match connection.receive(&mut input, output) {
            Ok(Some(event)) => log.events.push(event.into_owned()),
            Ok(None) => {
                assert!(input.is_empty(), "no event, yet input is left");
                break;
            }
            Err(error) => {
                assert!(input.is_empty(), "failed, yet input is left");
                assert_eq!(log.error.get_or_insert(error), &error, "errors are sticky");
                break;
            }
        }
    }
}

pub fn drain(output: &mut Output, into: &mut Vec<u8>) {
    while !output.is_empty() {
        let pending = output.pending();
        into.extend_from_slice(pending);
        let len = pending.len();
        output.advance(len);
    }
}

/// Feeds `input` whole, cut in two everywhere, and byte by byte, to connections that `new` makes;
/// each time the end of the transport and 1 KiB of junk follow. All must see the same; returns it.
pub fn feed_every_way(new: impl Fn() -> Connection, input: &[u8]) -> (Log, State) {
    let whole = feed_to_the_end(&new, [input]);
    // A long input is cut at its ends and at prime distances in between.
    let step = if input.len() > 4096 { 97 } else { 1 };
    let cuts =
        (0..input.len()).filter(|cut| *cut < 300 || input.len() - cut < 300 || cut % step == 0);
    for cut in cuts {
        let (head, tail) = input.split_at(cut);
        assert_eq!(feed_to_the_end(&new, [head, tail]), whole, "cut at {cut}");
    }
    assert_eq!(feed_to_the_end(&new, input.chunks(1)), whole, "byte by byte");
    assert_eq!(feed_to_the_end(&new, input.chunks(3)), whole, "three bytes at a time");
    whole
}

fn feed_to_the_end<'a>(
    new: impl Fn() -> Connection,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Log, State) {
    let mut connection = new();
    let mut log = feed(&mut connection, pieces).join_chunks();
    let state = connection.state();
    let end = connection.receive_eof().err();
    match log.error {
        Some(error) => assert_eq!(end, Some(error), "the first error stays"),
        None if state == State::Open => assert_eq!(end, Some(ProtocolError::UnexpectedEof)),
        None => assert_eq!(end, None),
    }
    // 1 KiB of what looks like frames, and the end again: nothing comes of it.
    let junk = [0x81, 0x80, 1, 2, 3, 4, 0x89, 0x00].repeat(128);
    let after = feed(&mut connection, [&junk[..]]);
    assert_eq!((after.events, after.output), (Vec::new(), Vec::new()), "junk after the end");
    assert_eq!(after.error, end);
    assert_eq!(connection.receive_eof().err(), end);
    log.error = end.or(log.error);
    (log, state)
}

pub fn hex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).expect("hex") as u8;
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// The rows of a file in `tests/vectors`.
pub fn rows(json: &str) -> Vec<Value> {
    match serde_json::from_str(json).expect("valid JSON") {
        Value::Array(rows) => rows,
        other => panic!("not a list of rows: {other}"),
    }
}

pub fn field<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_else(|| panic!("no text field {name} in {row}"))
}
