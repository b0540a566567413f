//! The load generator: one thread over epoll, frames encoded beforehand, every echoed byte compared.
//! It shares no code with any WebSocket implementation.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::handshake;
use crate::latency::Latency;
use crate::wire::{Content, Random, encode};

#[derive(Clone, Debug)]
pub struct Load {
    pub addr: SocketAddr,
    pub connections: usize,
    /// Bytes of payload in a message.
    pub size: usize,
    /// Messages of a connection that wait for their echo at any time.
    pub in_flight: usize,
    pub text: bool,
    pub seconds: f64,
}

#[derive(Clone, Debug)]
pub struct Outcome {
    pub messages: u64,
    pub seconds: f64,
    pub latency: Latency,
}

impl Outcome {
    pub fn rate(&self) -> f64 {
        self.messages as f64 / self.seconds
    }
}

/// Connects, warms up for a fifth of the time, measures. `mark` is called when the measuring
/// begins and when it ends.
pub fn run(load: &Load, mark: &mut dyn FnMut()) -> io::Result<Outcome> {
    let script = Script::new(load);
    let mut poll = Poll::new()?;
    let mut peers = open(load, &mut poll, &script)?;
    let mut events = Events::with_capacity(1024);
    let mut buffer = vec![0; 256 << 10];
    let begin = Instant::now();
    let warm = Duration::from_secs_f64(load.seconds / 5.0);
    let mut meter = Meter { begin, messages: 0, latency: Latency::default() };
    for peer in &mut peers {
        peer.sent_to_fill(&script, &mut meter)?;
    }
    turn(&mut poll, &mut events, &mut peers, &mut buffer, &script, &mut meter, begin + warm)?;
    meter.messages = 0;
    meter.latency = Latency::default();
    mark();
    let start = Instant::now();
    let end = start + Duration::from_secs_f64(load.seconds);
    turn(&mut poll, &mut events, &mut peers, &mut buffer, &script, &mut meter, end)?;
    let seconds = start.elapsed().as_secs_f64();
    mark();
    Ok(Outcome { messages: meter.messages, seconds, latency: meter.latency })
}

/// Keeps connections open that have each sent one message and seen its echo.
pub fn idle(load: &Load) -> io::Result<Idle> {
    let script = Script::new(load);
    let mut poll = Poll::new()?;
    let mut peers = open(load, &mut poll, &script)?;
    let mut events = Events::with_capacity(1024);
    let mut buffer = vec![0; 64 << 10];
    let mut meter = Meter { begin: Instant::now(), messages: 0, latency: Latency::default() };
    for peer in &mut peers {
        peer.limit = 1;
        peer.sent_to_fill(&script, &mut meter)?;
    }
    let deadline = Instant::now() + PATIENCE;
    while meter.messages < load.connections as u64 {
        let until = Instant::now() + Duration::from_millis(50);
        turn(&mut poll, &mut events, &mut peers, &mut buffer, &script, &mut meter, until)?;
        if Instant::now() > deadline {
            return Err(io::Error::other("the echoes do not come"));
        }
    }
    Ok(Idle { _peers: peers })
}

/// Open connections. They are reset when dropped.
pub struct Idle {
    _peers: Vec<Peer>,
}

/// After so long without progress the server is taken for dead.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What every connection sends and expects: a few different messages, over and over.
struct Script {
    opcode: u8,
    payloads: Vec<Vec<u8>>,
    /// The frames, twice over, so that any run of `in_flight` frames is contiguous.
    frames: Vec<u8>,
    frame_len: usize,
    in_flight: usize,
}

impl Script {
    fn new(load: &Load) -> Self {
        let count = load.in_flight.max(4);
        let mut random = Random(3);
        let content = if load.text { Content::Mixed } else { Content::Binary };
        let payloads: Vec<Vec<u8>> =
            (0..count).map(|_| random.content(content, load.size)).collect();
        let opcode = if load.text { 1 } else { 2 };
        let mut frames = Vec::new();
        for payload in payloads.iter().chain(&payloads) {
            let key = (random.next_u64() as u32).to_ne_bytes();
            encode(true, opcode, Some(key), payload, &mut frames);
        }
        let frame_len = frames.len() / (2 * count);
        Self { opcode, payloads, frames, frame_len, in_flight: load.in_flight }
    }
}

struct Meter {
    begin: Instant,
    messages: u64,
    latency: Latency,
}

struct Peer {
    stream: TcpStream,
    /// Messages whose frames have been handed to `write`, at least in part, or are next.
    queued: u64,
    /// Bytes written so far.
    written: u64,
    echoed: u64,
    limit: u64,
    /// When each message in flight was queued, in nanoseconds of the meter.
    times: Vec<u64>,
    head: Head,
}

/// Where the reader stands in the echo.
#[derive(Default)]
struct Head {
    bytes: [u8; 10],
    have: usize,
    fin: bool,
    /// A data frame or, later, a continuation.
    in_message: bool,
    /// Bytes of the message compared so far.
    compared: usize,
    /// Bytes of the frame to come.
    left: usize,
    skip: bool,
}

impl Peer {
    /// Queues frames until as many as allowed are in flight, and writes.
    fn sent_to_fill(&mut self, script: &Script, meter: &mut Meter) -> io::Result<()> {
        let goal = (self.echoed + script.in_flight as u64).min(self.limit);
        if self.queued < goal {
            let now = meter.begin.elapsed().as_nanos() as u64;
            for index in self.queued..goal {
                self.times[(index % script.in_flight as u64) as usize] = now;
            }
            self.queued = goal;
        }
        self.write(script)
    }

