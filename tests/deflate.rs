//! permessage-deflate over two connections back to back, in every combination of parameters.
#![cfg(feature = "deflate")]

mod common;
#[allow(dead_code, reason = "not all of it is used here")]
#[path = "../src/message/deflate/reference.rs"]
mod reference;

use common::wire::{BINARY, CONTINUATION, FIN, Role};
use common::{drain, keys};
use proptest::prelude::*;
use websocket_proto::{
    Config, Connection, DeflateParams, Delivery, Event, Message, Negotiated, Output, Prepared,
    ProtocolError, SendError,
};

fn negotiated(params: DeflateParams) -> Negotiated {
    let mut negotiated = Negotiated::default();
    negotiated.deflate = Some(params);
    negotiated
}

fn pair(params: DeflateParams, config: Config) -> (Connection, Connection) {
    let client = Connection::client(negotiated(params), config, keys());
    (client, Connection::server(negotiated(params), config))
}

/// Hands everything in `output` to `to`, `step` bytes at a time; returns the messages.
fn deliver(
    output: &mut Output,
    to: &mut Connection,
    step: usize,
) -> Result<Vec<Message<'static>>, ProtocolError> {
    let mut bytes = Vec::new();
    drain(output, &mut bytes);
    let (mut messages, mut text, mut data) = (Vec::new(), String::new(), Vec::new());
    let mut replies = Output::new();
    for piece in bytes.chunks_mut(step.max(1)) {
        let mut input = piece;
        while let Some(event) = to.receive(&mut input, &mut replies)? {
            match event {
                Event::Text(text) => messages.push(Message::text(text.into_owned())),
                Event::Binary(data) => messages.push(Message::binary(data.into_owned())),
                Event::TextChunk { text: chunk, last } => {
                    text.push_str(&chunk);
                    if last {
                        messages.push(Message::text(std::mem::take(&mut text)));
                    }
                }
                Event::BinaryChunk { data: chunk, last } => {
                    data.extend_from_slice(&chunk);
                    if last {
                        messages.push(Message::binary(std::mem::take(&mut data)));
                    }
                }
                other => panic!("{other:?} was not sent"),
            }
        }
    }
    Ok(messages)
}

fn params() -> impl Strategy<Value = DeflateParams> {
    (any::<(bool, bool)>(), 9..=15_u8, 9..=15_u8).prop_map(|((server, client), bits, other)| {
        DeflateParams {
            server_no_context_takeover: server,
            client_no_context_takeover: client,
            server_max_window_bits: bits,
            client_max_window_bits: other,
        }
    })
}

/// Messages with and without repetition, around the threshold and far above it.
fn message() -> impl Strategy<Value = Message<'static>> {
    let text = prop_oneof![
        "[a-c é😀]{0,400}",
        (".{0,40}", 0..200_usize).prop_map(|(text, times)| text.repeat(times)),
    ];
    let data = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..3000),
        (any::<u8>(), 0..200_000_usize).prop_map(|(byte, len)| vec![byte; len]),
    ];
    prop_oneof![text.prop_map(Message::text), data.prop_map(Message::binary)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_sent_is_received(
        params in params(),
        messages in proptest::collection::vec((message(), any::<bool>(), 0..5_usize), 1..8),
        step in prop_oneof![Just(1 << 20), 1..3000_usize],
        chunks in any::<bool>(),
        threshold in 0..600_usize,
        fragment_size in prop_oneof![Just(3000), Just(256 << 10)],
    ) {
        let mut config = Config::default();
        config.compression_threshold = threshold;
        config.fragment_size = fragment_size;
        config.delivery = if chunks { Delivery::Chunks } else { Delivery::Messages };
        let (mut client, mut server) = pair(params, config);
        let mut output = Output::new();
        for (message, to_server, how) in messages {
            let (from, to) =
                if to_server { (&mut client, &mut server) } else { (&mut server, &mut client) };
            match how {
                0 => from.send_uncompressed(message.clone(), &mut output).unwrap(),
                1 => {
                    let prepared = Prepared::new(message.clone()).compress(15, 6).compress(9, 1);
                    from.send_prepared(&prepared, &mut output).unwrap();
                }
                2 => send_in_pieces(from, &message, &mut output),
                _ => from.send(message.clone(), &mut output).unwrap(),
            }
            prop_assert_eq!(deliver(&mut output, to, step).unwrap(), vec![message]);
        }
    }
}

