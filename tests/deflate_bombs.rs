//! Deflate bombs through a whole connection, with every byte that is live counted, the backend's
//! included. A test without the usual harness: it is alone in its process, on one thread.

mod common;
#[path = "common/heap.rs"]
mod heap;

use common::keys;
use common::wire::{BINARY, CONTINUATION, FIN, ROLES, Role, TEXT};
use heap::within;
use websocket_proto::{
    Config, Connection, DeflateParams, Delivery, Event, Message, Negotiated, Output, ProtocolError,
};

const RSV1: u8 = 0x40;
const LIMIT: u64 = 1 << 20;
/// What a message under that limit may cost.
const ROOM: u64 = LIMIT + (64 << 10);
const DELIVERIES: [Delivery; 2] = [Delivery::Messages, Delivery::Chunks];

fn main() {
    for role in ROLES {
        for delivery in DELIVERIES {
            the_bomb(role, delivery);
            messages_of_the_limit(role, delivery);
            empty_blocks(role, delivery);
        }
        the_whole_bomb_in_chunks(role);
        text_up_to_an_odd_limit(role);
        text_that_arrives_in_two_parts(role);
        nothing_stays(role);
        a_sent_message_is_written_where_it_waits(role);
    }
    println!("8 passed, 0 failed");
}

fn connection(role: Role, limit: u64, delivery: Delivery) -> Connection {
    let mut negotiated = Negotiated::default();
    negotiated.deflate = Some(DeflateParams::default());
    let mut config = Config::default();
    config.max_message_size = limit;
    config.delivery = delivery;
    match role {
        Role::Client => Connection::client(negotiated, config, keys()),
        Role::Server => Connection::server(negotiated, config),
    }
}

/// What one receiver made of its input. Nothing of a message is kept.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    messages: usize,
    bytes: u64,
    error: Option<ProtocolError>,
}

fn receive(connection: &mut Connection, wire: &mut [u8]) -> Seen {
    let (mut seen, mut output) = (Seen::default(), Output::new());
    let mut input = wire;
    loop {
        let (len, ends) = match connection.receive(&mut input, &mut output) {
            Ok(Some(Event::Binary(data))) => (data.len(), true),
            Ok(Some(Event::Text(text))) => (text.len(), true),
            Ok(Some(Event::BinaryChunk { data, last })) => (data.len(), last),
            Ok(Some(Event::TextChunk { text, last })) => (text.len(), last),
            Ok(Some(other)) => panic!("{other:?} was not sent"),
            Ok(None) => return seen,
            Err(error) => {
                seen.error = Some(error);
                return seen;
            }
        };
        seen.messages += usize::from(ends);
        seen.bytes += len as u64;
    }
}

/// A message of `len` bytes, all the same, compressed by another implementation.
fn compressed(byte: u8, len: usize) -> Vec<u8> {
    compressed_message(&vec![byte; len])
}

fn compressed_message(message: &[u8]) -> Vec<u8> {
    let len = message.len();
    let mut payload = Vec::with_capacity(len + 1000);
    let mut deflate = flate2::Compress::new(flate2::Compression::best(), false);
    deflate.compress_vec(message, &mut payload, flate2::FlushCompress::Sync).expect("valid");
    assert_eq!(deflate.total_in(), len as u64);
    assert!(payload.ends_with(&[0x00, 0x00, 0xff, 0xff]));
    payload.truncate(payload.len() - 4);
    payload
}

/// A message as one frame, and in frames of one byte.
fn framings(role: Role, opcode: u8, payload: &[u8]) -> [Vec<u8>; 2] {
    let last = payload.len() - 1;
    let frames = payload.iter().enumerate().map(|(index, byte)| {
        let first = if index == 0 { RSV1 | opcode } else { CONTINUATION };
        role.frame(if index == last { FIN | first } else { first }, &[*byte])
    });
    [role.frame(FIN | RSV1 | opcode, payload), frames.flatten().collect()]
}

/// 16 MiB of zeros in 16 KiB, in one frame and in one for each byte.
fn the_bomb(role: Role, delivery: Delivery) {
    let payload = compressed(0, 16 << 20);
    assert!((16_000..17_000).contains(&payload.len()), "{}", payload.len());
    for (opcode, wire) in [BINARY, TEXT]
        .into_iter()
        .flat_map(|opcode| framings(role, opcode, &payload).map(|wire| (opcode, wire)))
    {
        for read in [wire.len(), 100] {
            let mut reads = wire.clone();
            let (seen, live) = within(ROOM, || {
                let mut connection = connection(role, LIMIT, delivery);
                let mut seen = Seen::default();
                for part in reads.chunks_mut(read) {
                    let part = receive(&mut connection, part);
                    seen.bytes += part.bytes;
                    seen.messages += part.messages;
                    seen.error = seen.error.or(part.error);
                }
                seen
            });
            let error = ProtocolError::MessageTooBig { seen: LIMIT + 1, limit: LIMIT };
            assert_eq!((seen.messages, seen.error), (0, Some(error)), "{role:?} {opcode}");
            assert!(seen.bytes <= LIMIT && (delivery == Delivery::Chunks || seen.bytes == 0));
            assert_eq!(live, 0);
        }
    }
}

