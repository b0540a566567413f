//! The async adapter in virtual time and over pipes: deadlines, back-pressure, two halves.
#![cfg(feature = "tokio")]

mod common;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use common::script::{Fault, Script};
use common::wire::{
    BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, Role, Sent, TEXT, first_sent, sent,
};
use common::{client, server};
use futures_util::{SinkExt, StreamExt, poll};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, sleep, timeout};
use websocket_proto::handshake::{ClientRequest, HandshakeError};
use websocket_proto::io::tokio::{WebSocket, accept, accept_with, client as open_client};
use websocket_proto::io::{ClientOptions, Error, ServerOptions};
use websocket_proto::{
    ApiMisuse, CloseCode, CloseFrame, Config, DeadlineConfig, Event, Initiator, Message,
    ProtocolError, State,
};

const SECOND: Duration = Duration::from_secs(1);
const PEER: Role = Role::Server;

/// A server of ours and the other end of its pipe, which a test writes to by hand.
fn pipe(size: usize, config: Config) -> (WebSocket<DuplexStream>, DuplexStream) {
    let (ours, theirs) = duplex(size);
    (WebSocket::from_parts(ours, server(config), &[]), theirs)
}

fn pair(size: usize) -> (WebSocket<DuplexStream>, WebSocket<DuplexStream>) {
    let (ours, theirs) = duplex(size);
    (
        WebSocket::from_parts(ours, server(Config::default()), &[]),
        WebSocket::from_parts(theirs, client(Config::default()), &[]),
    )
}

async fn next_frame(peer: &mut DuplexStream) -> Sent {
    let mut bytes = Vec::new();
    loop {
        if let Some((frame, len)) = first_sent(&bytes) {
            assert_eq!(len, bytes.len());
            return frame;
        }
        bytes.push(peer.read_u8().await.unwrap());
    }
}

fn close_frame(code: u16) -> (u8, Vec<u8>) {
    (FIN | CLOSE, code.to_be_bytes().to_vec())
}

fn protocol<T>(result: Result<T, Error>) -> ProtocolError {
    match result {
        Err(Error::Protocol(error)) => error,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("no error"),
    }
}

// ---- deadlines

/// S17 and S23: one deadline for the whole request.
#[tokio::test(start_paused = true)]
async fn a_silent_client_gets_408() {
    let (ours, mut theirs) = duplex(1024);
    let begin = Instant::now();
    let (accepted, response) = tokio::join!(accept(ours), async {
        // Progress does not restart the deadline.
        for byte in b"GET / HT" {
            theirs.write_u8(*byte).await.unwrap();
            sleep(SECOND).await;
        }
        let mut response = String::new();
        theirs.read_to_string(&mut response).await.unwrap();
        assert_eq!(begin.elapsed(), 10 * SECOND);
        drop(theirs);
        response
    });
    assert!(matches!(accepted, Err(Error::Handshake(HandshakeError::Timeout))));
    assert_eq!(begin.elapsed(), 10 * SECOND);
    assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
}

