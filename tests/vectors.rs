//! Every row of `vectors/frames.json`: whole, at every two-way split, byte by byte.

mod common;

use common::{Log, feed, feed_every_way, field, hex, keys, rows};
use serde_json::Value;
use websocket_proto::frame::{Header, Opcode, Parsed};
use websocket_proto::{Config, Connection, Delivery, Event, Negotiated, ProtocolError, State};

const FRAMES: &str = include_str!("vectors/frames.json");

#[test]
fn frames_as_whole_messages() {
    check_frames(Delivery::Messages);
}

#[test]
fn frames_as_chunks() {
    check_frames(Delivery::Chunks);
}

/// The transport ends after each byte of each row: the error says so, nothing is made of a part,
/// and what was whole before stays as it was.
#[test]
fn s29_the_end_after_each_byte_of_each_row() {
    for row in rows(FRAMES).iter().filter(|row| cfg!(feature = "deflate") || !is_compressed(row)) {
        let id = field(row, "id");
        let input = hex(field(row, "input"));
        let new = || connection(row, Delivery::Messages);
        let whole = feed(&mut new(), [&input[..]]);
        // A long row is payload for the most part: its first bytes, and some of the rest.
        let ends = (0..input.len()).filter(|end| *end < 300 || end % 97 == 0);
        for end in ends {
            let mut connection = new();
            let log = feed(&mut connection, [&input[..end]]);
            assert!(whole.events.starts_with(&log.events), "{id}, {end}: {:?}", log.events);
            let closed = log.events.iter().any(|event| matches!(event, Event::Close(_)));
            let expected = match log.error {
                Some(error) => Err(error),
                None if closed => Ok(()),
                None => Err(ProtocolError::UnexpectedEof),
            };
            for _ in 0..2 {
                assert_eq!(connection.receive_eof(), expected, "{id}, {end}");
            }
            let end_of_it = connection.closed().map(|end| (end.clean, end.code.get()));
            if expected == Err(ProtocolError::UnexpectedEof) {
                assert_eq!(end_of_it, Some((false, 1006)), "{id}, {end}");
            }
            let after = feed(&mut connection, [&input[end..]]);
            assert_eq!((after.events, after.output), (Vec::new(), Vec::new()), "{id}, {end}");
        }
    }
}

fn check_frames(delivery: Delivery) {
    let rows = rows(FRAMES);
    let mut checked = 0;
    for row in rows.iter().filter(|row| cfg!(feature = "deflate") || !is_compressed(row)) {
        let id = field(row, "id");
        let input = hex(field(row, "input"));
        let new = || connection(row, delivery);
        let (log, state) = feed_every_way(new, &input);
        assert_eq!(expected_events(row), without_close(&log), "{id}: events");
        check_end(row, &log, state);
        checked += 1;
    }
    assert!(checked >= 77, "only {checked} rows");
    assert_eq!(checked == rows.len(), cfg!(feature = "deflate"));
}

fn connection(row: &Value, delivery: Delivery) -> Connection {
    let mut config = Config::default();
    config.max_message_size = row["max_message_size"].as_u64().expect("a number");
    config.delivery = delivery;
    #[cfg_attr(not(feature = "deflate"), expect(unused_mut, reason = "nothing is negotiated"))]
    let mut negotiated = Negotiated::default();
    #[cfg(feature = "deflate")]
    if is_compressed(row) {
        negotiated.deflate = Some(websocket_proto::DeflateParams::default());
    }
    match field(row, "role") {
        "server" => Connection::server(negotiated, config),
        _ => Connection::client(negotiated, config, keys()),
    }
}

fn is_compressed(row: &Value) -> bool {
    row["permessage_deflate"] == Value::Bool(true)
}

fn expected_events(row: &Value) -> Vec<Event<'static>> {
    let events = row["events"].as_array().expect("a list");
    let event = |event: &Value| {
        let (kind, value) = event.as_object().and_then(|event| event.iter().next()).expect("one");
        let value = value.as_str().expect("text");
        match kind.as_str() {
            "text" => Event::Text(value.to_owned().into()),
            "binary" => Event::Binary(hex(value).into()),
            "ping" => Event::Ping(hex(value).into()),
            "pong" => Event::Pong(hex(value).into()),
            other => panic!("unknown event {other}"),
        }
    };
    events.iter().map(event).collect()
}

/// The events before the Close, which is the last one; `ended_by` tells of it.
fn without_close(log: &Log) -> Vec<Event<'static>> {
    let mut events = log.events.clone();
    if matches!(events.last(), Some(Event::Close(_))) {
        events.pop();
    }
    events
}

fn check_end(row: &Value, log: &Log, state: State) {
    let id = field(row, "id");
    let closes = sent_closes(&log.output);
    let expected = &row["close_sent"];
    match row["ended_by"].as_str() {
        None => {
            assert_eq!(closes, [], "{id}: no Close is sent");
            assert_eq!(state, State::Open, "{id}");
            assert_eq!(log.error, Some(ProtocolError::UnexpectedEof), "{id}");
        }
        Some("echo") => {
            let code = expected.as_u64().map(|code| code as u16);
            assert_eq!(closes, [code], "{id}: the Close answers the peer's");
            assert_eq!((state, log.error), (State::Closed, None), "{id}");
            assert!(matches!(log.events.last(), Some(Event::Close(_))), "{id}");
        }
        Some(_) => {
            let code = expected.as_u64().map(|code| code as u16);
            assert_eq!(closes, [code], "{id}: the Close fails the connection");
            let error = log.error.unwrap_or_else(|| panic!("{id}: no error"));
            assert_eq!(Some(error.close_code().get()), code, "{id}: {error}");
            assert_eq!(state, State::Failed, "{id}");
        }
    }
}

/// The codes of the Close frames in what was sent; checks that it is frames, and that the pings
/// were answered before.
fn sent_closes(mut output: &[u8]) -> Vec<Option<u16>> {
    let mut closes = Vec::new();
    while let Ok(Parsed::Done { header, len }) = Header::parse(output) {
        let end = len + header.payload_len as usize;
        let mut payload = output[len..end].to_vec();
        for (index, byte) in payload.iter_mut().enumerate() {
            *byte ^= header.mask.map_or(0, |key| key[index % 4]);
        }
        match header.opcode {
            Opcode::Close => {
                closes.push(payload.first_chunk().map(|code| u16::from_be_bytes(*code)));
            }
            Opcode::Pong => assert_eq!(closes, [], "nothing is sent after a Close"),
            other => panic!("{other:?} was not asked for"),
        }
        output = &output[end..];
    }
    assert!(output.is_empty(), "a part of a frame was sent");
    closes
}
