//! The pump, written once: it decides what an adapter does next, and does none of it.
//!
//! ```text
//!               .---------- next() <----------.
//!               v                             |
//!   Event    event() lends it from the window |
//!   Io       the adapter reads, writes, ... --'
//!   None     outcome()
//! ```
//!
//! The end is told as soon as our last byte has left. The end of the transport is another thing,
//! which only `close()` waits for: [`Driver::next_to_linger`].

use std::time::Duration;

use super::error::Error;
use super::link::{Io, Link, Loss};
use super::window::Window;
use crate::connection::receive::{Due, ReceivePath, Signal};
use crate::connection::send::SendPath;
use crate::deadlines::Expired;
use crate::{
    ApiMisuse, CloseCode, Connection, Event, Message, Output, ProtocolError, SendError, State,
};

/// A connection and its link.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) connection: Connection,
    pub(crate) link: Link,
}

/// How far what has arrived could be looked at when a deadline passed: a peer is not to blame for
/// what nobody has looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looked {
    /// Everything that has arrived was read and taken.
    AtAll,
    /// What has arrived was read, but not all of it was taken.
    AtArrivals,
    /// There was no room to read into.
    Away,
    /// The runtime had no turn yet to look for what has arrived: the next call judges.
    #[cfg(any(feature = "tokio", feature = "futures-io"))]
    TooEarly,
}

impl Driver {
    pub(crate) fn new(connection: Connection, link: Link) -> Self {
        Self { connection, link }
    }

    /// The connection, for someone else to drive.
    pub(crate) fn into_connection(mut self) -> Connection {
        self.connection.send.closing.left();
        self.connection
    }

    #[inline]
    fn halves(&mut self) -> (&mut ReceivePath, &mut SendPath, &mut Link) {
        let Self { connection: Connection { receive, send }, link } = self;
        (receive, send, link)
    }

    /// Whether so much waits that it is written before anything else is done.
    #[inline]
    pub(crate) fn is_over_soft_limit(&self) -> bool {
        self.connection.send.wants_write(&self.link.output)
    }

    /// Looks for an event in what was read. A fault in it fails the connection.
    #[inline(always)]
    pub(crate) fn find(&mut self, window: &mut Window) -> bool {
        match window.find(&mut self.connection.receive) {
            Ok(found) => found,
            Err(error) => {
                self.connection.send.fail(error, &mut self.link.output);
                false
            }
        }
    }

