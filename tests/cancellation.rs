//! S48: every future is dropped at every poll, and the call made again: no byte is lost, doubled or
//! interleaved.
#![cfg(all(feature = "tokio", feature = "futures-io"))]

mod common;

use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use common::script::Script;
use common::wire::{BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, Role, TEXT, sent};
use common::{client, server};
use websocket_proto::handshake::{ClientRequest, Request};
use websocket_proto::io::{
    AsyncTransport, ClientOptions, Error, ServerOptions, WebSocket, futures, tokio as adapter,
};
use websocket_proto::{CloseCode, Config, Connection, Message, Prepared, State};

/// Calls until one call is ready at its first poll; each future before is dropped after one.
macro_rules! insist {
    ($call:expr) => {{
        let mut polls = 0;
        loop {
            polls += 1;
            assert!(polls < 10_000, "no end");
            if let Poll::Ready(result) = once(pin!($call)) {
                break result;
            }
        }
    }};
}

fn once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// No timer fires in these tests: a peer hesitates, and is never late.
fn no_sleep(_: Duration) -> impl Future<Output = ()> {
    pending()
}

fn over_futures(script: &Script, connection: Connection) -> WebSocket<impl AsyncTransport> {
    futures::WebSocket::from_parts(script.clone(), no_sleep, connection, &[])
}

fn over_tokio(script: &Script, connection: Connection) -> WebSocket<impl AsyncTransport> {
    adapter::WebSocket::from_parts(script.clone(), connection, &[])
}

const STEPS: [usize; 5] = [1, 2, 3, 7, 1000];

/// What a server receives: messages whole and in fragments, pings between them, a Close.
fn input() -> Vec<u8> {
    let role = Role::Server;
    [
        role.frame(FIN | TEXT, "κόσμε".as_bytes()),
        role.frame(BINARY, &[1; 200]),
        role.frame(FIN | PING, b"between"),
        role.frame(CONTINUATION, b""),
        role.frame(FIN | CONTINUATION, &[2; 100]),
        role.frame(FIN | PING, b"again"),
        role.frame(FIN | TEXT, b""),
        role.close(3000, "bye"),
    ]
    .concat()
}

fn messages() -> Vec<Message<'static>> {
    vec![
        Message::text("κόσμε"),
        Message::binary([vec![1; 200], vec![2; 100]].concat()),
        Message::text(""),
    ]
}

/// Opcodes and payloads of what was written.
fn frames(script: &Script) -> Vec<(u8, Vec<u8>)> {
    sent(&script.written()).into_iter().map(|frame| (frame.byte0, frame.payload)).collect()
}

fn replies() -> Vec<(u8, Vec<u8>)> {
    vec![
        (FIN | PONG, b"between".to_vec()),
        (FIN | PONG, b"again".to_vec()),
        (FIN | CLOSE, 3000_u16.to_be_bytes().to_vec()),
    ]
}

fn receives<T: AsyncTransport>(script: &Script, websocket: WebSocket<T>) {
    receives_these(&messages(), script, websocket);
}

