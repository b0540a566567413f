//! Who lives is not failed, and who is gone is named: S79 to S81, S96.

use std::thread;
use std::time::Instant;

use websocket_proto::io::Error;
use websocket_proto::{CloseCode, Message, ProtocolError};

use crate::common::loopback::LONG;
use crate::common::wire::{FIN, PING, PONG, TEXT};
use crate::peer::{Seen, open, open_narrow};
use crate::{keeping_alive, ms};

/// M4: the pongs lie in the transport until somebody looks.
#[test]
fn s79_a_program_that_only_sends() {
    let seen = only_sends(false);
    assert!(seen.pings >= 2, "{seen:?}");
}

/// The peer's own pings are signs of life, and are answered where they are looked at.
#[test]
fn s79_pings_to_a_program_that_only_sends() {
    let seen = only_sends(true);
    assert!(seen.pongs >= 1, "{seen:?}");
}

fn only_sends(asks: bool) -> Seen {
    let (peer, mut websocket) = open(&keeping_alive(ms(500)));
    let peer = peer.answers_and_asks(asks);
    let start = Instant::now();
    let mut ticks = 0;
    while start.elapsed() < ms(3_000) {
        websocket.send("tick").unwrap();
        ticks += 1;
        thread::sleep(ms(20));
    }
    drop(websocket);
    let seen = peer.join().unwrap();
    assert_eq!(seen.texts, ticks);
    seen
}

/// It says nothing, not even to pings; that it takes bytes is the sign of life.
#[test]
fn s80_a_large_message_to_a_slow_peer() {
    const SIZE: usize = 4 << 20;
    let mut options = keeping_alive(ms(400));
    options.deadlines.write = Some(ms(400));
    let (mut peer, mut websocket) = open_narrow(&options);
    let peer = thread::spawn(move || {
        peer.read_slowly(|bytes| bytes.len() > SIZE);
        peer.close(1000);
        peer
    });
    let start = Instant::now();
    websocket.send(vec![7; SIZE]).unwrap();
    assert!(start.elapsed() > ms(800), "no deadline had a chance");
    assert_eq!(websocket.recv().unwrap(), None);
    let closed = websocket.connection().closed().unwrap();
    assert_eq!((closed.clean, closed.code), (true, CloseCode::NORMAL));
    drop(peer.join().unwrap());
}

/// The pong came in time, and the program was busy with something else.
#[test]
fn s81_a_pong_that_lies_unread() {
    for feeds in [true, false] {
        let (mut peer, mut websocket) = open(&keeping_alive(ms(200)));
        peer.send(FIN | TEXT, b"one");
        let peer = thread::spawn(move || {
            while let Some(frame) = peer.next() {
                match frame.byte0 & 0xF {
                    PING => peer.send(FIN | PONG, &frame.payload),
                    TEXT if frame.payload == b"question" => peer.send(FIN | TEXT, b"answer"),
                    _ => {}
                }
            }
        });
        assert_eq!(websocket.recv().unwrap(), Some(Message::text("one")));
        thread::sleep(ms(300));
        websocket.send("behind a ping").unwrap();
        thread::sleep(ms(900));
        if feeds {
            websocket.feed("question").unwrap();
        } else {
            websocket.send("question").unwrap();
        }
        assert_eq!(websocket.recv().unwrap(), Some(Message::text("answer")));
        drop(websocket);
        peer.join().unwrap();
    }
}

/// An event waits for the program; so does more than there is room for, and the pongs behind it.
#[test]
fn s81_events_untaken_while_we_write() {
    for events in [1, 3_000] {
        let (mut peer, mut websocket) = open(&keeping_alive(ms(300)));
        for _ in 0..events {
            peer.send(FIN | TEXT, &[b'a'; 100]);
        }
        let peer = peer.answers();
        let start = Instant::now();
        while start.elapsed() < ms(1_500) {
            websocket.send("tick").unwrap();
            thread::sleep(ms(20));
        }
        for _ in 0..events {
            let message = websocket.recv().unwrap();
            assert_eq!(message, Some(Message::text("a".repeat(100))));
        }
        drop(websocket);
        // What there was no room for is a sign of life each time that there is some.
        assert!(peer.join().unwrap().pings >= 1 || events > 1);
    }
}

fn is_keepalive_timeout<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Protocol(ProtocolError::KeepaliveTimeout)))
}

/// The caller is not to blame for what the peer did not do.
#[test]
fn s96_what_a_dead_peer_is_called() {
    let (peer, mut websocket) = open(&keeping_alive(ms(200)));
    let start = Instant::now();
    let received = websocket.recv();
    assert!(is_keepalive_timeout(&received), "{received:?}");
    assert!((ms(400)..LONG).contains(&start.elapsed()), "{:?}", start.elapsed());
    for _ in 0..2 {
        let sent = websocket.send("more");
        assert!(is_keepalive_timeout(&sent), "{sent:?}");
        let received = websocket.recv();
        assert!(is_keepalive_timeout(&received), "{received:?}");
    }
    drop(peer);
}

/// The same for a program that only sends, to a peer that does not answer.
#[test]
fn s96_a_dead_peer_and_a_program_that_only_sends() {
    let (peer, mut websocket) = open(&keeping_alive(ms(200)));
    let start = Instant::now();
    let error = loop {
        if let Err(error) = websocket.send("tick") {
            break Err::<(), _>(error);
        }
        assert!(start.elapsed() < LONG, "it is not noticed");
        thread::sleep(ms(20));
    };
    assert!(is_keepalive_timeout(&error), "{error:?}");
    assert!(start.elapsed() >= ms(400));
    drop(peer);
}
