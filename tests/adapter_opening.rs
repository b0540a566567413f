//! The opening handshake under an async adapter whose transport takes nothing, or does not end, and
//! what a program's wrong answer to a request comes to.
#![cfg(all(feature = "tokio", feature = "futures-io"))]

mod common;

use std::future::ready;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use common::loopback::REQUEST;
use common::script::Script;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex, simplex};
use tokio::time::Instant;
use websocket_proto::handshake::{Accept, ClientRequest, HandshakeError, Refusal};
use websocket_proto::io::{ClientOptions, Error, ServerOptions, futures, tokio as adapter};
use websocket_proto::{ApiMisuse, ProtocolError};

const SECOND: Duration = Duration::from_secs(1);

/// A server's end of a transport that takes 10 bytes of it and no more.
fn full() -> (impl AsyncRead + AsyncWrite + Unpin, impl AsyncRead) {
    let (left, writer) = simplex(10);
    (tokio::io::join(REQUEST, writer), left)
}

/// S10: nobody reads the response. The connection is open as far as can be seen, and has failed.
#[tokio::test(start_paused = true)]
async fn a_response_that_nobody_reads() {
    let (ours, _theirs) = full();
    let begin = Instant::now();
    let mut websocket = adapter::accept(ours).await.unwrap();
    assert_eq!(begin.elapsed(), 10 * SECOND);
    let sent = websocket.send("late").await;
    assert!(matches!(sent, Err(Error::Protocol(ProtocolError::WriteTimeout))), "{sent:?}");
}

/// The same of a refusal: the deadline of the handshake, then that of the end.
#[tokio::test(start_paused = true)]
async fn a_refusal_that_nobody_reads() {
    let (ours, _theirs) = full();
    let (options, begin) = (ServerOptions::default(), Instant::now());
    let refused = adapter::accept_with(ours, &options, |_| Err(Refusal::new(403))).await;
    assert!(matches!(refused.map(|_| ()), Err(Error::Refused(403))));
    assert!((SECOND..=20 * SECOND).contains(&begin.elapsed()), "{:?}", begin.elapsed());
}

/// A transport whose end does not leave, as that of a TLS stream over a full one.
struct Stuck(DuplexStream);

impl AsyncRead for Stuck {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stuck {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

/// S85: a refusal that has left is told when the end behind it has had its second.
#[tokio::test(start_paused = true)]
async fn an_end_that_does_not_leave() {
    let (mut theirs, ours) = duplex(4096);
    tokio::io::AsyncWriteExt::write_all(&mut theirs, REQUEST).await.unwrap();
    let (options, begin) = (ServerOptions::default(), Instant::now());
    let refused = adapter::accept_with(Stuck(ours), &options, |_| Err(Refusal::new(403))).await;
    assert!(matches!(refused.map(|_| ()), Err(Error::Refused(403))));
    assert_eq!(begin.elapsed(), SECOND);
}

/// The client is not to blame, and is told so.
#[tokio::test]
async fn answers_that_must_not_be_given() {
    let options = ServerOptions::default();
    // What comes behind the request is dropped with it.
    let input = [REQUEST, b"more"].concat();
    let unasked = Script::new(&input, 4096);
    let accepted = adapter::accept_with(unasked.clone(), &options, |_| {
        Ok(Accept::new().subprotocol(Some("chat")))
    });
    let misuse = accepted.await.map(|_| ());
    assert!(matches!(misuse, Err(Error::Misuse(ApiMisuse::SubprotocolNotOffered))), "{misuse:?}");
    let no_refusal = Script::new(&input, 4096);
    let refused =
        adapter::accept_with(no_refusal.clone(), &options, |_| Err(Refusal::new(200))).await;
    let misuse = refused.map(|_| ());
    assert!(matches!(misuse, Err(Error::Misuse(ApiMisuse::InvalidStatus(200)))), "{misuse:?}");
    for script in [unasked, no_refusal] {
        assert!(script.written().starts_with(b"HTTP/1.1 500 "));
        assert!(script.is_shut());
    }
}

/// A timer that the program brings, which fires late or early: the deadline is kept.
#[tokio::test]
async fn a_timer_of_the_program() {
    let mut options = ClientOptions::default();
    options.deadlines.handshake = Some(Duration::from_millis(5));
    for part in [1, 3] {
        let sleep = |time: Duration| {
            thread::sleep(time / part);
            ready(())
        };
        let silent = Script::new(&[], 99).open_ended();
        let opened = futures::client(silent, sleep, ClientRequest::new("a", "/"), &options).await;
        let error = opened.map(|_| ());
        assert!(matches!(error, Err(Error::Handshake(HandshakeError::Timeout))), "{error:?}");
    }
}
