//! permessage-deflate over two connections back to back, in every combination of parameters.
#![cfg(feature = "deflate")]

mod common;

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
    ) {
        let mut config = Config::default();
        config.compression_threshold = threshold;
        config.fragment_size = 3000;
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

/// The limit counts inflated bytes: exactly as many pass, one more fails, in both deliveries.
#[test]
fn the_limit_counts_what_comes_out() {
    for delivery in [Delivery::Messages, Delivery::Chunks] {
        for (size, passes) in [(100_000, true), (100_001, false)] {
            for message in [Message::binary(vec![0; size]), Message::text("x".repeat(size))] {
                let mut config = Config::default();
                config.max_message_size = 100_000;
                config.delivery = delivery;
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

/// S65: `no_context_takeover` was agreed, and the peer refers to the message before.
#[test]
fn a_window_that_was_given_up_cannot_be_referred_to() {
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
