//! Every operation of the transport fails once, in seven ways, under every adapter: nothing is
//! lost or doubled that came before, and the error is told once.
#![cfg(all(feature = "tokio", feature = "futures-io"))]

mod common;

use std::fmt;
use std::future::{Future, pending};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use common::script::{FAULTS, Fault, Script};
use common::wire::{BINARY, CONTINUATION, FIN, PING, Role, TEXT};
use common::{client, server};
use websocket_proto::io::{AsyncTransport, Error, WebSocket, blocking, futures, tokio as adapter};
use websocket_proto::{Config, Connection, Message, ProtocolError};

#[derive(Default, PartialEq, Eq)]
struct Seen {
    messages: Vec<Message<'static>>,
    /// In the order in which they were told; a clean end tells none.
    errors: Vec<String>,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths: Vec<_> = self.messages.iter().map(|it| it.as_bytes().len()).collect();
        write!(f, "messages of {lengths:?} bytes, errors {:?}", self.errors)
    }
}

impl Seen {
    /// Returns whether that is the end.
    fn error(&mut self, error: &Error) -> bool {
        self.errors.push(match error {
            Error::Io(_) => "io".to_owned(),
            Error::Protocol(error) => format!("{error:?}"),
            other => panic!("{other}"),
        });
        self.errors.len() == 3
    }
}

type Adapter = fn(&Script, Connection) -> Seen;

const ADAPTERS: [(&str, Adapter); 4] = [
    ("blocking", echo_blocking),
    ("tokio", |script, connection| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _guard = runtime.enter();
        run(echo(adapter::WebSocket::from_parts(script.clone(), connection, &[])))
    }),
    ("futures", |script, connection| {
        run(echo(futures::WebSocket::from_parts(script.clone(), no_sleep, connection, &[])))
    }),
    ("split", |script, connection| {
        run(echo_split(futures::WebSocket::from_parts(script.clone(), no_sleep, connection, &[])))
    }),
];

fn no_sleep(_: Duration) -> impl Future<Output = ()> {
    pending()
}

/// A script is never not ready twice, so there is nothing to wait for.
fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    for _ in 0..100_000 {
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return result;
        }
    }
    panic!("no end");
}

/// Calls until it has failed three times, or is over.
fn echo_blocking(script: &Script, connection: Connection) -> Seen {
    let mut seen = Seen::default();
    let mut websocket = blocking::WebSocket::from_parts(script.clone(), connection, &[]);
    loop {
        match websocket.recv() {
            Ok(Some(message)) => {
                seen.messages.push(message.clone());
                while let Err(error) = websocket.feed(message.clone()) {
                    if !error.is_would_block() {
                        seen.error(&error);
                        break;
                    }
                }
            }
            Ok(None) => return seen,
            Err(error) if error.is_would_block() => {}
            Err(error) => {
                if seen.error(&error) {
                    return seen;
                }
            }
        }
    }
}

async fn echo<T: AsyncTransport>(mut websocket: WebSocket<T>) -> Seen {
    let mut seen = Seen::default();
    loop {
        match websocket.recv().await {
            Ok(Some(message)) => {
                seen.messages.push(message.clone());
                if let Err(error) = websocket.feed(message).await {
                    seen.error(&error);
                }
            }
            Ok(None) => return seen,
            Err(error) => {
                if seen.error(&error) {
                    return seen;
                }
            }
        }
    }
}

async fn echo_split<T: AsyncTransport>(websocket: WebSocket<T>) -> Seen {
    let (mut receiver, mut sender) = websocket.split();
    let mut seen = Seen::default();
    loop {
        match receiver.recv().await {
            Ok(Some(message)) => {
                seen.messages.push(message.clone());
                if let Err(error) = sender.feed(message).await {
                    seen.error(&error);
                }
            }
            Ok(None) => return seen,
            Err(error) => {
                if seen.error(&error) {
                    return seen;
                }
            }
        }
    }
}

fn input(role: Role) -> Vec<u8> {
    [
        role.frame(FIN | TEXT, "naïve".as_bytes()),
        role.frame(FIN | PING, b"ping"),
        role.frame(BINARY, &[1; 300]),
        role.frame(FIN | CONTINUATION, &[2; 300]),
        role.frame(FIN | TEXT, b"last"),
        role.close(1000, ""),
    ]
    .concat()
}

/// The first message is large enough to be read into directly.
fn large_input(role: Role) -> Vec<u8> {
    [
        role.frame(BINARY, &[1; 50_000]),
        role.frame(FIN | PING, b"ping"),
        role.frame(FIN | CONTINUATION, &[2; 100_000]),
        role.frame(FIN | TEXT, b"next"),
        role.frame(FIN | TEXT, b"last"),
        role.close(1000, ""),
    ]
    .concat()
}

#[test]
fn every_operation() {
    every_operation_on(input, &[5, 64, 4096]);
}

#[test]
fn every_operation_on_a_large_message() {
    every_operation_on(large_input, &[9_001, 70_000]);
}

fn every_operation_on(input: fn(Role) -> Vec<u8>, steps: &[usize]) {
    for (role, connection) in
        [(Role::Server, server as fn(Config) -> Connection), (Role::Client, client)]
    {
        for &step in steps {
            for (name, adapter) in ADAPTERS {
                let new = || Script::new(&input(role), step);
                let script = new();
                let whole = adapter(&script, connection(Config::default()));
                assert_eq!((whole.messages.len(), whole.errors.len()), (3, 0), "{name}");
                for fault in FAULTS {
                    let mut operation = 0;
                    loop {
                        let faulty = new().with_fault(operation, fault);
                        let seen = adapter(&faulty, connection(Config::default()));
                        let case = format!("{name}, {role:?}, {step}, {fault:?} at {operation}");
                        check(&case, fault, (&whole, &script), (&seen, &faulty));
                        operation += 1;
                        if operation > faulty.operations() {
                            break;
                        }
                    }
                    assert!(operation > 5);
                }
            }
        }
    }
}

fn check(case: &str, fault: Fault, whole: (&Seen, &Script), faulty: (&Seen, &Script)) {
    let ((whole, whole_script), (seen, script)) = (whole, faulty);
    if fault.is_transient() {
        assert_eq!(seen, whole, "{case}");
        assert_eq!(script.written(), whole_script.written(), "{case}");
        return;
    }
    assert!(whole.messages.starts_with(&seen.messages), "{case}: {seen:?}");
    assert!(whole_script.written().starts_with(&script.written()), "{case}");
    let io = seen.errors.iter().filter(|error| *error == "io").count();
    assert!(io <= 1, "{case}: told more than once: {seen:?}");
    let after = &seen.errors[io.min(seen.errors.len())..];
    let eof = format!("{:?}", ProtocolError::UnexpectedEof);
    assert!(after.iter().all(|error| *error == eof), "{case}: {seen:?}");
    if io == 1 {
        assert_eq!(seen.errors[0], "io", "{case}: {seen:?}");
    }
    // No error: both Close frames have passed, or at least the peer's came first.
    if seen.errors.is_empty() {
        assert_eq!(seen.messages, whole.messages, "{case}");
    }
}
