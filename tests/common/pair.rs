//! A client and a server, back to back, with the bytes between them in the test's hands.

use websocket_proto::{Config, Connection, Event, Output};

use super::wire::Role;

/// One end, what it has queued, and what it has seen.
#[derive(Debug)]
pub struct End {
    pub connection: Connection,
    pub output: Output,
    pub events: Vec<Event<'static>>,
}

impl End {
    fn new(role: Role, config: Config) -> Self {
        let connection = role.connection(config);
        Self { connection, output: Output::new(), events: Vec::new() }
    }

    /// Takes at most `count` bytes that wait to be written.
    fn take(&mut self, count: usize) -> Vec<u8> {
        let mut taken = Vec::new();
        while taken.len() < count && !self.output.is_empty() {
            let pending = self.output.pending();
            assert!(!pending.is_empty(), "not empty, so something is pending");
            let len = pending.len().min(count - taken.len());
            taken.extend_from_slice(&pending[..len]);
            self.output.advance(len);
        }
        taken
    }

    /// Receives `bytes`; returns the new events.
    fn receive(&mut self, bytes: &mut [u8]) -> usize {
        let before = self.events.len();
        let mut input = bytes;
        while let Some(event) = self
            .connection
            .receive(&mut input, &mut self.output)
            .expect("what one end sends, the other accepts")
        {
            self.events.push(event.into_owned());
        }
        assert!(input.is_empty(), "no event, yet input is left");
        self.events.len() - before
    }
}

#[derive(Debug)]
pub struct Pair {
    client: End,
    server: End,
}

impl Pair {
    pub fn new(client: Config, server: Config) -> Self {
        Self { client: End::new(Role::Client, client), server: End::new(Role::Server, server) }
    }

    pub fn end(&mut self, role: Role) -> &mut End {
        match role {
            Role::Client => &mut self.client,
            Role::Server => &mut self.server,
        }
    }

    /// Moves at most `count` bytes from `from` to its peer; returns how many events they made.
    pub fn deliver(&mut self, from: Role, count: usize) -> usize {
        let mut bytes = self.end(from).take(count);
        self.end(from.peer()).receive(&mut bytes)
    }

    /// Moves bytes, `count` at a time, until both ends have nothing left to say.
    pub fn deliver_all(&mut self, count: usize) {
        while !(self.client.output.is_empty() && self.server.output.is_empty()) {
            self.deliver(Role::Client, count);
            self.deliver(Role::Server, count);
        }
    }
}
