//! The blocking adapter over a transport that fails, and over real ones whose peer takes its time.
//! `tests/faults.rs` holds all adapters against the same faults once the connection is open.
#![cfg(feature = "std")]

mod common;

use std::io::{self, ErrorKind, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use common::dialed::Dialed;
use common::loopback::{
    LIMIT, LONG, REQUEST, accept, answer_behind_a_mebibyte, loopback, opened, options,
};
use common::script::{FAULTS, Fault, Script};
use common::server;
use common::wire::{FIN, PING, Role, Sent, TEXT, sent};
use websocket_proto::handshake::{ClientRequest, HandshakeError, Refusal};
use websocket_proto::io::{
    ClientOptions, Error, NoDeadlines, ServerOptions, Transport,
    blocking::{self, WebSocket},
};
use websocket_proto::{ApiMisuse, CloseCode, Config, Message, ProtocolError};

/// The peer sends this once it is open.
fn input(role: Role) -> Vec<u8> {
    let frames = [
        role.frame(FIN | TEXT, "naïve".as_bytes()),
        role.frame(FIN | PING, b"ping"),
        role.frame(FIN | TEXT, &[b'a'; 300]),
        role.close(1000, ""),
    ];
    frames.concat()
}

/// What a connection came to, from its first byte.
#[derive(Debug, Default)]
struct Seen {
    opened: bool,
    messages: Vec<Message<'static>>,
    errors: Vec<Error>,
    /// What was written as HTTP, and the frames behind it.
    head: Vec<u8>,
    frames: Vec<Sent>,
}

/// Opens a connection and echoes; stops at the third error.
fn run<S: Transport>(script: &Script, opened: Result<WebSocket<S>, Error>) -> Seen {
    let mut seen = Seen::default();
    match opened {
        Ok(websocket) => {
            seen.opened = true;
            echo(websocket, &mut seen);
        }
        Err(error) => seen.errors.push(error),
    }
    let mut written = script.written();
    let head = written.windows(4).position(|end| end == b"\r\n\r\n").map(|at| at + 4);
    let mut frames = written.split_off(head.unwrap_or(written.len()));
    while let Some((frame, length)) = common::wire::first_sent(&frames) {
        frames.drain(..length);
        seen.frames.push(frame);
    }
    seen.head = written;
    seen
}

fn echo<S: Transport>(mut websocket: WebSocket<S>, seen: &mut Seen) {
    while seen.errors.len() < 3 {
        match websocket.recv() {
            Ok(Some(message)) => {
                seen.messages.push(message.clone());
                // A transport that is not ready has not taken it: once more.
                while let Err(error) = websocket.feed(message.clone()) {
                    if !error.is_would_block() {
                        seen.errors.push(error);
                        break;
                    }
                }
            }
            Ok(None) => return,
            Err(error) if error.is_would_block() => {}
            Err(error) => seen.errors.push(error),
        }
    }
}

fn serve(step: usize, fault: Option<(usize, Fault)>) -> (Seen, Script) {
    let script = with_fault(Script::new(&[REQUEST, &input(Role::Server)].concat(), step), fault);
    let opened = blocking::accept(script.clone());
    (run(&script, opened), script)
}

fn dial(step: usize, fault: Option<(usize, Fault)>) -> (Seen, Script) {
    let script = with_fault(Script::new(&[], step), fault);
    let transport = Dialed::new(script.clone(), &input(Role::Client));
    let request = ClientRequest::new("localhost", "/chat");
    let opened = blocking::client(transport, request, &ClientOptions::default());
    (run(&script, opened.map(|(websocket, _)| websocket)), script)
}

fn with_fault(script: Script, fault: Option<(usize, Fault)>) -> Script {
    match fault {
        Some((operation, fault)) => script.with_fault(operation, fault),
        None => script,
    }
}

fn is_io(error: &Error) -> bool {
    matches!(error, Error::Io(_))
}

/// From the first operation of the handshake to the last of the connection.
#[test]
fn every_operation_fails_from_the_handshake_on() {
    for (name, run) in [("accept", serve as fn(_, _) -> _), ("client", dial)] {
        for step in [7, 64, 4096] {
            let (whole, script) = run(step, None);
            assert!(whole.opened && whole.errors.is_empty(), "{name}: {whole:?}");
            assert_eq!((whole.messages.len(), whole.frames.len()), (2, 4), "{name}");
            let operations = script.operations();
            for fault in FAULTS {
                for at in 0..operations {
                    let case = format!("{name}, {step}, {fault:?} at {at}");
                    let (seen, script) = run(step, Some((at, fault)));
                    assert!(script.operations() > at, "{case}: not reached");
                    check(&case, fault, &whole, &seen);
                }
            }
        }
    }
}

fn check(case: &str, fault: Fault, whole: &Seen, seen: &Seen) {
    let transparent = match fault {
        Fault::Short | Fault::Interrupted => true,
        // `accept` and `client` keep the stream: there is no second call that could go on.
        Fault::WouldBlock => seen.opened,
        _ => false,
    };
    let payloads = |seen: &Seen| seen.frames.iter().map(|f| f.payload.clone()).collect::<Vec<_>>();
    let (all, some) = (payloads(whole), payloads(seen));
    if transparent {
        assert!(seen.opened && seen.errors.is_empty(), "{case}: {seen:?}");
        assert_eq!(seen.messages, whole.messages, "{case}");
        assert_eq!((seen.head.len(), &some), (whole.head.len(), &all), "{case}");
        return;
    }
    assert!(whole.messages.starts_with(&seen.messages), "{case}: {seen:?}");
    assert!(all.starts_with(&some), "{case}: {seen:?}");
    assert!(seen.head.len() <= whole.head.len(), "{case}: {seen:?}");
    assert!(seen.errors.iter().filter(|error| is_io(error)).count() <= 1, "{case}: {seen:?}");
    if !seen.opened {
        let of_the_fault = match (&seen.errors[0], fault) {
            (Error::Io(error), Fault::WouldBlock) => error.kind() == ErrorKind::WouldBlock,
            (Error::Io(error), Fault::Reset) => error.kind() == ErrorKind::ConnectionReset,
            (Error::Io(error), Fault::Zero) => error.kind() == ErrorKind::WriteZero,
            (Error::Io(error), Fault::Eof) => error.kind() == ErrorKind::BrokenPipe,
            (Error::Io(error), Fault::Error) => error.to_string() == "scripted",
            (Error::Handshake(error), _) => *error == HandshakeError::UnexpectedEof,
            _ => false,
        };
        assert!(of_the_fault, "{case}: {seen:?}");
    } else if seen.errors.is_empty() {
        // No error: the peer's Close has come, and what was owed to it is not missed.
        assert_eq!(seen.messages, whole.messages, "{case}");
    }
}

fn open(script: Script) -> WebSocket<Script> {
    WebSocket::from_parts(script, server(Config::default()), &[])
}

#[test]
fn s41_an_interrupted_read_is_made_again() {
    let operations = serve(1, None).1.operations();
    assert!(operations > 400);
    for at in 0..operations {
        let (seen, _) = serve(1, Some((at, Fault::Interrupted)));
        assert!(seen.opened && seen.errors.is_empty() && seen.messages.len() == 2, "{at}");
    }
}

#[test]
fn s42_not_ready_at_each_byte() {
    let script = Script::new(&input(Role::Server), 1).hesitant();
    let mut seen = Seen::default();
    echo(open(script.clone()), &mut seen);
    assert!(seen.errors.is_empty(), "{seen:?}");
    assert_eq!(seen.messages[..], [Message::from("naïve"), "a".repeat(300).into()]);
    assert_eq!(sent(&script.written()).len(), 4, "two echoes, Pong and Close");
}

#[test]
fn s43_one_byte_for_each_write() {
    let written = |step| {
        let (seen, script) = serve(step, None);
        assert!(seen.errors.is_empty());
        script.written()
    };
    assert_eq!(written(1), written(4096));
}

#[test]
fn s44_a_write_that_takes_nothing_is_the_end() {
    let mut websocket = open(Script::new(&[], 64).open_ended().with_fault(0, Fault::Zero));
    let error = websocket.send("hello").unwrap_err();
    assert!(matches!(&error, Error::Io(e) if e.kind() == ErrorKind::WriteZero), "{error:?}");
    assert_over(&mut websocket);
}

/// S45 and S46: operation k is a write or a flush, for every k until the messages are out.
#[test]
fn s45_s46_a_write_or_a_flush_fails_at_each_operation() {
    for fault in [Fault::Reset, Fault::Error, Fault::Eof, Fault::WouldBlock] {
        let mut at = 0;
        loop {
            let script = Script::new(&[], 5).open_ended().with_fault(at, fault);
            let mut websocket = open(script.clone());
            let results: Vec<_> = (0..3).map(|_| websocket.send("0123456789")).collect();
            let failed = results.iter().filter(|result| result.is_err()).count();
            if script.operations() <= at {
                assert_eq!(failed, 0);
                break;
            }
            if fault == Fault::WouldBlock {
                // 5.4: what was queued goes on where it stopped, then comes the next.
                assert_eq!(failed, 1, "{at}: {results:?}");
                websocket.flush().unwrap();
                let payloads: Vec<_> =
                    sent(&script.written()).into_iter().map(|f| f.payload).collect();
                assert_eq!(payloads, [b"0123456789"; 3], "{at}");
            } else {
                let io = |r: &&Result<(), Error>| r.as_ref().is_err_and(is_io);
                assert_eq!(results.iter().filter(io).count(), 1, "{at}: {results:?}");
                assert!(results.last().unwrap().is_err(), "{at}: {results:?}");
                assert_over(&mut websocket);
            }
            at += 1;
        }
        assert!(at > 10, "three messages of three writes and a flush");
    }
}

/// What had come with an earlier read is delivered all the same, and then the end.
#[test]
fn a_failed_send_hides_nothing_that_was_received() {
    let close = Role::Server.close(1001, "bye");
    let messages = ["one", "two", "three"].map(|it| Role::Server.frame(FIN | TEXT, it.as_bytes()));
    for with_close in [false, true] {
        let input = [&messages.concat()[..], if with_close { &close } else { b"" }].concat();
        let script = Script::new(&input, 4096).open_ended().with_fault(1, Fault::Reset);
        let mut websocket = open(script);
        assert_eq!(websocket.recv().unwrap(), Some(Message::text("one")));
        let error = websocket.send("answer").unwrap_err();
        assert!(is_io(&error), "{error:?}");
        assert_eq!(websocket.recv().unwrap(), Some(Message::text("two")));
        let error = websocket.send("another").unwrap_err();
        assert!(matches!(error, Error::Protocol(ProtocolError::UnexpectedEof)), "{error:?}");
        assert_eq!(websocket.recv().unwrap(), Some(Message::text("three")));
        if with_close {
            assert_eq!(websocket.recv().unwrap(), None);
            let received = websocket.connection().close_received().expect("it was read");
            assert_eq!((received.code().get(), received.reason()), (1001, "bye"));
        } else {
            assert_over(&mut websocket);
        }
    }
}

/// The error was told: nothing but that it is over is left to tell.
fn assert_over(websocket: &mut WebSocket<Script>) {
    for _ in 0..2 {
        let received = websocket.recv();
        let eof = matches!(received, Err(Error::Protocol(ProtocolError::UnexpectedEof)));
        assert!(eof, "{received:?}");
        assert!(websocket.send("more").is_err_and(|error| !is_io(&error)));
        assert!(websocket.flush().is_err_and(|error| !is_io(&error)));
    }
    let closed = websocket.connection().closed().unwrap();
    assert_eq!((closed.code, closed.clean), (CloseCode::ABNORMAL, false));
}

/// A transport that claims more than there was room for.
#[derive(Debug)]
struct Boastful;

impl Read for Boastful {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(0);
        Ok(buffer.len() + 1)
    }
}