/// S61: messages of 1 MiB in 1 KiB, each within the limit, are all delivered, and no number of
/// them takes more memory than one.
fn messages_of_the_limit(role: Role, delivery: Delivery) {
    let payload = compressed(0, 1 << 20);
    assert!(payload.len() < 1050, "{}", payload.len());
    let frame = role.frame(FIN | RSV1 | BINARY, &payload);
    let mut wire = Vec::with_capacity(frame.len());
    // Ten thousand, as the behaviour has it, where all bytes are kept until the message ends.
    let count = if (role, delivery) == (Role::Server, Delivery::Messages) { 10_000 } else { 1_000 };
    let (seen, live) = within(ROOM, || {
        let mut connection = connection(role, LIMIT, delivery);
        let mut seen = Seen::default();
        for _ in 0..count {
            wire.clear();
            wire.extend_from_slice(&frame);
            let one = receive(&mut connection, &mut wire);
            assert_eq!(one, Seen { messages: 1, bytes: LIMIT, error: None });
            seen.messages += one.messages;
        }
        seen
    });
    assert_eq!((seen.messages, live), (count, 0));
}

/// S67: a message of 100,000 blocks that are all empty, stored, with fixed codes and final.
fn empty_blocks(role: Role, delivery: Delivery) {
    for block in
        [&[0x00, 0x00, 0x00, 0xff, 0xff][..], &[0x02, 0x00, 0x00, 0x00, 0xff, 0xff], &[0x03, 0x00]]
    {
        let mut payload = block.repeat(100_000);
        payload.push(0x00);
        let mut wire = role.frame(FIN | RSV1 | BINARY, &payload);
        let (seen, live) =
            within(128 << 10, || receive(&mut connection(role, LIMIT, delivery), &mut wire));
        assert_eq!(seen, Seen { messages: 1, bytes: 0, error: None }, "{block:x?}");
        assert_eq!(live, 0);
    }
}

/// In chunks, with a limit that is none, it needs no more than the state and a chunk.
fn the_whole_bomb_in_chunks(role: Role) {
    let payload = compressed(b'a', 16 << 20);
    for opcode in [BINARY, TEXT] {
        for mut wire in framings(role, opcode, &payload) {
            let (seen, live) = within(96 << 10, || {
                receive(&mut connection(role, u64::MAX, Delivery::Chunks), &mut wire)
            });
            assert_eq!(seen, Seen { messages: 1, bytes: 16 << 20, error: None });
            assert_eq!(live, 0);
        }
    }
}

/// S08, S09: exactly the limit, and one more, where the limit is no power of two.
fn text_up_to_an_odd_limit(role: Role) {
    const ODD: u64 = 600_001;
    for opcode in [BINARY, TEXT] {
        for (len, fits) in [(ODD, true), (ODD + 1, false)] {
            let payload = compressed(b'a', usize::try_from(len).expect("small"));
            for mut wire in framings(role, opcode, &payload) {
                let (seen, live) = within(ODD + (64 << 10), || {
                    receive(&mut connection(role, ODD, Delivery::Messages), &mut wire)
                });
                let error = ProtocolError::MessageTooBig { seen: ODD + 1, limit: ODD };
                assert_eq!(seen.error, (!fits).then_some(error), "{role:?} {opcode} {len}");
                assert_eq!(seen.bytes, if fits { ODD } else { 0 });
                assert_eq!(live, 0);
            }
        }
    }
}

/// Next to a text that is as long as it may be, little of it waits to be validated.
fn text_that_arrives_in_two_parts(role: Role) {
    // Letters in no order: as much is inflated from a piece of the payload as is asked for.
    let text = (0..LIMIT).map(|at| {
        b'a' + (at.wrapping_mul(at).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8 % 26
    });
    let payload = compressed_message(&text.collect::<Vec<u8>>());
    let (start, rest) = payload.split_at(payload.len() - 20_000);
    let mut frames = [role.frame(RSV1 | TEXT, start), role.frame(FIN | CONTINUATION, rest)];
    let (seen, live) = within(ROOM, || {
        let mut connection = connection(role, LIMIT, Delivery::Messages);
        let [first, last] = frames.each_mut().map(|frame| receive(&mut connection, frame));
        assert_eq!(first, Seen::default());
        last
    });
    assert_eq!(seen, Seen { messages: 1, bytes: LIMIT, error: None });
    assert_eq!(live, 0);
}

/// S63: after a bomb, and after the connection that took it, no memory is left behind.
fn nothing_stays(role: Role) {
    let mut bomb = role.frame(FIN | RSV1 | BINARY, &compressed(0, 16 << 20));
    let mut small = role.frame(FIN | RSV1 | BINARY, &compressed(0, 1000));
    let (mut failed, live) = within(ROOM, || {
        let mut failed = connection(role, LIMIT, Delivery::Messages);
        assert!(receive(&mut failed, &mut bomb).error.is_some());
        failed
    });
    assert!(live < 1024, "the failed connection itself: {live}");
    let (seen, live) =
        within(64 << 10, || receive(&mut connection(role, LIMIT, Delivery::Messages), &mut small));
    assert_eq!((seen, live), (Seen { messages: 1, bytes: 1000, error: None }, 0));
    assert!(receive(&mut failed, &mut small).error.is_some());
}

/// No memory is taken for a message's compressed form, once the output has some.
fn a_sent_message_is_written_where_it_waits(role: Role) {
    for len in [300, 1_000, 16_000, 50_000] {
        let payload = vec![b'x'; len];
        let mut connection = connection(role, LIMIT, Delivery::Messages);
        let mut output = Output::new();
        connection.send(Message::binary(&payload[..]), &mut output).expect("open");
        let sent = output.len();
        output.advance(sent);
        let ((), live) = within(0, || {
            connection.send(Message::binary(&payload[..]), &mut output).expect("open");
        });
        assert!(live == 0 && output.len() < sent && sent < len, "{len}");
    }
}
