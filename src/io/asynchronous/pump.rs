//! [`Pump`]: the loop of the async adapters, for whole connections and for halves alike. All state
//! is in fields, none in a future: whichever call is dropped, the next one goes on where it stopped.

use std::boxed::Box;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::AsyncTransport;
use super::tasks::{Half, Tasks};
use crate::io::driver::{Driver, Looked};
use crate::io::error::Error;
use crate::io::link::{Io, Link};
use crate::io::pool;
use crate::io::window::Window;
use crate::{Message, Output, State};

/// Pieces in one vectored write.
const SLICES: usize = 16;

/// Reads after which a peer that goes on sending behind the end is left alone, and has its turn
/// again with the next look at what has arrived.
pub(super) const READS: usize = 16;

/// For so long is the timer waited for at the least. A runtime looks for what has arrived while its
/// tasks wait: a transport that has nothing to read may only not have been looked at.
const TURN: Duration = Duration::from_millis(1);

/// A window while there is something to read or to take, nothing otherwise.
pub(super) type Slot = Option<Box<Window>>;

/// Whether there is an event. The error is one word here: were it beside the event in memory, the
/// event would be moved in the widths of the error's parts, and each move wait for the stores
/// before it.
pub(super) type Next = Result<bool, Box<Error>>;

/// Who takes what is received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taker {
    /// Whoever calls next.
    Here,
    /// The receiving half has the window, and an event in it.
    Away,
    /// Nobody any more: the receiving half was dropped.
    Nobody,
}

/// A connection, its transport, and the tasks that wait for them. The window is apart, since an
/// event that lies in it may be lent while the rest goes on.
#[derive(Debug)]
pub(super) struct Pump<T> {
    pub(super) transport: T,
    pub(super) driver: Driver,
    pub(super) taker: Taker,
    tasks: Tasks,
    /// The moment that the timer was last set to, in nanoseconds (584 years).
    timer: u64,
}

/// What one direction does that the other may be waiting for.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Signs {
    waiting: usize,
    over: (bool, bool, State),
    event: bool,
    ping_has_left: bool,
}

impl<T> Pump<T> {
    pub(super) fn new(transport: T, driver: Driver) -> Self {
        let (taker, tasks) = (Taker::Here, Tasks::default());
        Self { transport, driver, taker, tasks, timer: 0 }
    }

    fn signs(&self, slot: &Slot) -> Signs {
        let link = &self.driver.link;
        Signs {
            waiting: link.output.len(),
            over: (link.is_broken(), link.has_ended(), self.driver.connection.state()),
            event: has_event(slot),
            ping_has_left: link.ping_has_left(),
        }
    }

    /// Polls something that gives the context to the transport, and wakes the task of the other
    /// direction if it may be waiting for what was done.
    fn wait<R>(
        &mut self,
        half: Half,
        slot: &mut Slot,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Self, &mut Slot, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        let joint = self.tasks.register(half, cx.waker());
        let waits = self.tasks.waits(half.other());
        let before = self.signs(slot);
        let polled = match &joint {
            Some(waker) => poll(self, slot, &mut Context::from_waker(waker)),
            None => poll(self, slot, cx),
        };
        if polled.is_ready() {
            self.tasks.done(half);
        }
        if waits && self.concerns(half.other(), polled.is_ready(), before, self.signs(slot)) {
            self.tasks.wake(half.other());
        }
        polled
    }

    /// Whether a task of this direction may be waiting for what has changed.
    fn concerns(&self, half: Half, done: bool, before: Signs, after: Signs) -> bool {
        match half {
            // Room, and the end.
            Half::Sender => before.waiting != after.waiting || before.over != after.over,
            // An event that was found, and the end; a new deadline; and what is left to be written,
            // such as a pong, when nobody else is about to write it.
            Half::Receiver => {
                before.over != after.over
                    || before.event != after.event
                    || (!before.ping_has_left && after.ping_has_left)
                    || (done && after.waiting != 0)
            }
        }
    }

    /// A Close frame was queued, which changes what the receiving half waits for.
    pub(super) fn wake_receiver(&mut self) {
        self.tasks.wake(Half::Receiver);
    }

    /// The receiving half has put the window back, or was dropped.
    pub(super) fn taker_is(&mut self, taker: Taker) {
        self.taker = taker;
        self.tasks.wake(Half::Sender);
    }
}

