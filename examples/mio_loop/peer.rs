//! One connection: what its socket brings goes into the core, what the core answers goes out.

use std::error::Error;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::mem;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use mio::event::Event as Readiness;
use mio::net::TcpStream;
use websocket_proto::handshake::{Accept, Refusal, Request, Server, ServerConfig};
use websocket_proto::{
    Config, Connection, DeadlineConfig, Deadlines, Event, Expired, Message, Output, ProtocolError,
    SendError, State,
};

/// Reads of one connection before the others have their turn.
const READS: usize = 16;

/// Pieces in one vectored write.
const SLICES: usize = 16;

/// What the connections use one after the other, and what is the same for all of them.
pub(crate) struct Shared {
    /// For one read. Nothing stays in it: the core keeps what it cannot use yet.
    pub(crate) buffer: Vec<u8>,
    /// Memory for replies that leave at once, so that a silent connection owns none.
    pub(crate) output: Output,
    pub(crate) handshake: Arc<ServerConfig>,
    pub(crate) deadlines: DeadlineConfig,
    pub(crate) config: Config,
}

pub(crate) struct Peer {
    stream: TcpStream,
    protocol: Protocol,
    output: Output,
    deadlines: Deadlines,
    /// A reply that the output had no room for, and what was read behind that message.
    held: Option<(Message<'static>, Vec<u8>)>,
    /// Told once, so remembered until a call on the socket says otherwise.
    readable: bool,
    writable: bool,
    /// The peer has ended, or broken, its side: nothing new will be told of reading.
    hung_up: bool,
    /// All that the peer sent was read.
    ended: bool,
    /// Our side of the transport has ended.
    shut: bool,
    /// What has become of the keepalive ping that was due last.
    ping: Ping,
    /// There are too many connections already.
    refuse: bool,
}

enum Protocol {
    Handshake(Server),
    Open(Connection),
    /// The opening handshake has failed; the response that says so is in the output.
    Refused(Box<dyn Error>),
}

/// A ping counts from when it has left: one that waits behind a message is not waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ping {
    None,
    Due,
    Queued,
}

/// What a connection needs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing until its socket is ready, or its deadline has passed.
    Wait,
    /// Another turn, after the others: it has more to read.
    Again,
    /// It is over.
    Over,
}

