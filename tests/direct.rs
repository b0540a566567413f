//! Reading straight into a large message: nobody can tell by what is received, and misuse harms
//! nothing but the connection that it happened on.

mod common;

use common::wire::{BINARY, CONTINUATION, FIN, PING, ROLES, Role, TEXT};
use common::{Log, feed, feed_direct};
use proptest::prelude::*;
use websocket_proto::{
    CloseCode, Config, Connection, Delivery, Event, Output, ProtocolError, State,
};

fn payload(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index * 31 + index / 251) as u8).collect()
}

/// Whole, fragmented with a ping between, text, empty at the end, small ones behind.
fn conversation(role: Role) -> Vec<u8> {
    [
        role.frame(FIN | BINARY, &payload(20_000)),
        role.frame(FIN | BINARY, b"small"),
        role.frame(BINARY, &payload(9_001)),
        role.frame(FIN | PING, b"in between"),
        role.frame(CONTINUATION, &payload(70_003)),
        role.frame(FIN | CONTINUATION, b""),
        role.frame(FIN | TEXT, "ä漢😀x".repeat(900).as_bytes()),
        role.frame(FIN | BINARY, &payload(4_097)),
        role.frame(FIN | BINARY, &payload(150_000)),
    ]
    .concat()
}

/// How many times and bytes were appended directly.
fn appended(connection: &mut Connection, bytes: &[u8], read: usize) -> usize {
    let mut count = 0;
    for piece in bytes.chunks(read) {
        let before = connection.direct().map(|(_, room)| room.min(piece.len()));
        count += before.unwrap_or_default();
        let _ = feed_direct(connection, [piece]);
    }
    count
}

