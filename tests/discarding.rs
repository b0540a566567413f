//! S89: data that nobody waits for, after our own Close (RFC 6455 sections 1.4 and 5.5.1).
//! tests/memory.rs counts what it costs.

mod common;

use common::wire::{
    BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, ROLES, Role, TEXT, fails_at, receive, take_sent,
};
use common::{Log, feed};
use websocket_proto::{
    CloseCode, Config, Connection, Delivery, Event, Message, Output, ProtocolError, State,
};

/// How a connection is made.
type New = fn(Role) -> Connection;

const NEW: &[New] = &[
    |role| role.connection(Config::default()),
    |role| {
        let mut config = Config::default();
        config.delivery = Delivery::Chunks;
        role.connection(config)
    },
    #[cfg(feature = "deflate")]
    |role| deflating(role, Delivery::Messages),
    #[cfg(feature = "deflate")]
    |role| deflating(role, Delivery::Chunks),
];

#[cfg(feature = "deflate")]
fn deflating(role: Role, delivery: Delivery) -> Connection {
    let mut config = Config::default();
    config.delivery = delivery;
    let mut negotiated = websocket_proto::Negotiated::default();
    negotiated.deflate = Some(websocket_proto::DeflateParams::default());
    match role {
        Role::Client => Connection::client(negotiated, config, common::keys()),
        Role::Server => Connection::server(negotiated, config),
    }
}

/// Messages of every form, compressed ones if that was agreed, and pings between them.
fn frames(role: Role, compressed: bool) -> Vec<Vec<u8>> {
    let mut frames = vec![
        role.frame(FIN | BINARY, b"one"),
        role.frame(TEXT, "\u{10348}".as_bytes()),
        role.frame(FIN | PING, b"within"),
        role.frame(CONTINUATION, b""),
        role.frame(FIN | CONTINUATION, "\u{e4}".as_bytes()),
        role.frame(FIN | TEXT, b""),
        role.frame(FIN | PING, b""),
        role.frame(BINARY, &[7; 130]),
        role.frame(FIN | CONTINUATION, &[8; 9]),
    ];
    if compressed {
        // RFC 7692 7.2.3.1 and 7.2.3.2: "Hello", and again from the window.
        frames.push(role.frame(0x40 | TEXT, &[0xf2, 0x48, 0xcd]));
        frames.push(role.frame(FIN | CONTINUATION, &[0xc9, 0xc9, 0x07, 0x00]));
        frames.push(role.frame(FIN | PING, b"amid"));
        frames.push(role.frame(FIN | 0x40 | TEXT, &[0xf2, 0x00, 0x11, 0x00, 0x00]));
    }
    frames.push(role.close(1000, "bye"));
    frames
}

/// The control frames whose last byte comes after `at`.
fn controls_after(role: Role, frames: &[Vec<u8>], at: usize) -> Vec<Event<'static>> {
    let mut end = 0;
    let mut log = Vec::new();
    for frame in frames {
        end += frame.len();
        if end > at && frame[0] & 8 != 0 {
            log.extend(feed(&mut role.connection(Config::default()), [&frame[..]]).events);
        }
    }
    log
}

fn close_and_discard(connection: &mut Connection, output: &mut Output) {
    connection.close(CloseCode::NORMAL, "", output).expect("open");
    connection.discard_data();
}

#[test]
fn s89_no_data_arrives_after_our_close() {
    for role in ROLES {
        for (index, new) in NEW.iter().enumerate() {
            let frames = frames(role, index >= 2);
            let bytes = frames.concat();
            let mut reference = new(role);
            assert_eq!(feed(&mut reference, [&bytes[..]]).error, None);
            for at in 0..bytes.len() {
                let (before, after) = bytes.split_at(at);
                let expected = controls_after(role, &frames, at);
                let all = |pieces: Vec<&[u8]>| {
                    let mut connection = new(role);
                    feed(&mut connection, [before]);
                    close_and_discard(&mut connection, &mut Output::new());
                    let log = feed(&mut connection, pieces);
                    assert_eq!((&log.events, log.error), (&expected, None), "at {at}");
                    assert!(log.output.is_empty(), "5.5.1: nothing follows our Close");
                    assert_eq!(connection.state(), State::Closed);
                    let received = connection.statistics().received;
                    assert_eq!(received, reference.statistics().received, "at {at}");
                    assert_eq!(connection.receive_eof(), Ok(()));
                };
                all(vec![after]);
                all(after.chunks(1).collect());
                for cut in 1..after.len() {
                    let (head, tail) = after.split_at(cut);
                    all(vec![head, tail]);
                }
            }
        }
    }
}

