//! The transports that go around another one: [`NoDeadlines`], [`Timed`], references and boxes.

use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use websocket_proto::handshake::HandshakeError;
use websocket_proto::io::blocking::{self, WebSocket};
use websocket_proto::io::{Error, NoDeadlines, ServerOptions, Timed, Transport};
use websocket_proto::{CloseCode, Config, Message, ProtocolError};

use crate::common::loopback::{LIMIT, LONG, REQUEST, loopback};
use crate::common::server;
use crate::common::wire::{CLOSE, FIN, TEXT};
use crate::peer::Peer;
use crate::{keeping_alive, ms};

fn over<S: Transport>(stream: S) -> WebSocket<S> {
    WebSocket::from_parts(stream, server(Config::default()), &[])
}

/// Says one thing, reads the answer, and closes; it leaves its end open.
fn talks(near: TcpStream) -> thread::JoinHandle<Peer> {
    thread::spawn(move || {
        let mut peer = Peer::new(near);
        peer.send(FIN | TEXT, b"hello");
        let echo = peer.next().unwrap();
        assert_eq!((echo.byte0, &echo.payload[..]), (FIN | TEXT, &b"hello"[..]));
        peer.close(1000);
        assert_eq!(peer.next().unwrap().byte0, FIN | CLOSE);
        peer
    })
}

fn echo(websocket: &mut WebSocket<impl Transport>) {
    let message = websocket.recv().unwrap().unwrap();
    assert_eq!(message, Message::text("hello"));
    websocket.send(message).unwrap();
    assert_eq!(websocket.recv().unwrap(), None);
    websocket.close(CloseCode::NORMAL, "").unwrap();
    assert!(websocket.connection().closed().unwrap().clean);
}

/// Without deadlines, nobody waits for the end of a transport that may not come.
#[test]
fn no_deadlines_and_no_linger() {
    let (near, far) = loopback();
    let peer = talks(near);
    let mut websocket = over(NoDeadlines(far)).with_deadlines(&{
        let mut deadlines = ServerOptions::default().deadlines;
        deadlines.linger = None;
        deadlines
    });
    echo(&mut websocket);
    drop(peer.join().unwrap());
}

/// A deadline that has passed is acted on when something else wakes the call.
#[test]
fn no_deadlines_but_the_clock() {
    let (near, far) = loopback();
    let deadlines = keeping_alive(ms(100)).deadlines;
    let mut websocket = over(NoDeadlines(far)).with_deadlines(&deadlines);
    let peer = thread::spawn(move || {
        let mut peer = Peer::new(near);
        thread::sleep(LIMIT);
        // Nobody looked at it before: it is not blamed for that.
        peer.send(FIN | TEXT, b"late");
        peer
    });
    assert_eq!(websocket.recv().unwrap(), Some(Message::text("late")));
    thread::sleep(LIMIT);
    websocket.send("now it is noticed that bytes came").unwrap();
    thread::sleep(LIMIT);
    websocket.send("a ping is due").unwrap();
    let mut peer = peer.join().unwrap();
    let mut frames = [(); 3].map(|()| peer.next().unwrap().byte0);
    frames.sort_unstable();
    assert_eq!(frames, [FIN | TEXT, FIN | TEXT, 0x89]);
}

#[test]
fn references_and_boxes() {
    let (near, mut far) = loopback();
    let peer = talks(near);
    echo(&mut over(&mut far));
    drop(peer.join().unwrap());

    let (near, far) = loopback();
    let peer = talks(near);
    let boxed: Box<dyn Transport> = Box::new(far);
    echo(&mut over(boxed));
    drop(peer.join().unwrap());
}

#[test]
fn timed_keeps_the_handshake_deadline() {
    let (near, far) = loopback();
    let mut options = ServerOptions::default();
    options.deadlines.handshake = Some(LIMIT);
    let peer = thread::spawn(move || {
        let mut writer = Peer::new(near);
        for byte in REQUEST {
            if std::io::Write::write_all(&mut writer.stream, &[*byte]).is_err() {
                return;
            }
            thread::sleep(ms(40));
        }
    });
    let start = Instant::now();
    let opened = blocking::accept_with(Timed::new(far), &options, |r| Ok(options.accept(r)));
    let late = matches!(opened, Err(Error::Handshake(HandshakeError::Timeout)));
    assert!(late, "{opened:?}");
    assert!((LIMIT..LONG).contains(&start.elapsed()), "{:?}", start.elapsed());
    peer.join().unwrap();
}

#[test]
fn timed_keeps_the_others() {
    let (near, far) = loopback();
    let deadlines = keeping_alive(ms(200)).deadlines;
    let mut websocket = over(Timed::new(far)).with_deadlines(&deadlines);
    let start = Instant::now();
    let error = websocket.recv().unwrap_err();
    assert!(matches!(error, Error::Protocol(ProtocolError::KeepaliveTimeout)), "{error:?}");
    assert!((ms(400)..LONG).contains(&start.elapsed()), "{:?}", start.elapsed());
    drop(near);
}

/// The program's limits are there again, and are kept until then.
#[test]
fn timed_keeps_the_programs_limits() {
    let (near, far) = loopback();
    far.set_read_timeout(Some(ms(100))).unwrap();
    let mut websocket = over(Timed::new(far));
    for _ in 0..2 {
        let start = Instant::now();
        let error = websocket.recv().unwrap_err();
        assert!(error.is_would_block(), "{error:?}");
        assert!((ms(50)..LONG).contains(&start.elapsed()), "{:?}", start.elapsed());
    }
    let peer = talks(near);
    while websocket.stream().get_ref().peek(&mut [0]).is_err() {}
    echo_patiently(&mut websocket);
    let stream = websocket.into_parts().stream.into_inner().unwrap();
    let limit = stream.read_timeout().unwrap().unwrap();
    assert!((ms(90)..ms(130)).contains(&limit), "{limit:?}");
    assert_eq!(stream.write_timeout().unwrap(), None::<Duration>);
    drop(peer.join().unwrap());
}

/// The same over a transport with a limit of the program's: a call may have to be repeated.
fn echo_patiently(websocket: &mut WebSocket<impl Transport>) {
    loop {
        match websocket.recv() {
            Ok(Some(message)) => websocket.send(message).unwrap(),
            Ok(None) => return,
            Err(error) => assert!(error.is_would_block(), "{error:?}"),
        }
    }
}
