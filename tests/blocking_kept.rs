//! S23, S75: what a connection of the blocking adapter has while it waits for its peer.
//!
//! A test without the usual harness: it is alone in its process, on one thread, and reads a heap
//! that counts.

mod common;

use std::alloc::System;
use std::collections::VecDeque;
use std::io::{self, Read, Write};

use cap::Cap;
use common::loopback::REQUEST;
use common::wire::{BINARY, FIN, Role};
use websocket_proto::io::blocking;
use websocket_proto::io::{TimeLimit, Transport};

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// A stream that notes what is live each time that it has nothing and would have to wait.
#[derive(Debug)]
struct Waits {
    input: VecDeque<&'static [u8]>,
    live: usize,
}

impl Read for Waits {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.live = HEAP.allocated();
        let Some(bytes) = self.input.front_mut() else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        let count = bytes.read(buffer)?;
        if bytes.is_empty() {
            self.input.pop_front();
        }
        Ok(count)
    }
}

impl Write for Waits {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Waits {
    fn limit_reads(&mut self, _: &mut TimeLimit) -> io::Result<bool> {
        Ok(true)
    }

    fn limit_writes(&mut self, _: &mut TimeLimit) -> io::Result<bool> {
        Ok(true)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn main() {
    before_the_first_byte();
    println!("test s23: before the first byte ... ok");
    after_a_message();
    println!("test s75: after a message ... ok");
}

/// So many bytes has a connection at most that nothing was read from.
const SILENT: usize = 1 << 10;
/// An open one, with what is left of its handshake.
const IDLE: usize = 2 << 10;

fn before_the_first_byte() {
    let mut stream = Waits { input: VecDeque::new(), live: 0 };
    let before = HEAP.allocated();
    let error = blocking::accept(&mut stream).map(drop).unwrap_err();
    assert!(error.is_would_block(), "{error:?}");
    let kept = stream.live.saturating_sub(before);
    assert!(kept <= SILENT, "{kept} bytes");
}

/// What a large message took is given back when the next one is waited for.
fn after_a_message() {
    let large = Role::Server.frame(FIN | BINARY, &vec![7; 500_000]).leak();
    let mut stream = Waits { input: VecDeque::from([REQUEST, &*large]), live: 0 };
    let before = HEAP.allocated();
    let mut websocket = blocking::accept(&mut stream).unwrap();
    let message = websocket.recv().unwrap().unwrap();
    assert_eq!(message.as_bytes().len(), 500_000);
    drop(message);
    for _ in 0..2 {
        assert!(websocket.recv().unwrap_err().is_would_block());
    }
    let kept = websocket.stream().live.saturating_sub(before);
    assert!(kept <= IDLE, "{kept} bytes");
}
