//! Limits of size and number: RFC 6455 10.4, close codes 1008 and 1009 of 7.4.1.

mod common;

use common::wire::{BINARY, CONTINUATION, FIN, ROLES, Role, TEXT, events, fails_at, receive};
use common::{Log, feed};
use websocket_proto::{Config, Connection, Delivery, Event, Output, ProtocolError, State};

const DELIVERIES: [Delivery; 2] = [Delivery::Messages, Delivery::Chunks];

fn with_limit(role: Role, limit: u64, delivery: Delivery) -> Connection {
    let mut config = Config::default();
    config.max_message_size = limit;
    config.max_frame_size = limit;
    config.delivery = delivery;
    role.connection(config)
}

/// A message of `len` bytes in four forms: one frame, two fragments, text with a character of four
/// bytes at its end, the same in fragments that cut that character.
fn forms(role: Role, len: usize) -> Vec<(Vec<u8>, Event<'static>)> {
    let data = vec![0xFE; len];
    let text = format!("{}\u{10348}", "x".repeat(len - 4));
    let (half, inside) = (len / 2, len - 2);
    let fragments = |opcode, payload: &[u8], cut| {
        let (head, tail) = payload.split_at(cut);
        [role.frame(opcode, head), role.frame(FIN | CONTINUATION, tail)].concat()
    };
    vec![
        (role.frame(FIN | BINARY, &data), Event::Binary(data.clone().into())),
        (fragments(BINARY, &data, half), Event::Binary(data.into())),
        (role.frame(FIN | TEXT, text.as_bytes()), Event::Text(text.clone().into())),
        (fragments(TEXT, text.as_bytes(), inside), Event::Text(text.into())),
    ]
}

/// Feeds whole, in pieces of seven bytes, and with one cut within the payload.
fn every_way(new: impl Fn() -> Connection, bytes: &[u8]) -> Log {
    let whole = feed(&mut new(), [bytes]).join_chunks();
    assert_eq!(feed(&mut new(), bytes.chunks(7)).join_chunks(), whole);
    let (head, tail) = bytes.split_at(bytes.len() / 3);
    assert_eq!(feed(&mut new(), [head, tail]).join_chunks(), whole);
    whole
}

#[test]
fn s08_s09_messages_around_the_limit() {
    for limit in [4, 5, 125, 126, 127, 1000, 65_535, 65_536, 100_000] {
        for len in [limit - 1, limit, limit + 1] {
            for role in ROLES {
                for delivery in DELIVERIES {
                    check_forms(role, limit as u64, len, delivery);
                }
            }
        }
    }
}

fn check_forms(role: Role, limit: u64, len: usize, delivery: Delivery) {
    if len < 4 {
        return; // no room for the character
    }
    for (bytes, event) in forms(role, len) {
        let log = every_way(|| with_limit(role, limit, delivery), &bytes);
        if len as u64 <= limit {
            assert_eq!((log.events, log.error), (vec![event], None), "{len} of {limit}");
        } else {
            // Never a shortened message.
            assert_eq!(log.events, [], "{len} of {limit}");
            let error = log.error.expect("over the limit");
            assert_eq!(error.close_code().get(), 1009, "{error}");
        }
    }
}

/// The default of 1 MiB, so that it is not by chance another.
#[test]
fn s06_one_byte_more_than_the_default_fails_at_the_header() {
    for role in ROLES {
        let header = role.header(FIN | BINARY, (1 << 20) + 1);
        let mut connection = role.connection(Config::default());
        let (at, error) = fails_at(&mut connection, &header).expect("over the limit");
        assert_eq!(error.close_code().get(), 1009);
        // The last byte of the length decides, before the key and any payload.
        assert_eq!(at, 10);
        assert_eq!(
            fails_at(&mut role.connection(Config::default()), &role.header(0x82, 1 << 20)),
            None
        );
    }
}

