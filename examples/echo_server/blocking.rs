//! A thread for each connection.

use std::error::Error;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use websocket_proto::io::{self, ServerOptions, blocking};

pub(crate) fn serve(
    listener: &TcpListener,
    options: &Arc<ServerOptions>,
) -> Result<(), Box<dyn Error>> {
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
        let thread = thread::Builder::new().stack_size(128 << 10).spawn(move || {
            if let Err(error) = echo(stream, &options) {
                eprintln!("connection: {error}");
            }
        });
        if let Err(error) = thread {
            eprintln!("no thread for a connection: {error}");
        }
    }
}

fn echo(stream: TcpStream, options: &ServerOptions) -> Result<(), io::Error> {
    stream.set_nodelay(true)?;
    let mut websocket =
        blocking::accept_with(stream, options, |request| Ok(options.accept(request)))?;
    // Replies are queued: `recv` writes them before it waits, all that belong to one read at once.
    while let Some(message) = websocket.recv()? {
        websocket.feed(message)?;
    }
    Ok(())
}
