//! One connection, while a case runs on it.

mod receive;
mod script;

use std::time::Duration;

use tokio::time::Instant;

use crate::case::{Case, Event, Side};
use crate::deflate::{Agreed, Compressor, Inflater};
use crate::judge::Record;
use crate::log::Log;
use crate::random::Random;
use crate::transport::{Transport, Turn};
use crate::wire::decoder::{Breach, Decoder};
use crate::wire::frame::{self, Frame};
use crate::wire::rules::Rules;

/// How long the peer may take to answer a Close frame, and a server to close the TCP connection then.
const CLOSING: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Session<'a> {
    case: &'a Case,
    we_are_client: bool,
    transport: Transport,
    decoder: Decoder,
    rules: Rules,
    compressor: Option<Compressor>,
    inflater: Option<Inflater>,
    agreed: Option<Agreed>,
    state: State,
    timer: Option<Timer>,
    /// The message whose last fragment has not come.
    message: Option<Unfinished>,
    /// Where the messages of an exchange go, one at a time.
    echo: Option<(bool, Vec<u8>)>,
    exchanging: bool,
    /// The parts of one frame must be masked with one key.
    part_key: [u8; 4],
    random: Random,
    pub(crate) record: Record,
    pub(crate) log: Log,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// A Close frame was sent, by whoever was first.
    Closing,
    /// The TCP connection is gone, or is given up.
    Closed,
}

#[derive(Clone, Copy, Debug)]
struct Timer {
    at: Instant,
    reason: &'static str,
}

#[derive(Debug)]
struct Unfinished {
    text: bool,
    compressed: bool,
    bytes: Vec<u8>,
}

impl<'a> Session<'a> {
    /// On a connection whose opening handshake is done; `early` is what came behind it.
    pub(crate) fn new(
        case: &'a Case,
        we_are_client: bool,
        transport: Transport,
        early: &[u8],
        agreed: Option<Agreed>,
        log: Log,
    ) -> Self {
        let mut decoder = Decoder::default();
        decoder.buffer().extend_from_slice(early);
        let (ours, theirs) = match agreed {
            Some(Agreed { client, server }) if we_are_client => (Some(client), Some(server)),
            Some(Agreed { client, server }) => (Some(server), Some(client)),
            None => (None, None),
        };
        let mut random = Random::fresh();
        Self {
            case,
            we_are_client,
            transport,
            decoder,
            rules: Rules::new(!we_are_client, agreed.is_some()),
            compressor: ours.map(Compressor::new),
            inflater: theirs.map(Inflater::new),
            agreed,
            state: State::Open,
            timer: None,
            message: None,
            echo: None,
            exchanging: false,
            part_key: random.key(),
            random,
            record: Record { opened: Ok(()), ..Record::default() },
            log,
        }
    }

    /// Runs the whole case, and gives back what is to be judged.
    pub(crate) async fn run(mut self, patience: Duration) -> (Record, Log) {
        self.receive();
        self.steps(patience).await;
        let rest = self.decoder.rest();
        if !rest.is_empty() {
            self.log.received_bytes(rest);
        }
        self.transport.finish(CLOSING).await;
        (self.record, self.log)
    }

    /// Moves bytes until `done`, the end of the connection, or `until`.
    async fn pump(&mut self, until: Instant, done: impl Fn(&Self) -> bool) {
        while self.state != State::Closed && !done(self) {
            let deadline = self.timer.map_or(until, |timer| timer.at.min(until));
            match self.transport.turn(self.decoder.buffer(), deadline).await {
                Turn::Read => self.receive(),
                Turn::Wrote => {}
                Turn::End => self.lost("the peer closed the TCP connection"),
                Turn::Reset => {
                    self.record.reset = true;
                    self.lost("the peer reset the TCP connection");
                }
                Turn::Late => match self.timer {
                    Some(timer) if timer.at <= Instant::now() => self.give_up(timer.reason),
                    _ => return,
                },
            }
        }
    }

    fn send(&mut self, frame: &Frame) {
        self.log.sent(frame, self.we_are_client);
        let bytes = self.encode(frame);
        self.transport.write(bytes);
    }

    fn encode(&mut self, frame: &Frame) -> Vec<u8> {
        let key = self.random.key();
        frame.encode(self.we_are_client, key)
    }

    /// Begins the closing handshake, if nobody did.
    fn close(&mut self, frame: &Frame) {
        if self.state == State::Open {
            self.send(frame);
            self.closing_begun();
        }
    }

    fn closing_begun(&mut self) {
        self.state = State::Closing;
        self.record.begun_by = Side::Suite;
        self.start_timer("the peer did not answer the Close frame in time");
    }

    /// The peer broke a rule that holds in every case.
    fn fail(&mut self, breach: Breach) {
        self.log.note(format!("{}: {}", breach.section, breach.found));
        self.fail_with(breach.code, &breach.found);
        self.record.breach.get_or_insert(breach);
    }

    fn fail_with(&mut self, code: u16, reason: &str) {
        self.record.failed_by_suite = true;
        match self.state {
            State::Open => {
                let reason = reason.as_bytes().get(..120).unwrap_or(reason.as_bytes());
                let reason = String::from_utf8_lossy(reason).into_owned();
                self.close(&frame::close(code, reason.as_bytes()));
            }
            State::Closing => self.drop_connection(),
            State::Closed => {}
        }
    }

    fn start_timer(&mut self, reason: &'static str) {
        self.timer = Some(Timer { at: Instant::now() + CLOSING, reason });
    }

    fn give_up(&mut self, reason: &'static str) {
        self.log.note(reason);
        self.record.clean = false;
        self.record.why_unclean = reason;
        self.drop_connection();
    }

    fn drop_connection(&mut self) {
        self.record.dropped_by_suite = true;
        self.state = State::Closed;
    }

    fn lost(&mut self, how: &'static str) {
        self.log.note(how);
        self.state = State::Closed;
        if !self.record.clean {
            self.record.why_unclean = how;
        }
    }

    /// When all has come that may come, or what cannot be right, the suite closes.
    fn close_when_done(&mut self) {
        let expected = &self.case.closing;
        if self.state != State::Open || expected.by == Side::Peer || expected.scripted {
            return;
        }
        let events = &self.record.events;
        let mut allowed = self.case.allowed.iter().map(|(_, allowed)| allowed);
        let done = allowed.clone().all(|allowed| matches(allowed, events));
        let hopeless = !allowed.any(|allowed| {
            allowed.get(..events.len()).is_some_and(|beginning| matches(beginning, events))
        });
        if done || hopeless {
            let code = expected.codes.first().copied().unwrap_or(1000);
            self.close(&frame::close(code, b""));
        }
    }
}

/// Whether what came is what was expected, without making what is only described.
pub(crate) fn matches(expected: &[Event], came: &[Event]) -> bool {
    expected.len() == came.len()
        && expected.iter().zip(came).all(|pair| match pair {
            (Event::Text(expected), Event::Text(came))
            | (Event::Binary(expected), Event::Binary(came))
            | (Event::Pong(expected), Event::Pong(came)) => expected.matches(&came.bytes()),
            (Event::StillOpen(expected), Event::StillOpen(came)) => expected == came,
            _ => false,
        })
}
