//! [`Line`]: a blocking stream with its clock and its time limits.

use std::io::{self, IoSlice};
use std::time::{Duration, Instant};

use super::limit::{Called, TimeLimit};
use super::transport::Transport;
use crate::io::error::Error;
use crate::io::link::{Io, Link};
use crate::io::window::Window;

/// Pieces in one vectored write.
const SLICES: usize = 16;
/// A read that may have to wait has so much room, on the stack: a connection that is silent owns
/// no memory to read into.
pub(super) const SMALL: usize = 1 << 10;
/// The read behind one that was filled, before it is as large as a window.
const MEDIUM: usize = 16 << 10;

/// The stream of a blocking adapter.
#[derive(Debug)]
pub(super) struct Line<S> {
    pub(super) stream: S,
    reads: TimeLimit,
    writes: TimeLimit,
    epoch: Instant,
    room: Room,
    /// The stream keeps deadlines.
    timed: bool,
}

/// How much the next read may bring: more, after one that was filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Small,
    Medium,
    Large,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// Something, or it is to be tried again.
    Done,
    /// A deadline.
    TimedOut,
}

impl<S: Transport> Line<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            reads: TimeLimit::default(),
            writes: TimeLimit::default(),
            epoch: Instant::now(),
            room: Room::Small,
            timed: false,
        }
    }

    /// The time since the connection began.
    pub(super) fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// Whether a read can be bounded in time. It is known after the first read.
    pub(super) const fn is_timed(&self) -> bool {
        self.timed
    }

    /// The stream, with the time limits that the program has set on it.
    pub(super) fn into_stream(mut self) -> S {
        self.reads.release();
        self.writes.release();
        // A stream that is broken keeps what it has.
        let _ = self.stream.limit_reads(&mut self.reads);
        let _ = self.stream.limit_writes(&mut self.writes);
        self.stream
    }

    /// Does what a step asks of the stream.
    ///
    /// # Errors
    ///
    /// The stream is not ready, and no deadline of ours made it say so.
    pub(super) fn transfer(
        &mut self,
        link: &mut Link,
        window: &mut Window,
        io: Io,
    ) -> Result<Came, Error> {
        let deadline = link.deadlines.next_deadline().and_then(|at| self.epoch.checked_add(at));
        match io {
            Io::Read => {
                self.reads.set_deadline(deadline);
                self.read(link, window)
            }
            Io::Write | Io::Flush => {
                // That there is no room shows when the call returns: it waits from now on.
                let began = self.now();
                let waits =
                    link.deadlines.write_ends(began).and_then(|at| self.epoch.checked_add(at));
                self.writes.set_deadline([deadline, waits].into_iter().flatten().min());
                self.stream.limit_writes(&mut self.writes)?;
                let came = if io == Io::Write { self.write(link) } else { self.flush(link) };
                if matches!(came, Ok(Came::TimedOut)) {
                    link.deadlines.write_waiting(began);
                }
                came
            }
            Io::Shutdown => {
                // A transport that is gone already is shut, too.
                let _ = self.stream.shutdown_write();
                link.shut();
                Ok(Came::Done)
            }
        }
    }

    fn read(&mut self, link: &mut Link, window: &mut Window) -> Result<Came, Error> {
        self.timed = self.stream.limit_reads(&mut self.reads)?;
        let mut small = [0; SMALL];
        let room = match self.room {
            Room::Small => {
                window.shrink(SMALL);
                &mut small[..]
            }
            Room::Medium => window.room(MEDIUM),
            Room::Large => window.room(Window::SIZE),
        };
        let size = room.len();
        match self.reads.called(self.stream.read(room)) {
            Called::Done(result) => {
                let count = link.read(result).min(size);
                if self.room == Room::Small {
                    window.append(small.get(..count).unwrap_or_default());
                } else {
                    window.filled(count);
                }
                self.room = match (count == size, self.room) {
                    (false, _) => Room::Small,
                    (true, Room::Small) => Room::Medium,
                    (true, Room::Medium | Room::Large) => Room::Large,
                };
                Ok(Came::Done)
            }
            called => waited(called),
        }
    }

    /// Reads up to `size` bytes that have arrived, behind what is unread. `None`: nothing has, or
    /// there is no room.
    pub(super) fn read_arrived(
        &mut self,
        link: &mut Link,
        window: &mut Window,
        size: usize,
    ) -> Option<usize> {
        self.reads.set_deadline(Some(Instant::now()));
        let room = window.spare_room(size);
        if room.is_empty() || !self.stream.limit_reads(&mut self.reads).ok()? {
            return None;
        }
        match self.reads.called(self.stream.read(room)) {
            Called::Done(result) => {
                let count = link.read(result);
                window.filled(count);
                Some(count)
            }
            Called::Again => Some(0),
            Called::TimedOut | Called::NotReady(_) => None,
        }
    }

    fn write(&mut self, link: &mut Link) -> Result<Came, Error> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let count = link.output.io_slices(&mut slices);
        let pieces = slices.get(..count).unwrap_or_default();
        let whole: usize = pieces.iter().map(|piece| piece.len()).sum();
        let written = match pieces {
            [piece] => self.stream.write(piece), // the cheaper call
            pieces => self.stream.write_vectored(pieces),
        };
        match self.writes.called(written) {
            Called::Done(result) => {
                let short = result.as_ref().is_ok_and(|count| *count < whole);
                link.written(result);
                if short {
                    link.wait_for_room(); // it has waited for more than it got
                }
                Ok(Came::Done)
            }
            called => {
                link.wait_for_room();
                waited(called)
            }
        }
    }

    fn flush(&mut self, link: &mut Link) -> Result<Came, Error> {
        match self.writes.called(self.stream.flush()) {
            Called::Done(result) => {
                link.flushed(result);
                Ok(Came::Done)
            }
            called => {
                link.wait_for_room();
                waited(called)
            }
        }
    }
}

fn waited<T>(called: Called<T>) -> Result<Came, Error> {
    match called {
        Called::Done(_) | Called::Again => Ok(Came::Done),
        Called::TimedOut => Ok(Came::TimedOut),
        Called::NotReady(error) => Err(io::Error::into(error)),
    }
}