/// S21: and one for the response.
#[tokio::test(start_paused = true)]
async fn a_silent_server_is_left() {
    let (ours, _theirs) = duplex(1024);
    let begin = Instant::now();
    let opened = open_client(ours, ClientRequest::new("a", "/"), &ClientOptions::default()).await;
    assert!(matches!(opened.map(|_| ()), Err(Error::Handshake(HandshakeError::Timeout))));
    assert_eq!(begin.elapsed(), 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn keepalive() {
    let (mut websocket, mut peer) = pipe(1024, Config::default());
    let begin = Instant::now();
    let peer = async {
        let ping = next_frame(&mut peer).await;
        assert_eq!((ping.byte0, begin.elapsed()), (FIN | PING, 20 * SECOND));
        sleep(5 * SECOND).await;
        peer.write_all(&PEER.frame(FIN | PONG, &ping.payload)).await.unwrap();
        // 20 s after the last byte the next one, which is not answered.
        assert_eq!(next_frame(&mut peer).await.byte0, FIN | PING);
        assert_eq!(begin.elapsed(), 45 * SECOND);
        let close = next_frame(&mut peer).await;
        assert_eq!((close.byte0, close.payload), close_frame(1011));
        assert_eq!(begin.elapsed(), 65 * SECOND);
    };
    let (received, ()) = tokio::join!(websocket.recv(), peer);
    assert_eq!(protocol(received), ProtocolError::KeepaliveTimeout);
}

/// S72 and S04: fragments, like pings, do not restart it.
#[tokio::test(start_paused = true)]
async fn a_message_may_not_take_for_ever() {
    let (websocket, mut peer) = pipe(1024, Config::default());
    let mut deadlines = DeadlineConfig::default();
    deadlines.message = Some(5 * SECOND);
    let mut websocket = websocket.with_deadlines(&deadlines);
    let begin = Instant::now();
    let peer = async {
        // A whole message in time, then one that drips.
        sleep(4 * SECOND).await;
        peer.write_all(&PEER.frame(FIN | TEXT, b"whole")).await.unwrap();
        sleep(4 * SECOND).await;
        for fragment in 0..4 {
            let first = if fragment == 0 { TEXT } else { CONTINUATION };
            peer.write_all(&PEER.frame(first, b"drip")).await.unwrap();
            sleep(SECOND).await;
        }
        let close = next_frame(&mut peer).await;
        assert_eq!((close.byte0, close.payload), close_frame(1008));
        drop(peer);
    };
    let ours = async {
        assert_eq!(websocket.recv().await.unwrap(), Some(Message::text("whole")));
        websocket.recv().await
    };
    let (received, ()) = tokio::join!(ours, peer);
    assert_eq!(protocol(received), ProtocolError::MessageTimeout);
    assert_eq!(begin.elapsed(), 13 * SECOND);
}

/// S33: dropped at 10 s, with 1006.
#[tokio::test(start_paused = true)]
async fn a_close_that_is_not_answered() {
    let (mut websocket, mut peer) = pipe(1024, Config::default());
    let begin = Instant::now();
    let error = websocket.close(CloseCode::NORMAL, "bye").await;
    assert_eq!(protocol(error), ProtocolError::CloseTimeout);
    assert_eq!(begin.elapsed(), 10 * SECOND);
    assert_eq!(next_frame(&mut peer).await.payload, b"\x03\xe8bye");
    assert_eq!(websocket.connection().closed().unwrap().code, CloseCode::ABNORMAL);
}

/// 7.1.1: both Close frames have passed, only the end of the transport is missing.
/// S38, S85: the end is told at once, and only `close` waits for that of the transport.
#[tokio::test(start_paused = true)]
async fn an_end_that_does_not_come() {
    let (mut websocket, mut peer) = pipe(1024, Config::default());
    peer.write_all(&PEER.close(3000, "")).await.unwrap();
    let begin = Instant::now();
    assert_eq!(websocket.recv().await.unwrap(), None);
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert!(websocket.connection().closed().unwrap().clean);
    websocket.close(CloseCode::NORMAL, "").await.unwrap();
    assert_eq!(begin.elapsed(), SECOND);
    websocket.close(CloseCode::NORMAL, "").await.unwrap();
    assert_eq!(begin.elapsed(), SECOND, "once");
}

/// S81: a ping is due, and what the peer has sent cannot be looked at: the receiving half holds an
/// event that lies where it would be read to.
#[tokio::test(start_paused = true)]
async fn a_deadline_while_an_event_is_held() {
    let (websocket, mut peer) = pipe(1024, Config::default());
    let (mut receiver, mut sender) = websocket.split();
    peer.write_all(&PEER.frame(FIN | TEXT, b"held")).await.unwrap();
    let held = receiver.read().await.unwrap().unwrap();
    for text in ["a", "b", "c", "d"] {
        sleep(30 * SECOND).await;
        sender.send(text).await.unwrap();
    }
    assert_eq!(Message::try_from(held).unwrap(), Message::text("held"));
    // What was read before is noted with the first look at the clock. The pong cannot be seen.
    let kinds = [FIN | TEXT, FIN | TEXT, FIN | PING, FIN | TEXT, FIN | TEXT];
    for kind in kinds {
        assert_eq!(next_frame(&mut peer).await.byte0, kind);
    }
}

/// S81: the same where what was read and not taken fills all there is room for, and a signal
/// comes between.
#[tokio::test(start_paused = true)]
async fn a_deadline_while_much_is_not_taken() {
    let input = PEER.frame(FIN | TEXT, b"0123456789").repeat(10_000);
    for at in 1..9 {
        let script = Script::new(&input, 10_000).with_fault(at, Fault::Interrupted);
        let mut websocket = WebSocket::from_parts(script.clone(), server(Config::default()), &[]);
        assert_eq!(websocket.recv().await.unwrap(), Some(Message::text("0123456789")));
        for _ in 0..3 {
            sleep(30 * SECOND).await;
            websocket.send("x").await.unwrap();
        }
        let kinds: Vec<_> = sent(&script.written()).iter().map(|frame| frame.byte0).collect();
        // What is read at 30 s is a sign of life.
        assert_eq!(kinds, [FIN | TEXT, FIN | TEXT, FIN | PING, FIN | TEXT]);
    }
}

// ---- back-pressure

/// A peer that never reads: what waits is bounded, and the write deadline ends it.
/// S10 and S15: the write deadline.
#[tokio::test(start_paused = true)]
async fn a_peer_that_never_reads() {
    let (mut websocket, _peer) = pipe(100, Config::default());
    let message = vec![7; 1000];
    let mut fed = 0;
    while let Poll::Ready(result) = poll!(pin!(websocket.feed(&message[..]))) {
        result.unwrap();
        fed += 1;
    }
    assert!((64..=67).contains(&fed), "{fed} messages of 1,000 bytes were queued");
    let begin = Instant::now();
    assert_eq!(protocol(websocket.flush().await), ProtocolError::WriteTimeout);
    assert_eq!(begin.elapsed(), 120 * SECOND);
    assert_eq!(protocol(websocket.recv().await), ProtocolError::WriteTimeout);
}

/// 7.1.5: the peer's Close was found by a call that sends, and the write deadline passed before the
/// program took it. It is the one that came, and its code counts.
#[tokio::test(start_paused = true)]
async fn a_close_that_is_taken_after_a_failure() {
    let mut config = Config::default();
    config.auto_close = false;
    let (mut websocket, mut peer) = pipe(100, config);
    peer.write_all(&PEER.close(3000, "bye")).await.unwrap();
    let message = vec![7; 1000];
    assert_eq!(protocol(websocket.send(&message[..]).await), ProtocolError::WriteTimeout);
    let expected = CloseFrame::new(CloseCode::new(3000).unwrap(), "bye").unwrap();
    let event = websocket.read().await.unwrap().map(|(event, _)| event);
    assert_eq!(event, Some(Event::Close(Some(expected))));
    let closed = websocket.connection().closed().unwrap();
    assert_eq!((closed.code.get(), closed.reason, closed.clean), (3000, "bye", false));
}

/// A peer that takes a little now and then is not cut off, and is not polled in between.
#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_slowly() {
    let (websocket, mut peer) = pipe(10, Config::default());
    // Without pings, which nobody would answer.
    let mut websocket = websocket.with_deadlines(&DeadlineConfig::default());
    let polls = AtomicUsize::new(0);
    let begin = Instant::now();
    let mut send = pin!(websocket.send(vec![7; 200]));
    let send = std::future::poll_fn(|cx| {
        polls.fetch_add(1, Ordering::Relaxed);
        send.as_mut().poll(cx)
    });
    let read = async {
        let mut bytes = Vec::new();
        while bytes.len() < 204 {
            sleep(SECOND).await;
            bytes.push(peer.read_u8().await.unwrap());
        }
        bytes
    };
    let (result, bytes) = tokio::join!(send, read);
    result.unwrap();
    assert_eq!(sent(&bytes)[0].payload, vec![7; 200]);
    assert_eq!(begin.elapsed(), 204 * SECOND);
    // At most one for each byte that was taken, and one for each deadline that moved.
    assert!(polls.into_inner() <= 2 * 204 + 2);
}

/// Both ends send first and receive then, more than the pipe holds.
#[tokio::test(start_paused = true)]
async fn two_writers() {
    let (mut ours, mut theirs) = pair(64);
    let message = vec![1; 300_000];
    let one = async |websocket: &mut WebSocket<DuplexStream>| {
        websocket.send(&message[..]).await.unwrap();
        websocket.recv().await.unwrap().unwrap()
    };
    let begin = Instant::now();
    let (left, right) = tokio::join!(one(&mut ours), one(&mut theirs));
    assert_eq!((left.as_bytes(), right.as_bytes()), (&message[..], &message[..]));
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

/// With two halves, neither stops, however much both send.
#[tokio::test(start_paused = true)]
async fn two_writers_in_halves() {
    const COUNT: usize = 300;
    let (ours, theirs) = pair(64);
    let begin = Instant::now();
    let run = async |websocket: WebSocket<DuplexStream>| {
        let (mut receiver, mut sender) = websocket.split();
        let send = async {
            for number in 0..COUNT {
                sender.send(vec![number as u8; number * 7]).await.unwrap();
            }
        };
        let receive = async {
            for number in 0..COUNT {
                let message = receiver.recv().await.unwrap().unwrap();
                assert_eq!(message.as_bytes(), vec![number as u8; number * 7]);
            }
        };
        tokio::join!(send, receive);
        sender.reunite(receiver).unwrap()
    };
    let (mut ours, mut theirs) = tokio::join!(run(ours), run(theirs));
    assert_eq!(begin.elapsed(), Duration::ZERO);
    let (closed, received) = tokio::join!(ours.close(CloseCode::NORMAL, ""), theirs.recv());
    closed.unwrap();
    assert_eq!(received.unwrap(), None);
    assert_eq!(ours.connection().statistics().sent.messages, COUNT as u64);
}

/// Answers to what came together leave together.
#[tokio::test(start_paused = true)]
async fn one_write_for_many_answers() {
    let (mut websocket, mut peer) = pipe(1 << 20, Config::default());
    let input: Vec<u8> = (0..100).flat_map(|n| PEER.frame(FIN | BINARY, &[n; 20])).collect();
    peer.write_all(&input).await.unwrap();
    let echo = async {
        while let Some(message) = websocket.recv().await? {
            websocket.feed(message).await?;
        }
        Ok::<_, Error>(())
    };
    // One poll answers all of them.
    assert!(poll!(pin!(echo)).is_pending());
    let mut bytes = vec![0; 100 * 22];
    assert!(matches!(poll!(pin!(peer.read_exact(&mut bytes))), Poll::Ready(Ok(_))));
    assert_eq!(sent(&bytes).len(), 100);
}

// ---- two halves

/// S49: the two halves share one output.
#[tokio::test(start_paused = true)]
async fn the_receiver_answers_while_the_sender_is_idle() {
    let (websocket, mut peer) = pipe(1024, Config::default());
    let (mut receiver, sender) = websocket.split();
    let peer = async {
        peer.write_all(&PEER.frame(FIN | PING, b"?")).await.unwrap();
        let pong = next_frame(&mut peer).await;
        assert_eq!((pong.byte0, &pong.payload[..]), (FIN | PONG, &b"?"[..]));
        peer.write_all(&PEER.frame(FIN | TEXT, b"\xff")).await.unwrap();
        let close = next_frame(&mut peer).await;
        assert_eq!((close.byte0, close.payload), close_frame(1007));
    };
    let (received, ()) = tokio::join!(receiver.recv(), peer);
    assert_eq!(protocol(received), ProtocolError::InvalidUtf8);
    let websocket = sender.reunite(receiver).unwrap();
    assert_eq!(websocket.connection().error(), Some(ProtocolError::InvalidUtf8));
}

/// A faulty frame right behind a message, both from one read: the half that finds it without the
/// transport tells the other one, and the Close frame leaves at once.
#[tokio::test(start_paused = true)]
async fn a_fault_behind_a_message_is_answered() {
    let (websocket, mut peer) = pipe(1024, Config::default());
    let (mut receiver, _sender) = websocket.split();
    let bytes = [PEER.frame(FIN | TEXT, b"a"), PEER.frame(FIN | 0x3, b"")].concat();
    peer.write_all(&bytes).await.unwrap();
    assert_eq!(receiver.recv().await.unwrap(), Some(Message::text("a")));
    let peer = async {
        let close = timeout(SECOND, next_frame(&mut peer)).await.expect("at once");
        assert_eq!((close.byte0, close.payload), close_frame(1002));
        drop(peer);
    };
    let (received, ()) = tokio::join!(receiver.recv(), peer);
    assert_eq!(protocol(received), ProtocolError::ReservedOpcode(3));
}

/// S49: the sender always has more to say than the pipe takes; a pong leaves all the same, behind
/// no more than what waited when the ping came.
#[tokio::test(start_paused = true)]
async fn a_pong_is_not_starved_by_data() {
    let (websocket, mut peer) = pipe(1 << 10, Config::default());
    let (mut receiver, mut sender) = websocket.split();
    let send = async {
        loop {
            if sender.feed(vec![7; 1000]).await.is_err() {
                return;
            }
        }
    };
    let peer = async {
        let mut bytes = Vec::new();
        peer.write_all(&PEER.frame(FIN | PING, b"now")).await.unwrap();
        loop {
            bytes.push(peer.read_u8().await.unwrap());
            while let Some((frame, len)) = first_sent(&bytes) {
                if frame.byte0 == FIN | PONG {
                    assert_eq!(frame.payload, b"now");
                    return; // which drops the pipe and ends the others
                }
                assert_eq!((frame.byte0, frame.payload.len()), (FIN | BINARY, 1000));
                bytes.drain(..len);
            }
        }
    };
    let read = async { tokio::join!(receiver.recv(), send).0 };
    tokio::select! {
        _ = read => panic!("the connection ended"),
        () = peer => {}
        () = sleep(60 * SECOND) => panic!("no pong"),
    }
}

/// A sender that waits for room is told when the receiver's end comes, and the other way round.
#[tokio::test(start_paused = true)]
async fn each_half_learns_of_the_end() {
    let (websocket, peer) = pipe(16, Config::default());
    let (mut receiver, mut sender) = websocket.split();
    let (received, sent, ()) = tokio::join!(receiver.recv(), sender.send(vec![0; 1000]), async {
        sleep(SECOND).await;
        drop(peer);
    });
    assert!(received.is_err() && sent.is_err(), "{received:?} {sent:?}");
    let told = [&received.map(|_| ()), &sent]
        .into_iter()
        .filter(|r| matches!(r, Err(Error::Io(_))))
        .count();
    assert!(told <= 1, "the transport's error is told once");

    let (websocket, _peer) = pipe(16, Config::default());
    let (mut receiver, mut sender) = websocket.split();
    let begin = Instant::now();
    let (received, closed) =
        tokio::join!(receiver.recv(), sender.send_close(CloseCode::NORMAL, ""));
    closed.unwrap();
    assert_eq!(protocol(received), ProtocolError::CloseTimeout);
    assert_eq!(begin.elapsed(), 10 * SECOND);
    assert!(matches!(sender.send("more").await, Err(Error::Protocol(ProtocolError::CloseTimeout))));
}

#[tokio::test(start_paused = true)]
async fn halves_of_two_connections_do_not_fit() {
    let ((left, _a), (right, _b)) = (pipe(16, Config::default()), pipe(16, Config::default()));
    let ((receiver, _), (_, sender)) = (left.split(), right.split());
    let (sender, receiver) = sender.reunite(receiver).unwrap_err().into_halves();
    assert_eq!(sender.state(), State::Open);
    drop(receiver);
}

/// On several threads, both ends busy in both directions, with pings between.
/// S49: frames stay whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn halves_on_many_threads() {
    const COUNT: u32 = 2000;
    let total = Arc::new(AtomicUsize::new(0));
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let (ours, theirs) = pair(256);
        for websocket in [ours, theirs] {
            let (mut receiver, mut sender) = websocket.split();
            let (all_received, all_there) = tokio::sync::oneshot::channel();
            let mut all_received = Some(all_received);
            tasks.push(tokio::spawn(async move {
                for number in 0..COUNT {
                    sender.send(number.to_be_bytes().repeat(number as usize % 50)).await.unwrap();
                    if number % 16 == 0 {
                        sender.ping(b"!").await.unwrap();
                    }
                }
                // Each end closes when it has everything; one of them is the second to do so.
                all_there.await.unwrap();
                match sender.send_close(CloseCode::NORMAL, "").await {
                    Ok(()) | Err(Error::Misuse(ApiMisuse::Closing)) => {}
                    Err(error) => panic!("{error}"),
                }
            }));
            let total = Arc::clone(&total);
            tasks.push(tokio::spawn(async move {
                let mut number = 0_u32;
                while let Some(message) = receiver.recv().await.unwrap() {
                    let expected = number.to_be_bytes().repeat(number as usize % 50);
                    assert_eq!(message.as_bytes(), expected);
                    number += 1;
                    if number == COUNT {
                        all_received.take().unwrap().send(()).unwrap();
                    }
                    total.fetch_add(1, Ordering::Relaxed);
                }
            }));
        }
    }
    for task in tasks {
        timeout(60 * SECOND, task).await.expect("no lost wake-up").unwrap();
    }
    assert_eq!(total.load(Ordering::Relaxed), 8 * COUNT as usize);
}