impl<T: AsyncTransport> Pump<T> {
    /// Runs until there is an event in the window (`true`), or the connection is over (`false`).
    #[inline]
    pub(super) fn poll_event(&mut self, slot: &mut Slot, cx: &mut Context<'_>) -> Poll<Next> {
        if !self.driver.is_over_soft_limit() && self.found(slot) {
            return Poll::Ready(Ok(true));
        }
        self.wait(Half::Receiver, slot, cx, Self::poll_receive)
    }

    /// The next message, or the end.
    pub(super) fn poll_message(
        &mut self,
        slot: &mut Slot,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Message<'static>>, Error>> {
        self.driver.check_delivers_messages()?;
        while ready!(self.poll_event(slot, cx)).map_err(|error| *error)? {
            let Some(window) = slot else { continue }; // not reached: the event is in it
            if let Some(message) = self.driver.message(window) {
                // The program may take its time before it comes back.
                pool::give_window(slot);
                // A call that sends reads on until there is an event, and no further.
                self.tasks.wake(Half::Sender);
                return Poll::Ready(Ok(Some(message)));
            }
        }
        Poll::Ready(Ok(None))
    }

    /// Writes until `done`. While the peer takes nothing, reads on until there is an event: it may
    /// be waiting for us to read.
    pub(super) fn poll_write_until(
        &mut self,
        slot: &mut Slot,
        done: impl Fn(&Driver) -> bool,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        self.wait(Half::Sender, slot, cx, |pump, slot, cx| pump.poll_send(slot, &done, cx))
    }

    /// Writes all that waits.
    pub(super) fn poll_flush(
        &mut self,
        slot: &mut Slot,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        if self.driver.link.next_to_flush().is_some() {
            let done = |driver: &Driver| driver.link.next_to_flush().is_none();
            ready!(self.poll_write_until(slot, done, cx))?;
        }
        pool::give_output(&mut self.driver.link.output);
        Poll::Ready(self.driver.check_writable())
    }

    /// Waits for the end of the transport, after that of the connection (RFC 6455 section 7.1.1).
    pub(super) fn poll_linger(&mut self, slot: &mut Slot, cx: &mut Context<'_>) -> Poll<()> {
        self.wait(Half::Receiver, slot, cx, |pump, slot, cx| {
            while let Some(io) = pump.driver.next_to_linger() {
                if pump.poll_io(slot, io, cx).is_pending() {
                    pump.driver.linger(pump.transport.now());
                    ready!(pump.poll_tick(cx));
                    pump.driver.tick(Looked::AtAll, pump.transport.now());
                }
                if let Some(window) = slot {
                    window.take(usize::MAX); // nothing behind the end means anything
                }
            }
            pump.over(slot, cx);
            Poll::Ready(())
        })
    }

    /// Whether what was read has an event, without a look at anything else.
    #[inline(always)]
    fn found(&mut self, slot: &mut Slot) -> bool {
        slot.as_mut().is_some_and(|window| self.driver.find(window))
    }

    fn poll_receive(&mut self, slot: &mut Slot, cx: &mut Context<'_>) -> Poll<Next> {
        if self.driver.is_over_soft_limit() {
            // Whether or not that succeeds, events are given out: a program that must not have too
            // much waiting stops there for what it sends.
            let _ = self.poll_writes(slot, &|driver| !driver.is_over_soft_limit(), cx);
        }
        loop {
            if self.found(slot) {
                return Poll::Ready(Ok(true));
            }
            if ready!(self.poll_turn(slot, cx)) {
                continue;
            }
            let outcome = self.driver.outcome();
            self.drain(slot, cx);
            self.over(slot, cx);
            return Poll::Ready(outcome.map(|()| false).map_err(Box::new));
        }
    }

