//! A thread for each connection.

use std::error::Error;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use websocket_proto::CloseCode;
use websocket_proto::handshake::Refusal;
use websocket_proto::io::blocking::{WebSocket, accept_with};
use websocket_proto::io::{self, ServerOptions};

/// Connections beyond the limit that are read from, to be refused.
const MAX_REFUSING: usize = 64;

pub(crate) fn serve(
    listener: &TcpListener,
    options: &Arc<ServerOptions>,
    max_connections: usize,
) -> Result<(), Box<dyn Error>> {
    // Each open connection has a clone of it.
    let open = Arc::new(());
    loop {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) => {
                // A connection that was gone before it was taken, or no descriptor left: neither
                // ends the server, and the second passes.
                eprintln!("accept: {error}");
                thread::sleep(Duration::from_millis(10));
                continue;
            }
        };
        let options = Arc::clone(options);
        let this = Arc::clone(&open);
        let others = Arc::strong_count(&open) - 2;
        if others >= max_connections.saturating_add(MAX_REFUSING) {
            continue; // too many even to be told so
        }
        let thread = thread::Builder::new().stack_size(128 << 10).spawn(move || {
            if let Err(error) = echo(stream, &options, others >= max_connections) {
                eprintln!("connection: {error}");
            }
            drop(this);
        });
        if let Err(error) = thread {
            eprintln!("no thread for a connection: {error}");
        }
    }
}

fn echo(stream: TcpStream, options: &ServerOptions, full: bool) -> Result<(), io::Error> {
    stream.set_nodelay(true)?;
    let mut websocket = accept_with(stream, options, |request| {
        if full { Err(Refusal::new(503)) } else { Ok(options.accept(request)) }
    })?;
    let answered = answer(&mut websocket);
    // However it ended: waits until the peer has read why, and has left.
    answered.and(websocket.close(CloseCode::NORMAL, ""))
}

/// Replies are queued: `recv` writes them before it waits, all that belong to one read at once.
fn answer(websocket: &mut WebSocket<TcpStream>) -> Result<(), io::Error> {
    while let Some(message) = websocket.recv()? {
        websocket.feed(message)?;
    }
    Ok(())
}
