//! A server over loopback, and the test as its client.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use websocket_proto::io::blocking::{self, WebSocket};
use websocket_proto::io::{Error, ServerOptions};

pub const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// The test's end of a connection over loopback, and the other end.
pub fn loopback() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    // A test that waits for ever fails.
    near.set_read_timeout(Some(LONG)).unwrap();
    (near, listener.accept().unwrap().0)
}

pub const LIMIT: Duration = Duration::from_millis(300);
/// A deadline that has not been kept by then is lost; a busy machine may take its time.
pub const LONG: Duration = Duration::from_secs(8);

pub fn options() -> ServerOptions {
    let mut options = ServerOptions::default();
    options.deadlines.handshake = Some(LIMIT);
    options.deadlines.close = Some(LIMIT);
    options
}

pub fn accept(far: TcpStream, options: &ServerOptions) -> Result<WebSocket<TcpStream>, Error> {
    blocking::accept_with(far, options, |request| Ok(options.accept(request)))
}

/// Starts a connection over loopback; returns the test's end, behind the 101.
pub fn opened(options: ServerOptions) -> (TcpStream, WebSocket<TcpStream>) {
    let (mut near, far) = loopback();
    near.write_all(REQUEST).unwrap();
    let websocket = accept(far, &options).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        near.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    (near, websocket)
}

/// Reads to the end while 1 MiB more is sent, which nobody asked for: a transport that was closed
/// over it would be reset, and the answer lost.
pub fn answer_behind_a_mebibyte(near: TcpStream) -> Vec<u8> {
    let mut writer = near.try_clone().unwrap();
    let flood = thread::spawn(move || {
        let _ = writer.write_all(&vec![0; 1 << 20]);
        let _ = writer.shutdown(Shutdown::Write);
    });
    flood.join().unwrap();
    let mut answer = Vec::new();
    (&near).read_to_end(&mut answer).unwrap();
    answer
}
