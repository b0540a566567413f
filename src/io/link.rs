//! [`Link`]: how far each direction of a transport has come, the same before and after the
//! opening handshake.
//!
//! What is queued is not sent: a ping counts from when it has left, a Close from when it has left,
//! and nothing is reported as done before.

use std::io;
use std::mem;
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use super::backlog::Backlog;
use crate::deadlines::Deadlines;
use crate::{Output, ProtocolError};

/// What to do with the transport next. The adapter does it and reports to the [`Link`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Io {
    /// Write what waits in the output: [`Link::written`].
    Write,
    /// Flush: [`Link::flushed`].
    Flush,
    /// Read into the window: [`Link::read`].
    Read,
    /// End the sending side: [`Link::shut`].
    Shutdown,
}

/// What has come of the sending side.
#[derive(Debug)]
enum Outgoing {
    Open,
    /// All has left, and the end behind it is to leave.
    Ending,
    /// The end has left, too.
    Ended,
    /// It takes nothing any more. The cause is told once.
    Broken(io::Error),
    /// The peer took nothing for too long, or the cause was told.
    Lost(Loss),
}

/// What is told of a transport that is lost. One byte: an idle connection has room for it, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// What broke it was told.
    Told,
    /// A deadline passed.
    Keepalive,
    Write,
    Close,
}

impl Loss {
    pub(crate) const fn error(self) -> ProtocolError {
        match self {
            Self::Told => ProtocolError::UnexpectedEof,
            Self::Keepalive => ProtocolError::KeepaliveTimeout,
            Self::Write => ProtocolError::WriteTimeout,
            Self::Close => ProtocolError::CloseTimeout,
        }
    }
}

/// What has come of the receiving side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Incoming {
    Open,
    /// The peer has ended it, it is broken, or nobody waits for its end any more.
    Ended,
}

/// What happened since the deadlines were last told.
#[derive(Debug, Default)]
struct Signs {
    /// Bytes were read.
    heard: bool,
    /// A transport that was full took bytes.
    took: bool,
    /// The answer to the keepalive ping was read.
    pong: bool,
}

/// What waits to be written, the deadlines, and the state of both directions.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) output: Output,
    pub(crate) deadlines: Deadlines,
    backlog: Backlog,
    outgoing: Outgoing,
    incoming: Incoming,
    signs: Signs,
    /// Bytes were written that the transport may still hold.
    unflushed: bool,
    /// The transport had no room for what waits.
    full: bool,
    /// Bytes were dropped that will never leave.
    lost: bool,
    /// A keepalive ping is queued, and ends at this position. It has bytes, so that is not 0; where
    /// positions wrap, 1 is as good.
    ping: Option<NonZeroU64>,
    /// The number of the message in progress, as of the last time that the deadlines were told,
    /// modulo 2^32.
    message: Option<NonZeroU32>,
    /// The end has been told to whoever reads the messages as a stream.
    #[cfg(any(feature = "tokio", feature = "futures-io"))]
    pub(crate) told: bool,
}

impl Link {
    pub(crate) fn new(deadlines: Deadlines) -> Self {
        Self {
            output: Output::new(),
            deadlines,
            backlog: Backlog::default(),
            outgoing: Outgoing::Open,
            incoming: Incoming::Open,
            signs: Signs::default(),
            unflushed: false,
            full: false,
            lost: false,
            ping: None,
            message: None,
            #[cfg(any(feature = "tokio", feature = "futures-io"))]
            told: false,
        }
    }

    /// What to do before everything that was sent is with the transport; `None` if it is, or if
    /// nothing can be sent any more.
    #[inline]
    pub(crate) fn next_to_flush(&self) -> Option<Io> {
        if self.is_broken() {
            None
        } else if !self.output.is_empty() {
            Some(Io::Write)
        } else {
            self.unflushed.then_some(Io::Flush)
        }
    }

    /// What ends the sending side, after all has left; `None` if that is done, or it is broken.
    pub(crate) fn next_to_end(&mut self) -> Option<Io> {
        match self.outgoing {
            Outgoing::Open | Outgoing::Ending => {
                self.outgoing = Outgoing::Ending;
                Some(Io::Shutdown)
            }
            Outgoing::Ended | Outgoing::Broken(_) | Outgoing::Lost(_) => None,
        }
    }

    /// What is left to do of the transport's end, for whoever waits for it: if ours comes first, or
    /// the peer's has come, ours, and then the peer's.
    pub(crate) fn next_to_linger(&mut self, ours_first: bool) -> Option<Io> {
        if self.is_broken() {
            return None;
        }
        let ours = if ours_first || self.has_ended() { self.next_to_end() } else { None };
        ours.or_else(|| (!self.has_ended()).then_some(Io::Read))
    }

    /// Whether only the end of the transport is missing.
    pub(crate) const fn is_ending(&self) -> bool {
        matches!(self.outgoing, Outgoing::Ending | Outgoing::Ended)
    }

    /// Whether nothing can be sent any more though it should be.
    #[inline]
    pub(crate) const fn is_broken(&self) -> bool {
        matches!(self.outgoing, Outgoing::Broken(_) | Outgoing::Lost(_))
    }