impl Write for Boastful {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len() + 1)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn s47_a_transport_that_claims_too_much() {
    let connection = server(Config::default());
    let mut websocket = WebSocket::from_parts(NoDeadlines(Boastful), connection, &[]);
    websocket.send("hello").unwrap();
    // What was really there counts: no frame of a client begins with zeros.
    let result = websocket.recv();
    assert!(matches!(result, Err(Error::Protocol(_))), "{result:?}");
}

#[test]
fn s17_one_deadline_for_a_request_that_trickles() {
    let (mut near, far) = loopback();
    let start = Instant::now();
    let server = thread::spawn(move || accept(far, &options()).map(|_| ()));
    let mut writer = near.try_clone().unwrap();
    thread::spawn(move || {
        for byte in REQUEST {
            // It ends when the server is gone.
            if writer.write_all(&[*byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(40));
        }
    });
    let mut answer = [0; 12];
    near.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    assert!(start.elapsed() >= LIMIT);
    let result = server.join().unwrap();
    assert!(matches!(result, Err(Error::Handshake(HandshakeError::Timeout))), "{result:?}");
    assert!(start.elapsed() < LONG, "the whole request would take longer");
}

#[test]
fn s33_a_peer_that_never_answers_our_close() {
    let (near, mut websocket) = opened(options());
    let start = Instant::now();
    let error = websocket.close(CloseCode::NORMAL, "").unwrap_err();
    assert!(matches!(error, Error::Protocol(ProtocolError::CloseTimeout)), "{error:?}");
    assert!((LIMIT..LONG).contains(&start.elapsed()));
    let closed = websocket.connection().closed().unwrap();
    assert_eq!((closed.code, closed.clean), (CloseCode::ABNORMAL, false));
    assert!(matches!(
        websocket.send("more"),
        Err(Error::Protocol(_) | Error::Misuse(ApiMisuse::Closing))
    ));
    drop(near);
}

#[test]
fn s38_a_server_that_never_closes_the_transport() {
    let (near, far) = loopback();
    // The server is our own up to its Close, but keeps the stream.
    let server = thread::spawn(move || {
        let mut websocket = accept(far.try_clone().unwrap(), &ServerOptions::default()).unwrap();
        let (event, _) = websocket.read().unwrap().unwrap();
        assert!(matches!(event, websocket_proto::Event::Close(_)));
        websocket.flush().unwrap();
        (websocket, far)
    });
    let mut options = ClientOptions::default();
    options.deadlines.close = Some(LIMIT);
    let request = ClientRequest::new("localhost", "/");
    let (mut websocket, _) = blocking::client(near, request, &options).unwrap();
    let start = Instant::now();
    websocket.close(CloseCode::NORMAL, "").unwrap();
    assert!((LIMIT..LONG).contains(&start.elapsed()), "{:?}", start.elapsed());
    let closed = websocket.connection().closed().unwrap();
    assert_eq!((closed.code, closed.clean), (CloseCode::NORMAL, true));
    drop(server.join().unwrap());
}

#[test]
fn a_refusal_arrives_whole_whatever_is_pipelined() {
    let body = "no".repeat(50_000);
    let (mut near, far) = loopback();
    near.write_all(REQUEST).unwrap();
    let refused = body.clone();
    let server = thread::spawn(move || {
        let options = ServerOptions::default();
        blocking::accept_with(far, &options, |_| Err(Refusal::new(403).body(&refused))).map(|_| ())
    });
    let answer = answer_behind_a_mebibyte(near);
    assert!(answer.starts_with(b"HTTP/1.1 403"), "{answer:?}");
    assert!(answer.ends_with(&[b"\r\n\r\n", body.as_bytes()].concat()), "{}", answer.len());
    assert!(matches!(server.join().unwrap(), Err(Error::Refused(403))));
}

#[test]
fn a_bad_request_is_answered_whatever_is_pipelined() {
    let (mut near, far) = loopback();
    near.write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let server = thread::spawn(move || blocking::accept(far).map(|_| ()));
    let answer = answer_behind_a_mebibyte(near);
    assert!(answer.starts_with(b"HTTP/1.1 405"), "{answer:?}");
    assert!(matches!(server.join().unwrap(), Err(Error::Handshake(HandshakeError::Method))));
}

#[test]
fn the_close_frame_arrives_while_the_peer_still_sends() {
    let (mut near, mut websocket) = opened(ServerOptions::default());
    near.write_all(&Role::Server.frame(FIN | 0x3, b"reserved")).unwrap();
    let server = thread::spawn(move || websocket.recv());
    let frames = sent(&answer_behind_a_mebibyte(near));
    assert_eq!(frames.len(), 1);
    assert_eq!((frames[0].byte0, &frames[0].payload[..2]), (0x88, &1002_u16.to_be_bytes()[..]));
    assert!(matches!(server.join().unwrap(), Err(Error::Protocol(_))));
}
