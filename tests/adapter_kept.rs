//! S89: what the peer sends while `close` waits is dropped as it comes, not kept until the message
//! is whole. Who only sends a Close, and receives on, is still given what the peer sends before its
//! own.
//!
//! A test without the usual harness: it is alone in its process, on one thread, and reads a heap
//! that counts.

mod common;

use std::alloc::System;
use std::time::Duration;

use cap::Cap;
use common::server;
use common::wire::{BINARY, FIN, Role};
use futures_util::SinkExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use websocket_proto::io::tokio::WebSocket;
use websocket_proto::{CloseCode, Config, DeadlineConfig, Message};

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// A window, and what a pipe and a timer take.
const SLACK: usize = 160 << 10;

type Socket = WebSocket<DuplexStream>;

fn main() {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        check("close", async |mut websocket: Socket| {
            let _ = websocket.close(CloseCode::NORMAL, "").await;
        })
        .await;
        check("send_close, close", async |mut websocket: Socket| {
            websocket.send_close(CloseCode::NORMAL, "").await.unwrap();
            let _ = websocket.close(CloseCode::NORMAL, "").await;
        })
        .await;
        check("Sink::close, close", async |mut websocket: Socket| {
            SinkExt::<Message<'_>>::close(&mut websocket).await.unwrap();
            let _ = websocket.close(CloseCode::NORMAL, "").await;
        })
        .await;
        check("halves, reunited", async |websocket: Socket| {
            let (receiver, mut sender) = websocket.split();
            sender.send_close(CloseCode::NORMAL, "").await.unwrap();
            let mut websocket = sender.reunite(receiver).unwrap();
            let _ = websocket.close(CloseCode::NORMAL, "").await;
        })
        .await;
    });
}

/// The peer sends 0.9 MiB of a message of 1 MiB after our Close has come.
async fn check(name: &str, close: impl AsyncFnOnce(Socket)) {
    let (ours, mut peer) = duplex(4096);
    let mut deadlines = DeadlineConfig::default();
    deadlines.close = Some(Duration::from_secs(3600));
    let websocket =
        Socket::from_parts(ours, server(Config::default()), &[]).with_deadlines(&deadlines);
    let theirs = async {
        let mut close = [0; 4];
        peer.read_exact(&mut close).await.unwrap();
        assert_eq!(&close, b"\x88\x02\x03\xe8");
        let before = HEAP.allocated();
        peer.write_all(&Role::Server.header(FIN | BINARY, 1 << 20)).await.unwrap();
        for _ in 0..900 {
            peer.write_all(&[0; 1 << 10]).await.unwrap();
        }
        // All that lies in the pipe is read before the time passes.
        tokio::time::sleep(Duration::from_millis(1)).await;
        HEAP.allocated().saturating_sub(before)
    };
    let kept = tokio::select! {
        biased;
        () = close(websocket) => panic!("{name}: the end came early"),
        kept = theirs => kept,
    };
    assert!(kept <= SLACK, "{name}: {kept} bytes are kept");
    println!("test s89: {name} ... ok");
}
