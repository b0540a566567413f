//! The loop of the async adapters. All state is in fields, none in a future: whichever call is
//! dropped, the next one goes on where it stopped.

use std::boxed::Box;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::AsyncTransport;
use crate::connection::receive::ReceivePath;
use crate::io::driver::{Driver, Sending};
use crate::io::error::Error;
use crate::io::link::{Io, Link};
use crate::io::pool;
use crate::io::window::Window;
use crate::{Output, ProtocolError};

/// Pieces in one vectored write.
const SLICES: usize = 16;

/// A window while there is something to read or to take, nothing otherwise.
pub(super) type Slot = Option<Box<Window>>;

/// The sending half and the transport.
#[derive(Debug)]
pub(super) struct Out<'a, T> {
    pub(super) transport: &'a mut T,
    pub(super) sending: Sending<'a>,
    /// What the sending half knows of the receiving one: that it has failed, or has to.
    pub(super) failed: &'a mut Option<ProtocolError>,
}

/// How the receiving half reaches [`Out`]: it is at hand, or behind a lock.
pub(super) trait Outward {
    type Transport: AsyncTransport;

    fn with<R>(&mut self, f: impl FnOnce(&mut Out<'_, Self::Transport>) -> R) -> R;
}

impl<T: AsyncTransport> Outward for Out<'_, T> {
    type Transport = T;

    fn with<R>(&mut self, f: impl FnOnce(&mut Out<'_, T>) -> R) -> R {
        f(self)
    }
}

/// Whether there is an event. The error is one word here: were it beside the event in memory, the
/// event would be moved in the widths of the error's parts, and each move wait for the stores
/// before it.
pub(super) type Next = Result<bool, Box<Error>>;

/// What a turn came to.
pub(super) enum Turn {
    /// Something has changed: look for events again.
    Again,
    /// The connection is over.
    Over(Result<(), Error>),
}

/// Runs until there is an event in the window (`true`), or the connection is over (`false`).
#[inline]
pub(super) fn poll_event<O: Outward>(
    receive: &mut ReceivePath,
    slot: &mut Slot,
    outward: &mut O,
    cx: &mut Context<'_>,
) -> Poll<Next> {
    loop {
        if found(receive, slot, |error| outward.with(|out| out.fail(error))) {
            return Poll::Ready(Ok(true));
        }
        match ready!(outward.with(|out| out.poll_turn(receive, slot, cx))) {
            Turn::Again => {}
            Turn::Over(outcome) => return Poll::Ready(outcome.map(|()| false).map_err(Box::new)),
        }
    }
}

/// Whether what was read has an event, without a look at anything else. A fault in it goes to
/// `fail`, once: the next look finds nothing.
#[inline(always)]
pub(super) fn found(
    receive: &mut ReceivePath,
    slot: &mut Slot,
    fail: impl FnOnce(ProtocolError),
) -> bool {
    let Some(window) = slot else { return false };
    match window.find(receive) {
        Ok(found) => found,
        Err(error) => {
            fail(error);
            false
        }
    }
}

/// [`poll_event`] where both halves are at hand.
#[inline]
pub(super) fn poll_driver<T: AsyncTransport>(
    transport: &mut T,
    slot: &mut Slot,
    driver: &mut Driver,
    cx: &mut Context<'_>,
) -> Poll<Next> {
    let (receive, mut sending) = driver.halves();
    if !sending.wants_write() && found(receive, slot, |error| sending.fail(error)) {
        return Poll::Ready(Ok(true));
    }
    poll_whole(transport, slot, driver, cx)
}

#[inline(never)]
fn poll_whole<T: AsyncTransport>(
    transport: &mut T,
    slot: &mut Slot,
    driver: &mut Driver,
    cx: &mut Context<'_>,
) -> Poll<Next> {
    let (receive, sending) = driver.halves();
    let mut out = Out { transport, sending, failed: &mut None };
    if out.sending.wants_write() {
        // Events are given out all the same: it is the program's to stop for what it sends.
        let _ = out.poll_write_until(|sending| !sending.wants_write(), cx);
    }
    poll_event(receive, slot, &mut out, cx)
}

impl<T: AsyncTransport> Out<'_, T> {
    /// The receiving half has failed.
    pub(super) fn fail(&mut self, error: ProtocolError) {
        self.sending.fail(error);
        *self.failed = Some(error);
    }

    /// Writes what waits, then reads. While a write is pending, reading goes on: the peer may be
    /// waiting for us to read before it reads itself.
    fn poll_turn(
        &mut self,
        receive: &mut ReceivePath,
        slot: &mut Slot,
        cx: &mut Context<'_>,
    ) -> Poll<Turn> {
        if let Some(error) = *self.failed {
            receive.fail(error);
        }
        let now = self.transport.now();
        if let Some(window) = slot {
            self.sending.received(receive, window, now);
        }
        let turn = self.poll_transport(receive, slot, now, cx);
        *self.failed = receive.error();
        if turn.is_pending() {
            pool::give_output(&mut self.sending.link.output);
        }
        turn
    }

    fn poll_transport(
        &mut self,
        receive: &mut ReceivePath,
        slot: &mut Slot,
        now: Duration,
        cx: &mut Context<'_>,
    ) -> Poll<Turn> {
        let mut blocked = false;
        loop {
            let io = match self.sending.next(receive) {
                None => {
                    pool::give_window(slot);
                    let _ = self.transport.poll_deadline(cx, None);
                    return Poll::Ready(Turn::Over(self.sending.outcome(receive)));
                }
                Some(_) if blocked && self.sending.link.may_read() => Io::Read,
                Some(_) if blocked => break,
                Some(io) => io,
            };
            self.sending.before_io(now);
            let done = self.poll_step(receive, slot, io, now, cx);
            match (io, done) {
                (Io::Read, Poll::Pending) => break,
                (_, Poll::Pending) => blocked = true,
                (_, Poll::Ready(())) => {
                    blocked = false;
                    // A peer that keeps us busy does not keep us from looking at the clock.
                    if let Some(error) = self.sending.after_io(now) {
                        receive.fail(error);
                    }
                }
            }
            if io == Io::Read {
                return Poll::Ready(Turn::Again);
            }
        }
        ready!(self.poll_deadline(cx));
        if let Some(error) = *self.failed {
            receive.fail(error);
        }
        Poll::Ready(Turn::Again)
    }

    /// Does what a step asks of the transport. The rest of a large message is read into it, past
    /// the window; the next look at the window takes what was appended.
    fn poll_step(
        &mut self,
        receive: &mut ReceivePath,
        slot: &mut Slot,
        io: Io,
        now: Duration,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let (transport, link) = (&mut *self.transport, &mut *self.sending.link);
        if io == Io::Read
            && let Some((message, most)) = Window::bypass(receive)
            && let Some(read) = transport.poll_append(cx, message, most)
        {
            let read = retried(read);
            if read.is_pending() {
                pool::give_window(slot);
                return Poll::Pending;
            }
            slot.get_or_insert_with(pool::window); // the event is found in it
            if let Poll::Ready(Some(result)) = read {
                link.read(result, now);
            }
            return Poll::Ready(());
        }
        poll_io(transport, link, slot, io, now, cx)
    }

    /// Writes until `done`, or until there is nothing to write, and does not read.
    pub(super) fn poll_write_until(
        &mut self,
        done: impl Fn(&Sending<'_>) -> bool,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let mut looked = None; // at the clock, once: nothing here waits
        while !done(&self.sending)
            && let Some(io) = self.sending.link.next_to_flush()
        {
            let now = *looked.get_or_insert_with(|| self.transport.now());
            self.sending.before_io(now);
            ready!(poll_io(self.transport, self.sending.link, &mut None, io, now, cx));
        }
        Poll::Ready(())
    }

    /// Is ready if a deadline has passed; what that means is done.
    pub(super) fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.sending.link.deadlines.next_deadline();
        ready!(self.transport.poll_deadline(cx, deadline));
        let now = self.transport.now();
        *self.failed = self.failed.or(self.sending.after_io(now));
        Poll::Ready(())
    }
}

/// Does what a step asks of the transport.
pub(super) fn poll_io<T: AsyncTransport>(
    transport: &mut T,
    link: &mut Link,
    slot: &mut Slot,
    io: Io,
    now: Duration,
    cx: &mut Context<'_>,
) -> Poll<()> {
    match io {
        Io::Read => {
            let window = slot.get_or_insert_with(pool::window);
            match retried(transport.poll_read(cx, window.room())) {
                Poll::Ready(None) => {}
                Poll::Ready(Some(result)) => {
                    window.filled(link.read(result, now));
                    pool::lend_output(&mut link.output);
                }
                Poll::Pending => {
                    pool::give_window(slot);
                    return Poll::Pending;
                }
            }
        }
        Io::Write => {
            if let Some(result) = ready!(retried(poll_write(transport, &link.output, cx))) {
                link.written(result, now);
            }
        }
        Io::Flush => {
            if let Some(result) = ready!(retried(transport.poll_flush(cx))) {
                link.flushed(result);
            }
        }
        Io::Shutdown => {
            // A transport that is gone already is shut, too.
            if ready!(retried(transport.poll_shutdown(cx))).is_some() {
                link.shut();
            }
        }
    }
    Poll::Ready(())
}

fn poll_write<T: AsyncTransport>(
    transport: &mut T,
    output: &Output,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    let first = output.pending();
    if first.len() == output.len() {
        return transport.poll_write(cx, &[IoSlice::new(first)]);
    }
    let mut slices = [IoSlice::new(&[]); SLICES];
    let count = output.io_slices(&mut slices);
    transport.poll_write(cx, slices.get(..count).unwrap_or_default())
}

/// `None`: a signal came between, try again.
fn retried<R>(poll: Poll<io::Result<R>>) -> Poll<Option<io::Result<R>>> {
    poll.map(|result| match result {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => None,
        result => Some(result),
    })
}