#[test]
fn s07_the_second_fragment_fails_at_its_header() {
    for role in ROLES {
        for delivery in DELIVERIES {
            let mut connection = with_limit(role, 1000, delivery);
            let first = role.frame(BINARY, &[0; 999]);
            feed(&mut connection, [&first[..]]);
            assert_eq!(connection.state(), State::Open);
            let second = role.header(FIN | CONTINUATION, 2);
            let error = ProtocolError::MessageTooBig { seen: 1001, limit: 1000 };
            assert_eq!(fails_at(&mut connection, &second), Some((2, error)));
        }
    }
}

/// The limit of a frame is one thing, that of a message another.
#[test]
fn frames_and_messages_have_limits_of_their_own() {
    for role in ROLES {
        let new = || {
            let mut config = Config::default();
            config.max_frame_size = 100;
            config.max_message_size = 250;
            role.connection(config)
        };
        let full = |opcode| role.frame(opcode, &[1; 100]);
        let two = [full(BINARY), full(CONTINUATION)].concat();
        let fits = [&two[..], &role.frame(FIN | CONTINUATION, &[1; 50])].concat();
        assert_eq!(every_way(new, &fits).events, [Event::Binary(vec![1; 250].into())]);
        // A second message starts from nothing.
        let twice = fits.repeat(2);
        assert_eq!(every_way(new, &twice).events.len(), 2);

        let long = [&two[..], &role.frame(FIN | CONTINUATION, &[1; 51])].concat();
        let error = ProtocolError::MessageTooBig { seen: 251, limit: 250 };
        assert_eq!(every_way(new, &long).error, Some(error));
        let error = ProtocolError::FrameTooBig { seen: 101, limit: 100 };
        assert_eq!(every_way(new, &role.frame(FIN | BINARY, &[1; 101])).error, Some(error));
        // Control frames are no part of the message, and not under its limits.
        let ping = role.frame(FIN | 9, &[2; 125]);
        let mixed = [two, ping, role.frame(FIN | CONTINUATION, &[1; 50])].concat();
        assert_eq!(
            every_way(new, &mixed).events,
            [Event::Ping(vec![2; 125].into()), Event::Binary(vec![1; 250].into())]
        );
    }
}

#[test]
fn limits_of_zero_leave_empty_messages() {
    for role in ROLES {
        let new = || with_limit(role, 0, Delivery::Messages);
        let empty = role.frame(FIN | BINARY, b"");
        assert_eq!(every_way(new, &empty).events, [Event::Binary(b"".into())]);
        assert!(every_way(new, &role.frame(FIN | BINARY, b"x")).error.is_some());
    }
}

#[test]
fn s70_no_limit_and_enormous_lengths() {
    for role in ROLES {
        for delivery in DELIVERIES {
            let mut connection = with_limit(role, u64::MAX, delivery);
            let mut output = Output::new();
            // 10 bytes in a fragment first, so that the sum is not of round numbers.
            feed(&mut connection, [&role.frame(BINARY, &[7; 10])[..]]);
            let header = role.header(FIN | CONTINUATION, 1 << 62);
            assert_eq!(receive(&mut connection, &header, &mut output), (Ok(None), 0));
            for _ in 0..3 {
                assert!(receive(&mut connection, &[0; 1000], &mut output).0.is_ok());
            }
            assert_eq!((connection.state(), output.is_empty()), (State::Open, true));
            let greatest = u64::MAX >> 1;
            let mut connection = with_limit(role, u64::MAX, delivery);
            feed(&mut connection, [&role.frame(BINARY, &[7; 10])[..]]);
            let header = role.header(FIN | CONTINUATION, greatest);
            assert_eq!(fails_at(&mut connection, &header), None);
            // With the sum under a limit of 2^63, ten bytes and that length are too much.
            let mut connection = with_limit(role, 1 << 63, delivery);
            feed(&mut connection, [&role.frame(BINARY, &[7; 10])[..]]);
            let error = ProtocolError::MessageTooBig { seen: greatest + 10, limit: 1 << 63 };
            assert_eq!(fails_at(&mut connection, &header), Some((10, error)));
        }
    }
}

