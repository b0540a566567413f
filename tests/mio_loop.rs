//! Example `mio_loop`, as a process: what it echoes, how it ends a connection, whom it refuses.
#![cfg(feature = "std")]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Stdio};
use std::thread;

use common::example::our;
use common::loopback::{LONG, REQUEST};
use common::wire::{BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, Role, TEXT, first_sent};

const SERVER: Role = Role::Server;

/// The example in a process of its own, which is killed with the test.
struct Process {
    child: Child,
    addr: SocketAddr,
}

impl Process {
    fn start(arguments: &[&str]) -> Self {
        let mut command = our("mio_loop");
        command.args(["--listen", "127.0.0.1:0"]).args(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addr = line.trim_end().strip_prefix("listening on ws://").expect("its address");
        Self { child, addr: addr.parse().unwrap() }
    }

    /// A connection behind its request; a read or write that waits for long fails.
    fn connect(&self) -> Client {
        let mut stream = TcpStream::connect(self.addr).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_write_timeout(Some(LONG)).unwrap();
        stream.write_all(REQUEST).unwrap();
        Client { stream, bytes: Vec::new() }
    }

    fn open(&self) -> Client {
        let mut client = self.connect();
        let head = client.head();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        client
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Client {
    stream: TcpStream,
    /// What was read and not looked at yet.
    bytes: Vec<u8>,
}

impl Client {
    fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Reads more; false at the end.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 16 << 10];
        let count = self.stream.read(&mut buffer).expect("in time, and no reset");
        self.bytes.extend_from_slice(&buffer[..count]);
        count > 0
    }

    fn head(&mut self) -> String {
        loop {
            if let Some(at) = self.bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let rest = self.bytes.split_off(at + 4);
                let head = std::mem::replace(&mut self.bytes, rest);
                return String::from_utf8(head).unwrap();
            }
            assert!(self.read(), "no response");
        }
    }

    fn frame(&mut self) -> (u8, Vec<u8>) {
        loop {
            if let Some((frame, len)) = first_sent(&self.bytes) {
                self.bytes.drain(..len);
                assert_eq!(frame.key, None, "5.1: a server does not mask");
                return (frame.byte0, frame.payload);
            }
            assert!(self.read(), "no frame");
        }
    }

    /// A message in however many frames it comes, and its opcode.
    fn message(&mut self) -> (u8, Vec<u8>) {
        let (mut byte0, mut message) = self.frame();
        let opcode = byte0 & !FIN;
        while byte0 & FIN == 0 {
            let (next, payload) = self.frame();
            assert_eq!(next & !FIN, CONTINUATION);
            message.extend(payload);
            byte0 = next;
        }
        (opcode, message)
    }

    fn assert_echo(&mut self, opcode: u8, payload: &[u8]) {
        let (echoed, message) = self.message();
        assert_eq!((echoed, message.len()), (opcode, payload.len()));
        assert!(message == payload, "other bytes came back");
    }

    /// The next frame is a Close with this code, and nothing follows but the end.
    fn assert_closed(mut self, code: u16) {
        let (byte0, body) = self.frame();
        assert_eq!((byte0, &body[..2]), (FIN | CLOSE, &code.to_be_bytes()[..]));
        while self.read() {}
        assert_eq!(self.bytes, b"");
    }
}

/// Bytes that tell where they belong.
fn pattern(len: usize, seed: usize) -> Vec<u8> {
    (0..len).map(|at| (at.wrapping_mul(31) ^ (at >> 8) ^ seed) as u8).collect()
}

