//! [`Link`]: how far each direction of a transport has come, the same before and after the
//! opening handshake.

use std::io;
use std::time::Duration;

use crate::Output;
use crate::deadlines::Deadlines;

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

/// What waits to be written, the deadlines, and the state of both directions.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) output: Output,
    pub(crate) deadlines: Deadlines,
    /// Bytes were written that the transport may still hold.
    unflushed: bool,
    /// Whether the end of the transport is waited for once ours is done: without it, bytes of the
    /// peer that nobody has read make the system reset the connection, and our last ones may be
    /// lost with it. Needs a transport with deadlines.
    lingers: bool,
    /// The sending side has ended, or is given up.
    shut: bool,
    /// The receiving side has ended, or is given up.
    ended: bool,
    /// The answer to a keepalive ping has come since the time was last looked at.
    pub(crate) pong: bool,
    /// The end has been told to whoever reads the messages as a stream.
    #[cfg(any(feature = "tokio", feature = "futures-io"))]
    pub(crate) told: bool,
    /// What broke the transport, until it is reported.
    broken: Option<io::Error>,
    /// Something broke it: what fails after that is the same break, reported or not.
    has_broken: bool,
}

impl Link {
    pub(crate) fn new(deadlines: Deadlines, lingers: bool) -> Self {
        Self {
            output: Output::new(),
            deadlines,
            unflushed: false,
            lingers,
            shut: false,
            ended: false,
            pong: false,
            #[cfg(any(feature = "tokio", feature = "futures-io"))]
            told: false,
            broken: None,
            has_broken: false,
        }
    }

    /// What to do next where nothing can be done without the transport; `None` if it is over.
    /// Writes come before reads, so that nothing waits for a peer that waits for us.
    #[inline]
    pub(crate) fn next(&self, nothing_more_to_send: bool) -> Option<Io> {
        match self {
            Self { shut: true, ended: true, .. } => None,
            Self { shut: true, .. } => Some(Io::Read),
            _ if !self.output.is_empty() => Some(Io::Write),
            _ if self.unflushed => Some(Io::Flush),
            _ if nothing_more_to_send || self.ended => Some(Io::Shutdown),
            _ => Some(Io::Read),
        }
    }

    /// Whether there may be something to read, whatever waits to be written.
    #[cfg(any(feature = "tokio", feature = "futures-io"))]
    pub(crate) const fn may_read(&self) -> bool {
        !self.ended
    }

    /// What to do before everything that was sent is with the transport; `None` if it is, or if
    /// the sending side has ended.
    pub(crate) fn next_to_flush(&self) -> Option<Io> {
        match self.next(false) {
            Some(io @ (Io::Write | Io::Flush)) => Some(io),
            _ => None,
        }
    }

    pub(crate) const fn is_shut(&self) -> bool {
        self.shut
    }

    pub(crate) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// What broke the transport, once.
    pub(crate) fn take_broken(&mut self) -> Option<io::Error> {
        self.broken.take()
    }

    /// The transport took so many bytes; 0 means that it takes no more.
    pub(crate) fn written(&mut self, result: io::Result<usize>, now: Duration) {
        match result {
            Ok(0) => self.break_off(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                self.output.advance(count);
                self.unflushed = true;
                self.deadlines.write_progress(now, !self.output.is_empty());
            }
            Err(error) => self.break_off(error),
        }
    }

    pub(crate) fn flushed(&mut self, result: io::Result<()>) {
        match result {
            Ok(()) => self.unflushed = false,
            Err(error) => self.break_off(error),
        }
    }

    /// So many bytes were read; 0 is the end. Returns how many there are to be looked at.
    pub(crate) fn read(&mut self, result: io::Result<usize>, now: Duration) -> usize {
        match result {
            Ok(0) => self.ended = true,
            Ok(count) => {
                self.deadlines.received(now);
                return count;
            }
            Err(error) => {
                self.ended = true;
                self.break_off(error);
            }
        }
        0
    }

    pub(crate) fn shut(&mut self) {
        self.shut = true;
        self.ended |= !self.lingers;
    }

    /// Notes what the deadlines depend on: that bytes wait, that nothing but the end is left.
    pub(crate) fn before_io(&mut self, closing: bool, now: Duration) {
        if self.shut {
            self.deadlines.write_progress(now, false);
        } else if !self.output.is_empty() {
            self.deadlines.write_waiting(now);
        }
        if closing || self.shut {
            self.deadlines.closing(now);
        }
    }

    /// Gives both directions up, whatever waits.
    pub(crate) fn give_up(&mut self) {
        self.shut = true;
        self.ended = true;
        self.output = Output::new();
    }

    /// The transport cannot be written to any more. It is read to its end all the same: what the
    /// peer sent before may be there, its Close frame too.
    fn break_off(&mut self, error: io::Error) {
        self.shut();
        self.output = Output::new();
        if !core::mem::replace(&mut self.has_broken, true) {
            self.broken = Some(error);
        }
    }
}