/// Without a Close of ours, what is owed is sent as ever.
#[test]
fn control_frames_are_answered_while_data_is_discarded() {
    for role in ROLES {
        let mut connection = role.connection(Config::default());
        let mut output = Output::new();
        connection.discard_data();
        let bytes = [
            role.frame(FIN | TEXT, b"\xFF"),
            role.frame(BINARY, b"x"),
            role.frame(FIN | PING, b"p"),
            role.close(1001, ""),
        ];
        let log = feed_into(&mut connection, &bytes.concat(), &mut output);
        assert_eq!(log.events.len(), 2, "{log:?}");
        let sent = take_sent(&mut output);
        assert_eq!(sent, [(FIN | PONG, b"p".to_vec()), (FIN | CLOSE, vec![0x03, 0xE9])]);
        assert_eq!(connection.state(), State::Closed);
    }
}

fn feed_into(connection: &mut Connection, bytes: &[u8], output: &mut Output) -> Log {
    let mut log = Log::default();
    let mut bytes = bytes.to_vec();
    let mut input = &mut bytes[..];
    while let Some(event) = connection.receive(&mut input, output).expect("no fault") {
        log.events.push(event.into_owned());
    }
    log
}

/// What is in a message is not looked at; how it is framed is, with the same error at the same
/// byte.
#[test]
fn frames_are_held_against_the_rules() {
    for role in ROLES {
        let first = role.frame(BINARY, &[7; 10]);
        let masked = role.frame(FIN | TEXT, b"x")[1] & 0x80;
        let cases: &[Vec<u8>] = &[
            vec![0xC1],
            vec![FIN | 3],
            vec![FIN | TEXT, masked ^ 0x80],
            role.frame(FIN | CONTINUATION, b""),
            [&first[..], &role.frame(FIN | TEXT, b"x")].concat(),
            [&first[..], &role.frame(PING, b"x")].concat(),
            [&first[..], &role.header(FIN | CONTINUATION, (1 << 20) - 9)].concat(),
            role.header(FIN | BINARY, (1 << 20) + 1),
            [&first[..], &role.frame(CONTINUATION, b"").repeat(1025)].concat(),
            [&first[..], &role.close(1004, "")].concat(),
            role.frame(FIN | CLOSE, b"\x03\xE8\xFF"),
        ];
        for bytes in cases {
            let expected = fails_at(&mut role.connection(Config::default()), bytes);
            assert!(expected.is_some(), "{bytes:x?}");
            let mut connection = role.connection(Config::default());
            connection.discard_data();
            assert_eq!(fails_at(&mut connection, bytes), expected, "{bytes:x?}");
            assert!(connection.error().is_some());
        }
    }
}

#[test]
fn s89_what_was_appended_directly_came_off_the_wire() {
    const LEN: usize = 40_000;
    for role in ROLES {
        let bytes = role.frame(FIN | BINARY, &[7; LEN]);
        let close = role.close(1000, "");
        // Some of it, nothing, all of it.
        for appended in [0, 1, 4_999, LEN] {
            let mut connection = role.connection(Config::default());
            let mut output = Output::new();
            let start = bytes.len() - 12_000;
            assert_eq!(receive(&mut connection, &bytes[..start], &mut output).0, Ok(None));
            let (message, room) = connection.direct().expect("payload comes next");
            let count = appended.min(room);
            message.extend_from_slice(&bytes[start..start + count]);
            close_and_discard(&mut connection, &mut output);
            assert!(connection.direct().is_none());
            assert_eq!(connection.direct_done(&mut output), Ok(None));
            let rest = [&bytes[start + count..], &close].concat();
            let log = feed(&mut connection, rest.chunks(7));
            assert_eq!((log.events.len(), log.error), (1, None), "{appended}");
            assert_eq!(connection.state(), State::Closed);
            assert_eq!(connection.statistics().received.messages, 1);
        }
    }
}

/// Where the connection lost track, the next call says so.
#[test]
fn a_message_that_was_overfilled() {
    for role in ROLES {
        let bytes = role.frame(FIN | BINARY, &[7; 40_000]);
        let mut connection = role.connection(Config::default());
        let mut output = Output::new();
        receive(&mut connection, &bytes[..20_000], &mut output).0.expect("no fault");
        connection.direct().expect("payload comes next").0.resize(50_000, 0);
        connection.discard_data();
        assert_eq!(connection.error(), Some(ProtocolError::DirectMisuse));
        assert_eq!(connection.direct_done(&mut output), Err(ProtocolError::DirectMisuse));
        assert_eq!(take_sent(&mut output), [(FIN | CLOSE, vec![0x03, 0xF3])]);
        assert_eq!(connection.state(), State::Failed);
    }
}

#[test]
fn twice_and_after_the_end() {
    for role in ROLES {
        let mut connection = role.connection(Config::default());
        let mut output = Output::new();
        connection.discard_data();
        connection.discard_data();
        connection.send(Message::text("still open"), &mut output).expect("open");
        receive(&mut connection, &role.close(1000, ""), &mut output).0.expect("no fault");
        connection.discard_data();
        assert_eq!(connection.state(), State::Closed);
        assert_eq!(receive(&mut connection, &[0xFF; 10], &mut output), (Ok(None), 0));
    }
}