fn send_in_pieces(from: &mut Connection, message: &Message<'_>, output: &mut Output) {
    match message {
        Message::Text(text) => {
            let middle = (0..=text.len() / 2).rfind(|&at| text.is_char_boundary(at)).unwrap_or(0);
            let (head, tail) = text.split_at(middle);
            from.send_fragment(Message::text(head), false, output).unwrap();
            from.send_fragment(Message::text(""), false, output).unwrap();
            from.send_fragment(Message::text(tail), true, output).unwrap();
        }
        Message::Binary(data) => {
            for piece in data.chunks(1000) {
                from.send_fragment(Message::binary(piece), false, output).unwrap();
            }
            from.send_fragment(Message::binary(&b""[..]), true, output).unwrap();
        }
    }
}

/// RFC 7692 section 7.2.3.2: with takeover the second "Hello" is shorter, without it is not.
#[test]
fn the_window_is_kept_as_agreed() {
    for no_takeover in [false, true] {
        let params =
            DeflateParams { server_no_context_takeover: no_takeover, ..Default::default() };
        let mut config = Config::default();
        config.compression_threshold = 0;
        let (mut client, mut server) = pair(params, config);
        let mut output = Output::new();
        let mut sizes = Vec::new();
        for _ in 0..2 {
            server.send(Message::text("Hello, Hello of the RFC"), &mut output).unwrap();
            sizes.push(output.len());
            let received = deliver(&mut output, &mut client, 1 << 20).unwrap();
            assert_eq!(received, [Message::text("Hello, Hello of the RFC")]);
        }
        assert_eq!(sizes[1] < sizes[0], !no_takeover, "{sizes:?}");
    }
}

/// RFC 7692 section 7.1.2: a client that is told to use a window of 8 bits sends as is.
#[test]
fn a_window_of_8_bits_is_read_and_not_written() {
    let params = DeflateParams { client_max_window_bits: 8, ..Default::default() };
    let mut config = Config::default();
    config.compression_threshold = 0;
    let (mut client, mut server) = pair(params, config);
    let mut output = Output::new();
    client.send(Message::text("a".repeat(100)), &mut output).unwrap();
    assert!(output.len() > 100);
    deliver(&mut output, &mut server, 1 << 20).unwrap();
    server.send(Message::text("a".repeat(100)), &mut output).unwrap();
    assert!(output.len() < 30);
    let received = deliver(&mut output, &mut client, 1 << 20).unwrap();
    assert_eq!(received, [Message::text("a".repeat(100))]);
}

/// S08, S09: the limit counts inflated bytes: exactly as many pass, one more fails, in both
/// deliveries, in one frame and in several, also where text ends with a character of four bytes.
#[test]
fn s08_s09_the_limit_counts_what_comes_out() {
    let deliveries = [Delivery::Messages, Delivery::Chunks];
    for (delivery, fragment_size) in deliveries.into_iter().flat_map(|it| [(it, 50), (it, 1 << 18)])
    {
        for (size, passes) in [(100_000, true), (100_001, false)] {
            for message in [
                Message::binary(vec![0; size]),
                Message::text("x".repeat(size)),
                Message::text("x".repeat(size - 4) + "😀"),
            ] {
                let mut config = Config::default();
                config.max_message_size = 100_000;
                config.delivery = delivery;
                config.fragment_size = fragment_size;
                let (mut client, mut server) = pair(DeflateParams::default(), config);
                let mut output = Output::new();
                client.send(message.clone(), &mut output).unwrap();
                assert!(output.len() < 2000);
                let received = deliver(&mut output, &mut server, 7);
                if passes {
                    assert_eq!(received, Ok(vec![message]));
                } else {
                    let limit = 100_000;
                    let error = ProtocolError::MessageTooBig { seen: limit + 1, limit };
                    assert_eq!(received, Err(error));
                }
            }
        }
    }
}

