//! What must hold of each call, and of each quiet moment. Only what the link has seen counts, not
//! what the plan had in mind.

mod quiet;

use std::io;
use std::time::Duration;

use websocket_proto::io::Error;
use websocket_proto::{ApiMisuse, Closed, Connection, Message, ProtocolError};

use crate::frames::{Kind, Mark};
use crate::plan::Limits;
use crate::wire::{Link, Snapshot};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    Recv,
    Send,
    Feed,
    Flush,
    Ping,
    SendClose,
    Close,
}

/// Whose call it is; a connection that is whole is all the receiver's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    Receiver,
    Sender,
}

#[derive(Clone, Copy, Debug)]
struct Call {
    kind: CallKind,
    since: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    Message,
    End,
    Io(io::ErrorKind),
    Protocol(ProtocolError),
    Misuse(ApiMisuse),
    Other,
}

/// What the program has done and was told.
#[derive(Debug, Default)]
pub struct Book {
    calls: [Option<Call>; 2],
    /// The last call that came back, and what it came to.
    last: Option<(CallKind, Outcome)>,
    /// Messages that were queued for certain.
    pub fed: u64,
    /// Messages that were received.
    pub received: u64,
    /// When the program asked for the end.
    pub closed: Option<Duration>,
    /// The program has dropped messages.
    pub dropped: bool,
    /// The code of the Close frame that the peer began to close with.
    pub peer_code: Option<u16>,
    limits: Option<Limits>,
    judged: bool,
    /// Messages are queued that no call was asked to write yet.
    pub unflushed: bool,
    /// Which half was told of an error. A stream ends after one.
    failed: [bool; 2],
}

impl Book {
    pub fn limit(&mut self, limits: Limits) {
        self.limits = Some(limits);
    }
}

/// What a call came to.
pub trait Result {
    fn outcome(&self) -> Outcome;
}

impl Result for std::result::Result<(), Error> {
    fn outcome(&self) -> Outcome {
        self.as_ref().map_or_else(failure, |()| Outcome::Ok)
    }
}

impl Result for std::result::Result<Option<Message<'static>>, Error> {
    fn outcome(&self) -> Outcome {
        let received = |message: &Option<_>| match message {
            Some(_) => Outcome::Message,
            None => Outcome::End,
        };
        self.as_ref().map_or_else(failure, received)
    }
}

fn failure(error: &Error) -> Outcome {
    match error {
        Error::Io(error) => Outcome::Io(error.kind()),
        Error::Protocol(error) => Outcome::Protocol(*error),
        Error::Misuse(misuse) => Outcome::Misuse(misuse.clone()),
        _ => Outcome::Other,
    }
}

impl Link {
    pub fn call_begins(&mut self, half: Half, kind: CallKind) {
        let since = self.now();
        self.trace(|| format!("{half:?}: {kind:?} ..."));
        if kind == CallKind::Close {
            self.book.dropped = true;
        }
        if matches!(kind, CallKind::Close | CallKind::SendClose) {
            self.book.closed.get_or_insert(since);
        }
        self.book.calls[half as usize] = Some(Call { kind, since });
    }

    pub fn call_ends(&mut self, half: Half, outcome: &Outcome) {
        self.progress += 1;
        self.trace(|| format!("{half:?}: ... {outcome:?}"));
        let Some(call) = self.book.calls[half as usize].take() else { return };
        self.book.last = Some((call.kind, outcome.clone()));
        let fails = !matches!(outcome, Outcome::Ok | Outcome::Message | Outcome::End);
        match outcome {
            Outcome::Ok => self.was_told_ok(call.kind),
            Outcome::End if !self.book.failed[half as usize] => self.was_told_the_end(),
            Outcome::Protocol(error) => self.judge(*error),
            Outcome::Misuse(ApiMisuse::Closing) => {
                let closing = self.in_frames.close().is_some_and(|mark| mark.read.is_some());
                if self.book.closed.is_none() && !closing {
                    self.report("2 the caller is blamed", format!("{call:?}"));
                }
            }
            _ => {}
        }
        self.book.failed[half as usize] |= fails;
    }