fn receives_these<T: AsyncTransport>(
    messages: &[Message<'static>],
    script: &Script,
    mut websocket: WebSocket<T>,
) {
    let mut received = Vec::new();
    while let Some(message) = insist!(websocket.recv()).unwrap() {
        received.push(message);
    }
    assert!(received == messages);
    assert_eq!(frames(script), replies());
    assert!(script.is_shut());
    assert_eq!(websocket.connection().state(), State::Closed);
}

fn reads<T: AsyncTransport>(script: &Script, mut websocket: WebSocket<T>) {
    let mut received = Vec::new();
    loop {
        // The event borrows the connection, which a loop over calls cannot show the compiler.
        let event =
            insist!(async { websocket.read().await.unwrap().map(|(event, _)| event.into_owned()) });
        match event {
            Some(event) => received.extend(Message::try_from(event)),
            None => break,
        }
    }
    assert_eq!(received, messages());
    assert_eq!(frames(script), replies());
}

#[test]
fn receiving() {
    for step in STEPS {
        let script = || Script::new(&input(), step).hesitant();
        let connection = || server(Config::default());
        let stream = script();
        receives(&stream, over_futures(&stream, connection()));
        let stream = script();
        reads(&stream, over_futures(&stream, connection()));
        with_runtime(|| {
            let stream = script();
            receives(&stream, over_tokio(&stream, connection()));
            let stream = script();
            reads(&stream, over_tokio(&stream, connection()));
        });
    }
}

/// What lacks much is read straight into the message where the stream can append, and comes
/// through the window otherwise, or if it is text; pings between the fragments are answered.
#[test]
fn receiving_large_messages() {
    let bytes: Vec<u8> = (0..300_000_u32).map(|at| (at % 251) as u8).collect();
    let text = "κόσμε ".repeat(10_000);
    let role = Role::Server;
    let input = [
        role.frame(BINARY, &bytes[..100_000]),
        role.frame(FIN | PING, b"between"),
        role.frame(FIN | CONTINUATION, &bytes[100_000..]),
        role.frame(FIN | PING, b"again"),
        role.frame(FIN | TEXT, text.as_bytes()),
        role.close(3000, "bye"),
    ]
    .concat();
    let messages = [Message::binary(bytes), Message::text(text)];
    for step in [997, 8 << 10, 100_000] {
        let script = || Script::new(&input, step).hesitant();
        let config = || server(Config::default());
        let stream = script();
        receives_these(&messages, &stream, over_futures(&stream, config()));
        assert_eq!(stream.appended(), 0);
        with_runtime(|| {
            let stream = script();
            receives_these(&messages, &stream, over_tokio(&stream, config()));
            let appended = stream.appended();
            assert!(
                (150_000..300_000).contains(&appended),
                "{appended} of 300,000 past the window"
            );
        });
    }
}

/// What was read past the window is looked at though no more comes.
#[test]
fn a_large_message_with_nothing_behind_it() {
    for len in (100_000..300_000).step_by(10_000) {
        let message = vec![7; len];
        let input = Role::Server.frame(FIN | BINARY, &message);
        with_runtime(|| {
            let script = Script::new(&input, input.len()).hesitant().open_ended();
            let mut websocket = over_tokio(&script, server(Config::default()));
            let received = insist!(websocket.recv()).unwrap();
            assert!(received == Some(Message::binary(&message[..])), "{len}");
        });
    }
}

/// A fault in the middle: the Close frame is written whole, once, before the error comes.
#[test]
fn failing() {
    for (fault, code) in [
        (Role::Server.frame(FIN | TEXT, b"\xff"), 1007_u16),
        (Role::Server.frame(FIN | 0x3, b""), 1002),
    ] {
        let input = [Role::Server.frame(FIN | TEXT, b"fine"), fault].concat();
        for step in STEPS {
            let script = Script::new(&input, step).hesitant();
            let mut websocket = over_futures(&script, server(Config::default()));
            assert_eq!(insist!(websocket.recv()).unwrap(), Some(Message::text("fine")));
            let error = insist!(websocket.recv()).unwrap_err();
            let Error::Protocol(error) = error else { panic!("{error}") };
            assert_eq!(error.close_code().get(), code);
            assert_eq!(frames(&script), [(FIN | CLOSE, code.to_be_bytes().to_vec())]);
            let again = insist!(websocket.read()).map(|_| ()).unwrap_err();
            assert!(matches!(again, Error::Protocol(again) if again == error));
        }
    }
}

fn sends<T: AsyncTransport>(script: &Script, mut websocket: WebSocket<T>) {
    let messages: Vec<Message<'_>> =
        (0..6_u8).map(|n| Message::binary(vec![n; 40 * usize::from(n)])).collect();
    for (index, message) in messages.iter().enumerate() {
        if index % 2 == 0 {
            insist!(websocket.feed(message.clone())).unwrap();
            continue;
        }
        // A send that was dropped has queued all of the message or nothing.
        while websocket.connection().statistics().sent.messages == index as u64 {
            if let Poll::Ready(sent) = once(pin!(websocket.send(message.clone()))) {
                sent.unwrap();
            }
        }
        insist!(websocket.flush()).unwrap();
    }
    let prepared = Prepared::new(Message::text("prepared"));
    while websocket.connection().statistics().sent.messages == messages.len() as u64 {
        let _ = once(pin!(websocket.send_prepared(&prepared)));
    }
    insist!(websocket.flush()).unwrap();
    let mut expected: Vec<_> =
        messages.iter().map(|message| (FIN | BINARY, message.as_bytes().to_vec())).collect();
    expected.push((FIN | TEXT, b"prepared".to_vec()));
    assert_eq!(frames(script), expected);
}

#[test]
fn sending() {
    for step in STEPS {
        // `feed` has to wait, too.
        let mut config = Config::default();
        config.output_soft_limit = 16;
        for connection in [server, client] {
            let script = || Script::new(&[], step).hesitant().open_ended();
            let stream = script();
            sends(&stream, over_futures(&stream, connection(config)));
            with_runtime(|| {
                let stream = script();
                sends(&stream, over_tokio(&stream, connection(config)));
            });
        }
    }
}

#[test]
fn closing() {
    for step in STEPS {
        let script = Script::new(&input(), step).hesitant();
        let mut websocket = over_futures(&script, server(Config::default()));
        insist!(websocket.close(CloseCode::GOING_AWAY, "")).unwrap();
        assert_eq!(websocket.connection().closed().unwrap().reason, "bye");
        let frames = frames(&script);
        let close = (FIN | CLOSE, 1001_u16.to_be_bytes().to_vec());
        // The pings came after our Close, so they were not answered.
        assert_eq!(frames, [close]);
    }
}

/// Accepting and connecting own their stream: a dropped future has written a part of what it
/// would have written, and keeps nothing.
#[test]
fn opening() {
    let request = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let options = ServerOptions::default();
    let decide = |request: &Request| Ok(options.accept(request));
    for step in STEPS {
        let script = || Script::new(&[&request[..], &input()].concat(), step).hesitant();
        // Whole: the frames behind the request are there.
        let stream = script();
        let mut accept = pin!(futures::accept_with(stream.clone(), no_sleep, &options, decide));
        let mut polls = 0;
        let mut websocket = loop {
            polls += 1;
            if let Poll::Ready(accepted) = once(accept.as_mut()) {
                break accepted.unwrap();
            }
        };
        let response = stream.written();
        assert!(response.starts_with(b"HTTP/1.1 101 ") && response.ends_with(b"\r\n\r\n"));
        assert_eq!(insist!(websocket.recv()).unwrap(), Some(messages().swap_remove(0)));
        assert!(polls > 2);

        for dropped_at in 1..polls {
            let stream = script();
            {
                let mut accept =
                    pin!(futures::accept_with(stream.clone(), no_sleep, &options, decide));
                for _ in 0..dropped_at {
                    assert!(once(accept.as_mut()).is_pending());
                }
            }
            assert_eq!(stream.handles(), 1);
            assert!(response.starts_with(&stream.written()));
        }
    }

    let stream = Script::new(b"", 3).hesitant();
    let options = ClientOptions::default();
    let mut polls = 0;
    loop {
        polls += 1;
        let request = ClientRequest::new("a", "/");
        let mut connect = pin!(futures::client(stream.clone(), no_sleep, request, &options));
        let before = stream.operations();
        let mut result = Poll::Pending;
        for _ in 0..polls {
            result = once(connect.as_mut());
            if result.is_ready() {
                break;
            }
        }
        if let Poll::Ready(result) = result {
            assert!(matches!(result.map(|_| ()), Err(Error::Handshake(_))));
            assert!(stream.operations() > before);
            break;
        }
    }
    assert_eq!(stream.handles(), 1);
}

fn with_runtime(test: impl FnOnce()) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _guard = runtime.enter();
    test();
}
