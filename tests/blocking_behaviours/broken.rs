//! A transport that breaks while much waits, and what the peer had sent before: S83.

use std::io::ErrorKind;
use std::thread;

use websocket_proto::io::Error;
use websocket_proto::{CloseCode, Message, ProtocolError};

use crate::common::loopback::LIMIT;
use crate::common::wire::{FIN, TEXT};
use crate::ms;
use crate::peer::{Peer, open, open_narrow};
use websocket_proto::io::ServerOptions;

fn is_broken(error: &Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error, Error::Io(e) if [BrokenPipe, ConnectionAborted, ConnectionReset].contains(&e.kind()))
}

fn two_messages(peer: &mut Peer, close: bool) {
    peer.send(FIN | TEXT, b"one");
    peer.send(FIN | TEXT, b"two");
    if close {
        peer.close(1001);
    }
}

/// The peer closes, leaves what we sent unread, and goes: its system resets the connection.
#[test]
fn s83_a_close_and_a_reset() {
    for feeds in [false, true] {
        let (mut peer, mut websocket) = open_narrow(&ServerOptions::default());
        two_messages(&mut peer, true);
        let peer = thread::spawn(move || {
            thread::sleep(LIMIT);
            drop(peer);
        });
        let much = vec![7; 1 << 20];
        if feeds {
            websocket.feed(much).unwrap();
        } else {
            let error = websocket.send(much).unwrap_err();
            assert!(is_broken(&error), "{error:?}");
        }
        assert_eq!(websocket.recv().unwrap(), Some(Message::text("one")), "{feeds}");
        assert_eq!(websocket.recv().unwrap(), Some(Message::text("two")));
        assert_eq!(websocket.recv().unwrap(), None);
        let closed = websocket.connection().closed().unwrap();
        assert_eq!((closed.clean, closed.code.get()), (false, 1001), "{feeds}");
        assert!(websocket.send("more").is_err() && websocket.flush().is_err());
        peer.join().unwrap();
    }
}

/// A deadline while the peer's Close is answered: the same.
#[test]
fn s83_a_close_deadline_behind_a_close() {
    let mut options = ServerOptions::default();
    options.deadlines.write = Some(LIMIT);
    options.deadlines.close = Some(LIMIT);
    let (mut peer, mut websocket) = open_narrow(&options);
    peer.close(1001);
    websocket.feed(vec![7; 1 << 20]).unwrap();
    let error = websocket.close(CloseCode::NORMAL, "").unwrap_err();
    assert!(matches!(error, Error::Protocol(ProtocolError::WriteTimeout)), "{error:?}");
    let closed = websocket.connection().closed().unwrap();
    assert_eq!((closed.clean, closed.code.get()), (false, 1001));
    drop(peer);
}

/// EPIPE: a failed send hides nothing that lies in the socket.
#[test]
fn s83_what_was_sent_before_a_broken_pipe_is_received() {
    for close in [false, true] {
        let (mut peer, mut websocket) = open(&ServerOptions::default());
        two_messages(&mut peer, close);
        drop(peer);
        let error = loop {
            match websocket.send("to nobody") {
                Ok(()) => thread::sleep(ms(5)),
                Err(error) => break error,
            }
        };
        assert!(is_broken(&error), "{error:?}");
        assert_eq!(websocket.recv().unwrap(), Some(Message::text("one")), "{close}");
        assert_eq!(websocket.recv().unwrap(), Some(Message::text("two")));
        let end = websocket.recv();
        let closed = websocket.connection().closed().unwrap();
        if close {
            assert_eq!(end.unwrap(), None);
            assert_eq!((closed.clean, closed.code.get()), (false, 1001));
        } else {
            let eof = matches!(end, Err(Error::Protocol(ProtocolError::UnexpectedEof)));
            assert!(eof, "{end:?}");
            assert_eq!((closed.clean, closed.code), (false, CloseCode::ABNORMAL));
        }
    }
}
