//! Behaviours with a number about how a transport ends, under an adapter; see `behaviours.rs` for
//! the connection alone.
#![cfg(feature = "std")]

mod common;

use std::io::{self, ErrorKind, Read, Write};

use common::script::{Fault, Script};
use common::wire::{FIN, ROLES, TEXT};
use websocket_proto::io::NoDeadlines;
use websocket_proto::io::blocking::WebSocket;
use websocket_proto::{CloseCode, Config};

/// A TLS stream whose peer closes TCP without `close_notify`: the end is an error.
#[derive(Debug)]
struct Truncated(Script);

impl Read for Truncated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        }
    }
}

impl Write for Truncated {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// S31: after the closing handshake it is no truncation; the end is clean and the code is kept.
#[test]
fn s31_an_end_without_close_notify() {
    for role in ROLES {
        for step in [1, 4096] {
            let input = [role.frame(FIN | TEXT, b"all"), role.close(3000, "bye")].concat();
            let stream = NoDeadlines(Truncated(Script::new(&input, step)));
            let mut websocket =
                WebSocket::from_parts(stream, role.connection(Config::default()), &[]);
            assert!(websocket.recv().expect("no fault").is_some());
            assert_eq!(websocket.recv().expect("no fault"), None);
            let closed = websocket.connection().closed().expect("it has ended");
            assert_eq!((closed.clean, closed.code.get(), closed.reason), (true, 3000, "bye"));
        }
    }
}

/// S30, S31: without the closing handshake it is one, and is told as one.
#[test]
fn s30_a_truncated_conversation_is_no_clean_end() {
    for role in ROLES {
        let stream = NoDeadlines(Truncated(Script::new(&role.frame(FIN | TEXT, b"all"), 4096)));
        let mut websocket = WebSocket::from_parts(stream, role.connection(Config::default()), &[]);
        assert!(websocket.recv().expect("no fault").is_some());
        assert!(websocket.recv().is_err());
        let closed = websocket.connection().closed().expect("it has ended");
        assert_eq!((closed.clean, closed.code), (false, CloseCode::ABNORMAL));
    }
}

/// S32: the peer has closed; whatever breaks after that, at any operation, its code is kept.
#[test]
fn s32_a_reset_while_the_answer_is_due() {
    for role in ROLES {
        let input = role.close(1001, "going");
        let mut operation = 0;
        loop {
            let script = Script::new(&input, 4).with_fault(operation, Fault::Reset);
            let mut websocket =
                WebSocket::from_parts(script.clone(), role.connection(Config::default()), &[]);
            let result = websocket.recv();
            if websocket.connection().close_received().is_some() {
                assert!(matches!(result, Ok(None)), "{operation}: {result:?}");
                assert!(matches!(websocket.recv(), Ok(None)), "{operation}: nothing new");
                let closed = websocket.connection().closed().expect("it has ended");
                assert_eq!((closed.code.get(), closed.reason), (1001, "going"), "{operation}");
            } else {
                assert!(result.is_err(), "{operation}: {result:?}");
            }
            if script.operations() <= operation {
                break;
            }
            operation += 1;
        }
        assert!(operation > 4, "reads, the answer, the end");
    }
}