    fn write(&mut self, script: &Script) -> io::Result<()> {
        let cycle = (script.frame_len * script.payloads.len()) as u64;
        loop {
            let pending = (self.queued * script.frame_len as u64 - self.written) as usize;
            if pending == 0 {
                return Ok(());
            }
            let start = (self.written % cycle) as usize;
            let end = (start + pending).min(script.frames.len());
            match self.stream.write(&script.frames[start..end]) {
                Ok(count) => self.written += count as u64,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn read(&mut self, buffer: &mut [u8], script: &Script, meter: &mut Meter) -> io::Result<()> {
        loop {
            let count = match self.stream.read(buffer) {
                Ok(0) => return Err(io::Error::other("the server closed a connection")),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let before = self.echoed;
            self.compare(&buffer[..count], script)?;
            if self.echoed != before {
                let now = meter.begin.elapsed().as_nanos() as u64;
                for index in before..self.echoed {
                    let sent = self.times[(index % script.in_flight as u64) as usize];
                    meter.latency.add(Duration::from_nanos(now - sent));
                }
                meter.messages += self.echoed - before;
            }
            // Edge-triggered epoll reports what comes after a read that emptied the socket.
            if count < buffer.len() {
                return Ok(());
            }
        }
    }

    /// Reads the echo, in however many fragments it comes.
    fn compare(&mut self, mut bytes: &[u8], script: &Script) -> io::Result<()> {
        let wrong = |what: &str| Err(io::Error::other(format!("the echo is wrong: {what}")));
        loop {
            if bytes.is_empty() {
                return Ok(());
            }
            if self.head.left == 0 && !self.head(&mut bytes, script)? {
                return Ok(());
            }
            let head = &mut self.head;
            let (part, rest) = bytes.split_at(head.left.min(bytes.len()));
            bytes = rest;
            head.left -= part.len();
            if head.skip {
                head.skip = head.left > 0;
                continue;
            }
            let payload = &script.payloads[(self.echoed % script.payloads.len() as u64) as usize];
            let end = head.compared + part.len();
            if payload.get(head.compared..end) != Some(part) {
                return wrong("payload");
            }
            head.compared = end;
            if head.left == 0 && head.fin {
                if head.compared != payload.len() {
                    return wrong("length");
                }
                head.in_message = false;
                head.compared = 0;
                self.echoed += 1;
                if self.echoed > self.queued {
                    return wrong("more echoes than messages");
                }
            } else if head.left > 0 {
                return Ok(());
            }
        }
    }

    /// Reads a frame header; false until it is whole.
    fn head(&mut self, bytes: &mut &[u8], script: &Script) -> io::Result<bool> {
        let head = &mut self.head;
        loop {
            let need = match (head.have, head.bytes[1]) {
                (0 | 1, _) => 2,
                (_, 126) => 4,
                (_, 127) => 10,
                _ => 2,
            };
            if head.have >= need {
                break;
            }
            let Some(&byte) = bytes.split_off_first() else { return Ok(false) };
            head.bytes[head.have] = byte;
            head.have += 1;
        }
        head.have = 0;
        let [byte0, byte1, rest @ ..] = head.bytes;
        head.left = match byte1 {
            126 => u16::from_be_bytes([rest[0], rest[1]]) as usize,
            127 => u64::from_be_bytes(rest) as usize,
            len => len as usize,
        };
        let expected = if head.in_message { 0 } else { script.opcode };
        match byte0 & 0x7F {
            0x9 | 0xA => head.skip = true, // a ping may stay unanswered for a few seconds
            opcode if opcode == expected => {
                head.fin = byte0 & 0x80 != 0;
                head.in_message = true;
            }
            other => return Err(io::Error::other(format!("the echo is wrong: opcode {other:#x}"))),
        }
        Ok(true)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        reset(&self.stream);
    }
}

/// Closing with a reset leaves no port in TIME-WAIT.
pub fn reset(stream: &TcpStream) {
    let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

fn turn(
    poll: &mut Poll,
    events: &mut Events,
    peers: &mut [Peer],
    buffer: &mut [u8],
    script: &Script,
    meter: &mut Meter,
    until: Instant,
) -> io::Result<()> {
    let mut progress = (meter.messages, Instant::now());
    loop {
        let now = Instant::now();
        if now >= until {
            return Ok(());
        }
        if meter.messages != progress.0 {
            progress = (meter.messages, now);
        } else if now - progress.1 > PATIENCE {
            return Err(io::Error::other("no echo comes any more"));
        }
        poll.poll(events, Some((until - now).min(Duration::from_millis(100))))?;
        for event in events.iter() {
            let peer = &mut peers[event.token().0];
            if event.is_readable() {
                peer.read(buffer, script, meter)?;
            }
            peer.sent_to_fill(script, meter)?;
        }
    }
}

/// Opens the connections, one after the other, and registers them.
fn open(load: &Load, poll: &mut Poll, script: &Script) -> io::Result<Vec<Peer>> {
    let mut peers = Vec::new();
    for index in 0..load.connections {
        let mut stream = std::net::TcpStream::connect_timeout(&load.addr, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(handshake::REQUEST.as_bytes())?;
        let mut response = Vec::new();
        while !response.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            response.push(byte[0]);
        }
        handshake::check(&String::from_utf8_lossy(&response)).map_err(io::Error::other)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream, Token(index), interest)?;
        peers.push(Peer {
            stream,
            queued: 0,
            written: 0,
            echoed: 0,
            limit: u64::MAX,
            times: vec![0; script.in_flight],
            head: Head::default(),
        });
    }
    Ok(peers)
}
