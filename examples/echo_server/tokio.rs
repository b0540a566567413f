//! A task for each connection.

use std::error::Error;
use std::net;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::{runtime, select, signal, time};
use websocket_proto::handshake::Refusal;
use websocket_proto::io::tokio::{WebSocket, accept_with};
use websocket_proto::io::{self, ServerOptions};
use websocket_proto::{CloseCode, Message, SendError};

/// Connections beyond the limit that are read from, to be refused.
const MAX_REFUSING: usize = 64;

pub(crate) fn serve(
    listener: net::TcpListener,
    options: Arc<ServerOptions>,
    max_connections: usize,
    threads: Option<u16>,
) -> Result<(), Box<dyn Error>> {
    let mut builder = match threads {
        None => runtime::Builder::new_current_thread(),
        Some(threads) => {
            let mut builder = runtime::Builder::new_multi_thread();
            builder.worker_threads(threads.into());
            builder
        }
    };
    listener.set_nonblocking(true)?;
    builder.enable_all().build()?.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        // Each connection holds a receiver, so the sender knows when the last one is gone.
        let (shutdown, connections) = watch::channel(());
        select! {
            () = accept(listener, options, max_connections, connections) => {}
            result = signal::ctrl_c() => result?,
        }
        eprintln!("shutting down");
        // It does nothing but wake them up.
        shutdown.send_replace(());
        shutdown.closed().await;
        Ok(())
    })
}

async fn accept(
    listener: TcpListener,
    options: Arc<ServerOptions>,
    max_connections: usize,
    shutdown: watch::Receiver<()>,
) {
    let open = Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS)));
    let refusing = Arc::new(Semaphore::new(MAX_REFUSING));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // A connection that was gone before it was taken, or no descriptor left: neither
                // ends the server, and the second passes.
                eprintln!("accept: {error}");
                time::sleep(Duration::from_millis(10)).await;
                continue;
            }
        };
        let (permit, full) = match Arc::clone(&open).try_acquire_owned() {
            Ok(permit) => (permit, false),
            Err(_) => match Arc::clone(&refusing).try_acquire_owned() {
                Ok(permit) => (permit, true),
                Err(_) => continue, // too many even to be told so
            },
        };
        let options = Arc::clone(&options);
        let mut shutdown = shutdown.clone();
        tokio::spawn(async move {
            if let Err(error) = connection(stream, &options, full, &mut shutdown).await {
                eprintln!("connection: {error}");
            }
            drop(permit);
        });
    }
}

async fn connection(
    stream: TcpStream,
    options: &ServerOptions,
    full: bool,
    shutdown: &mut watch::Receiver<()>,
) -> Result<(), io::Error> {
    stream.set_nodelay(true)?;
    let accepted = accept_with(stream, options, |request| {
        if full { Err(Refusal::new(503)) } else { Ok(options.accept(request)) }
    });
    let mut websocket = select! {
        websocket = accepted => websocket?,
        _ = shutdown.changed() => return Ok(()),
    };
    // The loop may be dropped wherever it waits: nothing is lost, what is queued still leaves.
    let (echoed, code) = select! {
        result = echo(&mut websocket) => (result, CloseCode::NORMAL),
        _ = shutdown.changed() => (Ok(()), CloseCode::GOING_AWAY),
    };
    // However it ended: waits until the peer has read why, and has left.
    echoed.and(websocket.close(code, "").await)
}

/// Replies are queued: `read` writes them before it waits, all that belong to one read at once.
async fn echo(websocket: &mut WebSocket<TcpStream>) -> Result<(), io::Error> {
    while let Some((event, mut reply)) = websocket.read().await? {
        let Ok(message) = Message::try_from(event) else { continue };
        match reply.send(message) {
            Ok(()) => {}
            Err(SendError::Full(message)) => {
                // The peer sends faster than it reads: wait until it does.
                let message = message.into_owned();
                websocket.feed(message).await?;
            }
            Err(SendError::Misuse(misuse)) => return Err(misuse.into()),
        }
    }
    Ok(())
}
