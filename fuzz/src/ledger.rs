//! [`Ledger`]: what was sent, taken and seen over an adapter, held against what may be.

use std::slice::from_ref;

use websocket_proto::frame::{Header, Opcode, Parsed};
use websocket_proto::io::Error;
use websocket_proto::{Config, Connection, Event, Message, Output};

use super::common::Log;
use super::setup::Setup;
use super::stream::{Over, Shared};

/// What a peer makes of what was written.
#[derive(Debug)]
struct Taken {
    peer: Connection,
    /// The frames up to here were looked at.
    at: usize,
    messages: Vec<Event<'static>>,
    pongs: Vec<Event<'static>>,
    closed: bool,
}

impl Taken {
    fn look(&mut self, written: &[u8]) {
        while let Ok(Parsed::Done { header, len }) = Header::parse(&written[self.at..])
            && let Some(frame) = usize::try_from(header.payload_len)
                .ok()
                .and_then(|payload| written[self.at..].get(..len + payload))
        {
            assert!(!self.closed, "5.5.1: nothing behind a Close");
            self.at += frame.len();
            self.closed = header.opcode == Opcode::Close;
            self.receive(&mut frame.to_vec());
        }
    }

    fn receive(&mut self, mut frame: &mut [u8]) {
        let mut output = Output::new();
        let mut receive = || self.peer.receive(&mut frame, &mut output).expect("what a peer takes");
        while let Some(event) = receive() {
            match event.into_owned() {
                event @ Event::Pong(_) => self.pongs.push(event),
                Event::Ping(_) | Event::Close(_) => {}
                message => self.messages.push(message),
            }
        }
    }
}

#[derive(Debug)]
pub struct Ledger<'a> {
    wire: Shared<'a>,
    longest: usize,
    expected: Log,
    /// Each with its number in front; whether it surely was queued.
    sent: Vec<(Message<'static>, bool)>,
    seen: Log,
    taken: Taken,
    over: Over,
    /// Messages may be dropped: `close` does so, and a receiving half that is gone.
    pub discards: bool,
    ended: bool,
}

impl<'a> Ledger<'a> {
    pub fn new(setup: &Setup, wire: &Shared<'a>) -> Self {
        let mut config = Config::default();
        (config.max_message_size, config.max_frame_size) = (1 << 30, 1 << 30);
        (config.auto_pong, config.auto_close) = (false, false);
        let peer = setup.peer(config);
        let at = if setup.opens() { head_len(&wire.get().written) } else { 0 };
        let taken = Taken { peer, at, messages: Vec::new(), pongs: Vec::new(), closed: false };
        let (sent, seen) = (Vec::new(), Log::default());
        let (expected, over) = (setup.expected(), Over::default());
        let (wire, longest) = (wire.clone(), setup.longest());
        Self { wire, longest, expected, sent, seen, taken, over, discards: false, ended: false }
    }

