//! A [`Peer`]: an endpoint that remembers what it sent and what it saw, and what two of them that
//! talk to each other may never disagree about.

use websocket_proto::{
    CloseCode, Config, Connection, Event, Message, Output, ProtocolError, SendError, State,
};

#[derive(Debug)]
pub struct Peer {
    pub connection: Connection,
    pub output: Output,
    /// What was accepted for sending, and what arrived.
    pub sent: Record,
    pub received: Record,
    pub error: Option<ProtocolError>,
    config: Config,
    /// The largest number of frames that waited at once is not known; this bounds it.
    largest: usize,
}

#[derive(Debug, Default)]
pub struct Record {
    /// Whole messages.
    pub messages: Vec<Message<'static>>,
    pub pings: Vec<Vec<u8>>,
    pub pongs: Vec<Vec<u8>>,
    /// A Close frame, and its code if it has one.
    pub close: Option<Option<CloseCode>>,
    partial: Option<Message<'static>>,
}

impl Record {
    /// A piece of a message, the last one with `last`.
    fn piece(&mut self, piece: Message<'_>, last: bool) {
        match (&mut self.partial, piece) {
            (Some(Message::Text(whole)), Message::Text(piece)) => whole.to_mut().push_str(&piece),
            (Some(Message::Binary(whole)), Message::Binary(piece)) => {
                whole.to_mut().extend_from_slice(&piece);
            }
            (partial @ None, piece) => *partial = Some(piece.into_owned()),
            (Some(_), _) => panic!("the kind of a message changed on its way"),
        }
        self.messages.extend(self.partial.take_if(|_| last));
    }
}

impl Peer {
    pub fn new(connection: Connection, config: Config) -> Self {
        let (sent, received) = (Record::default(), Record::default());
        let output = Output::new();
        Self { connection, output, sent, received, error: None, config, largest: 0 }
    }

    /// Returns whether there was room for it and the connection was not closing.
    pub fn send(&mut self, message: Message<'static>) -> bool {
        let result = self.connection.send(message.clone(), &mut self.output);
        if let Err(SendError::Full(back)) = &result {
            assert!(back == &message, "it is handed back as it was");
        }
        if result.is_ok() {
            self.note_size(message.as_bytes().len());
            self.sent.messages.push(message);
        }
        self.check_output();
        result.is_ok()
    }

    pub fn send_fragment(&mut self, piece: Message<'static>, fin: bool) -> bool {
        let result = self.connection.send_fragment(piece.clone(), fin, &mut self.output);
        if result.is_ok() {
            self.note_size(piece.as_bytes().len());
            self.sent.piece(piece, fin);
        }
        self.check_output();
        result.is_ok()
    }

    pub fn ping(&mut self, payload: &[u8]) -> bool {
        let result = self.connection.ping(payload, &mut self.output);
        if result.is_ok() {
            self.sent.pings.push(payload.to_vec());
        }
        self.check_output();
        result.is_ok()
    }

    pub fn close(&mut self, code: CloseCode, reason: &str) -> bool {
        let result = self.connection.close(code, reason, &mut self.output);
        if result.is_ok() {
            assert_eq!(self.sent.close.replace(Some(code)), None, "a second Close");
        }
        result.is_ok()
    }

    pub fn reply_close(&mut self) -> bool {
        let result = self.connection.reply_close(&mut self.output);
        if result.is_ok() {
            assert_eq!(self.sent.close, None, "a second Close");
            self.sent.close = self.received.close;
        }
        result.is_ok()
    }

    pub fn fail(&mut self, error: ProtocolError) {
        let state = self.connection.state();
        self.connection.fail(error, &mut self.output);
        if state != State::Closed {
            self.note_failure(error);
        }
    }

    /// Takes bytes of the other peer.
    pub fn receive(&mut self, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        let mut input = &mut bytes[..];
        loop {
            let result = self.connection.receive(&mut input, &mut self.output);
            let over = self.error.is_some() || self.received.close.is_some();
            match result {
                Ok(Some(event)) => {
                    assert!(!over, "{event:?} after the end");
                    self.note(event);
                }
                Ok(None) => {
                    assert!(input.is_empty(), "no event, yet input is left");
                    break;
                }
                Err(error) => {
                    self.note_failure(error);
                    break;
                }
            }
        }
        self.check_output();
    }

