//! Opening handshakes over loopback, as fast as the server answers them.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::handshake;
use crate::latency::Latency;
use crate::load::{Load, Outcome, PATIENCE, reset};

/// Opening handshakes: connect, request, 101, reset; `connections` at a time. The latency is that of
/// one whole round.
pub fn handshakes(load: &Load, mark: &mut dyn FnMut()) -> io::Result<Outcome> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let mut messages = 0;
    let mut latency = Latency::default();
    let mut dialers = Vec::new();
    for index in 0..load.connections {
        dialers.push(Dialer::new(load.addr, index, &mut poll)?);
    }
    mark();
    let start = Instant::now();
    let end = start + Duration::from_secs_f64(load.seconds);
    let mut last = start;
    while Instant::now() < end {
        poll.poll(&mut events, Some(Duration::from_millis(100)))?;
        for event in &events {
            let index = event.token().0;
            if dialers[index].step()? {
                last = Instant::now();
                messages += 1;
                latency.add(last - dialers[index].begun);
                dialers[index] = Dialer::new(load.addr, index, &mut poll)?;
            }
        }
        if last.elapsed() > PATIENCE {
            return Err(io::Error::other("no handshake ends any more"));
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    mark();
    Ok(Outcome { messages, seconds, latency })
}

struct Dialer {
    stream: TcpStream,
    begun: Instant,
    sent: bool,
    response: Vec<u8>,
}

impl Dialer {
    fn new(addr: SocketAddr, index: usize, poll: &mut Poll) -> io::Result<Self> {
        let mut stream = TcpStream::connect(addr)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream, Token(index), interest)?;
        Ok(Self { stream, begun: Instant::now(), sent: false, response: Vec::new() })
    }

    /// Whether the answer is there; it is checked.
    fn step(&mut self) -> io::Result<bool> {
        if !self.sent {
            match self.stream.write(handshake::REQUEST.as_bytes()) {
                Ok(count) if count == handshake::REQUEST.len() => self.sent = true,
                Ok(_) => return Err(io::Error::other("a part of the request was written")),
                Err(error) if would_block(&error) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        let mut buffer = [0; 2048];
        match self.stream.read(&mut buffer) {
            Ok(0) => return Err(io::Error::other("the server closed during a handshake")),
            Ok(count) => self.response.extend_from_slice(&buffer[..count]),
            Err(error) if would_block(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
        if !self.response.ends_with(b"\r\n\r\n") {
            return Ok(false);
        }
        handshake::check(&String::from_utf8_lossy(&self.response)).map_err(io::Error::other)?;
        Ok(true)
    }
}

impl Drop for Dialer {
    fn drop(&mut self) {
        reset(&self.stream);
    }
}

fn would_block(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected)
}
