//! The pump, written once: it decides what an adapter does next, and does none of it.
//!
//! ```text
//!               .---------- step() <----------.
//!               v                             |
//!   Event    event() lends it from the window |
//!   Io       the adapter reads, writes, ... --'
//!   Closed   outcome()
//! ```
//!
//! A connection that is split has its receiving half in one task and its [`Sending`] half behind
//! a lock, so what the pump does is cut along that line.

use std::time::Duration;

use super::error::Error;
use super::link::{Io, Link};
use super::window::Window;
use crate::connection::receive::{Due, ReceivePath};
use crate::connection::send::SendPath;
use crate::deadlines::Expired;
use crate::{ApiMisuse, Connection, Event, Output, ProtocolError, State};

/// What a blocking adapter does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// [`Driver::event`] makes it.
    Event,
    /// Something with the transport.
    Io(Io),
    /// The connection is over, [`Driver::outcome`] tells how.
    Closed,
}

/// A connection and its link.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) connection: Connection,
    pub(crate) link: Link,
}

/// The half that sends, and all that has to do with the transport.
#[derive(Debug)]
pub(crate) struct Sending<'a> {
    pub(crate) path: &'a mut SendPath,
    pub(crate) link: &'a mut Link,
}

impl Driver {
    pub(crate) fn new(connection: Connection, link: Link) -> Self {
        Self { connection, link }
    }

    #[inline]
    pub(crate) fn halves(&mut self) -> (&mut ReceivePath, Sending<'_>) {
        let Self { connection, link } = self;
        (&mut connection.receive, Sending { path: &mut connection.send, link })
    }

    /// Decides what comes next. Events come before writes, so that the replies to one read leave
    /// in one write, unless much waits.
    #[inline]
    pub(crate) fn step(&mut self, window: &mut Window) -> Step {
        let (receive, mut sending) = self.halves();
        if sending.wants_write() {
            return Step::Io(Io::Write);
        }
        match window.find(receive) {
            Ok(true) => return Step::Event,
            Ok(false) => {}
            Err(error) => sending.fail(error),
        }
        match sending.next(receive) {
            Some(io) => Step::Io(io),
            None => Step::Closed,
        }
    }

    /// Makes the event that was found.
    ///
    /// # Errors
    ///
    /// The connection has failed: the steps that follow write the Close frame.
    #[inline(always)]
    pub(crate) fn event<'w>(
        &mut self,
        window: &'w mut Window,
    ) -> Result<Option<Event<'w>>, ProtocolError> {
        let (receive, mut sending) = self.halves();
        window.event(receive, |due| sending.answer(due))
    }

    /// Call before waiting for the transport: notes what the deadlines depend on.
    pub(crate) fn before_io(&mut self, window: &mut Window, now: Duration) {
        let (receive, mut sending) = self.halves();
        sending.received(receive, window, now);
        sending.before_io(now);
    }

    /// Call after waiting for the transport: acts on deadlines that have passed. Not before, so
    /// that bytes which have come in time but were not read count for the peer.
    pub(crate) fn after_io(&mut self, now: Duration) {
        let (receive, mut sending) = self.halves();
        if let Some(error) = sending.after_io(now) {
            receive.fail(error);
        }
    }

    /// How it ended, see [`Sending::outcome`].
    pub(crate) fn outcome(&mut self) -> Result<(), Error> {
        let (receive, mut sending) = self.halves();
        sending.outcome(receive)
    }

    /// Whether bytes can still be sent; otherwise why not.
    pub(crate) fn check_writable(&mut self) -> Result<(), Error> {
        let (receive, mut sending) = self.halves();
        let writable = sending.check_writable(receive.error());
        if let Err(Error::Io(_)) = writable {
            // What was read before is still delivered, and then the end. Reading on could wait for
            // a silent peer.
            sending.link.give_up();
        }
        writable
    }
}