/// S69: lengths are compared in 64 bits before they become a `usize`, so a target with 32, where this
/// runs too, decides the same: what `len as usize` would make small, 2^32 + 5 and its like, is over the limit.
#[test]
fn s69_lengths_that_32_bits_cannot_hold() {
    for role in ROLES {
        for delivery in DELIVERIES {
            for power in [1 << 32, 1 << 33, 1 << 48, 1 << 62] {
                for len in [power - 1, power, power + 5] {
                    let mut connection = with_limit(role, 1 << 20, delivery);
                    let (at, error) =
                        fails_at(&mut connection, &role.header(FIN | BINARY, len)).expect("long");
                    assert_eq!(error.close_code().get(), 1009, "{len}");
                    assert!(at <= 10, "in the length");
                    // As the rest of a message: the sum is no smaller.
                    let mut connection = with_limit(role, 1 << 20, delivery);
                    feed(&mut connection, [&role.frame(BINARY, &[7; 10])[..]]);
                    let header = role.header(FIN | CONTINUATION, len);
                    let (_, error) = fails_at(&mut connection, &header).expect("long");
                    assert_eq!(error.close_code().get(), 1009, "{len}");
                    // Where it is allowed it is waited for, and what was received is counted.
                    let mut connection = with_limit(role, len, delivery);
                    let header = role.header(FIN | BINARY, len);
                    assert_eq!(fails_at(&mut connection, &header), None);
                    assert!(connection.in_message());
                    let mut connection = with_limit(role, len - 1, delivery);
                    assert!(fails_at(&mut connection, &header).is_some());
                }
            }
        }
    }
}

#[test]
fn s01_empty_fragments() {
    for role in ROLES {
        for delivery in DELIVERIES {
            let empty = role.frame(CONTINUATION, b"");
            let mut connection = with_limit(role, 1000, delivery);
            let mut output = Output::new();
            receive(&mut connection, &role.frame(BINARY, b""), &mut output).0.expect("the first");
            for _ in 1..1024 {
                assert_eq!(receive(&mut connection, &empty, &mut output).0, Ok(None));
            }
            // One with payload, and the row begins again.
            receive(&mut connection, &role.frame(CONTINUATION, b"x"), &mut output).0.expect("x");
            for _ in 0..1024 {
                assert_eq!(receive(&mut connection, &empty, &mut output).0, Ok(None));
            }
            let error = ProtocolError::TooManyEmptyFragments { limit: 1024 };
            assert_eq!(error.close_code().get(), 1008);
            assert_eq!(fails_at(&mut connection, &empty), Some((2, error)));
        }
    }
}

#[test]
fn s02_fragments_of_one_byte() {
    for role in ROLES {
        let new = |fragments, limit| {
            let mut config = Config::default();
            config.max_fragments = fragments;
            config.max_message_size = limit;
            role.connection(config)
        };
        let first = role.frame(BINARY, b"x");
        let next = role.frame(CONTINUATION, b"x");
        let last = role.frame(FIN | CONTINUATION, b"x");
        // Five are allowed, and the sixth fails at its first byte.
        let five = [&first[..], &next, &next, &next, &last].concat();
        let log = every_way(|| new(5, 1000), &five.repeat(3));
        assert_eq!(log.events, vec![Event::Binary(b"xxxxx".into()); 3]);
        let mut connection = new(5, 1000);
        feed(&mut connection, [&[&first[..], &next, &next, &next, &next].concat()[..]]);
        let error = ProtocolError::TooManyFragments { limit: 5 };
        assert_eq!(error.close_code().get(), 1008);
        assert_eq!(fails_at(&mut connection, &last), Some((1, error)));
        // Whichever limit is reached first.
        let log = every_way(|| new(5, 3), &five);
        assert_eq!(log.error, Some(ProtocolError::MessageTooBig { seen: 4, limit: 3 }));
    }
}

