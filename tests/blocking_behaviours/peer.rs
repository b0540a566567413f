//! The other end of a connection: a client that reads and writes frames by itself.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::thread::{self, JoinHandle};

use socket2::{Domain, SockAddr, Socket, Type};
use websocket_proto::io::ServerOptions;
use websocket_proto::io::blocking::WebSocket;

use crate::common::loopback::{LONG, REQUEST, accept};
use crate::common::wire::{FIN, PING, PONG, Role, Sent, TEXT, first_sent};

/// A peer that asked for a connection and has read the answer.
pub struct Peer {
    pub stream: TcpStream,
    unread: Vec<u8>,
}

/// What a peer has seen when its connection has ended.
#[derive(Debug, Default)]
pub struct Seen {
    pub texts: usize,
    pub pings: usize,
    pub pongs: usize,
}

pub fn open(options: &ServerOptions) -> (Peer, WebSocket<TcpStream>) {
    open_over(crate::common::loopback::loopback(), options)
}

/// The same over sockets that hold little, so that what a peer does not take is noticed soon.
pub fn open_narrow(options: &ServerOptions) -> (Peer, WebSocket<TcpStream>) {
    open_over(narrow(), options)
}

fn open_over(
    (near, far): (TcpStream, TcpStream),
    options: &ServerOptions,
) -> (Peer, WebSocket<TcpStream>) {
    let mut peer = Peer::new(near);
    peer.write(REQUEST);
    let websocket = accept(far, options).unwrap();
    peer.read_head();
    (peer, websocket)
}

/// The near end, and the far one.
pub fn narrow() -> (TcpStream, TcpStream) {
    const SIZE: usize = 32 << 10;
    let socket = || Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let (listener, near) = (socket(), socket());
    // What a listener has, its connections inherit.
    listener.set_send_buffer_size(SIZE).unwrap();
    listener.bind(&SockAddr::from(std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))).unwrap();
    listener.listen(1).unwrap();
    near.set_recv_buffer_size(SIZE).unwrap();
    near.connect(&listener.local_addr().unwrap()).unwrap();
    near.set_read_timeout(Some(LONG)).unwrap();
    (near.into(), listener.accept().unwrap().0.into())
}

impl Peer {
    pub const fn new(stream: TcpStream) -> Self {
        Self { stream, unread: Vec::new() }
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    pub fn send(&mut self, byte0: u8, payload: &[u8]) {
        self.write(&Role::Server.frame(byte0, payload));
    }

    pub fn close(&mut self, code: u16) {
        self.write(&Role::Server.close(code, ""));
    }

    fn read_head(&mut self) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
    }

    /// So many bytes at most; 0 at the end, also at a reset.
    pub fn read(&mut self, most: usize) -> usize {
        let mut bytes = vec![0; most];
        match self.stream.read(&mut bytes) {
            Ok(count) => {
                self.unread.extend_from_slice(&bytes[..count]);
                count
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
            Err(error) => panic!("{error}"),
        }
    }

    /// The next frame; none at the end.
    pub fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some((frame, len)) = first_sent(&self.unread) {
                self.unread.drain(..len);
                return Some(frame);
            }
            if self.read(4096) == 0 {
                assert!(self.unread.is_empty(), "cut off within a frame");
                return None;
            }
        }
    }

    pub fn unread(&self) -> &[u8] {
        &self.unread
    }

    /// Answers each Ping until the end.
    pub fn answers(self) -> JoinHandle<Seen> {
        self.answers_and_asks(false)
    }

    /// The same, and sends a Ping of its own with every tenth message if it `asks`.
    pub fn answers_and_asks(mut self, asks: bool) -> JoinHandle<Seen> {
        thread::spawn(move || {
            let mut seen = Seen::default();
            while let Some(frame) = self.next() {
                match frame.byte0 & 0xF {
                    PING => {
                        seen.pings += 1;
                        self.send(FIN | PONG, &frame.payload);
                    }
                    PONG => {
                        assert_eq!(frame.payload, b"of the peer");
                        seen.pongs += 1;
                    }
                    TEXT => {
                        seen.texts += 1;
                        if asks && seen.texts % 10 == 0 {
                            self.send(FIN | PING, b"of the peer");
                        }
                    }
                    _ => return seen,
                }
            }
            seen
        })
    }

    /// Reads so much each time, and then pauses.
    pub fn read_slowly(&mut self, until: impl Fn(&[u8]) -> bool) {
        while !until(&self.unread) {
            assert_ne!(self.read(16 << 10), 0, "cut off after {} bytes", self.unread.len());
            thread::sleep(crate::ms(10));
        }
    }
}