impl Peer {
    pub(crate) fn new(stream: TcpStream, shared: &Shared, refuse: bool, now: Duration) -> Self {
        Self {
            stream,
            protocol: Protocol::Handshake(Server::new(Arc::clone(&shared.handshake))),
            output: Output::new(),
            deadlines: Deadlines::new(&shared.deadlines, now),
            held: None,
            readable: false,
            writable: false,
            hung_up: false,
            ended: false,
            shut: false,
            ping: Ping::None,
            refuse,
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.deadlines.next_deadline()
    }

    /// Notes what the poll has told. An error is found by the read.
    pub(crate) fn ready(&mut self, readiness: &Readiness) {
        let hung_up = readiness.is_read_closed() || readiness.is_error();
        self.hung_up |= hung_up;
        self.readable |= hung_up || readiness.is_readable();
        self.writable |= readiness.is_writable();
    }

    /// Does what can be done without waiting. An error ends this connection and no other.
    pub(crate) fn turn(
        &mut self,
        shared: &mut Shared,
        now: Duration,
    ) -> Result<Turn, Box<dyn Error>> {
        if self.output.is_empty() {
            self.output = mem::take(&mut shared.output);
        }
        let turn = self.run(shared, now);
        if self.output.is_empty() {
            shared.output = mem::take(&mut self.output);
        }
        turn
    }

    /// Writes before it reads: the replies to one read leave together, and a peer that sends more
    /// than it takes is not read from any more.
    fn run(&mut self, shared: &mut Shared, now: Duration) -> Result<Turn, Box<dyn Error>> {
        for _ in 0..READS {
            self.queue_ping();
            self.write(now)?;
            self.shutdown(now);
            if self.ended && self.shut {
                return self.outcome();
            }
            let wants_write = match &self.protocol {
                Protocol::Open(connection) => connection.wants_write(&self.output),
                Protocol::Handshake(_) | Protocol::Refused(_) => false,
            };
            if wants_write {
                return Ok(Turn::Wait); // until the socket takes more
            }
            if let Some((message, mut rest)) = self.held.take() {
                self.reply(message, &mut rest, now);
                if self.held.is_some() && !self.writable {
                    return Ok(Turn::Wait);
                }
            } else if self.readable && !self.ended {
                self.read(shared, now)?;
            } else {
                return Ok(Turn::Wait);
            }
        }
        Ok(Turn::Again)
    }

    /// Where the output is full, the peer has to take something first, which is as good an answer.
    fn queue_ping(&mut self) {
        if self.ping == Ping::Due
            && let Protocol::Open(connection) = &mut self.protocol
            && connection.ping(&self.deadlines.ping_payload(), &mut self.output).is_ok()
        {
            self.ping = Ping::Queued;
        }
    }

    fn write(&mut self, now: Duration) -> io::Result<()> {
        while self.writable && !self.output.is_empty() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let count = self.output.io_slices(&mut slices);
            match self.stream.write_vectored(&slices[..count]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.output.advance(count);
                    self.deadlines.write_progress(now, !self.output.is_empty());
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.writable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if !self.output.is_empty() {
            self.deadlines.write_waiting(now);
        } else if self.ping == Ping::Queued {
            self.ping = Ping::None;
            self.deadlines.ping_left(now, 0);
        }
        Ok(())
    }

    /// Ends our side once all was said (RFC 6455 section 7.1.1). The socket is then read to its
    /// end: if it were closed with bytes unread, the system would reset the connection, and our
    /// last ones might be lost with it.
    fn shutdown(&mut self, now: Duration) {
        let left = self.output.is_empty();
        let (closing, finished) = match &self.protocol {
            Protocol::Handshake(_) => (false, false),
            Protocol::Open(connection) => match connection.state() {
                State::Open => (false, false),
                State::Failed => (true, true),
                // From when our Close has left: what stands before it may take its time.
                _ => (left, connection.should_shutdown()),
            },
            Protocol::Refused(_) => (true, true),
        };
        if closing {
            self.deadlines.closing(now);
        }
        if finished && !self.shut && left {
            // It fails only where the transport is gone already.
            let _ = self.stream.shutdown(Shutdown::Write);
            self.shut = true;
            self.deadlines.lingering(now);
        }
    }

    fn outcome(&self) -> Result<Turn, Box<dyn Error>> {
        match &self.protocol {
            Protocol::Refused(error) => Err(error.to_string().into()),
            Protocol::Open(connection) => {
                connection.error().map_or(Ok(Turn::Over), |error| Err(error.into()))
            }
            Protocol::Handshake(_) => Ok(Turn::Over),
        }
    }

    fn read(&mut self, shared: &mut Shared, now: Duration) -> io::Result<()> {
        if self.read_directly(now)? {
            return Ok(());
        }
        match self.stream.read(&mut shared.buffer) {
            Ok(0) => {
                self.ended = true;
                self.receive_eof();
            }
            Ok(count) => {
                // epoll(7): a read that returns less than was asked for has left nothing, and what
                // comes later is told anew, which saves the read that finds nothing. An end that
                // was told together with these bytes is not told again.
                let epoll = cfg!(any(target_os = "linux", target_os = "android"));
                if epoll && count < shared.buffer.len() && !self.hung_up {
                    self.readable = false;
                }
                self.deadlines.received(now);
                self.receive(shared, count, now);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Reads the rest of a large message straight into it. Whether it is large.
    fn read_directly(&mut self, now: Duration) -> io::Result<bool> {
        let Protocol::Open(connection) = &mut self.protocol else { return Ok(false) };
        let Some((message, room)) = connection.direct() else { return Ok(false) };
        let before = message.len();
        // What was read before an error is in the message.
        let read = (&mut self.stream).take(room as u64).read_to_end(message);
        if message.len() > before {
            self.deadlines.received(now);
        }
        let done = connection.direct_done(&mut self.output);
        match read {
            Ok(count) => self.ended = count < room,
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
            Err(error) => return Err(error),
        }
        if let Ok(Some(event)) = done
            && let Some(message) = self.answer_event(event, now)
        {
            self.held = Some((message.into_owned(), Vec::new()));
        }
        if self.ended {
            self.receive_eof();
        }
        Ok(true)
    }

    /// Takes the first `count` bytes of the buffer.
    fn receive(&mut self, shared: &mut Shared, count: usize, now: Duration) {
        let mut used = 0;
        if let Protocol::Handshake(server) = &mut self.protocol {
            let mut input = &shared.buffer[..count];
            match server.receive(&mut input, &mut self.output) {
                Ok(None) => return,
                Ok(Some(request)) => {
                    used = count - input.len(); // frames may stand behind it
                    self.answer(&request, shared, now);
                }
                Err(error) => self.protocol = Protocol::Refused(error.into()),
            }
        }
        self.echo(&mut shared.buffer[used..count], now);
    }

    /// Here an application looks at the path, the headers, the subprotocols.
    fn answer(&mut self, request: &Request, shared: &Shared, now: Duration) {
        let answered = if self.refuse {
            let refused = request.refuse(&Refusal::new(503), &mut self.output);
            refused.map(|()| Protocol::Refused("refused, there are too many connections".into()))
        } else {
            let accepted = request.accept(&Accept::new(), &mut self.output);
            accepted.map(|agreed| Protocol::Open(Connection::server(agreed, shared.config)))
        };
        // Wrong is at most what the application answers; there is nothing here.
        self.protocol = answered.unwrap_or_else(|misuse| Protocol::Refused(misuse.into()));
        self.deadlines.opened(now);
    }

    /// Answers each event while it lives. Input behind a failure is dropped.
    fn echo(&mut self, mut input: &mut [u8], now: Duration) {
        // After an error the Close frame that says so is in the output, and `should_shutdown` is
        // true: there is nothing else to do about it.
        while let Protocol::Open(connection) = &mut self.protocol
            && let Ok(Some(event)) = connection.receive(&mut input, &mut self.output)
        {
            if let Some(message) = self.answer_event(event, now) {
                // Both lie in the buffer, which the next connection needs.
                self.held = Some((message.into_owned(), input.to_vec()));
                return;
            }
        }
    }

    /// Hands a message back that the output has no room for.
    fn answer_event<'e>(&mut self, event: Event<'e>, now: Duration) -> Option<Message<'e>> {
        if let Event::Pong(payload) = &event {
            self.deadlines.pong_received(payload, now);
        }
        // Pings and the peer's Close have been answered by the connection.
        self.send(Message::try_from(event).ok()?)
    }

    /// Hands it back likewise.
    fn send<'m>(&mut self, message: Message<'m>) -> Option<Message<'m>> {
        let Protocol::Open(connection) = &mut self.protocol else { return None };
        match connection.send(message, &mut self.output) {
            Err(SendError::Full(message)) => Some(message),
            // After we have closed nothing is answered any more (section 5.5.1).
            Ok(()) | Err(SendError::Misuse(_)) => None,
        }
    }

    /// Goes on where the output was full.
    fn reply(&mut self, message: Message<'static>, rest: &mut Vec<u8>, now: Duration) {
        match self.send(message) {
            Some(message) => self.held = Some((message, mem::take(rest))),
            None => self.echo(rest, now),
        }
    }

    fn receive_eof(&mut self) {
        match &mut self.protocol {
            Protocol::Handshake(server) => {
                self.protocol = Protocol::Refused(server.receive_eof().into());
            }
            Protocol::Open(connection) => {
                // It remembers an end without a closing handshake: see `outcome`.
                let _ = connection.receive_eof();
            }
            Protocol::Refused(_) => {}
        }
    }

    /// Acts on deadlines that have passed; a turn has to follow.
    pub(crate) fn expire(&mut self, now: Duration) {
        while let Some(expired) = self.deadlines.on_deadline(now) {
            let gives_up = matches!(expired, Expired::Close | Expired::Write | Expired::Linger);
            match (&mut self.protocol, expired) {
                (Protocol::Handshake(server), Expired::Handshake) => {
                    let error = server.timeout(&mut self.output); // 408
                    self.protocol = Protocol::Refused(error.into());
                }
                (Protocol::Open(_), Expired::SendPing) => self.ping = Ping::Due,
                (Protocol::Open(connection), Expired::KeepaliveTimeout) => {
                    connection.fail(ProtocolError::KeepaliveTimeout, &mut self.output);
                }
                (Protocol::Open(connection), Expired::Write) => {
                    connection.output_lost(); // a Close among it has not passed
                    connection.fail(ProtocolError::WriteTimeout, &mut self.output);
                }
                (Protocol::Open(connection), Expired::Close) => {
                    connection.fail(ProtocolError::CloseTimeout, &mut self.output);
                }
                _ => {}
            }
            if gives_up {
                self.output = Output::new();
                self.held = None;
                (self.shut, self.ended) = (true, true);
            }
        }
    }
}
