//! [`Pump`]: the loop of the blocking adapter.

use super::line::{Came, Line, SMALL};
use super::transport::Transport;
use crate::io::driver::{Driver, Looked};
use crate::io::error::Error;
use crate::io::link::Io;
use crate::io::window::Window;

/// Reads after which a peer that goes on sending is left alone, and has its turn again with the
/// next look at what has arrived.
pub(super) const READS: usize = 16;

/// A connection and its stream. The window is apart, since an event that lies in it may be lent
/// while the rest goes on.
#[derive(Debug)]
pub(super) struct Pump<S> {
    pub(super) line: Line<S>,
    pub(super) driver: Driver,
}

impl<S: Transport> Pump<S> {
    /// Runs until there is an event in the window (`true`), or the connection is over (`false`).
    pub(super) fn run(&mut self, window: &mut Window) -> Result<bool, Error> {
        loop {
            if self.driver.is_over_soft_limit()
                && let Some(io) = self.driver.link.next_to_flush()
            {
                self.step(window, io)?;
                continue;
            }
            if self.driver.find(window) {
                return Ok(true);
            }
            match self.driver.next() {
                Some(io) => self.step(window, io)?,
                None => {
                    let outcome = self.driver.outcome();
                    self.drain(window);
                    return outcome.map(|()| false);
                }
            }
        }
    }

    /// Writes until `done`, or until nothing can be written.
    pub(super) fn write_until(
        &mut self,
        window: &mut Window,
        done: impl Fn(&Driver) -> bool,
    ) -> Result<(), Error> {
        while !done(&self.driver)
            && let Some(io) = self.driver.link.next_to_flush()
        {
            self.step(window, io)?;
            self.driver.send_owed();
        }
        self.driver.check_writable()
    }

    /// Waits for the end of the transport, after that of the connection (RFC 6455 section 7.1.1).
    pub(super) fn linger(&mut self, window: &mut Window) -> Result<(), Error> {
        while self.line.is_timed()
            && let Some(io) = self.driver.next_to_linger()
        {
            self.driver.linger(self.line.now());
            self.step(window, io)?;
            window.take(usize::MAX); // nothing behind the end means anything
        }
        Ok(())
    }

    /// Does what a step asks of the stream, and what the time asks for before and after it.
    fn step(&mut self, window: &mut Window, io: Io) -> Result<(), Error> {
        let now = self.line.now();
        self.driver.observe(now);
        if self.driver.is_due(now) {
            let looked = self.look(window);
            self.driver.tick(looked, self.line.now());
            return Ok(()); // what comes next may be something else
        }
        let came = self.line.transfer(&mut self.driver.link, window, io);
        self.driver.after_io();
        self.driver.note_ping(|| self.line.now());
        match came {
            Ok(Came::Done) => {}
            Ok(Came::TimedOut) => {
                // A read that has waited until now has seen all there is.
                let looked = if io == Io::Read { Looked::AtAll } else { self.look(window) };
                self.driver.tick(looked, self.line.now());
            }
            // What lies in a broken transport was read, and there will be no more.
            Err(_) if self.driver.link.is_broken() => self.driver.link.end(),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Looks at what has arrived before the peer is judged: reads what there is room for, behind an
    /// event that waits to be taken.
    fn look(&mut self, window: &mut Window) -> Looked {
        for _ in 0..READS {
            if self.driver.link.has_ended() {
                return Looked::AtAll;
            }
            let has_room = !window.spare_room(1).is_empty();
            let read = self.line.read_arrived(&mut self.driver.link, window, SMALL);
            self.driver.after_io();
            match read {
                None if !has_room || !self.line.is_timed() => return Looked::Away,
                None if window.is_empty() && !window.has_event() => return Looked::AtAll,
                None => return Looked::AtArrivals,
                Some(_) => {}
            }
            self.driver.ended();
            self.driver.skim(window, false);
        }
        Looked::Away
    }

    /// Reads and drops what has arrived behind the end, without waiting: were the stream closed
    /// with it unread, the system would reset the connection, and the Close frame that was just
    /// written might be lost with it.
    fn drain(&mut self, window: &mut Window) {
        for _ in 0..READS {
            window.take(usize::MAX);
            if self.driver.link.is_broken() || !self.line.is_timed() {
                return;
            }
            if self.driver.link.has_ended() {
                // The peer has ended its side: so do we.
                if let Some(io) = self.driver.next_to_end() {
                    let _ = self.line.transfer(&mut self.driver.link, window, io);
                }
                return;
            }
            if self.line.read_arrived(&mut self.driver.link, window, Window::SIZE).is_none() {
                return;
            }
        }
        window.take(usize::MAX);
    }
}