    /// Writes what waits, then reads. While a write is pending, reading goes on: the peer may be
    /// waiting for us to read before it reads itself. `false`: the connection is over.
    fn poll_turn(&mut self, slot: &mut Slot, cx: &mut Context<'_>) -> Poll<bool> {
        let mut blocked = false;
        loop {
            let io = match self.driver.next() {
                None => return Poll::Ready(false),
                Some(_) if blocked && self.driver.link.has_ended() => break,
                Some(_) if blocked => Io::Read,
                Some(io) => io,
            };
            match (io, self.poll_io(slot, io, cx)) {
                (Io::Read, Poll::Pending) => break,
                (Io::Read, Poll::Ready(())) => {
                    if self.driver.connection.in_message() {
                        // A peer that keeps us busy does not keep us from looking at the clock.
                        self.driver.tick(Looked::AtAll, self.transport.now());
                    }
                    return Poll::Ready(true);
                }
                (_, done) => blocked = done.is_pending(),
            }
        }
        ready!(self.poll_tick(cx));
        // Something may have come between the read and the timer.
        if self.driver.link.has_ended() || self.poll_io(slot, Io::Read, cx).is_pending() {
            self.driver.tick(Looked::AtAll, self.transport.now());
        }
        Poll::Ready(true)
    }

    fn poll_send(
        &mut self,
        slot: &mut Slot,
        done: &impl Fn(&Driver) -> bool,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        // A program that only sends, and never has to wait, still has its deadlines kept.
        let mut due = self.driver.is_due(self.transport.now());
        let mut had_turn = due && self.poll_tick(cx).is_ready();
        loop {
            if due {
                let looked = self.look(slot, cx);
                let looked = if had_turn { looked } else { Looked::TooEarly };
                self.driver.tick(looked, self.transport.now());
                due = false;
            }
            self.skim(slot); // first, as there may be an answer to write
            if self.poll_writes(slot, done, cx).is_ready() {
                self.driver.note_ping(|| self.transport.now());
                return Poll::Ready(self.driver.check_writable());
            }
            if self.may_read_ahead(slot) && self.poll_io(slot, Io::Read, cx).is_ready() {
                continue;
            }
            due = self.poll_tick(cx).is_ready();
            had_turn = due;
            if !due {
                return Poll::Pending;
            }
        }
    }

    /// Writes until `done`, or until there is nothing to write, and does not read.
    fn poll_writes(
        &mut self,
        slot: &mut Slot,
        done: &impl Fn(&Driver) -> bool,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        while !done(&self.driver)
            && let Some(io) = self.driver.link.next_to_flush()
        {
            ready!(self.poll_io(slot, io, cx));
            self.driver.send_owed();
        }
        Poll::Ready(())
    }