/// S64: a window of 512 bytes was agreed and the peer looks back 600: it is understood, as by every
/// inflater that keeps 32 KiB. Both roles, within a message and into the one before.
#[test]
fn s64_a_peer_that_looks_back_too_far_is_understood() {
    let small = DeflateParams {
        server_max_window_bits: 9,
        client_max_window_bits: 9,
        ..DeflateParams::default()
    };
    let mut config = Config::default();
    config.compression_threshold = 0;
    let mut random = noise(600);
    let message = Message::binary(random.clone());
    random.extend_from_slice(&random.clone());
    let twice = Message::binary(random);
    for to_server in [true, false] {
        let (mut client, mut server) = pair(small, config);
        // The peer thinks that 32 KiB were agreed.
        let (mut peer_client, mut peer_server) = pair(DeflateParams::default(), config);
        let (from, to) = if to_server {
            (&mut peer_client, &mut server)
        } else {
            (&mut peer_server, &mut client)
        };
        let mut output = Output::new();
        for message in [&message, &message, &twice] {
            from.send(message.clone(), &mut output).unwrap();
            assert!(output.len() < 700, "{}: it did not look back", output.len());
            assert_eq!(deliver(&mut output, to, 1 << 20).unwrap(), std::slice::from_ref(message));
        }
    }
}

/// S66: what our side promised it keeps: without takeover each message inflates alone, and no
/// distance is larger than the window.
#[test]
fn s66_our_compressor_keeps_to_what_was_agreed() {
    let mut config = Config::default();
    config.compression_threshold = 0;
    config.compression_level = 9;
    // Repeats from 400, 600, 5,000 and 30,000 bytes back; and each message repeats the one before.
    let mut data = noise(400);
    for back in [400, 600, 5000, 30_000] {
        data.extend(noise(back).into_iter().take(back.saturating_sub(data.len())));
        let start = data.len().saturating_sub(back);
        data.extend_from_within(start..start + 200);
    }
    for bits in 9..=15_u8 {
        for no_takeover in [false, true] {
            let params = DeflateParams {
                server_no_context_takeover: no_takeover,
                client_no_context_takeover: no_takeover,
                server_max_window_bits: bits,
                client_max_window_bits: bits,
            };
            for from_client in [false, true] {
                let (client, server) = pair(params, config);
                let mut from = if from_client { client } else { server };
                let (mut output, mut window) = (Output::new(), Vec::new());
                for _ in 0..3 {
                    from.send(Message::binary(&data[..]), &mut output).unwrap();
                    let payload = take_compressed(&mut output);
                    let inflated = reference::inflate(&payload, &window).expect("valid");
                    assert!(inflated.bytes == data, "{params:?}");
                    assert!(inflated.max_distance <= 1 << bits, "{params:?}");
                    if !no_takeover {
                        window = inflated.window;
                    }
                }
            }
        }
    }
}

