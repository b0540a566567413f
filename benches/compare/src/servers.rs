//! Echo servers of the neighbours and of our adapter for tokio, on one thread each, written as
//! their own examples are.
//!
//! `send` loops answer each message for itself. `feed` loops answer all that has arrived and flush
//! before they wait; ours needs no
//! flush, since `recv` does it. `lent` answers each event while it is lent.

use std::io;
use std::net::SocketAddr;

use futures_util::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{LocalSet, spawn_local};

/// What `serve --engine` takes.
pub const NAMES: &[&str] = &[
    "ideal, epoll",
    "ideal, tokio",
    "websocket-proto, lent",
    "websocket-proto, feed",
    "websocket-proto, send",
    "tokio-tungstenite",
    "tokio-tungstenite, feed",
    "tokio-websockets",
    "tokio-websockets, feed",
    "fastwebsockets",
    "yawc",
    "yawc, feed",
    "sockudo-ws",
    "sockudo-ws, feed",
];

/// Serves until the process is killed.
pub fn serve(engine: &str, addr: SocketAddr) -> io::Result<()> {
    match engine {
        "ideal, epoll" => crate::ideal_server::epoll(addr),
        "ideal, tokio" => each(addr, crate::ideal_server::tokio),
        "websocket-proto, lent" => each(addr, lent),
        "websocket-proto, feed" => each(addr, |stream| owned(stream, true)),
        "websocket-proto, send" => each(addr, |stream| owned(stream, false)),
        "tokio-tungstenite" => each(addr, |stream| tungstenite(stream, false)),
        "tokio-tungstenite, feed" => each(addr, |stream| tungstenite(stream, true)),
        "tokio-websockets" => each(addr, |stream| tokio_websockets(stream, false)),
        "tokio-websockets, feed" => each(addr, |stream| tokio_websockets(stream, true)),
        "fastwebsockets" => each(addr, fastwebsockets),
        "yawc" => each(addr, |stream| yawc(stream, false)),
        "yawc, feed" => each(addr, |stream| yawc(stream, true)),
        "sockudo-ws" => each(addr, |stream| sockudo(stream, false)),
        "sockudo-ws, feed" => each(addr, |stream| sockudo(stream, true)),
        other => Err(io::Error::other(format!("no server {other}; there are {NAMES:?}"))),
    }
}

/// Accepts for ever; a task for each connection, whose end (the generator resets it) is no news.
fn each<F: Future + 'static>(addr: SocketAddr, answer: impl Fn(TcpStream) -> F) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind(addr).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            spawn_local(answer(stream));
        }
    })
}

/// The natural loop, or the one that gathers replies.
async fn echo<W, M, E>(mut websocket: W, feed: bool, is_data: impl Fn(&M) -> bool)
where
    W: Stream<Item = Result<M, E>> + Sink<M, Error = E> + Unpin,
{
    if !feed {
        while let Some(Ok(message)) = websocket.next().await {
            if is_data(&message) && websocket.send(message).await.is_err() {
                return;
            }
        }
        return;
    }
    while let Some(Ok(message)) = websocket.next().await {
        if is_data(&message) && websocket.feed(message).await.is_err() {
            return;
        }
        while let Some(next) = websocket.next().now_or_never() {
            let Some(Ok(message)) = next else { return };
            if is_data(&message) && websocket.feed(message).await.is_err() {
                return;
            }
        }
        if websocket.flush().await.is_err() {
            return;
        }
    }
}

async fn lent(stream: TcpStream) {
    use websocket_proto::{Message, SendError};
    let Ok(mut websocket) = websocket_proto::io::tokio::accept(stream).await else { return };
    while let Ok(Some((event, mut reply))) = websocket.read().await {
        let Ok(message) = Message::try_from(event) else { continue };
        match reply.send(message) {
            Ok(()) => {}
            Err(SendError::Full(message)) => {
                let message = message.into_owned();
                if websocket.feed(message).await.is_err() {
                    return;
                }
            }
            Err(SendError::Misuse(_)) => return,
        }
    }
}

async fn owned(stream: TcpStream, feed: bool) {
    let Ok(mut websocket) = websocket_proto::io::tokio::accept(stream).await else { return };
    while let Ok(Some(message)) = websocket.recv().await {
        let sent = match feed {
            true => websocket.feed(message).await,
            false => websocket.send(message).await,
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn tungstenite(stream: TcpStream, feed: bool) {
    let Ok(websocket) = tokio_tungstenite::accept_async(stream).await else { return };
    echo(websocket, feed, |message| message.is_text() || message.is_binary()).await;
}

async fn tokio_websockets(stream: TcpStream, feed: bool) {
    let Ok((_, websocket)) = tokio_websockets::ServerBuilder::new().accept(stream).await else {
        return;
    };
    echo(websocket, feed, |message| message.is_text() || message.is_binary()).await;
}

async fn sockudo(mut stream: TcpStream, feed: bool) {
    if sockudo_ws::handshake::server_handshake(&mut stream).await.is_err() {
        return;
    }
    let websocket = sockudo_ws::WebSocketStream::server(stream, sockudo_ws::Config::default());
    echo(websocket, feed, |message: &sockudo_ws::Message| message.is_text() || message.is_binary())
        .await;
}

/// Its handshake goes through hyper.
async fn fastwebsockets(stream: TcpStream) {
    use fastwebsockets::{FragmentCollector, OpCode, upgrade};
    upgraded(stream, |mut request| {
        let (response, upgraded) = upgrade::upgrade(&mut request).expect("a good request");
        spawn_local(async move {
            let Ok(websocket) = upgraded.await else { return };
            let mut websocket = FragmentCollector::new(websocket);
            while let Ok(frame) = websocket.read_frame().await {
                if matches!(frame.opcode, OpCode::Text | OpCode::Binary)
                    && websocket.write_frame(frame).await.is_err()
                {
                    return;
                }
            }
        });
        response
    })
    .await;
}

/// So does this one's.
async fn yawc(stream: TcpStream, feed: bool) {
    upgraded(stream, move |request| {
        // Its limit for a frame is exclusive, and 1 MiB by default.
        let options = yawc::Options::default().with_utf8().with_limits(4 << 20, 8 << 20);
        let (response, upgraded) =
            yawc::WebSocket::upgrade_with_options(request, options).expect("a good request");
        spawn_local(async move {
            let Ok(websocket) = upgraded.await else { return };
            let websocket = websocket.map(Ok::<_, yawc::WebSocketError>);
            echo(websocket, feed, |frame: &yawc::Frame| {
                matches!(frame.opcode(), yawc::OpCode::Text | yawc::OpCode::Binary)
            })
            .await;
        });
        response
    })
    .await;
}

type Response = hyper::Response<http_body_util::Empty<bytes::Bytes>>;

async fn upgraded(
    stream: TcpStream,
    answer: impl Fn(hyper::Request<hyper::body::Incoming>) -> Response,
) {
    let service = hyper::service::service_fn(|request| {
        std::future::ready(Ok::<_, io::Error>(answer(request)))
    });
    let io = hyper_util::rt::TokioIo::new(stream);
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(io, service);
    let _ = connection.with_upgrades().await;
}