    /// A message unlike those before it; large ones in between.
    pub fn message(&self, size: u8) -> Message<'static> {
        let number = u16::try_from(self.sent.len()).expect("few").to_be_bytes();
        let len = usize::from(size & 0x3F) << (size >> 6 << 2);
        let body = vec![size; len.min(self.longest)];
        Message::binary([&number[..], &body].concat())
    }

    /// A message was queued, or may have been.
    pub fn queued(&mut self, message: Message<'static>, surely: bool) {
        self.sent.push((message, surely));
    }

    pub fn saw(&mut self, event: Event<'static>) {
        assert!(!self.ended, "seen behind the end");
        self.seen.events.push(event);
    }

    pub fn saw_message(&mut self, message: Message<'static>) {
        self.saw(match message {
            Message::Text(text) => Event::Text(text),
            Message::Binary(data) => Event::Binary(data),
        });
    }

    /// A call has said that all that was queued is with the transport.
    pub fn flushed(&mut self) {
        self.look();
        let wire = self.wire.get();
        assert!(!wire.unflushed, "told sent, but not flushed");
        assert_eq!(self.taken.at, wire.written.len(), "told sent, but a frame was cut");
        assert!(self.has_taken_all(), "told sent, but not taken");
    }

    fn has_taken_all(&self) -> bool {
        let mut surely = self.sent.iter().filter(|(_, surely)| *surely);
        surely.all(|(message, _)| self.taken.messages.iter().any(|it| is(it, message)))
    }

    /// A call has said that our Close frame has left.
    pub fn closed(&mut self) {
        self.flushed();
        assert!(self.taken.closed, "told closed, but our Close is not out");
    }

    /// A call that receives has told the end, after a closing handshake.
    pub fn ended(&mut self, connection: Option<&Connection>) {
        self.ended = true;
        if let Some(closed) = connection.and_then(Connection::closed)
            && closed.clean
        {
            self.clean();
        }
    }

    /// The connection says that it was closed cleanly.
    pub fn clean(&mut self) {
        self.look();
        assert!(self.taken.closed && !self.wire.get().unflushed, "clean, but our Close is not out");
        let theirs = self.expected.events.iter().any(|it| matches!(it, Event::Close(_)));
        assert!(theirs || self.passes_faults(), "clean, but their Close is not there");
    }

    /// Nothing more is to be received.
    pub fn is_over(&self) -> bool {
        self.ended || self.over.reading
    }

    /// After each call: what is with the transport, and what was seen, may be so.
    pub fn check(&mut self, connection: Option<&Connection>) {
        self.look();
        if connection.and_then(Connection::closed).is_some_and(|closed| closed.clean) {
            self.clean();
        }
    }

    /// What is dropped is not looked at, so control frames may be seen behind a fault in a message.
    fn passes_faults(&self) -> bool {
        self.discards && self.expected.error.is_some()
    }

    fn look(&mut self) {
        self.taken.look(&self.wire.get().written);
    }

    /// At the end, after the adapter was read until it had no more.
    pub fn finish(mut self) {
        self.look();
        let mut sent = self.sent.iter();
        for taken in &self.taken.messages {
            let skipped = sent.find(|(message, surely)| is(taken, message) || *surely);
            assert!(skipped.is_some_and(|(message, _)| is(taken, message)), "lost, or doubled");
        }
        let mut pings = self.expected.events.iter();
        for pong in &self.taken.pongs {
            let Event::Pong(answer) = pong else { continue };
            let due = pings.any(|it| matches!(it, Event::Ping(ping) if ping == answer));
            assert!(due || self.passes_faults(), "5.5.3: {pong:?}");
        }
        let seen = std::mem::take(&mut self.seen).join_chunks().events;
        let mut events = self.expected.events.iter();
        assert!(
            seen.iter().all(|seen| {
                events.any(|it| it == seen)
                    || self.passes_faults() && data(from_ref(seen)).is_empty()
            }),
            "{seen:?} is not in what a bare connection sees: {:?}",
            self.expected.events
        );
        let (seen, expected) = (data(&seen), data(&self.expected.events));
        assert!(self.discards || expected.starts_with(&seen), "a message was lost");
        let wire = self.wire.get();
        if wire.broken || !wire.now.is_zero() {
            return;
        }
        assert!(self.discards || seen.len() == expected.len(), "all of it is seen");
        assert!(self.taken.at == wire.written.len() && !wire.unflushed, "all of it leaves");
        assert!(self.has_taken_all(), "all that was sent leaves");
    }

    /// Looks at what a call returned that reads, or sends.
    pub fn result(&mut self, reads: bool, result: Result<(), Error>) {
        self.over.check(reads, result);
    }
}

fn data<'e>(events: &'e [Event<'static>]) -> Vec<&'e Event<'static>> {
    let is_data = |it: &&Event<'_>| matches!(it, Event::Text(_) | Event::Binary(_));
    events.iter().filter(is_data).collect()
}

fn is(event: &Event<'_>, message: &Message<'_>) -> bool {
    matches!(event, Event::Binary(data) if **data == *message.as_bytes())
}

fn head_len(written: &[u8]) -> usize {
    let end = written.windows(4).position(|it| it == b"\r\n\r\n");
    end.map_or(written.len(), |at| at + 4)
}