/// Bytes without repetition.
fn noise(len: usize) -> Vec<u8> {
    let mut state = len as u64 + 1;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// RFC 7692 section 7.2.3.1, as it is on the wire; 7.2.3.2 sends the second with five bytes.
#[test]
fn the_examples_are_sent() {
    let mut config = Config::default();
    config.compression_threshold = 0;
    let (mut client, mut server) = pair(DeflateParams::default(), config);
    let mut output = Output::new();
    server.send(Message::text("Hello"), &mut output).unwrap();
    assert_eq!(output.pending(), b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00");
    output.advance(usize::MAX);
    server.send(Message::text("Hello"), &mut output).unwrap();
    assert!(output.len() <= 2 + 5, "{:x?}", output.pending());
    output.advance(usize::MAX);
    client.send(Message::text("Hello"), &mut output).unwrap();
    assert_eq!(output.pending()[..2], [0xc1, 0x80 | 7]);
    assert_eq!(take_compressed(&mut output), b"\xf2\x48\xcd\xc9\xc9\x07\x00");
}

/// Also where they grow by being compressed.
#[test]
fn compressed_payloads_leave_in_frames_of_their_size() {
    for (size, len, frames) in
        [(1_000, 999, 2), (3_000, 10_000, 4), (1_100, 1_000, 1), (100_000, 10_000, 1)]
    {
        let mut config = Config::default();
        (config.fragment_size, config.compression_level) = (size, 0);
        let (mut client, _) = pair(DeflateParams::default(), config);
        let mut output = Output::new();
        client.send(Message::binary(noise(len)), &mut output).unwrap();
        let mut bytes = Vec::new();
        drain(&mut output, &mut bytes);
        let sent = common::wire::sent(&bytes);
        assert_eq!(sent.len(), frames, "{len} in frames of {size}");
        assert!(sent.iter().all(|frame| frame.payload.len() <= size));
    }
}

/// Around every length of a header, and up to what has to be made outside of the output's memory:
/// all behind one another, after a large message that is shared.
#[test]
fn messages_of_every_size_wait_in_their_order() {
    let sizes = [0, 1, 54, 55, 100, 115, 120, 121, 125, 126, 127, 1_000, 16_384, 58_000, 59_000];
    for (level, to_server) in [(0, true), (0, false), (6, true), (6, false)] {
        for large_first in [false, true] {
            let mut config = Config::default();
            (config.compression_threshold, config.compression_level) = (0, level);
            config.output_hard_limit = usize::MAX;
            let (mut client, mut server) = pair(DeflateParams::default(), config);
            let (from, to) =
                if to_server { (&mut client, &mut server) } else { (&mut server, &mut client) };
            let mut output = Output::new();
            let mut expected = Vec::new();
            let large = if large_first { &[70_000_usize][..] } else { &[] };
            for &size in large.iter().chain(&sizes).chain(&[65_000, 300_000, 10]) {
                let message = Message::binary(noise(size));
                from.send(message.clone(), &mut output).unwrap();
                expected.push(message);
                let zeros = Message::binary(vec![0; size]);
                from.send(zeros.clone(), &mut output).unwrap();
                expected.push(zeros);
            }
            let received = deliver(&mut output, to, 1 << 20).unwrap();
            assert!(received == expected, "level {level}, to server: {to_server}");
        }
    }
}

/// The payload of the one message in `output`, which must be compressed.
fn take_compressed(output: &mut Output) -> Vec<u8> {
    let mut bytes = Vec::new();
    drain(output, &mut bytes);
    let frames = common::wire::sent(&bytes);
    assert_eq!(frames[0].byte0 & 0x40, 0x40, "RSV1");
    frames.into_iter().flat_map(|frame| frame.payload).collect()
}

/// S65: `no_context_takeover` was agreed, and the peer refers to the message before.
#[test]
fn s65_a_window_that_was_given_up_cannot_be_referred_to() {
    let mut config = Config::default();
    config.compression_threshold = 0;
    let mut client = Connection::client(negotiated(DeflateParams::default()), config, keys());
    let params = DeflateParams { client_no_context_takeover: true, ..Default::default() };
    let mut server = Connection::server(negotiated(params), config);
    let mut output = Output::new();
    client.send(Message::text("Hello, Hello of the RFC"), &mut output).unwrap();
    deliver(&mut output, &mut server, 1 << 20).unwrap();
    client.send(Message::text("Hello, Hello of the RFC"), &mut output).unwrap();
    let received = deliver(&mut output, &mut server, 1 << 20);
    assert_eq!(received, Err(ProtocolError::CorruptDeflate));
}

#[test]
fn nothing_is_compressed_where_it_was_not_agreed() {
    let mut server = Connection::server(Negotiated::default(), Config::default());
    let mut output = Output::new();
    server.send(Message::text("a".repeat(1000)), &mut output).unwrap();
    assert_eq!(output.len(), 1004);
    let full: Result<(), SendError> =
        server.send_prepared(&Prepared::new(Message::text("x")).compress(15, 6), &mut output);
    assert_eq!(full, Ok(()));
    assert_eq!(output.len(), 1007);
}

/// A message of exactly the threshold is compressed, a shorter one is not.
#[test]
fn the_threshold_is_exact() {
    for (len, compressed) in [(254, false), (255, false), (256, true), (257, true)] {
        let (_, mut server) = pair(DeflateParams::default(), Config::default());
        let mut output = Output::new();
        server.send(Message::text("a".repeat(len)), &mut output).unwrap();
        assert_eq!(output.len() < len, compressed, "{len}: {} bytes", output.len());
    }
}

/// A prepared message goes out in the form with the largest window that was agreed, and as it is
/// where none fits.
#[test]
fn a_prepared_message_is_sent_in_a_form_that_fits() {
    // It repeats what lies a thousand bytes back: a window of 9 bits does not see that far.
    let text: String = noise(1000).iter().map(|byte| char::from(byte % 64 + 32)).collect();
    let text = text.repeat(2);
    let plain = Prepared::new(Message::text(&text[..]));
    let (narrow, wide) = (plain.clone().compress(9, 6), plain.clone().compress(12, 6));
    let both = narrow.clone().compress(12, 6);
    let size = |prepared: &Prepared, server_max_window_bits| {
        let params = DeflateParams { server_max_window_bits, ..Default::default() };
        let (mut client, mut server) = pair(params, Config::default());
        let mut output = Output::new();
        server.send_prepared(prepared, &mut output).unwrap();
        let len = output.len();
        assert_eq!(deliver(&mut output, &mut client, 1 << 20).unwrap(), [Message::text(&text[..])]);
        len
    };
    let as_it_is = size(&plain, 15);
    assert_eq!(as_it_is, 2004);
    let [small, large] = [size(&wide, 12), size(&narrow, 9)];
    assert!(small * 3 < large * 2 && large < as_it_is, "{small} {large}");
    assert_eq!(size(&wide, 11), as_it_is, "its window is larger than agreed");
    assert_eq!(size(&narrow, 15), large);
    for (bits, expected) in [(9, large), (11, large), (12, small), (15, small)] {
        assert_eq!(size(&both, bits), expected, "a window of {bits} bits");
    }
}

/// Our own window did not see a prepared message: what follows does not refer to it, nor to what
/// the peer's window has moved past.
#[test]
fn messages_around_a_prepared_one_are_understood() {
    let mut config = Config::default();
    config.compression_threshold = 0;
    let (mut client, mut server) = pair(DeflateParams::default(), config);
    let prepared = Prepared::new(Message::text("Hello, prepared, prepared")).compress(15, 6);
    let mut output = Output::new();
    for _ in 0..3 {
        server.send(Message::text("Hello, Hello of the RFC"), &mut output).unwrap();
        server.send_prepared(&prepared, &mut output).unwrap();
        let received = deliver(&mut output, &mut client, 7).unwrap();
        let expected = ["Hello, Hello of the RFC", "Hello, prepared, prepared"];
        assert_eq!(received, expected.map(Message::text));
    }
}

/// A piece of which nothing is left to send is none: the next one is the first on the wire.
#[test]
fn a_message_that_begins_with_nothing() {
    let (mut client, mut server) = pair(DeflateParams::default(), Config::default());
    let mut output = Output::new();
    for (fragment, fin) in [("", false), ("", false), ("abc", false), ("", false), ("d", true)] {
        client.send_fragment(Message::text(fragment), fin, &mut output).unwrap();
    }
    let messages = deliver(&mut output, &mut server, 1);
    assert_eq!(messages, Ok(vec![Message::text("abcd")]));
}

/// Chunks come out of pieces of the payload: only with the last does the message end.
#[test]
fn a_large_payload_in_chunks() {
    let text: String = noise(40_000).iter().map(|byte| char::from(byte % 64 + 32)).collect();
    let mut config = Config::default();
    config.delivery = Delivery::Chunks;
    for message in [Message::text(text), Message::binary(noise(40_000))] {
        let (mut client, mut server) = pair(DeflateParams::default(), config);
        let mut output = Output::new();
        server.send(message.clone(), &mut output).unwrap();
        assert!(output.len() > 20_000, "{}", output.len());
        assert_eq!(deliver(&mut output, &mut client, 1 << 20), Ok(vec![message]));
    }
}

/// A compressed message is neither read directly nor put into memory that was handed back: at
/// every byte of it, and while memory for all of its payload is there, with both asked for.
#[test]
fn reading_directly_leaves_compressed_messages_alone() {
    let text: String = noise(20_000).iter().map(|byte| char::from(byte % 64 + 32)).collect();
    let messages = [Message::text(text), Message::binary(noise(20_000))];
    for (message, step) in messages.iter().flat_map(|it| [(it, 1), (it, 4_000)]) {
        let (mut client, mut server) = pair(DeflateParams::default(), Config::default());
        let (mut output, mut bytes) = (Output::new(), Vec::new());
        server.send(message.clone(), &mut output).unwrap();
        drain(&mut output, &mut bytes);
        let mut received = None;
        for mut input in bytes.chunks_mut(step) {
            assert_eq!(client.direct(), None);
            client.recycle(Vec::with_capacity(30_000));
            if let Some(event) = client.receive(&mut input, &mut output).unwrap() {
                received = Message::try_from(event.into_owned()).ok();
            }
        }
        assert_eq!(received.as_ref(), Some(message));
    }
}

/// What does not fit is handed back as it came, and the window knows nothing of it.
#[test]
fn a_full_output_hands_the_message_back() {
    let mut config = Config::default();
    config.output_hard_limit = 600;
    let (mut client, mut server) = pair(DeflateParams::default(), config);
    let mut output = Output::new();
    let text = || Message::text("Hello, Hello of the RFC; ".repeat(30));
    for _ in 0..3 {
        server.send(text(), &mut output).unwrap();
        assert_eq!(server.send(text(), &mut output), Err(SendError::Full(text())));
        assert_eq!(deliver(&mut output, &mut client, 100).unwrap(), [text()]);
    }
}

/// RFC 7692 section 6: what a frame's length says is no measure of the message. Bytes that do not
/// compress take more on the wire than the limit allows the message.
#[test]
fn the_wire_may_take_more_than_the_limit() {
    const LIMIT: usize = 1000;
    let mut config = Config::default();
    config.max_message_size = LIMIT as u64;
    let (_, mut server) = pair(DeflateParams::default(), Config::default());
    let mut output = Output::new();
    server.send(Message::binary(noise(LIMIT)), &mut output).unwrap();
    let payload = take_compressed(&mut output);
    assert!(payload.len() > LIMIT);
    for first in [0, 1, payload.len()] {
        let (first, last) = payload.split_at(first);
        let mut bytes = Role::Client.frame(0x40 | BINARY, first);
        bytes.extend(Role::Client.frame(FIN | CONTINUATION, last));
        let (mut client, _) = pair(DeflateParams::default(), config);
        let received = common::wire::events(&mut client, &bytes, &mut output);
        assert_eq!(received, [Event::Binary(noise(LIMIT).into())]);
    }
    let (mut client, _) = pair(DeflateParams::default(), config);
    let bytes = Role::Client.frame(0x40 | FIN | BINARY, &payload);
    let received = common::wire::events(&mut client, &bytes, &mut output);
    assert_eq!(received, [Event::Binary(noise(LIMIT).into())]);
}

/// Whoever logs a connection gets its state and not what was said.
#[test]
fn the_windows_do_not_show() {
    let mut config = Config::default();
    config.compression_threshold = 0;
    let (mut client, mut server) = pair(DeflateParams::default(), config);
    let mut output = Output::new();
    server.send(Message::text("the secret"), &mut output).unwrap();
    deliver(&mut output, &mut client, 100).unwrap();
    let shown = [format!("{client:?}"), format!("{server:?}")];
    assert!(shown[0].contains("Inflater { allocated: true"), "{}", shown[0]);
    assert!(shown[1].contains("Deflater { allocated: true"), "{}", shown[1]);
    assert!(shown.iter().all(|text| !text.contains("secret") && text.len() < 4000));
}

/// `Config::compression_memory`: with less, the same text takes more blocks.
#[test]
fn memory_pays() {
    let text: String = noise(50_000).iter().map(|byte| char::from(byte % 16 + b'a')).collect();
    let sizes = [1, 4, 9].map(|memory| {
        let mut config = Config::default();
        config.compression_level = 6;
        config.compression_memory = memory;
        let (_, mut server) = pair(DeflateParams::default(), config);
        let mut output = Output::new();
        server.send(Message::text(&text[..]), &mut output).unwrap();
        output.len()
    });
    assert!(sizes[0] > sizes[1] && sizes[1] > sizes[2], "{sizes:?}");
}
