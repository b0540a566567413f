//! S76: connections that are opened and closed, half of them by a reset, leave nothing behind:
//! memory and descriptors are back where they were. Over loopback, blocking and tokio.
//!
//! A test without the usual harness: it is alone in its process, so what is counted is its own.
//! `cargo test --all-features --test churn -- --connections 10000` is the size that the policy
//! names. A reset is what Linux makes of a socket that is closed with unread input.

use std::alloc::System;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::thread;

use cap::Cap;
use websocket_proto::CloseCode;
use websocket_proto::handshake::ClientRequest;
use websocket_proto::io::{ClientOptions, Error, blocking};

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// Pools are filled and tables have grown by then.
const WARM_UP: usize = 200;
/// What may differ by chance: how long the tables of a runtime are.
const SLACK: usize = 16 << 10;

/// Runs so many connections; returns how many ended cleanly.
type Churn = fn(usize) -> usize;

fn main() {
    if !cfg!(target_os = "linux") {
        return; // it counts descriptors in /proc
    }
    let count = count();
    let adapters: &[(&str, Churn)] = &[
        ("blocking", over_blocking),
        #[cfg(feature = "tokio")]
        ("tokio", over_tokio::run),
    ];
    for (name, churn) in adapters {
        churn(WARM_UP);
        let before = (HEAP.allocated(), descriptors(), resident());
        let clean = churn(count);
        let after = (HEAP.allocated(), descriptors(), resident());
        println!(
            "test s76 {name}: {count} connections, {clean} closed cleanly; heap {} -> {}, \
             descriptors {} -> {}, resident {} -> {} KiB",
            before.0, after.0, before.1, after.1, before.2, after.2
        );
        assert_eq!(clean, count / 2, "half are reset");
        assert_eq!(after.1, before.1, "descriptors");
        assert!(after.0 <= before.0 + SLACK, "{} bytes stay", after.0 - before.0);
        assert!(after.2 <= before.2 + 4096, "resident memory grows");
    }
}

fn count() -> usize {
    let mut arguments = std::env::args();
    match arguments.find(|argument| argument == "--connections") {
        Some(_) => arguments.next().and_then(|count| count.parse().ok()).expect("a number"),
        None => 1000,
    }
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("proc").count()
}

/// In KiB.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.trim_end_matches("kB").trim().parse().expect("a number")
}

/// A server says hello, and waits for the end, which it tells.
fn serve(stream: TcpStream) -> Result<(), Error> {
    let mut websocket = blocking::accept(stream)?;
    websocket.send("hello")?;
    while websocket.recv()?.is_some() {}
    Ok(())
}

fn over_blocking(count: usize) -> usize {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = thread::spawn(move || {
        (0..count).filter(|_| serve(listener.accept().expect("a client").0).is_ok()).count()
    });
    for index in 0..count {
        let stream = TcpStream::connect(address).expect("a server");
        let request = ClientRequest::new(address.to_string(), "/");
        let (mut websocket, _) =
            blocking::client(stream, request, &ClientOptions::default()).expect("open");
        if index % 2 == 0 {
            assert!(websocket.recv().expect("no fault").is_some());
            websocket.close(CloseCode::NORMAL, "").expect("both have closed");
        } else {
            // The message may have come with the 101; a frame that is not read follows.
            websocket.ping(b"?").expect("open");
            websocket.stream().peek(&mut [0]).expect("the message, or the pong");
        }
    }
    server.join().expect("no panic")
}

#[cfg(feature = "tokio")]
mod over_tokio {
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::JoinSet;
    use websocket_proto::CloseCode;
    use websocket_proto::handshake::ClientRequest;
    use websocket_proto::io::tokio::{accept, client};
    use websocket_proto::io::{ClientOptions, Error};

    /// Open at once.
    const AT_ONCE: usize = 50;

    pub(super) fn run(count: usize) -> usize {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(churn(count))
    }

    async fn churn(count: usize) -> usize {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (mut clients, mut servers) = (JoinSet::new(), JoinSet::new());
        let mut clean = 0;
        for index in 0..count {
            clients.spawn(async move {
                let stream = TcpStream::connect(address).await.expect("a server");
                talk(stream, index % 2 == 0).await;
            });
            let (stream, _) = listener.accept().await.expect("a client");
            servers.spawn(async move { serve(stream).await.is_ok() });
            while clients.len() >= AT_ONCE {
                clients.join_next().await.expect("there are some").expect("no panic");
                clean += usize::from(servers.join_next().await.expect("one").expect("no panic"));
            }
        }
        while let Some(ended) = clients.join_next().await {
            ended.expect("no panic");
        }
        while let Some(ended) = servers.join_next().await {
            clean += usize::from(ended.expect("no panic"));
        }
        clean
    }

    async fn serve(stream: TcpStream) -> Result<(), Error> {
        let mut websocket = accept(stream).await?;
        websocket.send("hello").await?;
        while websocket.recv().await?.is_some() {}
        Ok(())
    }

    async fn talk(stream: TcpStream, closes: bool) {
        let request = ClientRequest::new("localhost", "/");
        let (mut websocket, _) =
            client(stream, request, &ClientOptions::default()).await.expect("open");
        if closes {
            assert!(websocket.recv().await.expect("no fault").is_some());
            websocket.close(CloseCode::NORMAL, "").await.expect("both have closed");
        } else {
            websocket.ping(b"?").await.expect("open");
            websocket.stream().peek(&mut [0]).await.expect("the message, or the pong");
        }
    }
}