#[test]
fn messages_come_back() {
    let server = Process::start(&[]);
    let mut client = server.open();
    for len in [0, 1, 125, 126, 65_535, 65_536, 200_000] {
        let payload = pattern(len, 7);
        client.write(&SERVER.frame(FIN | BINARY, &payload));
        client.assert_echo(BINARY, &payload);
        let text = "é€x".repeat(len / 6);
        client.write(&SERVER.frame(FIN | TEXT, text.as_bytes()));
        client.assert_echo(TEXT, text.as_bytes());
    }
    // Two messages and a ping in one write, then a frame that arrives byte by byte.
    let together = [
        SERVER.frame(FIN | TEXT, b"one"),
        SERVER.frame(FIN | PING, b"?"),
        SERVER.frame(FIN | TEXT, b"two"),
    ];
    client.write(&together.concat());
    assert_eq!(client.frame(), (FIN | TEXT, b"one".to_vec()));
    assert_eq!(client.frame(), (FIN | PONG, b"?".to_vec()));
    assert_eq!(client.frame(), (FIN | TEXT, b"two".to_vec()));
    for byte in SERVER.frame(FIN | TEXT, b"slow") {
        client.write(&[byte]);
    }
    client.assert_echo(TEXT, b"slow");
}

#[test]
fn fragments_with_a_ping_in_between() {
    let server = Process::start(&[]);
    let mut client = server.open();
    client.write(&SERVER.frame(TEXT, b"Hel"));
    client.write(&SERVER.frame(FIN | PING, b"now"));
    // 5.4: a ping need not wait for the end of the message, nor its answer.
    assert_eq!(client.frame(), (FIN | PONG, b"now".to_vec()));
    client.write(&SERVER.frame(CONTINUATION, b""));
    client.write(&SERVER.frame(FIN | CONTINUATION, b"lo"));
    client.assert_echo(TEXT, b"Hello");
}

/// More than the sockets and the output hold: the server stops reading, and goes on.
#[test]
fn large_messages_to_a_client_that_reads_late() {
    let server = Process::start(&[]);
    let mut client = server.open();
    let payloads: Vec<_> = (0..6).map(|seed| pattern(1 << 20, seed)).collect();
    let mut frames = Vec::new();
    for payload in &payloads {
        frames.extend(SERVER.frame(FIN | BINARY, payload));
        frames.extend(SERVER.frame(FIN | TEXT, b"small"));
    }
    let mut writer = client.stream.try_clone().unwrap();
    let writer = thread::spawn(move || writer.write_all(&frames));
    // Another connection is served meanwhile.
    let mut other = server.open();
    other.write(&SERVER.frame(FIN | TEXT, b"and I?"));
    other.assert_echo(TEXT, b"and I?");
    for payload in &payloads {
        client.assert_echo(BINARY, payload);
        client.assert_echo(TEXT, b"small");
    }
    writer.join().unwrap().unwrap();
}

#[test]
fn each_connection_ends_by_itself() {
    let server = Process::start(&[]);
    let mut stays = server.open();
    let mut closes = server.open();
    closes.write(&SERVER.frame(FIN | TEXT, b"last words"));
    closes.write(&SERVER.close(1000, "bye"));
    closes.assert_echo(TEXT, b"last words");
    closes.assert_closed(1000);
    // Reserved opcode 3 (5.2), with a message behind it that counts no more.
    let mut breaks = server.open();
    breaks.write(&[SERVER.frame(FIN | 0x3, b""), SERVER.frame(FIN | TEXT, b"x")].concat());
    breaks.assert_closed(1002);
    drop(server.open());
    // In the middle of a large message, which is read directly.
    let mut ends = server.open();
    ends.write(&SERVER.frame(FIN | BINARY, &pattern(1 << 20, 9))[..300_000]);
    ends.stream.shutdown(Shutdown::Write).unwrap();
    while ends.read() {}
    assert_eq!(ends.bytes, b"");
    stays.write(&SERVER.frame(FIN | TEXT, b"still here"));
    stays.assert_echo(TEXT, b"still here");
    stays.write(&SERVER.close(1001, ""));
    stays.assert_closed(1001);
}

#[test]
fn a_connection_too_many_is_refused() {
    let server = Process::start(&["--max-connections", "1"]);
    let mut first = server.open();
    let head = server.connect().head();
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    first.write(&SERVER.frame(FIN | TEXT, b"a"));
    first.assert_echo(TEXT, b"a");
}