/// 2 GiB and more in pieces of 8 KiB, each delivered: the number counts for what is kept only.
#[test]
fn s95_chunks_without_end() {
    for (role, byte0) in [(Role::Client, BINARY), (Role::Client, TEXT), (Role::Server, BINARY)] {
        let mut connection = with_limit(role, u64::MAX, Delivery::Chunks);
        let mut output = Output::new();
        // The same memory each time: a mask turns its bytes into others, of the same length.
        let mut first = role.frame(byte0, &[b'x'; 8 << 10]);
        let mut next = role.frame(CONTINUATION, &[b'x'; 8 << 10]);
        let mut received = 0_u64;
        for index in 0..=1 << 18 {
            let mut input = if index == 0 { &mut first[..] } else { &mut next[..] };
            let len = match connection.receive(&mut input, &mut output) {
                Ok(Some(Event::BinaryChunk { data, last: false })) => data.len(),
                Ok(Some(Event::TextChunk { text, last: false })) => text.len(),
                other => panic!("{index}: {other:?}"),
            };
            assert!(len == 8 << 10 && input.is_empty());
            received += len as u64;
        }
        assert_eq!(received, (2 << 30) + (8 << 10));
        assert_eq!(connection.statistics().received.payload_bytes, received);
        // The row of empty ones is bounded all the same.
        let error = ProtocolError::TooManyEmptyFragments { limit: 1024 };
        let empty = role.frame(CONTINUATION, b"");
        let (_, failed) = fails_at(&mut connection, &empty.repeat(1025)).expect("too many");
        assert_eq!(failed, error);
    }
}

/// Nor is what is dropped kept.
#[test]
fn s95_fragments_that_are_dropped() {
    for role in ROLES {
        let mut config = Config::default();
        config.max_fragments = 2;
        let mut connection = role.connection(config);
        let mut output = Output::new();
        let next = role.frame(CONTINUATION, b"x");
        receive(&mut connection, &role.frame(BINARY, b"x"), &mut output).0.expect("the first");
        receive(&mut connection, &next, &mut output).0.expect("the second");
        connection.discard_data();
        assert_eq!(receive(&mut connection, &next.repeat(1000), &mut output), (Ok(None), 0));
    }
}

/// The defaults, one byte a fragment for ever: 131,072 are allowed.
#[test]
fn s02_131_073_fragments_are_one_too_many() {
    let role = Role::Server;
    let mut connection = role.connection(Config::default());
    let mut output = Output::new();
    receive(&mut connection, &role.frame(BINARY, b"x"), &mut output).0.expect("the first");
    let batch = role.frame(CONTINUATION, b"x").repeat(131_071);
    for piece in batch.chunks(1 << 16) {
        assert_eq!(receive(&mut connection, piece, &mut output), (Ok(None), 0));
    }
    let error = ProtocolError::TooManyFragments { limit: 131_072 };
    assert_eq!(fails_at(&mut connection, &role.frame(CONTINUATION, b"x")), Some((1, error)));
}

/// Autobahn 9.3.1: many small fragments are a message like any other.
#[test]
fn s03_65_536_fragments() {
    let role = Role::Server;
    let mut connection = with_limit(role, 4 << 20, Delivery::Messages);
    let mut output = Output::new();
    let next = role.frame(CONTINUATION, &[b'x'; 64]);
    receive(&mut connection, &role.frame(BINARY, &[b'x'; 64]), &mut output).0.expect("the first");
    let batch = next.repeat(1022);
    for _ in 0..64 {
        assert_eq!(receive(&mut connection, &batch, &mut output), (Ok(None), 0));
    }
    let rest = [next.repeat(65_536 - 2 - 64 * 1022), role.frame(FIN | CONTINUATION, &[b'x'; 64])];
    let seen = events(&mut connection, &rest.concat(), &mut output);
    assert!(seen == [Event::Binary(vec![b'x'; 4 << 20].into())], "all, in order");
}
