//! Time limits that the program has set on its own stream are kept: S90.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use websocket_proto::Message;
use websocket_proto::io::ServerOptions;
use websocket_proto::io::blocking::WebSocket;

use crate::common::loopback::{LONG, REQUEST, accept, loopback};
use crate::common::wire::{FIN, TEXT};
use crate::ms;
use crate::peer::{open, open_narrow};

const OWN: Duration = ms(100);

/// Systems round a limit, but not to half of it.
fn takes_its_time(websocket: &mut WebSocket<TcpStream>, own: Duration) {
    let start = Instant::now();
    let error = websocket.recv().unwrap_err();
    assert!(error.is_would_block(), "{error:?}");
    assert!((own / 2..LONG).contains(&start.elapsed()), "{:?}", start.elapsed());
}

/// M12, also set after a deadline of ours was, and beside it.
#[test]
fn s90_a_read_limit_of_the_program() {
    let (mut peer, mut websocket) = open(&ServerOptions::default());
    peer.send(FIN | TEXT, b"one");
    assert_eq!(websocket.recv().unwrap(), Some(Message::text("one")));
    websocket.stream().set_read_timeout(Some(OWN)).unwrap();
    for _ in 0..3 {
        takes_its_time(&mut websocket, OWN);
    }
    // Nothing was lost, and nothing is over.
    peer.send(FIN | TEXT, b"two");
    assert_eq!(websocket.recv().unwrap(), Some(Message::text("two")));
    takes_its_time(&mut websocket, OWN);
    websocket.stream().set_read_timeout(Some(3 * OWN)).unwrap();
    takes_its_time(&mut websocket, 3 * OWN);
    let parts = websocket.into_parts();
    assert_eq!(rounded(parts.stream.read_timeout().unwrap()), Some(3 * OWN));
    assert_eq!(parts.stream.write_timeout().unwrap(), None);
}

/// Systems keep limits in steps.
fn rounded(limit: Option<Duration>) -> Option<Duration> {
    let step = ms(20);
    limit.map(|limit| step * u32::try_from((limit + step / 2).as_millis() / 20).unwrap())
}

#[test]
fn s90_limits_set_before_the_handshake() {
    let (mut near, far) = loopback();
    far.set_read_timeout(Some(OWN)).unwrap();
    far.set_write_timeout(Some(2 * OWN)).unwrap();
    near.write_all(REQUEST).unwrap();
    let mut websocket = accept(far, &ServerOptions::default()).unwrap();
    for _ in 0..2 {
        takes_its_time(&mut websocket, OWN);
    }
    let stream = websocket.into_parts().stream;
    assert_eq!(rounded(stream.read_timeout().unwrap()), Some(OWN));
    assert_eq!(rounded(stream.write_timeout().unwrap()), Some(2 * OWN));
}

/// A stream without limits is given back without ours.
#[test]
fn s90_no_limit_of_ours_is_left() {
    let (mut peer, mut websocket) = open(&crate::keeping_alive(ms(200)));
    let peer = thread::spawn(move || {
        peer.next().expect("a Ping");
        peer.send(FIN | TEXT, b"one");
        peer
    });
    assert_eq!(websocket.recv().unwrap(), Some(Message::text("one")));
    let stream = websocket.into_parts().stream;
    assert_eq!((stream.read_timeout().unwrap(), stream.write_timeout().unwrap()), (None, None));
    drop(peer.join().unwrap());
}

/// What our deadlines wake a call for in between is no end of the program's limit.
#[test]
fn s90_pings_amid_the_limit() {
    let mut options = ServerOptions::default();
    options.deadlines.ping_interval = Some(ms(100));
    options.deadlines.pong_wait = None;
    let (mut peer, mut websocket) = open(&options);
    let own = ms(450);
    websocket.stream().set_read_timeout(Some(own)).unwrap();
    takes_its_time(&mut websocket, own);
    takes_its_time(&mut websocket, own);
    drop(websocket);
    let mut pings = 0;
    while let Some(frame) = peer.next() {
        assert_eq!(frame.byte0, 0x89);
        pings += 1;
    }
    assert!(pings >= 2, "{pings}");
}

#[test]
fn s90_a_write_limit_of_the_program() {
    let (mut peer, mut websocket) = open_narrow(&ServerOptions::default());
    websocket.stream().set_write_timeout(Some(OWN)).unwrap();
    websocket.feed(vec![7; 1 << 20]).unwrap();
    for _ in 0..3 {
        let start = Instant::now();
        let error = websocket.flush().unwrap_err();
        assert!(error.is_would_block(), "{error:?}");
        assert!((OWN / 2..LONG).contains(&start.elapsed()), "{:?}", start.elapsed());
    }
    let peer = thread::spawn(move || {
        let mut payload = Vec::new();
        while payload.len() < 1 << 20 {
            payload.extend(peer.next().unwrap().payload);
        }
        (peer, payload)
    });
    while let Err(error) = websocket.flush() {
        assert!(error.is_would_block(), "{error:?}");
    }
    let (_peer, payload) = peer.join().unwrap();
    assert!(payload == vec![7; 1 << 20], "nothing is lost or sent twice");
    let stream = websocket.into_parts().stream;
    assert_eq!(rounded(stream.write_timeout().unwrap()), Some(OWN));
    assert_eq!(stream.read_timeout().unwrap(), None);
}