    /// The first bytes that it has to send, as if they were written.
    pub fn take(&mut self, count: usize) -> Vec<u8> {
        let mut taken = Vec::new();
        while taken.len() < count && !self.output.is_empty() {
            let pending = self.output.pending();
            let len = pending.len().min(count - taken.len());
            taken.extend_from_slice(&pending[..len]);
            self.output.advance(len);
        }
        self.connection.send_owed(&mut self.output);
        taken
    }

    /// The transport has ended.
    pub fn receive_eof(&mut self) {
        if let Err(error) = self.connection.receive_eof() {
            self.note_failure(error);
        }
    }

    fn note(&mut self, event: Event<'_>) {
        let received = &mut self.received;
        match event {
            Event::Text(text) => received.piece(Message::Text(text), true),
            Event::Binary(data) => received.piece(Message::Binary(data), true),
            Event::TextChunk { text, last } => received.piece(Message::Text(text), last),
            Event::BinaryChunk { data, last } => received.piece(Message::Binary(data), last),
            Event::Ping(payload) => received.pings.push(payload.into_owned()),
            Event::Pong(payload) => received.pongs.push(payload.into_owned()),
            Event::Close(frame) => {
                received.close = Some(frame.map(|frame| frame.code()));
                if self.config.auto_close && self.sent.close.is_none() {
                    self.sent.close = received.close;
                }
            }
            event => panic!("{event:?} is new"),
        }
    }

    fn note_failure(&mut self, error: ProtocolError) {
        let first = *self.error.get_or_insert(error);
        assert_eq!(self.connection.error(), Some(first), "the first error stays");
        if self.sent.close.is_none() && first.close_code().may_be_sent() {
            self.sent.close = Some(Some(first.close_code()));
        }
    }

    fn note_size(&mut self, len: usize) {
        self.largest = self.largest.max(len);
    }

    /// What waits is bounded by the settings, not by what the peer does.
    fn check_output(&self) {
        let limit = self.config.output_hard_limit.max(self.config.output_soft_limit);
        let payload = limit.max(self.largest);
        let headers = 14 * (2 + payload / self.config.fragment_size.max(1));
        // A Pong may go beyond the soft limit, a Close beyond any.
        assert!(self.output.len() <= payload + headers + 2 * 139, "{} wait", self.output.len());
    }

    /// What must hold between what one peer sent and the other saw, at any time.
    pub fn check(&self, from: &Self) {
        let (seen, sent) = (&self.received, &from.sent);
        assert!(sent.messages.starts_with(&seen.messages), "in order, whole, unaltered");
        assert!(sent.pings.starts_with(&seen.pings), "in order, whole, unaltered");
        // 5.5.3: a Pong may be left out for a newer one, but answers a Ping that was sent.
        let mut pings = self.sent.pings.iter();
        assert!(seen.pongs.iter().all(|pong| pings.any(|ping| ping == pong)), "a Pong is a reply");
        let received = self.connection.statistics().received;
        let total = from.connection.statistics().sent;
        assert_eq!(received.messages, seen.messages.len() as u64);
        assert!(received.frames <= total.frames);
        assert!(received.payload_bytes <= total.payload_bytes);
        if let Some(close) = seen.close {
            assert_eq!(sent.close, Some(close), "it was sent as it was seen");
            assert!(seen.messages == sent.messages, "a Close comes behind all messages");
            assert_eq!(seen.pings, sent.pings, "and behind all pings");
            assert_eq!(received, total, "both have counted the same");
        }
        self.check_state();
    }

    pub fn check_state(&self) {
        let state = self.connection.state();
        let (sent, seen) = (self.sent.close.is_some(), self.received.close.is_some());
        let expected = match (self.error, sent, seen) {
            // 7.1.4: clean is what both Close frames have passed for.
            (_, true, true) if state == State::Closed => State::Closed,
            (Some(_), _, _) => State::Failed,
            (None, true, false) => State::CloseSent,
            (None, false, true) => State::CloseReceived,
            (None, false, false) => State::Open,
            (None, true, true) => State::Closed,
        };
        assert_eq!(state, expected, "{:?}, sent {sent}, seen {seen}", self.error);
        match self.connection.closed() {
            Some(closed) => {
                assert_eq!(closed.clean, state == State::Closed);
                // 7.1.5: the code is that of the peer's Close, if one has come.
                if let Some(code) = self.received.close {
                    assert_eq!(closed.code, code.unwrap_or(CloseCode::NO_STATUS));
                }
            }
            None => assert!(!matches!(state, State::Closed | State::Failed)),
        }
    }
}
