//! [`Wire`]: a transport that follows a script, for adapters of any kind, with a clock that stands
//! still until the input moves it.

#[cfg(feature = "futures-io")]
mod asynchronous;
mod blocking;

use std::cell::{RefCell, RefMut};
use std::fmt;
use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::time::Duration;

use websocket_proto::io::Error;

use super::script::Script;

/// What a call on the stream does. An async stream can follow it as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// At most so many bytes pass, at least one.
    Some(usize),
    /// For an async stream: pending, and woken at once.
    WouldBlock,
    Interrupted,
    /// The end of the stream, or a write that takes nothing.
    Zero,
    Reset,
}

impl Step {
    /// Most steps let bytes pass, so that a script gets somewhere; at its end all do.
    pub fn next(script: &mut Script<'_>) -> Self {
        match script.byte() {
            0 => Self::Some(usize::MAX),
            len @ 1..200 => Self::Some(len.into()),
            200..230 => Self::WouldBlock,
            230..250 => Self::Interrupted,
            250..253 => Self::Zero,
            253.. => Self::Reset,
        }
    }

    fn io(self) -> io::Result<usize> {
        match self {
            Self::Some(len) => Ok(len),
            Self::WouldBlock => Err(ErrorKind::WouldBlock.into()),
            Self::Interrupted => Err(ErrorKind::Interrupted.into()),
            Self::Zero => Ok(0),
            Self::Reset => Err(ErrorKind::ConnectionReset.into()),
        }
    }
}

/// More calls than any input has a reason for, between two looks at the program.
const MOST_CALLS: usize = 30_000;

/// What a peer answers once what was written is a whole request.
type Answer = fn(&[u8]) -> Option<Vec<u8>>;

/// What the transport brings, takes and does.
#[derive(Debug)]
pub struct Wire<'a> {
    script: Script<'a>,
    input: Vec<u8>,
    read: usize,
    pub written: Vec<u8>,
    /// Bytes were taken that were not flushed.
    pub unflushed: bool,
    /// The sending side was ended.
    pub shut: bool,
    /// The first call that broke the stream, as opposed to one that can be repeated.
    pub broken: bool,
    pub now: Duration,
    /// What is waited for.
    pub deadline: Option<Duration>,
    /// Nothing can be read, or written, until the program says so.
    pub stalled: [bool; 2],
    /// Behind the input comes silence, not the end.
    pub silent: bool,
    /// Large messages are read past the window.
    pub appends: bool,
    /// The time limit of a blocking stream, and whether it has one.
    limit: Option<Duration>,
    pub timed: bool,
    /// How the peer answers the opening handshake, and what it sends behind that.
    answer: Option<(Answer, Vec<u8>)>,
    calls: usize,
}

/// The transport, for the adapter and for who looks at what it does.
#[derive(Clone)]
pub struct Shared<'a>(Rc<RefCell<Wire<'a>>>);

impl fmt::Debug for Shared<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl<'a> Shared<'a> {
    pub fn new(script: Script<'a>) -> Self {
        Self(Rc::new(RefCell::new(Wire {
            script,
            input: Vec::new(),
            read: 0,
            written: Vec::new(),
            unflushed: false,
            shut: false,
            broken: false,
            now: Duration::ZERO,
            deadline: None,
            stalled: [false; 2],
            silent: false,
            appends: false,
            limit: None,
            timed: false,
            answer: None,
            calls: 0,
        })))
    }

    pub fn get(&self) -> RefMut<'_, Wire<'a>> {
        self.0.borrow_mut()
    }
}

impl Wire<'_> {
    /// The adapter is called next: from here on the uses of the transport are counted.
    pub fn begin(&mut self) {
        self.calls = 0;
    }

    /// More for the adapter to read.
    pub fn bring(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// The peer answers what was written, and goes on with `behind`.
    pub fn bring_answer(&mut self, answer: Answer, behind: &[u8]) {
        self.answer = Some((answer, behind.to_vec()));
    }

    fn let_peer_answer(&mut self) {
        let Some((answer, _)) = &self.answer else { return };
        let Some(response) = answer(&self.written) else { return };
        let behind = self.answer.take().map(|(_, behind)| behind).unwrap_or_default();
        self.bring(&response);
        self.bring(&behind);
    }

    /// The time comes to what is waited for. `false`: nothing is.
    pub fn jump(&mut self) -> bool {
        let Some(deadline) = self.deadline else { return false };
        self.now = self.now.max(deadline);
        true
    }

    fn called(&mut self) {
        self.calls += 1;
        assert!(self.calls < MOST_CALLS, "it spins");
    }

    fn step(&mut self) -> io::Result<usize> {
        self.called();
        let step = if self.broken { Step::Reset } else { Step::next(&mut self.script) };
        self.broken |= matches!(step, Step::Reset | Step::Zero);
        step.io()
    }

    /// What a read brings, at most `most` bytes.
    fn next_bytes(&mut self, most: usize) -> io::Result<&[u8]> {
        self.called();
        self.let_peer_answer();
        let left = self.input.len() - self.read;
        let silent = self.silent || self.answer.is_some();
        if self.stalled[0] || (left == 0 && silent && !self.broken) {
            return Err(ErrorKind::WouldBlock.into());
        }
        let len = self.step()?.min(most).min(left);
        self.read += len;
        Ok(&self.input[self.read - len..self.read])
    }

    fn take<'s>(&mut self, slices: impl Iterator<Item = &'s [u8]>) -> io::Result<usize> {
        self.called();
        assert!(!self.shut || self.broken, "written behind the end");
        if self.stalled[1] {
            return Err(ErrorKind::WouldBlock.into());
        }
        let room = self.step()?;
        let before = self.written.len();
        for slice in slices {
            let left = room - (self.written.len() - before);
            self.written.extend_from_slice(&slice[..left.min(slice.len())]);
        }
        let taken = self.written.len() - before;
        self.unflushed |= taken != 0;
        Ok(taken)
    }

    fn hand_on(&mut self) -> io::Result<()> {
        if self.stalled[1] {
            self.called();
            return Err(ErrorKind::WouldBlock.into());
        }
        if self.step()? == 0 {
            return Err(ErrorKind::BrokenPipe.into()); // what it still held is lost
        }
        self.unflushed = false;
        Ok(())
    }

    /// Ends the sending side.
    fn end(&mut self) -> io::Result<()> {
        self.step()?;
        self.shut = true;
        Ok(())
    }
}

/// An error of an adapter is for ever. But what the peer sent before a call that sends failed is
/// still received.
#[derive(Debug, Default)]
pub struct Over {
    any: bool,
    pub reading: bool,
}

impl Over {
    /// Looks at what a call returned that reads, or sends.
    pub fn check(&mut self, reads: bool, result: Result<(), Error>) {
        match result {
            // A call that sends may tell of a failure before the Close frame that says so has left.
            Err(error) if error.is_would_block() => assert!(!self.reading, "{error} after the end"),
            Err(Error::Misuse(_)) => {}
            Err(_) => {
                self.any = true;
                self.reading |= reads;
            }
            Ok(()) if reads => assert!(!self.reading, "read after an error"),
            Ok(()) => assert!(!self.any, "sent after an error"),
        }
    }
}