    /// The calls that wait, and the last that came back.
    pub fn calls(&self) -> String {
        let waiting = self.book.calls.iter().flatten().map(|call| call.kind);
        format!("{:?} wait, the last was {:?}", waiting.collect::<Vec<_>>(), self.book.last)
    }

    /// The call was given up.
    pub fn call_dropped(&mut self, half: Half) {
        self.progress += 1;
        self.trace(|| format!("{half:?}: given up"));
        self.book.calls[half as usize] = None;
    }

    // ---- oracle 1: queued is not sent

    fn was_told_ok(&mut self, kind: CallKind) {
        self.book.unflushed = kind == CallKind::Feed;
        if kind == CallKind::Feed {
            return;
        }
        let left = self.out_frames.messages_left();
        if left < self.book.fed {
            let detail = format!("{kind:?}: {left} of {} messages have left", self.book.fed);
            self.report("1 told sent, not taken", detail);
        }
        let closing = matches!(kind, CallKind::SendClose | CallKind::Close);
        if closing && self.close_left().is_none() {
            self.report("1 told closed, Close not taken", format!("{kind:?}"));
        }
    }

    fn was_told_the_end(&mut self) {
        if self.peer_close_read().is_none() {
            self.report("1 an end without the peer's Close", String::new());
            return;
        }
        let ended = |mark: &&Mark| mark.kind == Kind::MessageEnd && mark.read.is_some();
        let whole = self.in_frames.marks.iter().filter(ended).count() as u64;
        if !self.book.dropped && self.book.received != whole {
            let detail = format!("{} of {whole} messages were received", self.book.received);
            self.report("6 messages are lost", detail);
        }
    }

    /// What a connection says of itself, after a call or at its end.
    pub fn look_at(&mut self, connection: &Connection) {
        if let Some(error) = connection.error() {
            self.judge(error);
        }
        if let Some(closed) = connection.closed() {
            self.closed(&closed, connection.error());
        }
    }

    fn closed(&mut self, closed: &Closed<'_>, error: Option<ProtocolError>) {
        let (ours, theirs) = (self.close_left(), self.peer_close_read());
        if closed.clean && (ours.is_none() || theirs.is_none()) {
            let detail = format!("our Close left at {ours:?}, the peer's came at {theirs:?}");
            self.report("1 told clean, and is not", detail);
        }
        if !closed.clean && ours.is_some() && theirs.is_some() && error.is_none() {
            self.report("1 clean, and is not told so", format!("{closed:?}"));
        }
        if let Some(code) = self.book.peer_code
            && theirs.is_some()
            && error.is_none()
            && closed.code.get() != code
        {
            self.report("1 the peer's code is lost", format!("{closed:?}, not {code}"));
        }
    }

    fn close_left(&self) -> Option<Duration> {
        self.out_frames.close().and_then(|mark| mark.left)
    }

    fn peer_close_read(&self) -> Option<Duration> {
        self.in_frames.close().and_then(|mark| mark.read)
    }

    // ---- oracles 2 and 7: who lives is not failed

    /// The connection has failed with this error: was there a moment at which that was right?
    fn judge(&mut self, error: ProtocolError) {
        let Some(limits) = self.book.limits else { return };
        if std::mem::replace(&mut self.book.judged, true) {
            return;
        }
        self.trace(|| format!("failed: {error:?}"));
        let class = match error {
            ProtocolError::KeepaliveTimeout => "2 a live peer fails: keepalive",
            ProtocolError::WriteTimeout => "2 a live peer fails: write",
            ProtocolError::CloseTimeout => "2 a live peer fails: close",
            ProtocolError::MessageTimeout => "7 a message in time fails",
            _ => return self.judge_fault(error),
        };
        let now = self.snapshot();
        // Those that are long past cannot be why it fails now.
        let recent = now.at.saturating_sub(limits.sum());
        let mut reasons = Vec::new();
        for moment in self.candidates.iter().filter(|moment| moment.at >= recent).chain([&now]) {
            let reason = match error {
                ProtocolError::KeepaliveTimeout => keepalive(moment, &limits),
                ProtocolError::WriteTimeout => self.write_timeout(moment, &limits),
                ProtocolError::CloseTimeout => close_timeout(moment, &limits),
                _ => self.message_timeout(moment, &limits),
            };
            match reason {
                Some(reason) => reasons.push(format!("at {:?} {reason}", moment.at)),
                None => return,
            }
        }
        reasons.dedup();
        self.report(class, reasons.join("; "));
    }

