//! The transport: one end is ours, through the trait; the other end is the peer's, by hand. What
//! passes is noted with its time.

mod peer_end;
mod transport;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::executor::Clock;
use crate::findings::Findings;
use crate::frames::{Frames, Kind};
use crate::oracle::Book;
use crate::payload;
use crate::random::Random;

pub use transport::Wire;

/// How a link behaves.
#[derive(Clone, Debug)]
pub struct LinkPlan {
    /// What each direction holds, in bytes.
    pub out_capacity: usize,
    pub in_capacity: usize,
    /// Room is told only from so many bytes on, as kernels do.
    pub room_step: usize,
    /// The most bytes in one read and in one write.
    pub read_chunk: usize,
    pub write_chunk: usize,
    /// Bytes that the transport itself keeps until it is flushed, as TLS may. 0: it keeps none.
    pub hold: usize,
    /// It keeps one waker for both directions, the last that it was given.
    pub one_waker: bool,
    /// One read in so many has to write first. 0: none.
    pub read_writes: u64,
    /// One call in so many is pending for no reason. 0: none.
    pub spurious: u64,
    /// It can append to a buffer.
    pub append: bool,
}

/// What was known at a moment at which a deadline of the crate's was told to have passed.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub at: Duration,
    /// The transport would have taken bytes.
    pub has_room: bool,
    /// A read could not be made because it had to write first.
    pub in_debt: bool,
    pub last_arrival: Duration,
    pub ping_left: Option<Duration>,
    /// When a write got on that had had to wait.
    pub last_unblocked: Option<Duration>,
    pub close_left: Option<Duration>,
}

/// A Ping that a program of ours sends has so many bytes; one of the keepalive has not.
pub const PROGRAM_PING: &[u8] = b"by the program";

pub struct Link {
    pub id: usize,
    /// What the program is, in a word.
    pub label: String,
    pub plan: LinkPlan,
    pub clock: Clock,
    pub findings: Findings,
    pub book: Book,
    random: Random,
    /// From us to the peer, and the other way round.
    out: VecDeque<u8>,
    held: VecDeque<u8>,
    input: VecDeque<u8>,
    pub out_frames: Frames,
    pub in_frames: Frames,
    /// Our end of the sending side, and the peer's.
    out_ended: bool,
    in_ended: bool,
    is_reset: bool,
    /// The peer reads no more and is gone: writing fails.
    out_broken: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    peer: [Option<Waker>; 2],
    debt: bool,
    /// The last read was pending for nothing.
    yielded: bool,
    /// The last write had to wait.
    pub blocked: bool,
    pub last_arrival: Duration,
    pub last_take: Duration,
    pub last_left: Duration,
    last_unblocked: Option<Duration>,
    /// When a read told of the end or of an error.
    pub end_read: Option<Duration>,
    /// When a write failed.
    pub write_failed: Option<Duration>,
    pub candidates: Vec<Snapshot>,
    /// Counts whatever happens at our end, and what of it is writing.
    pub progress: u64,
    pub written: u64,
    inspected: u64,
    last_buffer: usize,
    last_reader: Rc<std::cell::Cell<usize>>,
}

pub type Shared = Rc<RefCell<Link>>;

impl Link {
    pub fn new(
        id: usize,
        label: String,
        plan: LinkPlan,
        clock: Clock,
        findings: Findings,
        random: Random,
        last_reader: Rc<std::cell::Cell<usize>>,
    ) -> Self {
        Self {
            id,
            label,
            plan,
            clock,
            findings,
            book: Book::default(),
            random,
            out: VecDeque::new(),
            held: VecDeque::new(),
            input: VecDeque::new(),
            out_frames: Frames::new(),
            in_frames: Frames::new(),
            out_ended: false,
            in_ended: false,
            is_reset: false,
            out_broken: false,
            reader: None,
            writer: None,
            peer: [None, None],
            debt: false,
            yielded: false,
            blocked: false,
            last_arrival: Duration::ZERO,
            last_take: Duration::ZERO,
            last_left: Duration::ZERO,
            last_unblocked: None,
            end_read: None,
            write_failed: None,
            candidates: Vec::new(),
            progress: 0,
            written: 0,
            inspected: 0,
            last_buffer: 0,
            last_reader,
        }
    }

    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    pub fn trace(&self, text: impl FnOnce() -> String) {
        self.findings.trace(self.now(), self.id, text);
    }

    pub fn report(&self, class: &'static str, detail: String) {
        self.findings.add(class, self.id, self.now(), format!("{}, {detail}", self.label));
    }

    pub fn snapshot(&self) -> Snapshot {
        let keepalive =
            |kind| matches!(kind, Kind::Ping { len } if len != PROGRAM_PING.len() as u64);
        let ping = self.out_frames.last(|mark| keepalive(mark.kind) && mark.left.is_some());
        Snapshot {
            at: self.now(),
            has_room: self.has_room(),
            in_debt: self.debt,
            last_arrival: self.last_arrival,
            ping_left: ping.and_then(|mark| mark.left),
            last_unblocked: self.last_unblocked,
            close_left: self.out_frames.close().and_then(|mark| mark.left),
        }
    }

    pub fn has_unread(&self) -> bool {
        !self.input.is_empty()
    }

    /// A byte would be taken and would leave.
    pub fn has_room(&self) -> bool {
        self.room() > 0 && self.held.is_empty()
    }

    pub fn is_broken(&self) -> bool {
        self.is_reset || self.out_broken
    }

    fn room(&self) -> usize {
        let free = self.plan.out_capacity.saturating_sub(self.out.len());
        if self.out.is_empty() || free >= self.plan.room_step { free } else { 0 }
    }

    // ---- our end

