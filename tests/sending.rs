//! What sending puts into the output: which frames, how much of it copied, when it is full, and
//! what is counted.

mod common;

use bytes::Bytes;
use common::wire::{BINARY, CONTINUATION, FIN, PING, ROLES, Role, TEXT, events, take_sent};
use websocket_proto::{Config, Counters, Event, Message, Output, Prepared, SendError};

/// The longest header; what a message may take is reckoned with it.
const HEADER: usize = 14;
/// From here on, payloads that are owned or shared are not copied.
const LARGE: usize = 16 << 10;
/// From here on, borrowed ones get memory of their own.
const LARGE_BORROWED: usize = 64 << 10;

fn fragments_of(size: usize) -> Config {
    let mut config = Config::default();
    config.fragment_size = size;
    config
}

fn data(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index % 251) as u8).collect()
}

/// The same message in each way it can be handed over.
fn send_each_way(role: Role, config: Config, payload: &[u8], check: impl Fn(&str, &mut Output)) {
    let messages =
        [("borrowed", Message::binary(payload)), ("owned", Message::binary(payload.to_vec()))];
    for (way, message) in messages {
        let mut output = Output::new();
        role.connection(config).send(message, &mut output).expect("open");
        check(way, &mut output);
        // With memory at hand, small messages go another way.
        let mut connection = role.connection(config);
        connection.ping(&[0; 125], &mut output).expect("open");
        take_sent(&mut output);
        connection.send(Message::binary(payload), &mut output).expect("open");
        check("into an output that was used", &mut output);
    }
    let mut output = Output::new();
    let prepared = Prepared::new(Message::binary(payload));
    role.connection(config).send_prepared(&prepared, &mut output).expect("open");
    check("prepared", &mut output);
    let mut output = Output::new();
    let shared = Prepared::binary(Bytes::copy_from_slice(payload));
    role.connection(config).send_prepared(&shared, &mut output).expect("open");
    check("shared", &mut output);
}

/// `Config::fragment_size` holds for every size and way of sending.
#[test]
fn no_frame_is_longer_than_a_fragment() {
    for (size, len) in [
        (10, 0),
        (10, 9),
        (10, 10),
        (10, 11),
        (10, 25),
        (10, 30),
        (1, 3),
        (100, LARGE + 1),
        (LARGE, LARGE),
        (LARGE, LARGE + 1),
        (LARGE, 3 * LARGE),
        (LARGE_BORROWED, LARGE_BORROWED + 1),
        (3 * LARGE, 7 * LARGE),
    ] {
        let payload = data(len);
        for role in ROLES {
            send_each_way(role, fragments_of(size), &payload, |way, output| {
                let frames = take_sent(output);
                let count = len.div_ceil(size).max(1);
                assert_eq!(frames.len(), count, "{role:?}, {way}: {len} in fragments of {size}");
                for (index, (byte0, piece)) in frames.iter().enumerate() {
                    let fin = if index + 1 == count { FIN } else { 0 };
                    let opcode = if index == 0 { BINARY } else { CONTINUATION };
                    assert_eq!(*byte0, fin | opcode, "{role:?}, {way}");
                    let from = index * size;
                    let to = len.min(from + size);
                    assert!(*piece == payload[from..to], "{role:?}, {way}: {from}..{to}");
                }
            });
        }
    }
}

/// The piece of `output` that holds the bytes at `address`, if it has not copied them.
fn lies_at(output: &Output, address: *const u8) -> bool {
    output.chunks().any(|chunk| chunk.as_ptr() == address)
}

/// Below 16 KiB the copy is cheaper than an entry in the queue; above, the copy is what costs.
#[test]
fn large_payloads_that_are_owned_are_not_copied() {
    for (len, fragment_size, copied) in [
        (LARGE - 1, 1 << 20, true),
        (LARGE, 1 << 20, false),
        (LARGE + 1, 1 << 20, false),
        (3 * LARGE, LARGE, false),
        // Frames that small are copied together.
        (3 * LARGE, LARGE - 1, true),
    ] {
        let config = fragments_of(fragment_size);
        for role in ROLES {
            let mut connection = role.connection(config);
            let mut output = Output::new();
            for round in ["new", "used"] {
                let payload = data(len);
                let address = payload.as_ptr();
                connection.send(Message::binary(payload), &mut output).expect("open");
                let lent = lies_at(&output, address);
                assert_eq!(lent, !copied, "{role:?}, {round}: {len}, {fragment_size}");
                take_sent(&mut output);
                // The output keeps the memory that this takes: there would be room for a copy.
                connection.send(Message::binary(&[0; 60_000][..]), &mut output).expect("open");
                take_sent(&mut output);
            }
            // A client masks, so what is shared with others is copied.
            let payload = Bytes::from(data(len));
            let prepared = Prepared::binary(payload.clone());
            connection.send_prepared(&prepared, &mut output).expect("open");
            let lent = lies_at(&output, payload.as_ptr());
            assert_eq!(lent, !copied && role == Role::Server, "{role:?}: {len}, {fragment_size}");
        }
    }
}

/// What is copied in small frames stands in one piece: one write takes it.
#[test]
fn small_frames_are_written_together() {
    for role in ROLES {
        send_each_way(role, fragments_of(1000), &data(40_000), |way, output| {
            assert_eq!(output.chunks().count(), 1, "{role:?}, {way}");
        });
    }
}

/// A large borrowed payload is copied to memory that is given back when it is sent.
#[test]
fn large_borrowed_payloads_do_not_grow_the_buffer() {
    for (len, pieces) in [(LARGE_BORROWED - 1, 1), (LARGE_BORROWED, 2), (LARGE_BORROWED + 1, 2)] {
        for role in ROLES {
            let mut output = Output::new();
            let payload = data(len);
            let mut connection = role.connection(fragments_of(1 << 20));
            connection.send(Message::binary(&payload[..]), &mut output).expect("open");
            assert_eq!(output.chunks().count(), pieces, "{role:?}: {len}");
        }
    }
}

