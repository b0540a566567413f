//! The pump, written once: it decides what an adapter does next, and does none of it.
//!
//! ```text
//!               .---------- step() <----------.
//!               v                             |
//!   Event    event() lends it from the window |
//!   Io       the adapter reads, writes, ... --'
//!   Closed   outcome()
//! ```

use std::time::Duration;

use super::error::Error;
use super::link::{Io, Link};
use super::window::Window;
use crate::connection::receive::{Found, Signal};
use crate::deadlines::Expired;
use crate::{ApiMisuse, Connection, Event, Output, ProtocolError, State};

/// What the adapter does next.
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
    signal: Signal,
    found: Found,
    /// Messages received when the time was last looked at.
    messages: u64,
    /// The answer to a keepalive ping has come since then.
    pong: bool,
}

impl Driver {
    pub(crate) fn new(connection: Connection, link: Link) -> Self {
        let found = Found::default();
        Self { connection, link, signal: Signal::NeedInput, found, messages: 0, pong: false }
    }

    /// Decides what comes next. Events come before writes, so that the replies to one read leave
    /// in one write, unless much waits.
    #[inline]
    pub(crate) fn step(&mut self, window: &mut Window) -> Step {
        let Self { connection, link, .. } = self;
        if connection.wants_write(&link.output) && !link.is_shut() {
            return Step::Io(Io::Write);
        }
        if !window.is_empty() {
            self.signal = connection.step(window.unread(), &mut self.found, &mut link.output);
            if self.signal != Signal::NeedInput {
                return Step::Event;
            }
            window.take(self.found.consumed);
        } else {
            connection.send_owed(&mut link.output);
        }
        if link.has_ended() {
            // The error, if the end is one, stays with the connection.
            let _ = connection.receive_eof();
        }
        if link.is_shut() {
            link.output = Output::new();
        }
        match link.next(connection.should_shutdown()) {
            Some(io) => Step::Io(io),
            None => Step::Closed,
        }
    }

    /// Makes the event that [`step`](Self::step) announced.
    ///
    /// # Errors
    ///
    /// The connection has failed: the steps that follow write the Close frame.
    #[inline]
    pub(crate) fn event<'w>(
        &mut self,
        window: &'w mut Window,
    ) -> Result<Option<Event<'w>>, ProtocolError> {
        let found = core::mem::take(&mut self.found);
        let taken = window.take(found.consumed);
        let event = self.connection.event(self.signal, found, taken, &mut self.link.output);
        if let Ok(Some(Event::Pong(payload))) = &event {
            self.pong |= **payload == self.link.deadlines.ping_payload();
        }
        event
    }

    /// Call before waiting for the transport: notes what the deadlines depend on.
    pub(crate) fn before_io(&mut self, now: Duration) {
        let Self { connection, link, .. } = self;
        let messages = connection.statistics().received.messages;
        if core::mem::replace(&mut self.messages, messages) != messages {
            link.deadlines.message_ended();
        }
        if connection.in_message() {
            link.deadlines.message_started(now);
        }
        if core::mem::take(&mut self.pong) {
            let payload = link.deadlines.ping_payload();
            link.deadlines.pong_received(&payload, now);
        }
        link.before_io(connection.state() != State::Open, now);
    }

    /// Call after waiting for the transport: acts on deadlines that have passed. Not before, so
    /// that bytes which have come in time but were not read count for the peer.
    pub(crate) fn after_io(&mut self, now: Duration) {
        while let Some(expired) = self.link.deadlines.on_deadline(now) {
            self.expire(expired);
        }
    }

    fn expire(&mut self, expired: Expired) {
        let Self { connection, link, .. } = self;
        match expired {
            Expired::SendPing => {
                // A full output or a closing connection needs no sign of life.
                let _ = connection.ping(&link.deadlines.ping_payload(), &mut link.output);
            }
            Expired::KeepaliveTimeout => {
                connection.fail(ProtocolError::KeepaliveTimeout, &mut link.output);
            }
            Expired::Message => {
                connection.fail(ProtocolError::MessageTimeout, &mut link.output);
            }
            Expired::Write => {
                connection.fail(ProtocolError::WriteTimeout, &mut link.output);
                link.give_up();
            }
            Expired::Close | Expired::Handshake => {
                // Not an error where both Close frames have passed and only the end is missing.
                connection.fail(ProtocolError::CloseTimeout, &mut link.output);
                link.give_up();
            }
        }
    }

    /// How it ended: a clean end is `Ok`. What broke the transport is reported once; after that
    /// the connection answers for itself.
    pub(crate) fn outcome(&mut self) -> Result<(), Error> {
        let broken = self.link.take_broken();
        // 7.1.5: the peer's Close counts, whatever happened to the transport after it. So does a
        // failure that was there before.
        let open = matches!(self.connection.state(), State::Open | State::CloseSent)
            || self.connection.error() == Some(ProtocolError::UnexpectedEof);
        if let Some(error) = broken.filter(|_| open) {
            self.connection.fail(ProtocolError::UnexpectedEof, &mut Output::new());
            return Err(Error::Io(error));
        }
        match self.connection.error() {
            Some(error) => Err(Error::Protocol(error)),
            None => Ok(()),
        }
    }

    /// Whether bytes can still be sent; otherwise why not.
    pub(crate) fn check_writable(&mut self) -> Result<(), Error> {
        if !self.link.is_shut() {
            return Ok(());
        }
        self.outcome()?;
        Err(Error::Misuse(ApiMisuse::Closing))
    }
}