    /// Is ready if a deadline has passed, and the task has waited for the timer since it was known:
    /// a program that was busy meanwhile has kept its runtime from looking at what arrived.
    fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        pool::give_output(&mut self.driver.link.output);
        let now = self.transport.now();
        self.driver.observe(now);
        let deadline = self.driver.link.deadlines.next_deadline();
        let timer = deadline.map(|deadline| {
            let soon = now.saturating_add(TURN);
            let before = Duration::from_nanos(self.timer);
            if (deadline..=soon).contains(&before) { before } else { deadline.max(soon) }
        });
        self.timer = timer.map_or(0, |timer| u64::try_from(timer.as_nanos()).unwrap_or(u64::MAX));
        self.transport.poll_deadline(cx, timer)
    }

    /// Whether a call that sends reads on: until there is an event that the program has to take.
    fn may_read_ahead(&self, slot: &Slot) -> bool {
        self.taker != Taker::Away && !has_event(slot) && !self.driver.link.has_ended()
    }

    /// Looks at what has arrived before the peer is judged by a call that sends: reads what there
    /// is room for, behind an event that waits to be taken.
    fn look(&mut self, slot: &mut Slot, cx: &mut Context<'_>) -> Looked {
        if self.taker == Taker::Away {
            return Looked::Away;
        }
        for _ in 0..READS {
            if self.driver.link.has_ended() {
                return Looked::AtAll;
            }
            let window = slot.get_or_insert_with(pool::window);
            let room = window.spare_room(Window::SIZE);
            if room.is_empty() {
                return Looked::Away;
            }
            // Some streams are pending once for reasons of their own, though more has arrived.
            let read = match self.transport.poll_read(cx, room) {
                Poll::Pending => self.transport.poll_read(cx, room),
                read @ Poll::Ready(_) => read,
            };
            match retried(read) {
                Poll::Pending if window.is_empty() && !window.has_event() => {
                    pool::give_window(slot);
                    return Looked::AtAll;
                }
                Poll::Pending => return Looked::AtArrivals,
                Poll::Ready(None) => {}
                Poll::Ready(Some(result)) => window.filled(self.driver.link.read(result)),
            }
            self.driver.after_io();
            self.skim(slot);
        }
        Looked::Away
    }

    fn skim(&mut self, slot: &mut Slot) {
        self.driver.ended();
        if self.taker != Taker::Away
            && let Some(window) = slot
        {
            self.driver.skim(window, self.taker == Taker::Nobody);
        }
    }

    /// Reads and drops what has arrived behind the end, without waiting: were the transport
    /// closed with it unread, the system would reset the connection, and the Close frame that was
    /// just written might be lost with it.
    fn drain(&mut self, slot: &mut Slot, cx: &mut Context<'_>) {
        for _ in 0..READS {
            if self.driver.link.is_broken() {
                return;
            }
            // The peer has ended its side: so do we.
            let has_ended = self.driver.link.has_ended();
            let io = if has_ended { self.driver.next_to_end() } else { Some(Io::Read) };
            let Some(io) = io else { return };
            if self.poll_io(slot, io, cx).is_pending() {
                return;
            }
            if let Some(window) = slot {
                window.take(usize::MAX);
            }
        }
    }

    /// Gives back what a connection that is over does not need.
    fn over(&mut self, slot: &mut Slot, cx: &mut Context<'_>) {
        pool::give_window(slot);
        pool::give_output(&mut self.driver.link.output);
        let _ = self.transport.poll_deadline(cx, None);
    }

    /// Does what a step asks of the transport. The rest of a large message is read into it, past
    /// the window; the next look at the window takes what was appended.
    fn poll_io(&mut self, slot: &mut Slot, io: Io, cx: &mut Context<'_>) -> Poll<()> {
        let Self { transport, driver, .. } = self;
        if io == Io::Read
            && let Some((message, most)) = Window::bypass(&mut driver.connection.receive)
            && let Some(read) = transport.poll_append(cx, message, most)
        {
            let read = retried(read);
            if read.is_pending() {
                pool::give_window(slot);
                return Poll::Pending;
            }
            slot.get_or_insert_with(pool::window); // the event is found in it
            if let Poll::Ready(Some(result)) = read {
                driver.link.read(result);
            }
            driver.after_io();
            return Poll::Ready(());
        }
        let done = poll_link(transport, &mut driver.link, slot, io, cx);
        driver.after_io();
        done
    }
}

/// Does what a step asks of the transport, before and after the opening handshake.
pub(super) fn poll_link<T: AsyncTransport>(
    transport: &mut T,
    link: &mut Link,
    slot: &mut Slot,
    io: Io,
    cx: &mut Context<'_>,
) -> Poll<()> {
    match io {
        Io::Read => return poll_window(transport, link, slot, cx),
        Io::Write => match retried(poll_write(transport, &link.output, cx)) {
            Poll::Ready(Some(result)) => link.written(result),
            Poll::Ready(None) => {}
            Poll::Pending => {
                link.wait_for_room();
                return Poll::Pending;
            }
        },
        Io::Flush => match retried(transport.poll_flush(cx)) {
            Poll::Ready(Some(result)) => link.flushed(result),
            Poll::Ready(None) => {}
            Poll::Pending => {
                link.wait_for_room();
                return Poll::Pending;
            }
        },
        Io::Shutdown => {
            // A transport that is gone already is shut, too.
            if ready!(retried(transport.poll_shutdown(cx))).is_some() {
                link.shut();
            }
        }
    }
    Poll::Ready(())
}

fn poll_window<T: AsyncTransport>(
    transport: &mut T,
    link: &mut Link,
    slot: &mut Slot,
    cx: &mut Context<'_>,
) -> Poll<()> {
    let window = slot.get_or_insert_with(pool::window);
    match retried(transport.poll_read(cx, window.room(Window::SIZE))) {
        Poll::Ready(None) => {}
        Poll::Ready(Some(result)) => {
            window.filled(link.read(result));
            pool::lend_output(&mut link.output);
        }
        Poll::Pending => {
            pool::give_window(slot);
            return Poll::Pending;
        }
    }
    Poll::Ready(())
}

fn has_event(slot: &Slot) -> bool {
    slot.as_ref().is_some_and(|window| window.has_event())
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
