//! Each call of an adapter puts the frame on the wire that it is named for: the whole connection,
//! its halves, `Reply`, `Stream` and `Sink`, over both kinds of async streams and a blocking one.
#![cfg(all(feature = "tokio", feature = "futures-io"))]

mod common;

use std::future::{Pending, pending};
use std::pin::pin;
use std::thread;
use std::time::Duration;

use common::script::{Fault, Script};
use common::server;
use common::wire::{BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, Role, TEXT, sent};
use futures_util::stream::FusedStream;
use futures_util::{SinkExt, StreamExt, poll};
use websocket_proto::handshake::ClientRequest;
use websocket_proto::io::{
    self, AsyncTransport, ClientOptions, Error, NoDeadlines, Timed, blocking,
};
use websocket_proto::{
    ApiMisuse, CloseCode, Config, DeadlineConfig, Event, Message, Prepared, ProtocolError, State,
};

const PEER: Role = Role::Server;

/// Neither pings nor the peer's Close are answered for the program.
fn manual() -> Config {
    let mut config = Config::default();
    (config.auto_pong, config.auto_close) = (false, false);
    config
}

fn over_tokio(script: &Script, config: Config) -> io::tokio::WebSocket<Script> {
    io::tokio::WebSocket::from_parts(script.clone(), server(config), &[])
}

fn no_sleep(_: Duration) -> Pending<()> {
    pending()
}

/// First bytes and payloads of what was written.
fn frames(script: &Script) -> Vec<(u8, Vec<u8>)> {
    sent(&script.written()).into_iter().map(|frame| (frame.byte0, frame.payload)).collect()
}

fn expected() -> Vec<(u8, Vec<u8>)> {
    [
        (FIN | TEXT, &b"whole"[..]),
        (TEXT, b"in "),
        (FIN | CONTINUATION, b"pieces"),
        (FIN | BINARY, b"prepared"),
        (FIN | PING, b"?"),
        (FIN | CLOSE, b"\x03\xe9going"),
    ]
    .map(|(byte0, payload)| (byte0, payload.to_vec()))
    .to_vec()
}

#[test]
fn a_blocking_connection() {
    let script = Script::new(&[], 4096).open_ended();
    let connection = server(Config::default());
    let mut websocket = blocking::WebSocket::from_parts(script.clone(), connection, &[]);
    websocket.send("whole").unwrap();
    websocket.send_fragment("in ", false).unwrap();
    websocket.send_fragment("pieces", true).unwrap();
    websocket.send_prepared(&Prepared::new(Message::binary(&b"prepared"[..]))).unwrap();
    websocket.ping(b"?").unwrap();
    let long = websocket.ping(&[0; 126]);
    assert!(matches!(long, Err(Error::Misuse(ApiMisuse::LongControl(126)))), "{long:?}");
    websocket.send_close(CloseCode::GOING_AWAY, "going").unwrap();
    assert_eq!(frames(&script), expected());
    let again = websocket.send_close(CloseCode::GOING_AWAY, "");
    assert!(matches!(again, Err(Error::Misuse(ApiMisuse::Closing))), "{again:?}");
}

#[tokio::test]
async fn a_whole_connection() {
    let script = Script::new(&[], 4096).open_ended();
    let mut websocket = over_tokio(&script, Config::default());
    websocket.send("whole").await.unwrap();
    websocket.send_fragment("in ", false).await.unwrap();
    websocket.send_fragment("pieces", true).await.unwrap();
    websocket.send_prepared(&Prepared::new(Message::binary(&b"prepared"[..]))).await.unwrap();
    websocket.ping(b"?").await.unwrap();
    websocket.send_close(CloseCode::GOING_AWAY, "going").await.unwrap();
    assert_eq!(frames(&script), expected());
    let again = websocket.send_close(CloseCode::GOING_AWAY, "").await;
    assert!(matches!(again, Err(Error::Misuse(ApiMisuse::Closing))), "{again:?}");
}