    fn is_pending_for_nothing(&mut self, cx: &Context<'_>) -> bool {
        let pending = self.plan.spurious > 0 && self.random.one_in(self.plan.spurious);
        if pending {
            cx.waker().wake_by_ref();
        }
        pending
    }

    fn keep_reader(&mut self, cx: &Context<'_>) {
        self.reader = Some(cx.waker().clone());
    }

    fn keep_writer(&mut self, cx: &Context<'_>) {
        if self.plan.one_waker {
            self.reader = Some(cx.waker().clone());
        } else {
            self.writer = Some(cx.waker().clone());
        }
    }

    fn wake_reader(&mut self) {
        self.reader.take().into_iter().for_each(Waker::wake);
    }

    fn wake_writer(&mut self) {
        let waker = if self.plan.one_waker { self.reader.take() } else { self.writer.take() };
        waker.into_iter().for_each(Waker::wake);
    }

    fn wake_peer(&mut self) {
        self.peer.iter_mut().filter_map(Option::take).for_each(Waker::wake);
    }

    /// How many bytes a read gives now.
    fn poll_readable(&mut self, cx: &Context<'_>, most: usize) -> Poll<io::Result<usize>> {
        if self.is_reset {
            self.note_end();
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        // As a runtime that wants its turn: not twice in a row.
        self.yielded = !self.yielded && self.is_pending_for_nothing(cx);
        if self.yielded {
            return Poll::Pending;
        }
        if self.input.is_empty() && self.in_ended {
            self.note_end();
            return Poll::Ready(Ok(0));
        }
        if self.input.is_empty() {
            self.keep_reader(cx);
            return Poll::Pending;
        }
        self.debt |= self.plan.read_writes > 0 && self.random.one_in(self.plan.read_writes);
        if self.debt && self.room() == 0 && !self.out_broken {
            self.keep_writer(cx);
            return Poll::Pending;
        }
        self.debt = false;
        Poll::Ready(Ok(most.min(self.plan.read_chunk).min(self.input.len())))
    }

    fn note_end(&mut self) {
        if self.end_read.is_none() {
            self.end_read = Some(self.now());
            self.progress += 1;
            self.trace(|| "we read the end".to_owned());
        }
    }

    fn took(&mut self, count: usize) {
        let now = self.now();
        self.in_frames.take(count, now);
        self.progress += 1;
        self.trace(|| format!("we read {count}"));
        self.wake_peer();
    }

    /// What is in a buffer before it is read into was there before: it must not be another's.
    fn inspect(&mut self, buffer: &[u8]) {
        let place = buffer.as_ptr() as usize;
        let same = self.last_buffer == place && self.last_reader.get() == self.id;
        self.last_buffer = place;
        self.last_reader.set(self.id);
        // A look takes a while.
        self.inspected += 1;
        if same || self.inspected > 50 && !self.inspected.is_multiple_of(16) {
            return;
        }
        if let Some(remains) = payload::foreign(buffer, self.id) {
            self.report("4 another's bytes in a read buffer", remains);
        }
    }

    fn write(&mut self, cx: &Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if self.is_broken() {
            return self.fail_write();
        }
        if self.is_pending_for_nothing(cx) {
            return Poll::Pending;
        }
        let mut room = self.room();
        if self.plan.hold > 0 {
            if self.held.len() >= self.plan.hold {
                self.drain();
            }
            room = self.plan.hold.saturating_sub(self.held.len());
        }
        if room == 0 {
            self.blocked = true;
            self.keep_writer(cx);
            return Poll::Pending;
        }
        let mut left = room.min(self.plan.write_chunk);
        let (now, mut count) = (self.now(), 0);
        for slice in slices {
            let part = &slice[..slice.len().min(left)];
            self.out_frames.put(part, now);
            self.held.extend(part);
            left -= part.len();
            count += part.len();
        }
        self.trace(|| format!("we write {count}"));
        self.written += 1;
        if std::mem::take(&mut self.blocked) {
            self.last_unblocked = Some(now);
        }
        if self.plan.hold == 0 {
            self.drain();
        }
        Poll::Ready(Ok(count))
    }

    fn fail_write(&mut self) -> Poll<io::Result<usize>> {
        if self.write_failed.is_none() {
            self.write_failed = Some(self.now());
            self.trace(|| "our write fails".to_owned());
        }
        let kind =
            if self.is_reset { io::ErrorKind::ConnectionReset } else { io::ErrorKind::BrokenPipe };
        Poll::Ready(Err(kind.into()))
    }

    /// Moves what is held into the pipe.
    fn drain(&mut self) {
        let (now, count) = (self.now(), self.room().min(self.held.len()));
        if count == 0 {
            return;
        }
        self.out.extend(self.held.drain(..count));
        self.out_frames.leave(count, now);
        self.last_left = now;
        self.written += 1;
        self.wake_peer();
    }

    fn flush(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        if self.is_broken() {
            return self.fail_write().map_ok(|_| ());
        }
        if self.plan.hold > 0 && self.is_pending_for_nothing(cx) {
            return Poll::Pending;
        }
        self.drain();
        if !self.held.is_empty() {
            self.blocked = true;
            self.keep_writer(cx);
            return Poll::Pending;
        }
        if self.plan.hold > 0 && std::mem::take(&mut self.blocked) {
            self.last_unblocked = Some(self.now());
        }
        Poll::Ready(Ok(()))
    }

    fn shutdown(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        match self.flush(cx) {
            Poll::Ready(Ok(())) => {
                if !self.out_ended {
                    self.out_ended = true;
                    self.progress += 1;
                    self.trace(|| "we end our side".to_owned());
                    self.wake_peer();
                }
                Poll::Ready(Ok(()))
            }
            other => other,
        }
    }
}