    /// Makes the event that was found.
    ///
    /// # Errors
    ///
    /// The connection has failed: what comes next writes the Close frame.
    #[inline(always)]
    pub(crate) fn event<'w>(
        &mut self,
        window: &'w mut Window,
    ) -> Result<Option<Event<'w>>, ProtocolError> {
        let (receive, send, link) = self.halves();
        window.event(receive, |due| answer(send, link, due))
    }

    /// The same for a program that takes messages only.
    pub(crate) fn message(&mut self, window: &mut Window) -> Option<Message<'static>> {
        // A failure stays with the connection: what comes next writes the Close and tells it.
        let event = self.event(window).ok().flatten()?;
        Message::try_from(event).ok().map(Message::into_owned)
    }

    /// What to do with the transport where there is no event; `None` if the connection is over.
    /// Writes come before reads, so that nothing waits for a peer that waits for us.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Io> {
        self.send_owed();
        self.ended();
        let (receive, send, link) = self.halves();
        if let Some(io) = link.next_to_flush() {
            return Some(io);
        }
        // 1.4, 7.1.7: nothing that comes after the peer's Close, or after a failure, means anything.
        let done = receive.is_done() && send.closing.state() != State::CloseReceived;
        if done || link.has_ended() {
            return if send.should_shutdown() { link.next_to_end() } else { None };
        }
        Some(Io::Read)
    }

    /// Appends a pong that there is room for now.
    #[inline]
    pub(crate) fn send_owed(&mut self) {
        self.connection.send.send_owed(&mut self.link.output);
    }

    /// Takes note of the end of the receiving side.
    #[inline]
    pub(crate) fn ended(&mut self) {
        let (receive, send, link) = self.halves();
        if link.has_ended()
            && let Err(error) = receive.receive_eof()
        {
            // Nothing is written where the end came as a surprise: that code cannot be sent.
            send.fail(error, &mut link.output);
        }
    }

    /// What ends our side behind the peer's. One that has sent its Close and the end may still be
    /// waiting for what the program has to say before it answers (5.5.1).
    pub(crate) fn next_to_end(&mut self) -> Option<Io> {
        if self.connection.state() == State::CloseReceived {
            return None;
        }
        self.link.next_to_end()
    }

    /// What is left to do after the connection is over, for who waits for the transport's end.
    /// 7.1.1: a client leaves that to the server.
    pub(crate) fn next_to_linger(&mut self) -> Option<Io> {
        self.link.next_to_linger(self.connection.should_shutdown())
    }

    /// To be called after each use of the transport.
    #[inline]
    pub(crate) fn after_io(&mut self) {
        if self.link.has_lost() {
            self.connection.output_lost();
        }
        if self.link.next_to_flush().is_none() {
            self.connection.send.closing.left();
        }
    }

    /// To be called before a call that sends returns: the wait for an answer to the ping that has
    /// left begins then, and not with the next call.
    #[inline]
    pub(crate) fn note_ping(&mut self, now: impl FnOnce() -> Duration) {
        if self.link.ping_has_left() {
            self.observe(now());
        }
    }

    /// To be called after a Close frame of ours was queued: it has not passed before it has left.
    pub(crate) fn close_waits(&mut self) {
        close_waits(&mut self.connection.send, &self.link);
    }

    /// Whether a deadline may have passed.
    #[inline]
    pub(crate) fn is_due(&self, now: Duration) -> bool {
        self.link.deadlines.next_deadline().is_some_and(|deadline| deadline <= now)
    }

    /// Tells the deadlines what has happened. To be called before waiting, and before judging.
    pub(crate) fn observe(&mut self, now: Duration) {
        let (receive, send, link) = self.halves();
        link.observe(receive.message_in_progress(), now);
        if link.is_broken() || link.is_ending() {
            // What lies in the transport is still read, and nobody waits long for more.
            link.deadlines.lingering(now);
        }
        let closing = match send.closing.state() {
            State::Open => false,
            State::Failed => true,
            // Until our Close has left, the peer owes nothing but to take what waits.
            State::CloseSent | State::CloseReceived | State::Closed => {
                link.next_to_flush().is_none()
            }
        };
        if closing {
            link.deadlines.closing(now);
        }
    }

    /// The end is told, and only that of the transport is waited for.
    pub(crate) fn linger(&mut self, now: Duration) {
        self.link.deadlines.lingering(now);
    }

    /// Acts on deadlines that have passed, after the transport was written to and read from as far
    /// as it let.
    pub(crate) fn tick(&mut self, looked: Looked, now: Duration) {
        self.observe(now);
        let (message, any) = match looked {
            Looked::AtAll => (false, false),
            Looked::AtArrivals => (true, false),
            Looked::Away => (true, true),
            #[cfg(any(feature = "tokio", feature = "futures-io"))]
            Looked::TooEarly => {
                if self.link.deadlines.on_ping(now) {
                    self.keep_alive(now);
                }
                return;
            }
        };
        self.link.deadlines.excuse(now, message, any);
        while let Some(expired) = self.link.deadlines.on_deadline(now) {
            self.expire(expired, now);
        }
    }

    fn expire(&mut self, expired: Expired, now: Duration) {
        let (error, loss) = match expired {
            Expired::SendPing => return self.keep_alive(now),
            Expired::Linger => return self.link.end(),
            // A Close frame that cannot leave at once is not waited for: the peer is gone.
            Expired::KeepaliveTimeout => {
                (ProtocolError::KeepaliveTimeout, self.link.is_full().then_some(Loss::Keepalive))
            }
            Expired::Message => (ProtocolError::MessageTimeout, None),
            Expired::Write => (ProtocolError::WriteTimeout, Some(Loss::Write)),
            Expired::Close | Expired::Handshake => (ProtocolError::CloseTimeout, Some(Loss::Close)),
        };
        let was_closed = self.connection.state() == State::Closed;
        if let Some(loss) = loss {
            self.link.give_up(loss);
            self.after_io();
        }
        // 7.1.5: once both have closed, what counts is the peer's Close, if not how it ended.
        if !was_closed {
            self.connection.fail(error, &mut self.link.output);
        }
        if loss.is_some() {
            self.link.output.abandon(); // nobody will read that Close
        }
    }

    fn keep_alive(&mut self, now: Duration) {
        let (_, send, link) = self.halves();
        let payload = link.deadlines.ping_payload();
        if send.keepalive_ping(&payload, &mut link.output) {
            link.look_at_backlog(now);
            link.pinged();
        }
    }

    /// How it ended, for who receives: a clean end is `Ok`. What broke the transport is told once,
    /// to whoever asks first; after that the connection answers for itself.
    pub(crate) fn outcome(&mut self) -> Result<(), Error> {
        self.after_io();
        // 7.1.5: the peer's Close counts, whatever happened to the transport after it. So does a
        // failure that was there before.
        let surprised = match self.connection.error() {
            Some(error) => error == ProtocolError::UnexpectedEof,
            None => matches!(self.connection.state(), State::Open | State::CloseSent),
        };
        if surprised
            && self.link.has_untold()
            && let Some(Ok(broken)) = self.link.take_broken()
        {
            self.connection.fail(ProtocolError::UnexpectedEof, &mut Output::new());
            return Err(Error::Io(broken));
        }
        match self.connection.error() {
            Some(error) => Err(Error::Protocol(error)),
            None => Ok(()),
        }
    }

    /// Whether what was queued has left or still can, and the connection has not failed; otherwise
    /// why not, for who sends. That all has left, the Close frame too, makes no failure good.
    pub(crate) fn check_writable(&mut self) -> Result<(), Error> {
        match (self.link.take_broken(), self.connection.error()) {
            (Some(Ok(broken)), _) => Err(Error::Io(broken)),
            (Some(Err(lost)), error) => Err(Error::Protocol(error.unwrap_or(lost))),
            (None, Some(error)) => Err(Error::Protocol(error)),
            (None, None) => Ok(()),
        }
    }

    /// The same at the end of `close()`, of a connection that has not ended cleanly.
    pub(crate) fn check_closed(&mut self) -> Result<(), Error> {
        if self.connection.state() == State::Closed { Ok(()) } else { self.check_writable() }
    }

    /// Whether messages are delivered whole: chunks would be dropped by a call that returns
    /// messages.
    pub(crate) const fn check_delivers_messages(&self) -> Result<(), Error> {
        if self.connection.receive.delivers_chunks() {
            return Err(Error::Misuse(ApiMisuse::ChunksDelivered));
        }
        Ok(())
    }

    /// Queues a Close frame.
    pub(crate) fn queue_close(
        &mut self,
        close: Option<(CloseCode, &str)>,
    ) -> Result<(), ApiMisuse> {
        self.connection.send.close(close, &mut self.link.output)?;
        self.close_waits();
        Ok(())
    }

    /// Answers the peer's Close.
    pub(crate) fn queue_reply(&mut self) -> Result<(), ApiMisuse> {
        self.connection.send.reply_close(&mut self.link.output)?;
        self.close_waits();
        Ok(())
    }

    /// What a call that queues something has come to; `None`: it is full, and hands the message
    /// back.
    #[inline]
    pub(crate) fn queued<M>(
        &mut self,
        sent: Result<(), SendError<M>>,
        back: &mut Option<M>,
    ) -> Option<Result<(), Error>> {
        match sent {
            Ok(()) => Some(Ok(())),
            Err(SendError::Full(message)) => {
                *back = Some(message);
                None
            }
            Err(SendError::Misuse(misuse)) => Some(Err(self.blame(misuse))),
        }
    }

    /// What a call fails with: where the connection has failed, the caller is not to blame.
    #[cold]
    pub(crate) fn blame(&mut self, misuse: ApiMisuse) -> Error {
        if misuse != ApiMisuse::Closing {
            return misuse.into();
        }
        self.check_writable().err().unwrap_or_else(|| misuse.into())
    }

    /// Looks through what was read while the program only sends: pings are answered, and the
    /// keepalive's pong is noted. Both are dealt with then, and are not told. The first event that
    /// the program has to see stays; the peer's Close is answered, and stays too.
    pub(crate) fn skim(&mut self, window: &mut Window, nobody_receives: bool) {
        while self.find(window) {
            let (receive, send, link) = self.halves();
            let dealt_with = match window.signal() {
                Signal::Ping => send.answers_pings(),
                Signal::Pong => window.control_payload(receive) == link.deadlines.ping_payload(),
                // One that the connection has failed behind is dealt with where it is taken.
                Signal::Close if receive.error().is_none() => {
                    answer(send, link, Due::Close(receive.found_close()));
                    false
                }
                _ => false,
            };
            if !dealt_with && !nobody_receives {
                return;
            }
            let _ = self.event(window); // a failure stays with the connection
        }
    }
}

/// Answers what was received, where an answer is due.
fn answer(send: &mut SendPath, link: &mut Link, due: Due<'_>) {
    if let Due::Pong(payload) = due
        && *payload == link.deadlines.ping_payload()
    {
        link.pong();
    }
    let closes = matches!(due, Due::Close(_));
    send.answer(due, &mut link.output);
    if closes {
        close_waits(send, link);
    }
}

fn close_waits(send: &mut SendPath, link: &Link) {
    if link.is_broken() {
        send.closing.output_lost(); // it never leaves
    } else if link.next_to_flush().is_some() {
        send.closing.waits();
    }
}