/// At most the hard limit waits, reckoned with the longest header for each frame.
#[test]
fn the_hard_limit_is_exact() {
    // Length, and how many frames it takes.
    for (len, frames) in [(0, 1), (1, 1), (99, 1), (100, 1), (101, 2), (250, 3), (300, 3)] {
        for role in ROLES {
            for (less, fits) in [(0, true), (1, false)] {
                let mut output = Output::new();
                role.connection(Config::default()).ping(&[], &mut output).expect("open");
                let mut config = fragments_of(100);
                config.output_hard_limit = output.len() + len + frames * HEADER - less;
                let mut connection = role.connection(config);
                let payload = data(len);
                let sent = connection.send(Message::binary(&payload[..]), &mut output);
                let expected =
                    if fits { Ok(()) } else { Err(SendError::Full(Message::binary(&payload[..]))) };
                assert_eq!(sent, expected, "{role:?}: {len} bytes, {less} less room");
            }
        }
    }
}

/// With nothing waiting, one message always fits.
#[test]
fn one_message_always_fits() {
    for role in ROLES {
        let mut config = Config::default();
        config.output_hard_limit = 0;
        let mut connection = role.connection(config);
        let mut output = Output::new();
        connection.send(Message::text("hello"), &mut output).expect("nothing waits");
        let full = connection.send(Message::text(""), &mut output);
        assert_eq!(full, Err(SendError::Full(Message::text(""))));
        take_sent(&mut output);
        connection.send(Message::text(""), &mut output).expect("nothing waits");
    }
}

#[test]
fn the_soft_limit_is_exact() {
    for role in ROLES {
        let mut output = Output::new();
        let mut config = Config::default();
        role.connection(config).send(Message::text("12345"), &mut output).expect("open");
        for (more, wants) in [(1, false), (0, false)] {
            config.output_soft_limit = output.len() + more;
            assert_eq!(role.connection(config).wants_write(&output), wants, "{more} more");
        }
        config.output_soft_limit = output.len() - 1;
        assert!(role.connection(config).wants_write(&output), "{role:?}");
        assert!(!role.connection(config).wants_write(&Output::new()), "nothing waits");
    }
}

/// What one end has sent and the other has received, in numbers.
#[test]
fn everything_is_counted() {
    for role in ROLES {
        let mut sender = role.connection(fragments_of(4));
        let mut receiver = role.peer().connection(Config::default());
        let mut output = Output::new();
        sender.send(Message::text("abc"), &mut output).expect("open"); // 1 frame
        sender.send(Message::binary(&[1; 10][..]), &mut output).expect("open"); // 3 frames
        sender.send(Message::binary(&[][..]), &mut output).expect("open"); // 1 frame
        sender.ping(&[7; 20], &mut output).expect("open"); // its payload does not count
        sender.send_fragment(Message::text("xy"), false, &mut output).expect("open");
        sender.ping(&[], &mut output).expect("open");
        sender.send_fragment(Message::text("z"), true, &mut output).expect("open");
        let mut bytes = Vec::new();
        common::drain(&mut output, &mut bytes);
        events(&mut receiver, &bytes, &mut output);
        let counted =
            |counters: Counters| (counters.frames, counters.messages, counters.payload_bytes);
        let expected = (9, 4, 3 + 10 + 3);
        assert_eq!(counted(sender.statistics().sent), expected, "{role:?}");
        assert_eq!(counted(receiver.statistics().received), expected, "{role:?}");
        // The two pongs.
        assert_eq!(counted(receiver.statistics().sent), (2, 0, 0), "{role:?}");
        assert_eq!(counted(sender.statistics().received), (0, 0, 0), "{role:?}");
    }
}

/// From the first byte of a message that cannot be delivered yet to its end, control frames
/// between its fragments or not.
#[test]
fn a_message_in_progress_is_known() {
    for role in ROLES {
        let mut connection = role.connection(Config::default());
        let mut output = Output::new();
        assert!(!connection.in_message(), "{role:?}: new");
        for (byte0, payload, in_message) in [
            (FIN | TEXT, &b"whole"[..], false),
            (FIN | PING, b"", false),
            (TEXT, b"first", true),
            (FIN | PING, b"", true),
            (CONTINUATION, b"", true),
            (FIN | CONTINUATION, b"last", false),
        ] {
            events(&mut connection, &role.frame(byte0, payload), &mut output);
            assert_eq!(connection.in_message(), in_message, "{role:?}, after {byte0:#x}");
        }
    }
}

/// `Message` from whatever holds a payload, and from an event that is a whole message.
#[test]
fn what_is_a_message() {
    let text = Message::text("abc");
    assert_eq!(Message::from("abc"), text);
    assert_eq!(Message::from(String::from("abc")), text);
    let data = Message::binary(&b"abc"[..]);
    assert_ne!(data, text);
    assert_eq!(Message::from(&b"abc"[..]), data);
    assert_eq!(Message::from(b"abc".to_vec()), data);
    assert_eq!(Message::from(Bytes::from_static(b"abc")), data);
    assert_eq!(Message::try_from(Event::Text("abc".into())), Ok(text));
    assert_eq!(Message::try_from(Event::Binary(b"abc"[..].into())), Ok(data));
    let chunk = || Event::TextChunk { text: "abc".into(), last: true };
    assert_eq!(Message::try_from(chunk()), Err(chunk()), "it may be a part only");
}