    /// A fault must have been there to be found.
    fn judge_fault(&self, error: ProtocolError) {
        let fault = self.in_frames.last(|mark| mark.kind == Kind::Fault);
        let found = match error {
            ProtocolError::UnexpectedEof => self.end_read.is_some() || self.write_failed.is_some(),
            _ => fault.is_some_and(|mark| mark.read.is_some()),
        };
        if !found {
            self.report("2 a peer without fault fails", format!("{error:?}"));
        }
    }

    fn write_timeout(&self, moment: &Snapshot, limits: &Limits) -> Option<String> {
        if moment.has_room {
            return Some("there was room".to_owned());
        }
        // What cannot be seen from outside the transport is not counted.
        let seen_from = match (self.plan.hold, self.plan.room_step) {
            (0, step) => step as u64,
            (hold, step) => (hold + step) as u64 + 1,
        };
        let just_before = moment.at.saturating_sub(Duration::from_nanos(1));
        let taken =
            self.out_frames.read_between(moment.at.saturating_sub(limits.write), just_before);
        (taken >= seen_from).then(|| format!("{taken} bytes were taken meanwhile"))
    }

    fn message_timeout(&self, moment: &Snapshot, limits: &Limits) -> Option<String> {
        let limit = limits.message?;
        let by_then = |time: Option<Duration>| time.is_some_and(|time| time <= moment.at);
        let marks = &self.in_frames.marks;
        let started = marks.iter().rposition(|m| m.kind == Kind::MessageStart && by_then(m.read));
        let Some(started) = started else { return Some("there was no message".to_owned()) };
        let due = marks[started].read.unwrap_or_default() + limit;
        if moment.at < due {
            return Some(format!("it was due at {due:?}, not at {:?}", moment.at));
        }
        let ended = marks[started..].iter().find(|mark| mark.kind == Kind::MessageEnd);
        let in_time = ended.filter(|mark| mark.put < moment.at && mark.put <= due);
        if moment.in_debt {
            return None;
        }
        in_time.map(|mark| format!("it ended at {:?} and was due at {due:?}", mark.put))
    }
}

/// Why it was wrong to call a peer dead at this moment.
fn keepalive(moment: &Snapshot, limits: &Limits) -> Option<String> {
    if moment.in_debt {
        return None;
    }
    let Some(ping) = moment.ping_left else { return Some("no ping has left".to_owned()) };
    if moment.last_arrival >= ping {
        let detail = format!("bytes came at {:?}, the ping left at {ping:?}", moment.last_arrival);
        return Some(detail);
    }
    let due = (ping + limits.pong).max(moment.last_arrival + limits.ping + limits.pong);
    if moment.at < due {
        return Some(format!("the pong was due at {due:?}, not at {:?}", moment.at));
    }
    let took = moment.last_unblocked.filter(|took| *took + limits.pong > moment.at);
    took.map(|took| format!("it made room at {took:?}"))
}

fn close_timeout(moment: &Snapshot, limits: &Limits) -> Option<String> {
    let Some(left) = moment.close_left else { return Some("our Close had not left".to_owned()) };
    let due = left + limits.close;
    (moment.at < due).then(|| format!("it was due at {due:?}, not at {:?}", moment.at))
}