    /// Whether the receiving side has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.incoming == Incoming::Ended
    }

    /// Why nothing can be sent any more: what broke the transport is told once.
    pub(crate) fn take_broken(&mut self) -> Option<Result<io::Error, ProtocolError>> {
        match mem::replace(&mut self.outgoing, Outgoing::Lost(Loss::Told)) {
            Outgoing::Broken(error) => Some(Ok(error)),
            Outgoing::Lost(loss) => {
                self.outgoing = Outgoing::Lost(loss);
                Some(Err(loss.error()))
            }
            others => {
                self.outgoing = others;
                None
            }
        }
    }

    /// Whether bytes have waited that will never leave.
    #[inline]
    pub(crate) const fn has_lost(&self) -> bool {
        self.lost
    }

    /// Whether what broke the transport is still to be told.
    pub(crate) const fn has_untold(&self) -> bool {
        matches!(self.outgoing, Outgoing::Broken(_))
    }

    /// The transport took so many bytes; 0 means that it takes no more.
    pub(crate) fn written(&mut self, result: io::Result<usize>) {
        match result {
            Ok(0) => self.break_off(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                self.output.advance(count);
                self.backlog.written(count);
                self.unflushed = true;
                // Room that was there before says nothing of the peer: a system's buffers take a
                // lot while nobody reads. Room that was waited for, the peer has made.
                self.signs.took |= mem::take(&mut self.full);
            }
            Err(error) => self.break_off(error),
        }
    }

    /// The transport has no room for what waits.
    pub(crate) const fn wait_for_room(&mut self) {
        self.full = true;
    }

    /// Whether that was so the last time.
    pub(crate) const fn is_full(&self) -> bool {
        self.full
    }

    pub(crate) fn flushed(&mut self, result: io::Result<()>) {
        match result {
            Ok(()) => {
                self.unflushed = false;
                self.signs.took |= mem::take(&mut self.full);
            }
            Err(error) => self.break_off(error),
        }
    }

    /// So many bytes were read; 0 is the end. Returns how many there are to be looked at.
    pub(crate) fn read(&mut self, result: io::Result<usize>) -> usize {
        match result {
            Ok(0) => self.incoming = Incoming::Ended,
            Ok(count) => {
                self.signs.heard = true;
                return count;
            }
            Err(error) => {
                self.incoming = Incoming::Ended;
                self.break_off(error);
            }
        }
        0
    }

    /// The end behind all that was sent is with the transport.
    pub(crate) fn shut(&mut self) {
        if matches!(self.outgoing, Outgoing::Open | Outgoing::Ending) {
            self.outgoing = Outgoing::Ended;
        }
    }

    /// The answer to the keepalive ping was read.
    pub(crate) const fn pong(&mut self) {
        self.signs.pong = true;
    }

    /// A keepalive ping was queued.
    pub(crate) fn pinged(&mut self) {
        self.ping = NonZeroU64::new(self.output.control_end()).or(Some(NonZeroU64::MIN));
    }

    /// Whether a keepalive ping has left, and the deadlines were not told yet.
    pub(crate) fn ping_has_left(&self) -> bool {
        self.ping.is_some_and(|end| self.output.has_passed(end.get())) && !self.unflushed
    }

    /// Tells the deadlines what has happened. `message` is the message in progress.
    pub(crate) fn observe(&mut self, message: Option<u64>, now: Duration) {
        let signs = mem::take(&mut self.signs);
        // First, so that an answer which came before anybody looked at the time still counts.
        if self.ping_has_left() {
            self.ping = None;
            let backlog = self.backlog.level(now);
            self.deadlines.ping_left(now, backlog);
        }
        if signs.heard {
            self.deadlines.received(now);
        }
        if signs.pong {
            let payload = self.deadlines.ping_payload();
            self.deadlines.pong_received(&payload, now);
        }
        if signs.took || !self.full {
            self.deadlines.write_progress(now, self.full);
        } else {
            self.deadlines.write_waiting(now);
        }
        #[expect(clippy::cast_possible_truncation, reason = "modulo 2^32 is meant")]
        let number = message.map(|number| (number as u32).wrapping_add(1));
        let number = number.map(|number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN));
        if mem::replace(&mut self.message, number) != number {
            self.deadlines.message_ended();
        }
        if message.is_some() {
            self.deadlines.message_started(now);
        }
    }

    /// A ping is due: what was written before is looked at as of then.
    pub(crate) fn look_at_backlog(&mut self, now: Duration) {
        self.backlog.level(now);
    }

    /// Nobody waits for the peer any more, nor for anything to leave.
    pub(crate) fn give_up(&mut self, loss: Loss) {
        self.incoming = Incoming::Ended;
        self.abandon();
        if matches!(self.outgoing, Outgoing::Open | Outgoing::Ending) {
            self.outgoing = Outgoing::Lost(loss);
        }
    }

    /// Nobody waits for the peer's end any more.
    pub(crate) fn end(&mut self) {
        self.incoming = Incoming::Ended;
        self.shut();
    }

    /// The transport cannot be written to any more. It is read to its end all the same: what the
    /// peer sent before may be there, its Close frame too.
    fn break_off(&mut self, error: io::Error) {
        self.abandon();
        if matches!(self.outgoing, Outgoing::Open | Outgoing::Ending) {
            self.outgoing = Outgoing::Broken(error);
        }
    }

    /// Drops what waits.
    fn abandon(&mut self) {
        self.lost |= !self.output.is_empty() || self.unflushed;
        self.output.abandon();
        (self.unflushed, self.full, self.ping) = (false, false, None);
    }
}
