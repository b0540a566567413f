//! An echo server on the core alone: one thread, an event loop by hand over `mio`.
//!
//! `cargo run --release --example mio_loop`, then connect to the address that it prints. This file
//! has the loop: sockets, whose turn it is, time. `peer.rs` has one connection: how the core is
//! driven.

mod peer;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::error::Error;
use std::io::{self, ErrorKind};
use std::mem;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use websocket_proto::handshake::ServerConfig;
use websocket_proto::{Config, DeadlineConfig, Output};

use peer::{Peer, Shared, Turn};

/// Larger reads stop paying off.
const READ: usize = 64 << 10;

/// Connections beyond the limit that are read from, to be refused.
const MAX_REFUSING: usize = 64;

/// Before `accept` is tried again after an error.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

const LISTENER: Token = Token(usize::MAX);

#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen. Port 0 picks a free one.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9001")]
    listen: SocketAddr,
    /// Ping a connection that was silent for so many seconds, and close it if it stays so.
    #[arg(long, value_name = "SECS", default_value_t = 20,
        value_parser = clap::value_parser!(u32).range(1..))]
    keepalive: u32,
    /// How many connections may be open: a request beyond is refused with status 503.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    max_connections: usize,
}

fn main() -> ExitCode {
    match serve(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mio_loop: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: &Arguments) -> io::Result<()> {
    let mut deadlines = DeadlineConfig::default();
    deadlines.ping_interval = Some(Duration::from_secs(arguments.keepalive.into()));
    let mut listener = TcpListener::bind(arguments.listen)?;
    let poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("listening on ws://{}", listener.local_addr()?);
    let shared = Shared {
        buffer: vec![0; READ],
        output: Output::new(),
        handshake: Arc::new(ServerConfig::default()),
        deadlines,
        config: Config::default(),
    };
    Loop {
        poll,
        listener,
        max_connections: arguments.max_connections,
        shared,
        slots: Vec::new(),
        free: Vec::new(),
        again: Vec::new(),
        timers: BinaryHeap::new(),
        accept_at: None,
    }
    .run()
}

struct Loop {
    poll: Poll,
    listener: TcpListener,
    max_connections: usize,
    shared: Shared,
    /// The connections; the index is the token.
    slots: Vec<Option<Slot>>,
    free: Vec<usize>,
    /// Who has more to read, which is not told again.
    again: Vec<usize>,
    /// When to look at whose deadlines. An entry may be out of date: it does no harm.
    timers: BinaryHeap<Reverse<(Duration, usize)>>,
    /// When to accept although nothing is told.
    accept_at: Option<Duration>,
}

struct Slot {
    peer: Peer,
    /// Its earliest entry in the timers.
    timer: Option<Duration>,
}

impl Loop {
    fn run(&mut self) -> io::Result<()> {
        let epoch = Instant::now();
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, self.timeout(epoch.elapsed())) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                result => result?,
            }
            let now = epoch.elapsed(); // one look at the clock for all of them
            let again = mem::take(&mut self.again);
            for event in &events {
                match event.token() {
                    LISTENER => self.accept_at = Some(now),
                    Token(index) => {
                        if let Some(Some(slot)) = self.slots.get_mut(index) {
                            slot.peer.ready(event);
                            self.turn(index, now);
                        }
                    }
                }
            }
            for index in again {
                self.turn(index, now);
            }
            // After the reads, so that what has come in time counts.
            self.expire(now);
            if self.accept_at.is_some_and(|at| at <= now) {
                self.accept(now);
            }
        }
    }

    /// How long there is nothing to do unless a socket is ready.
    fn timeout(&self, now: Duration) -> Option<Duration> {
        if !self.again.is_empty() {
            return Some(Duration::ZERO);
        }
        let timer = self.timers.peek().map(|Reverse((at, _))| *at);
        let next = timer.into_iter().chain(self.accept_at).min()?;
        Some(next.saturating_sub(now))
    }

    fn turn(&mut self, index: usize, now: Duration) {
        let Some(Some(slot)) = self.slots.get_mut(index) else { return };
        let turn = slot.peer.turn(&mut self.shared, now).unwrap_or_else(|error| {
            eprintln!("connection: {error}");
            Turn::Over
        });
        match turn {
            Turn::Wait => {}
            Turn::Again => self.again.push(index),
            Turn::Over => {
                self.slots[index] = None; // closes the socket
                self.free.push(index);
                return;
            }
        }
        // A deadline that has moved away is found when its old moment comes: that is rare, and
        // putting it off each time something is received would not be.
        if let Some(next) = slot.peer.next_deadline()
            && slot.timer.is_none_or(|timer| next < timer)
        {
            slot.timer = Some(next);
            self.timers.push(Reverse((next, index)));
        }
    }

    fn expire(&mut self, now: Duration) {
        while let Some(&Reverse((at, index))) = self.timers.peek()
            && at <= now
        {
            self.timers.pop();
            // Another entry stands for it, or another connection has taken its place.
            let Some(Some(slot)) = self.slots.get_mut(index) else { continue };
            if slot.timer != Some(at) {
                continue;
            }
            slot.timer = None;
            slot.peer.expire(now);
            self.turn(index, now);
        }
    }

    /// Accepts until nobody waits: it is told once. No error ends the server. A connection may be
    /// gone before it is taken; if there is no descriptor left, those who wait are not told of
    /// again, so it is tried again later.
    fn accept(&mut self, now: Duration) {
        loop {
            self.accept_at = None;
            let added = match self.listener.accept() {
                Ok((stream, _)) => self.add(stream, now),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.accept_at = Some(now + ACCEPT_PAUSE);
                    eprintln!("accept: {error}");
                    return;
                }
            };
            if let Err(error) = added {
                eprintln!("connection: {error}");
            }
        }
    }

    fn add(&mut self, mut stream: TcpStream, now: Duration) -> Result<(), Box<dyn Error>> {
        let open = self.slots.len() - self.free.len();
        if open >= self.max_connections.saturating_add(MAX_REFUSING) {
            return Err("dropped, there are too many even to be told so".into());
        }
        stream.set_nodelay(true)?; // replies are gathered already
        let index = self.free.last().copied().unwrap_or(self.slots.len());
        // Both for good: readiness is told when it changes, which costs nothing while it does not.
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(index), interest)?;
        let peer = Peer::new(stream, &self.shared, open >= self.max_connections, now);
        let slot = Some(Slot { peer, timer: None });
        if self.free.pop().is_some() {
            self.slots[index] = slot;
        } else {
            self.slots.push(slot);
        }
        self.turn(index, now); // nothing to read yet, but a deadline to be noted
        Ok(())
    }
}