#[tokio::test]
async fn a_sender() {
    let script = Script::new(&[], 4096).open_ended();
    let (receiver, mut sender) = over_tokio(&script, Config::default()).split();
    assert_eq!(receiver.subprotocol(), None);
    sender.send("whole").await.unwrap();
    sender.send_fragment("in ", false).await.unwrap();
    sender.send_fragment("pieces", true).await.unwrap();
    sender.send_prepared(&Prepared::new(Message::binary(&b"prepared"[..]))).await.unwrap();
    sender.ping(b"?").await.unwrap();
    assert_eq!(sender.state(), State::Open);
    sender.send_close(CloseCode::GOING_AWAY, "going").await.unwrap();
    assert_eq!(sender.state(), State::CloseSent);
    assert_eq!(frames(&script), expected());
    let none = sender.reply_close().await;
    assert!(matches!(none, Err(Error::Misuse(_))), "nothing to answer: {none:?}");
}

/// What a program answers by itself, from the two halves.
#[tokio::test]
async fn a_sender_that_answers() {
    let script = Script::new(&[PEER.frame(FIN | PING, b"p"), PEER.close(3000, "bye")].concat(), 99);
    let (mut receiver, mut sender) = over_tokio(&script, manual()).split();
    assert_eq!(receiver.read().await.unwrap(), Some(Event::Ping(b"p"[..].into())));
    sender.pong(b"p").await.unwrap();
    assert!(matches!(receiver.read().await.unwrap(), Some(Event::Close(_))));
    assert_eq!(sender.state(), State::CloseReceived);
    sender.reply_close().await.unwrap();
    assert_eq!(receiver.read().await.unwrap(), None);
    let closed = (FIN | CLOSE, b"\x0b\xb8".to_vec());
    assert_eq!(frames(&script), [(FIN | PONG, b"p".to_vec()), closed]);
}

/// What a program answers by itself, while the event lives.
#[tokio::test]
async fn replies() {
    let input = [PEER.frame(FIN | PING, b"p"), PEER.close(3000, "bye")].concat();
    let prepared = Prepared::new(Message::binary(&b"prepared"[..]));
    for close in [true, false] {
        let script = Script::new(&input, 99);
        let mut websocket = over_tokio(&script, manual());
        let (event, mut reply) = websocket.read().await.unwrap().unwrap();
        assert_eq!(event, Event::Ping(b"p"[..].into()));
        reply.pong(b"p").unwrap();
        reply.send("text").unwrap();
        reply.send_prepared(&prepared).unwrap();
        assert_eq!(reply.connection().state(), State::Open);
        if close {
            reply.close(CloseCode::NORMAL, "").unwrap();
        }
        let (event, mut reply) = websocket.read().await.unwrap().unwrap();
        assert!(matches!(event, Event::Close(_)));
        assert_eq!(reply.reply_close().is_ok(), !close);
        assert!(websocket.read().await.unwrap().is_none());
        let kinds: Vec<_> = frames(&script).iter().map(|(byte0, _)| *byte0).collect();
        assert_eq!(kinds, [FIN | PONG, FIN | TEXT, FIN | BINARY, FIN | CLOSE]);
    }
}

/// Text that is whole, and is not UTF-8: the call that takes it fails, and the Close has left.
#[tokio::test]
async fn text_that_is_not_valid() {
    let new = || Script::new(&PEER.frame(FIN | TEXT, b"\xff"), 99).open_ended();
    let check = |script: &Script, error: Error| {
        assert!(matches!(error, Error::Protocol(ProtocolError::InvalidUtf8)), "{error:?}");
        assert_eq!(frames(script), [(FIN | CLOSE, 1007_u16.to_be_bytes().to_vec())]);
    };
    let script = new();
    let mut websocket =
        blocking::WebSocket::from_parts(script.clone(), server(Config::default()), &[]);
    check(&script, websocket.read().map(|_| ()).unwrap_err());
    let script = new();
    check(&script, over_tokio(&script, Config::default()).read().await.map(|_| ()).unwrap_err());
    let script = new();
    let (mut receiver, _sender) = over_tokio(&script, Config::default()).split();
    check(&script, receiver.read().await.unwrap_err());
}

