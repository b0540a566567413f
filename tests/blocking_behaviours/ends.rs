//! What was queued is not sent, and the end is told at once: S82, S84, S85.

use std::thread;
use std::time::{Duration, Instant};

use websocket_proto::handshake::Refusal;
use websocket_proto::io::{Error, ServerOptions, blocking};
use websocket_proto::{CloseCode, ProtocolError};

use crate::common::loopback::{LIMIT, LONG, REQUEST, loopback};
use crate::common::wire::{FIN, Role, TEXT};
use crate::ms;
use crate::peer::{open, open_narrow};

/// Far away: what comes at once comes long before.
const FAR: Duration = Duration::from_secs(20);

fn far_deadlines() -> ServerOptions {
    let mut options = ServerOptions::default();
    options.deadlines.close = Some(FAR);
    options.deadlines.linger = Some(LIMIT);
    options
}

/// M2: our answer to the peer's Close stands behind what nobody takes.
#[test]
fn s82_a_close_and_nothing_read() {
    for feeds in [false, true] {
        let mut options = ServerOptions::default();
        options.deadlines.write = Some(LIMIT);
        let (mut peer, mut websocket) = open_narrow(&options);
        peer.close(1001);
        let start = Instant::now();
        let much = vec![7; 1 << 20];
        let sent = if feeds {
            websocket.feed(much).unwrap();
            assert_eq!(websocket.recv().unwrap(), None, "the peer has closed");
            websocket.flush()
        } else {
            websocket.send(much)
        };
        let late = matches!(sent, Err(Error::Protocol(ProtocolError::WriteTimeout)));
        assert!(late, "{feeds}: {sent:?}");
        assert!((LIMIT..LONG).contains(&start.elapsed()), "{:?}", start.elapsed());
        assert_eq!(websocket.recv().unwrap(), None, "the peer has closed");
        let closed = websocket.connection().closed().unwrap();
        assert_eq!((closed.clean, closed.code.get()), (false, 1001), "{feeds}");
        drop(peer);
    }
}

/// M8: the close deadline runs from when the Close has left.
#[test]
fn s84_a_close_behind_much() {
    const SIZE: usize = 2 << 20;
    let mut options = ServerOptions::default();
    options.deadlines.close = Some(ms(400));
    let (mut peer, mut websocket) = open_narrow(&options);
    let peer = thread::spawn(move || {
        peer.read_slowly(|bytes| bytes.ends_with(b"\x88\x02\x03\xe8"));
        peer.close(1000);
        peer.unread().len()
    });
    let start = Instant::now();
    websocket.feed(vec![7; SIZE]).unwrap();
    websocket.close(CloseCode::NORMAL, "").unwrap();
    assert!(start.elapsed() > ms(800), "the deadline had no chance");
    assert!(websocket.connection().closed().unwrap().clean);
    assert!(peer.join().unwrap() > SIZE);
}

#[test]
fn s85_a_clean_end_is_told_at_once() {
    let (mut peer, mut websocket) = open(&far_deadlines());
    peer.close(1000);
    let start = Instant::now();
    assert_eq!(websocket.recv().unwrap(), None);
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
    assert!(websocket.connection().closed().unwrap().clean);
    assert_eq!(peer.next().unwrap().byte0, 0x88);

    // Only `close` waits for the end of the transport, and not for long.
    let start = Instant::now();
    websocket.close(CloseCode::NORMAL, "").unwrap();
    assert!((LIMIT / 2..LONG).contains(&start.elapsed()), "{:?}", start.elapsed());
    drop(peer);
}

/// `close` waits only as long as the peer leaves its end open.
#[test]
fn s85_the_linger_ends_with_the_transport() {
    let mut options = far_deadlines();
    options.deadlines.linger = Some(FAR);
    let (mut peer, mut websocket) = open(&options);
    let start = Instant::now();
    let peer = thread::spawn(move || {
        assert_eq!(peer.next().unwrap().byte0, 0x88);
        peer.close(1000);
        thread::sleep(LIMIT);
    });
    websocket.close(CloseCode::NORMAL, "").unwrap();
    assert!((LIMIT..LONG).contains(&start.elapsed()), "{:?}", start.elapsed());
    peer.join().unwrap();
}

/// The peer goes on sending behind its fault, and gets the Close frame that says what was wrong.
#[test]
fn s85_a_fault_is_told_at_once() {
    for closes in [false, true] {
        let (mut peer, mut websocket) = open(&far_deadlines());
        peer.write(b"\xf1\x80\0\0\0\0");
        let start = Instant::now();
        let error = websocket.recv().unwrap_err();
        let fault = matches!(error, Error::Protocol(ProtocolError::ReservedBits(0xF1)));
        assert!(fault, "{error:?}");
        assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
        let peer = thread::spawn(move || {
            for _ in 0..20 {
                peer.write(&Role::Server.frame(FIN | TEXT, &[b'a'; 4096]));
                thread::sleep(ms(5));
            }
            let frame = peer.next().unwrap();
            assert_eq!((frame.byte0, &frame.payload[..2]), (0x88, &1002_u16.to_be_bytes()[..]));
            peer
        });
        if closes {
            // The peer has no Close for us: that it broke the protocol is known already.
            let _ = websocket.close(CloseCode::NORMAL, "");
            assert!((LIMIT..LONG).contains(&start.elapsed()), "{:?}", start.elapsed());
        }
        drop(peer.join().unwrap());
        assert!(!websocket.connection().closed().unwrap().clean);
    }
}

#[test]
fn s85_a_refusal_is_told_at_once() {
    let (mut near, far) = loopback();
    std::io::Write::write_all(&mut near, REQUEST).unwrap();
    let start = Instant::now();
    let refused = blocking::accept_with(far, &far_deadlines(), |_| Err(Refusal::new(403)));
    assert!(matches!(refused, Err(Error::Refused(403))), "{refused:?}");
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
    let mut answer = Vec::new();
    std::io::Read::read_to_end(&mut near, &mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 403"), "{answer:?}");
}