impl Sending<'_> {
    /// Whether so much waits that it is written before anything else is done.
    #[inline]
    pub(crate) fn wants_write(&self) -> bool {
        self.path.wants_write(&self.link.output) && !self.link.is_shut()
    }

    /// What to do with the transport where there is no event; `None` if the connection is over.
    #[inline]
    pub(crate) fn next(&mut self, receive: &mut ReceivePath) -> Option<Io> {
        self.path.send_owed(&mut self.link.output);
        if self.link.has_ended()
            && let Err(error) = receive.receive_eof()
        {
            // Nothing is written where the end came as a surprise: that code cannot be sent.
            self.fail(error);
        }
        if self.link.is_shut() {
            self.link.output = Output::new();
        }
        self.link.next(self.path.should_shutdown())
    }

    /// Answers what was received, where an answer is due.
    pub(crate) fn answer(&mut self, due: Due<'_>) {
        if let Due::Pong(payload) = due {
            self.link.pong |= *payload == self.link.deadlines.ping_payload();
        }
        self.path.answer(due, &mut self.link.output);
    }

    /// The connection has failed: the Close frame that says so is queued.
    pub(crate) fn fail(&mut self, error: ProtocolError) {
        self.path.fail(error, &mut self.link.output);
    }

    /// Notes what was received since the last time, for the deadlines.
    pub(crate) fn received(&mut self, receive: &ReceivePath, window: &mut Window, now: Duration) {
        if window.message_ended() {
            self.link.deadlines.message_ended();
        }
        if receive.in_message() {
            self.link.deadlines.message_started(now);
        }
    }

    /// Notes what else the deadlines depend on.
    pub(crate) fn before_io(&mut self, now: Duration) {
        if core::mem::take(&mut self.link.pong) {
            let payload = self.link.deadlines.ping_payload();
            self.link.deadlines.pong_received(&payload, now);
        }
        self.link.before_io(self.path.closing.state() != State::Open, now);
    }

    /// Acts on deadlines that have passed. Returns the error that the connection has failed with
    /// thereby, which the receiving half has to learn.
    pub(crate) fn after_io(&mut self, now: Duration) -> Option<ProtocolError> {
        let mut failed = None;
        while let Some(expired) = self.link.deadlines.on_deadline(now) {
            failed = failed.or(self.expire(expired));
        }
        failed
    }

    fn expire(&mut self, expired: Expired) -> Option<ProtocolError> {
        let (error, gives_up) = match expired {
            Expired::SendPing => {
                // A full output or a closing connection needs no sign of life.
                let payload = self.link.deadlines.ping_payload();
                let _ = self.path.ping(&payload, &mut self.link.output);
                return None;
            }
            Expired::KeepaliveTimeout => (ProtocolError::KeepaliveTimeout, false),
            Expired::Message => (ProtocolError::MessageTimeout, false),
            Expired::Write => (ProtocolError::WriteTimeout, true),
            Expired::Close | Expired::Handshake => (ProtocolError::CloseTimeout, true),
        };
        // Not an error where both Close frames have passed and only the end is missing.
        let failed = self.path.closing.state() != State::Closed;
        if failed {
            self.fail(error);
        }
        if gives_up {
            self.link.give_up();
        }
        failed.then_some(error)
    }

    /// How it ended: a clean end is `Ok`. What broke the transport is reported once; after that
    /// the connection answers for itself.
    pub(crate) fn outcome(&mut self, receive: &mut ReceivePath) -> Result<(), Error> {
        if let Some(broken) = self.broken(receive.error()) {
            receive.fail(ProtocolError::UnexpectedEof);
            // Reading on would tell of the same break a second time, or wait for a silent peer.
            self.link.give_up();
            return Err(Error::Io(broken));
        }
        match receive.error() {
            Some(error) => Err(Error::Protocol(error)),
            None => Ok(()),
        }
    }

    /// Whether bytes can still be sent; otherwise why not. `error` is what the receiving half has
    /// failed with. What broke the transport is told once, as [`Error::Io`].
    pub(crate) fn check_writable(&mut self, error: Option<ProtocolError>) -> Result<(), Error> {
        if !self.link.is_shut() {
            return Ok(());
        }
        if let Some(broken) = self.broken(error) {
            return Err(Error::Io(broken));
        }
        match (error, self.path.closing.state()) {
            (Some(error), _) => Err(Error::Protocol(error)),
            // Our Close was the last to leave: everything has left.
            (None, State::Closed) => Ok(()),
            // The transport broke, which was told.
            (None, State::Failed) => Err(Error::Protocol(ProtocolError::UnexpectedEof)),
            (None, _) => Err(Error::Misuse(ApiMisuse::Closing)),
        }
    }

    /// What broke the transport, once, if that is how the connection ended.
    fn broken(&mut self, error: Option<ProtocolError>) -> Option<std::io::Error> {
        let broken = self.link.take_broken()?;
        // 7.1.5: the peer's Close counts, whatever happened to the transport after it. So does a
        // failure that was there before.
        let open = matches!(self.path.closing.state(), State::Open | State::CloseSent)
            || error == Some(ProtocolError::UnexpectedEof);
        if !open {
            return None;
        }
        self.path.fail(ProtocolError::UnexpectedEof, &mut Output::new());
        Some(broken)
    }
}