// ---- conveniences

#[tokio::test(start_paused = true)]
async fn a_stream_and_a_sink() {
    let (ours, theirs) = pair(64);
    let (mut receiver, mut sender) = ours.split();
    let mut theirs = theirs;
    let echo = async {
        while let Some(message) = theirs.next().await {
            SinkExt::send(&mut theirs, message.unwrap()).await.unwrap();
        }
        assert!(theirs.next().await.is_none());
    };
    let talk = async {
        // Larger than the hard limit, behind others: a sink takes it.
        for size in [1, 70_000, 1_048_576, 3] {
            SinkExt::feed(&mut sender, Message::binary(vec![0; size])).await.unwrap();
        }
        SinkExt::<Message<'_>>::flush(&mut sender).await.unwrap();
        SinkExt::<Message<'_>>::close(&mut sender).await.unwrap();
    };
    let listen = async {
        let mut sizes = Vec::new();
        while let Some(message) = receiver.next().await {
            sizes.push(message.unwrap().as_bytes().len());
        }
        sizes
    };
    let ((), (), sizes) = tokio::join!(echo, talk, listen);
    assert_eq!(sizes, [1, 70_000, 1_048_576, 3]);
}

#[tokio::test]
async fn subprotocols_refusals_and_taking_apart() {
    let mut options = ServerOptions::default();
    options.subprotocols = vec!["chat".to_owned()];
    let (ours, theirs) = duplex(4096);
    let request = ClientRequest::new("a", "/").subprotocol("chat");
    let client_options = ClientOptions::default();
    let (accepted, opened) = tokio::join!(
        accept_with(ours, &options, |request| Ok(options.accept(request))),
        open_client(theirs, request, &client_options),
    );
    let (mut server, (mut client, response)) = (accepted.unwrap(), opened.unwrap());
    assert_eq!((server.subprotocol(), client.subprotocol()), (Some("chat"), Some("chat")));
    assert_eq!(response.status(), 101);

    // What was received while a send waited comes first after the parts are put together again.
    client.send("one").await.unwrap();
    client.send("two").await.unwrap();
    let big = vec![0; 50_000];
    assert!(poll!(pin!(server.send(&big[..]))).is_pending());
    let parts = server.into_parts();
    assert_eq!(parts.event.map(Message::try_from), Some(Ok(Message::text("one"))));
    let mut server = WebSocket::from_parts(parts.stream, parts.connection, &parts.leftover);
    assert_eq!(server.recv().await.unwrap(), Some(Message::text("two")));
}

#[tokio::test]
async fn both_ends_close() {
    let (mut ours, mut theirs) = pair(1024);
    let (left, right) =
        tokio::join!(ours.close(CloseCode::GOING_AWAY, "a"), theirs.close(CloseCode::NORMAL, "b"));
    left.unwrap();
    right.unwrap();
    for (websocket, reason) in [(&ours, "b"), (&theirs, "a")] {
        let closed = websocket.connection().closed().unwrap();
        assert_eq!((closed.clean, closed.reason), (true, reason));
        assert_eq!(closed.initiator, Initiator::Local);
    }
}