#[test]
fn every_cut_in_two_gives_the_same() {
    for role in ROLES {
        let input = [
            role.frame(BINARY, &payload(4_200)),
            role.frame(FIN | CONTINUATION, &payload(4_300)),
            role.frame(FIN | BINARY, b"next"),
        ]
        .concat();
        let whole = feed(&mut role.connection(Config::default()), [&input[..]]);
        assert_eq!(whole.events.len(), 2);
        for first in (4_050..4_400).chain(8_400..input.len()) {
            for second in [first, first + 1, first + 7, first + 150, input.len()] {
                let second = second.min(input.len());
                let pieces = [&input[..first], &input[first..second], &input[second..]];
                let log = feed_direct(&mut role.connection(Config::default()), pieces);
                assert_eq!(log, whole, "{role:?}: cut at {first} and {second}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_cuts_give_the_same(
        cuts in prop::collection::vec(prop_oneof![1_usize..20, 1_000_usize..9_000, 10_000_usize..80_000], 1..20),
        kept in prop_oneof![Just(0_usize), 4_000_usize..200_000],
    ) {
        for role in ROLES {
            let bytes = conversation(role);
            let whole = feed(&mut role.connection(Config::default()), [&bytes[..]]);
            prop_assert_eq!(whole.events.len(), 7);
            let mut rest = &bytes[..];
            let mut lens = cuts.iter().cycle();
            let pieces = std::iter::from_fn(|| {
                let len = (*lens.next()?).min(rest.len());
                if len == 0 { None } else { rest.split_off(..len) }
            });
            let mut connection = role.connection(Config::default());
            connection.recycle(Vec::with_capacity(kept));
            prop_assert_eq!(feed_direct(&mut connection, pieces), whole);
        }
    }
}

#[test]
fn most_of_a_large_message_is_read_directly() {
    for role in ROLES {
        let bytes = role.frame(FIN | BINARY, &payload(1 << 20));
        let direct = appended(&mut role.connection(Config::default()), &bytes, 16 << 10);
        assert!(direct >= (1 << 20) - (32 << 10), "{role:?}: {direct} bytes");
    }
}

/// In memory that was handed back it begins at once, where enough is missing and has room.
#[test]
fn kept_memory_is_read_into_at_once() {
    for role in ROLES {
        for (len, kept, room) in [
            (16_000, 16_000, Some(15_900)),
            (16_000, 15_999, None),
            (16_000, 0, None),
            (4_196, 4_196, Some(4_096)),
            (4_195, 4_195, None),
        ] {
            let what = format!("{role:?}: {len} bytes of payload, memory for {kept}");
            let mut frame = role.frame(FIN | BINARY, &payload(len));
            let rest = frame.split_off(frame.len() - (len - 100));
            let mut connection = role.connection(Config::default());
            connection.recycle(Vec::with_capacity(kept));
            assert_eq!(feed(&mut connection, [&frame[..]]), Log::default());
            assert_eq!(connection.direct().map(|(_, room)| room), room, "{what}");
            let log = feed_direct(&mut connection, [&rest[..]]);
            assert_eq!(log.events, [Event::Binary(payload(len).into())], "{what}");
        }
    }
}

/// Not before the first byte of payload, which is what takes that memory for the message.
#[test]
fn kept_memory_is_not_lent_after_the_header() {
    for role in ROLES {
        let frame = role.frame(FIN | BINARY, &payload(16_000));
        let (header, rest) = frame.split_at(frame.len() - 16_000);
        let mut connection = role.connection(Config::default());
        connection.recycle(Vec::with_capacity(16_000));
        assert_eq!(feed(&mut connection, [header]), Log::default());
        assert_eq!(connection.direct(), None, "{role:?}: after the header");
        let log = feed_direct(&mut connection, [rest]);
        assert_eq!(log.events, [Event::Binary(payload(16_000).into())], "{role:?}");
    }
}

#[test]
fn text_chunks_and_controls_are_not() {
    for role in ROLES {
        let mut chunks = Config::default();
        chunks.delivery = Delivery::Chunks;
        for (config, frame) in [
            (Config::default(), role.frame(FIN | TEXT, &[b'x'; 50_000])),
            (chunks, role.frame(FIN | BINARY, &[b'x'; 50_000])),
        ] {
            assert_eq!(appended(&mut role.connection(config), &frame, 5_000), 0);
        }
        // Between frames, within a header, within a ping.
        let start = role.frame(BINARY, &payload(5_000));
        let ping = role.frame(FIN | PING, &[7; 100]);
        let mut connection = role.connection(Config::default());
        feed(&mut connection, [&start[..100], &start[100..]]);
        assert_eq!(connection.direct(), None);
        feed(&mut connection, [&ping[..1]]);
        assert_eq!(connection.direct(), None);
        feed(&mut connection, [&ping[1..50]]);
        assert_eq!(connection.direct(), None);
    }
}

/// A read for the rest of a small fragment alone would cost more than copying it.
#[test]
fn small_frames_are_not() {
    for role in ROLES {
        for (len, is) in [(4_095, false), (4_096, true)] {
            let frame = role.frame(CONTINUATION, &payload(len));
            let start = [role.frame(BINARY, &payload(9_000)), frame[..100].to_vec()].concat();
            let mut connection = role.connection(Config::default());
            feed(&mut connection, [&start[..]]);
            assert_eq!(connection.direct().is_some(), is, "{role:?}, {len}");
        }
    }
}

/// The connection is in the middle of this message.
fn half_way(role: Role) -> (Connection, Vec<u8>) {
    let mut connection = role.connection(Config::default());
    let bytes = role.frame(FIN | BINARY, &payload(50_000));
    let log = feed(&mut connection, [&bytes[..10_000]]);
    assert_eq!(log, Log::default());
    (connection, bytes[10_000..].to_vec())
}

/// A read that was cancelled, or failed after some bytes: they count all the same.
#[test]
fn done_may_be_called_late_or_not_at_all() {
    let expected = Event::Binary(payload(50_000).into());
    for role in ROLES {
        let mut output = Output::new();
        // Two calls before it.
        let (mut connection, rest) = half_way(role);
        let (message, room) = connection.direct().unwrap();
        message.extend_from_slice(&rest[..3]);
        let (message, less) = connection.direct().unwrap();
        assert_eq!(less, room - 3);
        message.extend_from_slice(&rest[3..less]);
        assert_eq!(connection.direct_done(&mut output), Ok(None));
        let log = feed_direct(&mut connection, [&rest[less..]]);
        assert_eq!(log.events, std::slice::from_ref(&expected));

        // `receive` instead, with the rest, and with nothing to do but that.
        let (mut connection, mut rest) = half_way(role);
        let (message, room) = connection.direct().unwrap();
        assert!(room < rest.len());
        message.extend_from_slice(&rest[..5]);
        let mut input = &mut rest[5..];
        let event = connection.receive(&mut input, &mut output);
        assert_eq!(event, Ok(Some(expected.clone())));
        assert!(input.is_empty());

        // The message is complete, and `receive` is called with what follows.
        let (mut connection, rest) = half_way(role);
        let mut next = role.frame(FIN | BINARY, b"next");
        let mut input = &mut next[..];
        let (rest, last) = rest.split_at(rest.len() - 100);
        assert_eq!(feed_direct(&mut connection, [rest]), Log::default());
        let (message, room) = connection.direct().unwrap();
        assert_eq!(room, last.len());
        message.extend_from_slice(last);
        assert_eq!(connection.direct(), None, "all is there");
        let event = connection.receive(&mut input, &mut output);
        assert_eq!(event, Ok(Some(expected.clone())));
        assert_eq!(
            connection.receive(&mut input, &mut output),
            Ok(Some(Event::Binary(b"next"[..].into())))
        );

        // Nothing was asked for, nothing was appended.
        let mut connection = role.connection(Config::default());
        assert_eq!(connection.direct_done(&mut output), Ok(None));
        assert!(output.is_empty());
    }
}

#[test]
fn misuse_fails_the_connection() {
    type Misuse = fn(&mut Vec<u8>, usize);
    let ways: [Misuse; 4] = [
        |message, _| message.clear(),
        |message, _| message.truncate(message.len() - 1),
        |message, room| message.resize(message.len() + room + 50_000, 7),
        |message, _| drop(std::mem::take(message)),
    ];
    for role in ROLES {
        for misuse in ways {
            let (mut connection, _) = half_way(role);
            let mut output = Output::new();
            let (message, room) = connection.direct().unwrap();
            misuse(message, room);
            let _ = connection.direct(); // asking again changes nothing
            let error = ProtocolError::DirectMisuse;
            assert_eq!(connection.direct_done(&mut output), Err(error));
            assert_eq!(error.close_code(), CloseCode::INTERNAL_ERROR);
            assert!(!output.is_empty(), "a Close frame");
            assert_eq!(connection.state(), State::Failed);
            assert_eq!(connection.direct(), None);
            assert_eq!(connection.direct_done(&mut output), Err(error));
        }
    }
}

/// What a caller does to a message within the rules is its own business; the next is as it should.
#[test]
fn a_message_of_the_callers_making_harms_no_other() {
    for role in ROLES {
        let (mut connection, rest) = half_way(role);
        let (message, _) = connection.direct().unwrap();
        message.fill(0);
        message.extend_from_slice(&[9; 5]);
        let next = role.frame(FIN | BINARY, b"next");
        let log = feed(&mut connection, [&rest[5..], &next]);
        assert_eq!(log.error, None);
        assert_eq!(log.events[1], Event::Binary(b"next"[..].into()));
    }
}

/// `len` bytes of one binary message of `total`, received by a new connection, and what it lends
/// then.
fn lent_after(role: Role, total: usize, len: usize) -> Option<usize> {
    let mut connection = role.connection(Config::default());
    let bytes = role.frame(FIN | BINARY, &payload(total));
    let header = bytes.len() - total;
    assert_eq!(feed(&mut connection, [&bytes[..header + len]]), Log::default());
    connection.direct().map(|(_, room)| room)
}

/// From 4 KiB on; what is masked in pieces of at most 32 KiB, and nothing beyond the frame.
#[test]
fn how_much_is_lent() {
    for role in ROLES {
        assert_eq!(lent_after(role, 100_000, 0), None);
        assert_eq!(lent_after(role, 100_000, 100), None);
        assert_eq!(lent_after(role, 100_000, 4095), None);
        assert!(lent_after(role, 100_000, 4096).is_some_and(|room| room > 0));
        assert_eq!(lent_after(role, 5_000, 4096), Some(904));
        // A half is there, so the rest has room.
        let most = if role == Role::Server { 32 << 10 } else { 300_000 };
        assert_eq!(lent_after(role, 600_000, 300_000), Some(most));
    }
}

/// The memory that `len` bytes are put into, after that of a message was handed back.
fn recycled(role: Role, capacity: usize, len: usize) -> bool {
    let mut config = Config::default();
    config.max_message_size = 4 << 20;
    config.max_frame_size = 4 << 20;
    let mut connection = role.connection(config);
    let spent = Vec::with_capacity(capacity);
    assert_eq!(spent.capacity(), capacity);
    let address = spent.as_ptr();
    connection.recycle(spent);
    let bytes = role.frame(FIN | BINARY, &payload(len));
    let (start, end) = bytes.split_at(bytes.len() - 1);
    let log = feed(&mut connection, [start, end]);
    let [Event::Binary(data)] = &log.events[..] else { panic!("{log:?}") };
    assert!(**data == payload(len));
    data.as_ptr() == address
}

/// As `Connection::recycle` says: up to 1 MiB, for a message of at least a quarter.
#[test]
fn which_memory_is_used_again() {
    const MIB: usize = 1 << 20;
    for role in ROLES {
        for (capacity, len, again) in [
            (1000, 1000, true),
            (1000, 250, true),
            (1000, 249, false),
            (MIB, MIB, true),
            (MIB + 1, MIB, false),
        ] {
            assert_eq!(recycled(role, capacity, len), again, "{role:?}: {capacity}, {len}");
        }
        // Not while a message is being put together, and only one.
        let (mut connection, rest) = half_way(role);
        connection.recycle(Vec::with_capacity(60_000));
        let log = feed(&mut connection, [&rest[..]]);
        assert_eq!(log.events, [Event::Binary(payload(50_000).into())]);
    }
}
