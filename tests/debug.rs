//! S88: what `{:?}` shows after secrets have passed: nothing of them, and little of anything. A
//! log may hold it.

mod common;

use std::fmt::Debug;

use common::wire::{BINARY, CONTINUATION, FIN, PING, ROLES, Role, TEXT, receive};
use websocket_proto::{
    CloseCode, CloseFrame, Config, Connection, Delivery, Event, MaskKeys, Message, Negotiated,
    Output, Prepared, ProtocolError, State,
};

const SECRET: &str = "S3cR3t";

/// Neither as text nor as the numbers that a list of bytes shows, and under 2 KiB.
fn check(what: &str, value: &impl Debug) {
    for shown in [format!("{value:?}"), format!("{value:#?}")] {
        assert!(shown.len() < 2048, "{what}: {} bytes", shown.len());
        for list in [format!("{:?}", SECRET.as_bytes()), format!("{:?}", common::wire::KEY)] {
            let numbers = list.trim_matches(['[', ']']);
            let flat = shown.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(!flat.contains(numbers), "{what}: {shown}");
        }
        assert!(!shown.contains(SECRET), "{what}: {shown}");
    }
}

#[test]
fn s88_a_connection_and_its_output() {
    for role in ROLES {
        for delivery in [Delivery::Messages, Delivery::Chunks] {
            let mut config = Config::default();
            config.delivery = delivery;
            config.auto_close = false;
            for steps in 0..8 {
                let (mut connection, mut output) = (role.connection(config), Output::new());
                pass(role, &mut connection, &mut output, steps);
                check("Connection", &connection);
                check("Output", &output);
                check("Statistics", &connection.statistics());
                // Written, and the memory is there still.
                output.advance(usize::MAX);
                check("Output", &output);
            }
        }
    }
}

/// The first `steps` of what passes over it.
fn pass(role: Role, connection: &mut Connection, output: &mut Output, steps: usize) {
    let long = SECRET.repeat(10_000);
    let mut todo: Vec<Step> = vec![
        // In pieces: half a message, half a ping, half a header, half a Close.
        take(role.frame(BINARY, long.as_bytes())),
        take(role.frame(FIN | PING, SECRET.as_bytes())),
        take(role.frame(FIN | CONTINUATION, long.as_bytes())[..30_000].to_vec()),
        take(role.frame(FIN | CONTINUATION, long.as_bytes())[30_000..].to_vec()),
        take(role.frame(TEXT, SECRET.as_bytes())),
        take(role.frame(FIN | PING, SECRET.as_bytes())[..5].to_vec()),
        take(role.frame(FIN | PING, SECRET.as_bytes())[5..].to_vec()),
        take(role.close(1000, SECRET)),
    ];
    todo.truncate(steps);
    // So that the pong is owed, and large and small frames wait.
    connection.send(Message::text(&*long), output).expect("open");
    connection.send(Message::binary(vec![b'x'; 500_000]), output).expect("open");
    connection.send(Message::text(long), output).expect("open");
    todo.into_iter().for_each(|step| step(connection, output));
}

type Step = Box<dyn FnOnce(&mut Connection, &mut Output)>;

fn take(bytes: Vec<u8>) -> Step {
    Box::new(move |connection, output| {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (result, left) = receive(connection, rest, output);
            result.expect("no fault");
            rest = &rest[rest.len() - left..];
        }
    })
}

#[test]
fn s88_at_the_end() {
    for role in ROLES {
        let (mut connection, mut output) = (role.connection(Config::default()), Output::new());
        pass(role, &mut connection, &mut output, 7);
        connection.close(CloseCode::NORMAL, SECRET, &mut output).expect("open");
        check("Connection", &connection);
        receive(&mut connection, &role.close(1000, SECRET), &mut output).0.expect("no fault");
        assert_eq!(connection.state(), State::Closed);
        check("Connection", &connection);
        let (mut connection, mut output) = (role.connection(Config::default()), Output::new());
        pass(role, &mut connection, &mut output, 3);
        connection.fail(ProtocolError::MessageTimeout, &mut output);
        check("Connection", &connection);
    }
}

#[cfg(feature = "deflate")]
#[test]
fn s88_a_connection_that_compresses() {
    let mut negotiated = Negotiated::default();
    negotiated.deflate = Some(websocket_proto::DeflateParams::default());
    let mut server = Connection::server(negotiated.clone(), Config::default());
    let mut client = Connection::client(negotiated, Config::default(), common::keys());
    let (mut output, mut replies) = (Output::new(), Output::new());
    client.send(Message::text(SECRET.repeat(100)), &mut output).expect("open");
    check("Output", &output);
    let mut bytes = output.pending().to_vec();
    bytes.truncate(bytes.len() / 2);
    assert_eq!(server.receive(&mut &mut bytes[..], &mut replies), Ok(None));
    check("Connection", &server);
    check("Connection", &client);
}

#[test]
fn s88_what_holds_secrets() {
    check("MaskKeys", &MaskKeys::from_seed(*b"S3cR3tS3cR3tS3cR3tS3cR3tS3cR3t!!"));
    check("Config", &Config::default());
    let prepared = Prepared::new(Message::text(SECRET));
    check("Prepared", &prepared);
    #[cfg(feature = "deflate")]
    check("Prepared", &prepared.compress(15, 0).compress(9, 0));
    check("SendError", &websocket_proto::SendError::Full(Message::text(SECRET)));
    let mut negotiated = Negotiated::default();
    negotiated.subprotocol = Some("\u{301}".repeat(100_000));
    check("Negotiated", &negotiated);
}

/// They are the data: how it begins, and its length.
#[test]
fn s88_data_is_bounded() {
    let long = "\u{301}".repeat(1 << 20);
    let zeros = vec![0; 1 << 20];
    let frame = CloseFrame::new(CloseCode::NORMAL, &long).expect("a code to send");
    let long: &str = &long;
    let bounded: &[&dyn Debug] = &[
        &Message::text(long),
        &Message::binary(&zeros[..]),
        &Event::Text(long.into()),
        &Event::Binary((&zeros[..]).into()),
        &Event::TextChunk { text: long.into(), last: false },
        &Event::BinaryChunk { data: (&zeros[..]).into(), last: true },
        &Event::Ping((&zeros[..125]).into()),
        &Event::Pong((&zeros[..125]).into()),
        &Event::Close(Some(frame.clone())),
        &frame,
    ];
    for value in bounded {
        let shown = format!("{value:?}");
        assert!(shown.len() < 700 && shown.contains(" bytes)"), "{shown}");
    }
    let shown: &[(&dyn Debug, &str)] = &[
        (&Message::text("Hello"), r#"Text("Hello")"#),
        (&Message::binary(&b"\x00a"[..]), r#"Binary(b"\x00a")"#),
        (&Event::Text("a".into()), r#"Text("a")"#),
        (&Event::Binary(vec![1].into()), r#"Binary(b"\x01")"#),
        (
            &Event::TextChunk { text: "a".into(), last: true },
            r#"TextChunk { text: "a", last: true }"#,
        ),
        (
            &Event::BinaryChunk { data: vec![b'a'].into(), last: false },
            r#"BinaryChunk { data: b"a", last: false }"#,
        ),
        (&Event::Ping(vec![b'p'].into()), r#"Ping(b"p")"#),
        (&Event::Pong(vec![].into()), r#"Pong(b"")"#),
        (&Event::Close(None), "Close(None)"),
    ];
    for (value, expected) in shown {
        assert_eq!(format!("{value:?}"), *expected);
    }
}