/// The peer breaks the protocol, and the transport is well: the Close frame that says so has left,
/// and still every later call fails, also one that has nothing left to write.
#[tokio::test]
async fn no_call_succeeds_behind_a_failure() {
    let failed = |result: Result<(), Error>| {
        let expected = matches!(result, Err(Error::Protocol(ProtocolError::Unmasked)));
        assert!(expected, "{result:?}");
    };
    let script = || Script::new(b"\x81\x01x", 4096).open_ended();
    let connection = server(Config::default());
    let mut websocket = blocking::WebSocket::from_parts(script(), connection, &[]);
    for _ in 0..2 {
        failed(websocket.recv().map(drop));
        failed(websocket.flush());
        failed(websocket.feed("x"));
        failed(websocket.send("x"));
        failed(websocket.ping(b"x"));
        failed(websocket.send_close(CloseCode::NORMAL, ""));
    }

    let mut websocket = over_tokio(&script(), Config::default());
    for _ in 0..2 {
        failed(websocket.recv().await.map(drop));
        failed(websocket.flush().await);
        failed(websocket.send_close(CloseCode::NORMAL, "").await);
    }
    let (mut receiver, mut sender) = websocket.split();
    failed(sender.flush().await);
    failed(SinkExt::<Message<'_>>::flush(&mut sender).await);
    failed(SinkExt::<Message<'_>>::close(&mut sender).await);
    failed(sender.send("x").await);
    failed(receiver.recv().await.map(drop));
}

/// The peer has sent its Close, and ended its side: the program may still have its say before it
/// answers (5.5.1), also one that has read on.
#[tokio::test]
async fn the_last_word_behind_the_end() {
    let script = || Script::new(&PEER.close(1000, ""), 4096);
    let normal = (FIN | CLOSE, 1000_u16.to_be_bytes().to_vec());
    let expected = [(FIN | TEXT, b"last".to_vec()), normal];
    let stream = script();
    let mut websocket = blocking::WebSocket::from_parts(stream.clone(), server(manual()), &[]);
    assert!(matches!(websocket.read().unwrap(), Some((Event::Close(_), _))));
    assert!(websocket.read().unwrap().is_none());
    websocket.send("last").unwrap();
    websocket.send_close(CloseCode::NORMAL, "").unwrap();
    assert_eq!(frames(&stream), expected);
    assert!(websocket.connection().closed().unwrap().clean);

    let stream = script();
    let (mut receiver, mut sender) = over_tokio(&stream, manual()).split();
    assert!(matches!(receiver.read().await.unwrap(), Some(Event::Close(_))));
    assert_eq!(receiver.read().await.unwrap(), None);
    sender.send("last").await.unwrap();
    sender.reply_close().await.unwrap();
    assert_eq!(frames(&stream), expected);
    let websocket = sender.reunite(receiver).unwrap();
    assert!(websocket.connection().closed().unwrap().clean);
}

/// The answer to the peer's Close goes to a transport that is known to be broken: at no time is
/// that a clean end.
#[tokio::test]
async fn an_answer_that_never_leaves() {
    let input = [PEER.frame(FIN | TEXT, b"a"), PEER.close(1000, "")].concat();
    let script = || Script::new(&input, 4096).with_fault(1, Fault::Reset);
    let mut websocket = blocking::WebSocket::from_parts(script(), server(Config::default()), &[]);
    assert_eq!(websocket.recv().unwrap(), Some(Message::text("a")));
    assert!(matches!(websocket.send("x"), Err(Error::Io(_))));
    assert!(matches!(websocket.read().unwrap(), Some((Event::Close(_), _))));
    assert!(!websocket.connection().closed().unwrap().clean);
    assert!(websocket.read().unwrap().is_none());
    assert!(!websocket.connection().closed().unwrap().clean);

    let mut websocket = over_tokio(&script(), Config::default());
    assert_eq!(websocket.recv().await.unwrap(), Some(Message::text("a")));
    assert!(matches!(websocket.send("x").await, Err(Error::Io(_))));
    assert!(matches!(websocket.read().await.unwrap(), Some((Event::Close(_), _))));
    assert!(!websocket.connection().closed().unwrap().clean);
    assert!(websocket.read().await.unwrap().is_none());
    assert!(!websocket.connection().closed().unwrap().clean);
}

/// A stream ends after the end or an error, and says so; a sink closes with 1000.
#[tokio::test]
async fn streams_and_sinks() {
    let input = [PEER.frame(FIN | TEXT, b"a"), PEER.close(1000, "")].concat();
    let script = Script::new(&input, 99);
    let mut websocket = over_tokio(&script, Config::default());
    assert_eq!(websocket.next().await.unwrap().unwrap(), Message::text("a"));
    SinkExt::feed(&mut websocket, Message::text("fed")).await.unwrap();
    SinkExt::<Message<'_>>::flush(&mut websocket).await.unwrap();
    SinkExt::<Message<'_>>::close(&mut websocket).await.unwrap();
    assert!(!websocket.is_terminated());
    assert!(websocket.next().await.is_none() && websocket.is_terminated());
    let normal = 1000_u16.to_be_bytes().to_vec();
    assert_eq!(frames(&script), [(FIN | TEXT, b"fed".to_vec()), (FIN | CLOSE, normal)]);

    let (mut receiver, mut sender) =
        over_tokio(&Script::new(&PEER.frame(FIN | 0x3, b""), 99), Config::default()).split();
    assert!(!receiver.is_terminated());
    assert!(matches!(receiver.next().await, Some(Err(Error::Protocol(_)))));
    assert!(receiver.is_terminated() && receiver.next().await.is_none());
    let failed = SinkExt::send(&mut sender, Message::text("late")).await;
    assert!(matches!(failed, Err(Error::Protocol(ProtocolError::ReservedOpcode(3)))), "{failed:?}");
}

#[tokio::test]
async fn a_stream_of_chunks_is_not_one_of_messages() {
    let mut config = Config::default();
    config.delivery = websocket_proto::Delivery::Chunks;
    let script = Script::new(&PEER.frame(FIN | TEXT, b"a"), 99).open_ended();
    let received = over_tokio(&script, config).recv().await;
    assert!(matches!(received, Err(Error::Misuse(ApiMisuse::ChunksDelivered))), "{received:?}");
}

#[test]
fn halves_of_others_say_so() {
    let half = || over_tokio(&Script::new(&[], 1), Config::default()).split();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _guard = runtime.enter();
    let error = half().1.reunite(half().0).unwrap_err();
    assert_eq!(error.to_string(), "halves are not of the same connection");
}

#[test]
fn over_a_stream_of_futures() {
    let script = Script::new(b"", 99);
    let connection = server(Config::default());
    let websocket =
        io::futures::WebSocket::from_parts(script.clone(), no_sleep, connection, b"left");
    assert!(!websocket.stream().is_shut());
    assert!(format!("{websocket:?}").contains("Futures { stream: Script"), "{websocket:?}");
    let parts = websocket.into_parts();
    assert_eq!((&parts.leftover[..], parts.event), (&b"left"[..], None));
    assert_eq!(parts.stream.handles(), 2);
}

/// Both ends, from the handshake on.
#[tokio::test]
async fn a_handshake_over_streams_of_futures() {
    let (ours, theirs) = tokio::io::duplex(1000);
    let client = async {
        let (mut websocket, _) =
            io::tokio::client(theirs, ClientRequest::new("a", "/"), &ClientOptions::default())
                .await
                .unwrap();
        websocket.close(CloseCode::NORMAL, "").await
    };
    let server = async {
        let mut websocket = io::futures::accept(Compat(ours), no_sleep).await?;
        websocket.recv().await
    };
    let (closed, received) = tokio::join!(client, server);
    closed.unwrap();
    assert_eq!(received.unwrap(), None);
}

/// tokio's stream as one of `futures-io`.
struct Compat(tokio::io::DuplexStream);

impl futures_util::AsyncRead for Compat {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buffer: &mut [u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        io::tokio::Tokio::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl futures_util::AsyncWrite for Compat {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        io::tokio::Tokio::new(&mut self.0).poll_write(cx, &[std::io::IoSlice::new(bytes)])
    }

    fn poll_flush(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        io::tokio::Tokio::new(&mut self.0).poll_flush(cx)
    }

    fn poll_close(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        io::tokio::Tokio::new(&mut self.0).poll_shutdown(cx)
    }
}

/// A nearer deadline than the one that the program's timer was made for.
#[tokio::test]
async fn a_timer_is_made_again() {
    let times = std::cell::RefCell::new(Vec::new());
    let sleep = |time| {
        times.borrow_mut().push(time);
        pending::<()>()
    };
    let script = Script::new(&[], 99).open_ended();
    let connection = server(Config::default());
    let mut websocket = io::futures::WebSocket::from_parts(script, sleep, connection, &[]);
    assert!(poll!(pin!(websocket.recv())).is_pending());
    websocket.send_close(CloseCode::NORMAL, "").await.unwrap();
    assert!(poll!(pin!(websocket.recv())).is_pending());
    let times = times.borrow();
    assert!(times.len() == 2 && times[1] <= Duration::from_secs(10), "{times:?}");
    assert!(times[0] > Duration::from_secs(10), "{times:?}");
}

/// What fits only into an empty queue waits until it is.
#[tokio::test]
async fn a_message_as_large_as_the_queue() {
    let large = vec![7; Config::default().output_hard_limit - 100];
    let small = vec![1; 1000];
    let check = |script: &Script| {
        let sizes: Vec<_> = frames(script).iter().map(|(_, payload)| payload.len()).collect();
        assert_eq!(sizes.iter().sum::<usize>(), small.len() + large.len());
    };
    let script = Script::new(&[], 4096).open_ended();
    let mut websocket = over_tokio(&script, Config::default());
    websocket.feed(&small[..]).await.unwrap();
    websocket.send(&large[..]).await.unwrap();
    check(&script);
    let script = Script::new(&[], 4096).open_ended();
    let mut websocket =
        blocking::WebSocket::from_parts(script.clone(), server(Config::default()), &[]);
    websocket.feed(&small[..]).unwrap();
    websocket.send(&large[..]).unwrap();
    check(&script);
}

#[tokio::test]
async fn a_close_with_a_code_that_must_not_be_sent() {
    let script = Script::new(&[], 99).open_ended();
    let misuse = over_tokio(&script, Config::default()).close(CloseCode::ABNORMAL, "").await;
    let is_misuse = |result: &Result<(), Error>| {
        matches!(result, Err(Error::Misuse(ApiMisuse::CloseCodeNotAllowed(1006))))
    };
    assert!(is_misuse(&misuse), "{misuse:?}");
    let misuse = blocking::WebSocket::from_parts(script.clone(), server(Config::default()), &[])
        .close(CloseCode::ABNORMAL, "");
    assert!(is_misuse(&misuse), "{misuse:?}");
    assert!(script.written().is_empty());
}

/// Several pieces in one write, over transports that go around another one.
#[test]
fn pieces_through_other_transports() {
    let script = Script::new(&[], 1 << 20).open_ended();
    let stream = Timed::new(NoDeadlines(script.clone()));
    let mut websocket = blocking::WebSocket::from_parts(stream, server(Config::default()), &[]);
    let payloads = [vec![1; 100], vec![2; 60_000], vec![3; 100]];
    for payload in &payloads {
        websocket.feed(payload.clone()).unwrap();
    }
    websocket.flush().unwrap();
    assert_eq!(frames(&script), payloads.map(|payload| (FIN | BINARY, payload)));
}

/// A ping is due, and the look at what has arrived finds the end of the transport.
#[test]
fn a_deadline_after_the_end() {
    let script = Script::new(&[], 99);
    let mut deadlines = DeadlineConfig::default();
    deadlines.ping_interval = Some(Duration::from_millis(1));
    let mut websocket = blocking::WebSocket::from_parts(script, server(Config::default()), &[])
        .with_deadlines(&deadlines);
    thread::sleep(Duration::from_millis(5));
    for _ in 0..2 {
        let sent = websocket.send("late");
        assert!(!matches!(sent, Err(Error::Protocol(ProtocolError::KeepaliveTimeout))));
    }
    let received = websocket.recv();
    let eof = matches!(received, Err(Error::Protocol(ProtocolError::UnexpectedEof)));
    assert!(eof, "{received:?}");
}
