//! Deadlines as a function of `now`: no clock, no timer, no thread.

use core::time::Duration;

/// How long each phase of a connection may take. `None` turns a deadline off.
///
/// Durations are kept in whole milliseconds: they are rounded up to the next one, to at least one
/// and at most 49 days.
///
/// What they come to in an adapter, with the defaults of its options, until the program is told:
///
/// | the peer | after |
/// |---|---|
/// | connects and says nothing, or too slowly | `handshake`: 10 s |
/// | is gone while nothing waits to be written | `ping_interval` + `pong_wait`: 40 s; longer by a second for each 24 KiB that were written shortly before, since these may still lie in the transport: 171 s at most |
/// | takes nothing of what waits | `write` after the last byte that it took: 120 s |
/// | does not answer our Close | `close` after our Close has left: 10 s; what waits before the Close is bounded by `write` |
/// | broke the protocol, or was too slow | at once when the Close frame that says so has left, `close` at the latest: 10 s |
/// | leaves the transport open after the end | nothing: the program is told at once. Only `close()` waits for the transport's end, for `linger`: 1 s |
///
/// ```
/// use core::time::Duration;
/// use websocket_proto::DeadlineConfig;
///
/// let mut config = DeadlineConfig::default();
/// config.ping_interval = Some(Duration::from_secs(20));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadlineConfig {
    /// From the transport's opening to the end of the handshake (RFC 6455 section 4), in all:
    /// progress never restarts it, so that a peer which sends a byte a second gains nothing.
    /// Default 10 s.
    pub handshake: Option<Duration>,
    /// From when our Close frame has left, or the connection has failed, to the peer's Close frame
    /// or the end of the transport (7.1.1), in all. Default 10 s.
    pub close: Option<Duration>,
    /// From the end of the connection to that of its transport: how long the peer's end is waited
    /// for, so that bytes of the peer which nobody has read do not make the system reset the
    /// connection and swallow our Close frame. `None` waits for as long as the peer likes.
    /// Default 1 s.
    pub linger: Option<Duration>,
    /// After this long without a sign of life from the peer a ping is due (5.5.2). Default `None`
    /// in the core, which has no timer to wake it; the adapters' options set 20 s.
    pub ping_interval: Option<Duration>,
    /// From when that ping has left to the next sign of life from the peer. `None` sends pings,
    /// which keeps the connection alive in proxies, but does not wait for answers. Default 20 s.
    pub pong_wait: Option<Duration>,
    /// From the first byte of a message to its end, in all: neither its fragments nor pings
    /// between them restart it. Default `None`, as it bounds the size that a slow link can carry.
    pub message: Option<Duration>,
    /// How long bytes may wait to be written while the peer takes none; each byte taken restarts
    /// it. Default 120 s: an operating system tells of room in large steps only. A peer that
    /// steadily reads 25 kB/s from Linux makes room every 42 s, with nothing to be seen in
    /// between.
    pub write: Option<Duration>,
}

impl Default for DeadlineConfig {
    fn default() -> Self {
        Self {
            handshake: Some(Duration::from_secs(10)),
            close: Some(Duration::from_secs(10)),
            linger: Some(Duration::from_secs(1)),
            ping_interval: None,
            pong_wait: Some(Duration::from_secs(20)),
            message: None,
            write: Some(Duration::from_secs(120)),
        }
    }
}

/// A deadline that has passed, from [`Deadlines::on_deadline`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Expired {
    /// The handshake did not end in time. A server answers 408 and closes.
    Handshake,
    /// There was no sign of life for the ping interval: send a ping with
    /// [`ping_payload`](Deadlines::ping_payload), and report when it has left
    /// ([`ping_left`](Deadlines::ping_left)). The only one that does not end the connection.
    SendPing,
    /// There was no sign of life since the ping has left.
    KeepaliveTimeout,
    /// A message began and did not end in time.
    Message,
    /// The closing handshake did not end in time: drop the transport.
    Close,
    /// The connection had ended, and its transport has not: drop it. Nothing is wrong.
    Linger,
    /// The peer took none of the bytes that wait: drop the transport.
    Write,
}

/// The deadlines of one connection.
///
/// The caller reports what happens, waits until [`next_deadline`](Self::next_deadline) at the
/// longest, and calls [`on_deadline`](Self::on_deadline) then, after it has read what has arrived:
/// a peer is not to blame for bytes that nobody has looked at. What starts and what stops each:
///
/// ```text
///               new                    opened             closing            lingering       closed
///                |-------- handshake ----|                   |------ close ------|--- linger ---|
///
///                          |-- ping interval --| SendPing ... ping_left -- pong wait --| KeepaliveTimeout
///                          ^                                      |
///                          `-- received, room for what waited ----'        (until closing)
///
///                    message_started |------ message ------| message_ended (until closing)
///
///                     write_waiting |------ write ------| write_progress(now, false)
///                                   ^         |
///                                   `---------' write_progress(now, true)
/// ```
///
/// Any byte from the peer proves that it lives, not only the pong: that may stand behind a large
/// message. So does room in a transport that was full: the peer has taken something. The round
/// trip is measured by the pong alone.
///
/// `now` is the time since any moment that the caller picks, the same for all calls, by a clock
/// that does not go back, such as `Instant::elapsed`. If it does go back, deadlines come later,
/// nothing else. All calls take constant time.
///
/// ```
/// use core::time::Duration;
/// use websocket_proto::{DeadlineConfig, Deadlines, Expired};
///
/// let seconds = Duration::from_secs;
/// let mut config = DeadlineConfig::default();
/// config.ping_interval = Some(seconds(20));
/// let mut deadlines = Deadlines::new(&config, seconds(0));
/// assert_eq!(deadlines.next_deadline(), Some(seconds(10))); // for the handshake
///
/// deadlines.opened(seconds(1));
/// assert_eq!(deadlines.next_deadline(), Some(seconds(21)));
/// assert_eq!(deadlines.on_deadline(seconds(21)), Some(Expired::SendPing));
/// let ping = deadlines.ping_payload();
/// deadlines.ping_left(seconds(21), 0); // its last byte was written
///
/// deadlines.received(seconds(22));
/// deadlines.pong_received(&ping, seconds(22));
/// assert_eq!(deadlines.last_round_trip(), Some(seconds(1)));
/// assert_eq!(deadlines.next_deadline(), Some(seconds(42)));
/// ```
// There is one of these for each idle connection, so it is packed into 64 bytes: moments in
// nanoseconds (584 years), settings in milliseconds, and one moment for the four deadlines that
// exclude each other.
#[derive(Clone, Debug)]
pub struct Deadlines {
    /// By phase: the end of the handshake, of the message in progress, of the close, of the linger.
    phase_ends: u64,
    /// The next ping, or the end of the wait for its answer.
    keepalive: u64,
    write: u64,
    settings: Settings,
    /// When the last ping left, in microseconds, modulo 2^32.
    ping_left: u32,
    /// In microseconds.
    round_trip: u32,
    /// How many pings were due.
    pings: u32,
    phase: Phase,
    awaiting: Awaiting,
    has_round_trip: bool,
    /// Bytes wait for room in the transport.
    blocked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Handshake,
    Open,
    Closing,
    Lingering,
    Closed,
}

/// What came of the last ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaiting {
    /// The pong came, or there was no ping.
    Nothing,
    /// It has not left yet: nobody can have answered it.
    Departure,
    /// It has left, and bytes came, but not the pong yet: only the round trip is open.
    Pong,
    /// It has left, and there was no sign of life since: the peer may be gone.
    AnyByte,
}

/// The slowest peer that is waited for, in bytes a second: so fast are bytes that lie in the
/// transport assumed to leave it.
pub(crate) const SLOWEST: u64 = 24 << 10;

impl Deadlines {
    /// The transport is open at `now` and the handshake begins.
    #[must_use]
    pub fn new(config: &DeadlineConfig, now: Duration) -> Self {
        Self {
            phase_ends: after(now, millis(config.handshake)),
            keepalive: NEVER,
            write: NEVER,
            settings: Settings {
                close: millis(config.close),
                linger: millis(config.linger),
                ping_interval: millis(config.ping_interval),
                pong_wait: millis(config.pong_wait),
                message: millis(config.message),
                write: millis(config.write),
            },
            ping_left: 0,
            round_trip: 0,
            pings: 0,
            phase: Phase::Handshake,
            awaiting: Awaiting::Nothing,
            has_round_trip: false,
            blocked: false,
        }
    }

    /// The handshake has succeeded. Ignored in a later phase.
    pub fn opened(&mut self, now: Duration) {
        if self.phase == Phase::Handshake {
            self.phase = Phase::Open;
            self.phase_ends = NEVER;
            self.keepalive = after(now, self.settings.ping_interval);
        }
    }

    /// Bytes came from the peer, whichever. Stops the wait for an answer to a ping, and puts the
    /// next ping off.
    #[inline]
    pub fn received(&mut self, now: Duration) {
        // A ping that is due and has not left is the next one.
        if self.phase == Phase::Open && self.awaiting != Awaiting::Departure {
            self.keepalive = after(now, self.settings.ping_interval);
            if self.awaiting == Awaiting::AnyByte {
                self.awaiting = Awaiting::Pong;
            }
        }
    }

    /// The last byte of the ping that was due was written: from now on the peer is waited for.
    /// `backlog` is how many bytes the transport took before it and may still hold, as far as that
    /// is known: the wait is longer by a second for each 24 KiB of them. Ignored if no ping is due.
    pub fn ping_left(&mut self, now: Duration, backlog: u64) {
        if self.awaiting != Awaiting::Departure {
            return;
        }
        self.awaiting = Awaiting::AnyByte;
        self.ping_left = micros(now);
        let seconds = backlog.checked_div(SLOWEST).unwrap_or(0);
        self.keepalive = match self.settings.pong_wait {
            OFF => after(now, self.settings.ping_interval),
            wait => after(now.saturating_add(Duration::from_secs(seconds)), wait),
        };
    }

    /// A pong came. If it answers the last ping ([`ping_payload`](Self::ping_payload)), this is
    /// the round trip; others are ignored (5.5.3 allows unsolicited pongs).
    pub fn pong_received(&mut self, payload: &[u8], now: Duration) {
        let waits = matches!(self.awaiting, Awaiting::Pong | Awaiting::AnyByte);
        if !waits || payload != self.ping_payload() {
            return;
        }
        self.received(now);
        self.awaiting = Awaiting::Nothing;
        self.has_round_trip = true;
        // The upper half of the range is a clock that went back.
        self.round_trip = match micros(now).wrapping_sub(self.ping_left) {
            elapsed @ 0..=0x7fff_ffff => elapsed,
            _ => 0,
        };
    }

    /// A message has begun and its end was not received yet. Ignored while one is in progress, so
    /// it may be called for each fragment.
    #[inline]
    pub fn message_started(&mut self, now: Duration) {
        if self.phase == Phase::Open && self.phase_ends == NEVER {
            self.phase_ends = after(now, self.settings.message);
        }
    }

    /// The message in progress, if any, has ended.
    #[inline]
    pub fn message_ended(&mut self) {
        if self.phase == Phase::Open {
            self.phase_ends = NEVER;
        }
    }

    /// The transport is full, and bytes wait to be written. Ignored if the same was said before,
    /// so that more bytes do not restart the deadline.
    #[inline]
    pub fn write_waiting(&mut self, now: Duration) {
        if !self.blocked && !matches!(self.phase, Phase::Lingering | Phase::Closed) {
            self.blocked = true;
            self.write = after(now, self.settings.write);
        }
    }

    /// When the write deadline passes for bytes that begin to wait at `now`.
    #[cfg(feature = "std")]
    pub(crate) fn write_ends(&self, now: Duration) -> Option<Duration> {
        let ends = if self.blocked { self.write } else { after(now, self.settings.write) };
        (ends != NEVER).then(|| Duration::from_nanos(ends))
    }

    /// The transport took some bytes; `waiting` tells whether it is full again and others are left.
    /// Where bytes had to wait for a millisecond or more, this is a sign of life: the peer has made
    /// the room. (A transport that is not ready for a moment may have reasons of its own.)
    #[inline]
    pub fn write_progress(&mut self, now: Duration, waiting: bool) {
        if self.blocked && self.has_waited(now) {
            self.received(now);
        }
        self.blocked = false;
        self.write = NEVER;
        if waiting {
            self.write_waiting(now);
        }
    }

    fn has_waited(&self, now: Duration) -> bool {
        let began = self.write.saturating_sub(in_nanos(self.settings.write));
        self.settings.write == OFF || nanos(now) >= began.saturating_add(in_nanos(1))
    }

    /// Our Close frame has left (7.1.2), the peer's has come and ours may follow, or the connection
    /// has failed (7.1.7). No message and no ping counts any more. Ignored the second time: the
    /// peer's Close does not restart the deadline.
    pub fn closing(&mut self, now: Duration) {
        if matches!(self.phase, Phase::Handshake | Phase::Open) {
            self.phase = Phase::Closing;
            self.phase_ends = after(now, self.settings.close);
            self.keepalive = NEVER;
            self.awaiting = Awaiting::Nothing;
        }
    }

    /// The handshake did not end in time: what says so to the peer leaves at once, or not at all.
    #[cfg(feature = "std")]
    pub(crate) fn late(&mut self, now: Duration) {
        self.closing(now);
        self.phase_ends = after(now, 1);
    }

    /// The connection has ended, and all that we had to say has left: only the end of the transport
    /// is missing. Ignored the second time.
    pub fn lingering(&mut self, now: Duration) {
        if !matches!(self.phase, Phase::Lingering | Phase::Closed) {
            self.phase = Phase::Lingering;
            self.phase_ends = after(now, self.settings.linger);
            self.awaiting = Awaiting::Nothing;
            self.blocked = false;
            (self.keepalive, self.write) = (NEVER, NEVER);
        }
    }

    /// The transport has ended (7.1.4): no deadline is left.
    pub fn closed(&mut self) {
        self.phase = Phase::Closed;
        self.awaiting = Awaiting::Nothing;
        self.blocked = false;
        (self.phase_ends, self.keepalive, self.write) = (NEVER, NEVER, NEVER);
    }

    /// The moment at which [`on_deadline`](Self::on_deadline) has something to say, if nothing
    /// else happens until then. It may be in the past.
    #[inline]
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        match self.phase_ends.min(self.keepalive).min(self.write) {
            NEVER => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }

    /// What has expired at `now`, the earliest first. Each is told once; call again until `None`.
    pub fn on_deadline(&mut self, now: Duration) -> Option<Expired> {
        let next = self.phase_ends.min(self.keepalive).min(self.write);
        if next > nanos(now) {
            return None;
        }
        if self.phase_ends == next {
            self.phase_ends = NEVER;
            return match self.phase {
                Phase::Handshake => Some(Expired::Handshake),
                Phase::Open => Some(Expired::Message),
                Phase::Closing => Some(Expired::Close),
                Phase::Lingering => Some(Expired::Linger),
                Phase::Closed => None,
            };
        }
        if self.write == next {
            self.write = NEVER;
            return Some(Expired::Write);
        }
        self.keepalive = NEVER;
        if self.awaiting == Awaiting::AnyByte && self.settings.pong_wait != OFF {
            return Some(Expired::KeepaliveTimeout);
        }
        self.next_ping();
        Some(Expired::SendPing)
    }

    /// Whether a ping is due, and nobody is blamed: [`Expired::SendPing`] and nothing else.
    #[cfg(any(feature = "tokio", feature = "futures-io"))]
    pub(crate) fn on_ping(&mut self, now: Duration) -> bool {
        let due = self.keepalive <= nanos(now) && self.awaiting != Awaiting::AnyByte;
        if due {
            self.next_ping();
        }
        due
    }

    /// What follows is counted from when the ping has left, and not from the deadline: who comes
    /// late, or cannot write, does not take the time from the peer.
    fn next_ping(&mut self) {
        self.keepalive = NEVER;
        self.awaiting = Awaiting::Departure;
        self.pings = self.pings.wrapping_add(1);
    }

    /// Puts off what would blame the peer for its silence, if that is due: what has arrived could
    /// not be looked at. `message`: a message may have ended in it; `any`: there may be any.
    #[cfg(feature = "std")]
    pub(crate) fn excuse(&mut self, now: Duration, message: bool, any: bool) {
        let due = nanos(now);
        if message && self.phase == Phase::Open && self.phase_ends <= due {
            self.phase_ends = after(now, self.settings.message);
        }
        if any && self.awaiting == Awaiting::AnyByte && self.keepalive <= due {
            self.keepalive = after(now, self.settings.pong_wait);
        }
    }

    /// The payload for the ping of the last [`Expired::SendPing`], by which
    /// [`pong_received`](Self::pong_received) knows its answer (5.5.3: "identical
    /// \"Application data\""). It is the number of the ping, which tells the peer nothing new.
    #[must_use]
    pub fn ping_payload(&self) -> [u8; 4] {
        self.pings.to_be_bytes()
    }

    /// From the last ping that was answered to its pong, in microseconds up to 35 minutes.
    #[must_use]
    pub fn last_round_trip(&self) -> Option<Duration> {
        self.has_round_trip.then(|| Duration::from_micros(self.round_trip.into()))
    }
}

/// In milliseconds, or [`OFF`].
#[derive(Clone, Copy, Debug)]
struct Settings {
    close: u32,
    linger: u32,
    ping_interval: u32,
    pong_wait: u32,
    message: u32,
    write: u32,
}

const OFF: u32 = u32::MAX;
const NEVER: u64 = u64::MAX;

/// At least one: a ping interval of zero would never come to rest.
fn millis(duration: Option<Duration>) -> u32 {
    let Some(duration) = duration else { return OFF };
    let millis = duration.as_nanos().div_ceil(1_000_000);
    u32::try_from(millis).unwrap_or(OFF).clamp(1, OFF.saturating_sub(1))
}

#[inline]
fn nanos(now: Duration) -> u64 {
    u64::try_from(now.as_nanos()).unwrap_or(NEVER).min(NEVER.saturating_sub(1))
}

fn micros(now: Duration) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "modulo 2^32 is meant")]
    let micros = now.as_micros() as u32;
    micros
}

#[inline]
fn after(now: Duration, millis: u32) -> u64 {
    match millis {
        OFF => NEVER,
        _ => nanos(now).saturating_add(in_nanos(millis)).min(NEVER.saturating_sub(1)),
    }
}

const fn in_nanos(millis: u32) -> u64 {
    (millis as u64).saturating_mul(1_000_000)
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Opened,
        Received,
        /// The ping that was due has left, behind so many bytes.
        Left(u64),
        /// The pong to the last ping.
        Pong,
        /// A pong that nobody asked for.
        StrayPong,
        MessageStarted,
        MessageEnded,
        WriteWaiting,
        WriteProgress(bool),
        Closing,
        Lingering,
        Closed,
        /// Waits until then; what expires on the way is noted.
        Until,
    }
    use Step::*;

    /// A name, what happens, and what expires; in milliseconds.
    type Timeline = (&'static str, &'static [(u64, Step)], &'static [(u64, Expired)]);

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// However late it is asked.
    #[test]
    fn what_is_closed_has_no_deadline() {
        let mut deadlines = Deadlines::new(&DeadlineConfig::default(), ms(0));
        deadlines.closed();
        assert_eq!(deadlines.next_deadline(), None);
        assert_eq!(deadlines.on_deadline(Duration::MAX), None);
    }

    fn apply(deadlines: &mut Deadlines, step: Step, now: Duration) {
        match step {
            Opened => deadlines.opened(now),
            Received => deadlines.received(now),
            Left(backlog) => deadlines.ping_left(now, backlog),
            Pong => deadlines.pong_received(&deadlines.ping_payload(), now),
            StrayPong => deadlines.pong_received(b"what?", now),
            MessageStarted => deadlines.message_started(now),
            MessageEnded => deadlines.message_ended(),
            WriteWaiting => deadlines.write_waiting(now),
            WriteProgress(waiting) => deadlines.write_progress(now, waiting),
            Closing => deadlines.closing(now),
            Lingering => deadlines.lingering(now),
            Closed => deadlines.closed(),
            Until => {}
        }
    }

    /// Plays a timeline (milliseconds) by a caller that waits for `next_deadline` exactly and whose
    /// pings leave at once, and returns what expired when.
    fn play(deadlines: &mut Deadlines, timeline: &[(u64, Step)]) -> Vec<(u64, Expired)> {
        let mut expired = Vec::new();
        for &(at, step) in timeline {
            while let Some(next) = deadlines.next_deadline().filter(|next| *next <= ms(at)) {
                let what = deadlines.on_deadline(next).expect("next_deadline told the truth");
                deadlines.ping_left(next, 0);
                expired.push((u64::try_from(next.as_millis()).unwrap(), what));
            }
            apply(deadlines, step, ms(at));
        }
        expired
    }

    /// Handshake 10, close 10, ping 20, pong 5, message 30, write 10 (seconds).
    fn all() -> DeadlineConfig {
        DeadlineConfig {
            ping_interval: Some(ms(20_000)),
            pong_wait: Some(ms(5_000)),
            message: Some(ms(30_000)),
            write: Some(ms(10_000)),
            ..DeadlineConfig::default()
        }
    }

    #[test]
    fn timelines() {
        use Expired::{Close, Handshake, KeepaliveTimeout, Linger, Message, SendPing, Write};
        #[rustfmt::skip]
        let table: &[Timeline] = &[
            ("S23: nothing ever comes", &[(99_000, Until)], &[(10_000, Handshake)]),
            ("S17: bytes do not restart the handshake",
                &[(1_000, Received), (9_000, Received), (9_999, Received), (99_000, Until)], &[(10_000, Handshake)]),
            ("a message means nothing in the handshake", &[(1_000, MessageStarted), (99_000, Until)], &[(10_000, Handshake)]),
            ("opened in time", &[(9_999, Opened), (29_998, Until)], &[]),
            ("opened once", &[(1_000, Opened), (9_000, Opened), (21_000, Until)], &[(21_000, SendPing)]),
            ("silence", &[(0, Opened), (99_000, Until)], &[(20_000, SendPing), (25_000, KeepaliveTimeout)]),
            ("bytes put the ping off", &[(0, Opened), (19_000, Received), (38_999, Until)], &[]),
            ("the pong is enough", &[(0, Opened), (24_999, Pong), (44_998, Until)], &[(20_000, SendPing)]),
            ("other bytes are enough", &[(0, Opened), (24_999, Received), (44_999, Until)],
                &[(20_000, SendPing), (44_999, SendPing)]),
            ("a stray pong counts by its bytes only", &[(0, Opened), (20_000, StrayPong), (25_000, Until)],
                &[(20_000, SendPing), (25_000, KeepaliveTimeout)]),
            ("a message that ends", &[(0, Opened), (5_000, MessageStarted), (19_000, Received), (34_999, MessageEnded),
                (36_000, Received), (40_000, Until)], &[]),
            ("S72: neither fragments nor pings restart the message",
                &[(0, Opened), (5_000, MessageStarted), (15_000, MessageStarted), (15_000, Received), (30_000, MessageStarted),
                  (30_000, Received), (40_000, Until)], &[(35_000, Message)]),
            ("the next message has its own time",
                &[(0, Opened), (1_000, MessageStarted), (15_000, MessageEnded), (16_000, MessageStarted), (17_000, Received),
                  (30_000, Received), (46_000, Until)], &[(46_000, Message)]),
            ("S33: no answer to Close", &[(0, Opened), (3_000, Closing), (99_000, Until)], &[(13_000, Close)]),
            ("S38: bytes and a second Close do not restart it",
                &[(0, Opened), (3_000, Closing), (9_000, Received), (9_000, Closing), (99_000, Until)], &[(13_000, Close)]),
            ("closing ends message and keepalive", &[(0, Opened), (1_000, MessageStarted), (19_000, Closing),
                (20_000, MessageEnded), (21_000, MessageStarted), (22_000, Opened), (99_000, Until)], &[(29_000, Close)]),
            ("closing in the wait for a pong", &[(0, Opened), (21_000, Closing), (22_000, Pong), (99_000, Until)],
                &[(20_000, SendPing), (31_000, Close)]),
            ("a refused handshake", &[(2_000, Closing), (99_000, Until)], &[(12_000, Close)]),
            ("S15: the peer takes nothing", &[(0, Opened), (2_000, WriteWaiting), (8_000, WriteWaiting), (12_000, Until)],
                &[(12_000, Write)]),
            ("each byte taken restarts it", &[(0, Opened), (2_000, WriteWaiting), (11_000, WriteProgress(true)),
                (19_000, WriteWaiting), (19_999, Received), (21_000, Until)], &[(21_000, Write)]),
            ("all taken", &[(0, Opened), (2_000, WriteWaiting), (11_000, WriteProgress(false)), (19_999, Until)], &[]),
            ("the answer to the handshake is not taken", &[(1_000, Opened), (1_000, WriteWaiting), (11_000, Until)],
                &[(11_000, Write)]),
            ("the Close is not taken", &[(0, Opened), (5_000, WriteWaiting), (9_000, Closing), (99_000, Until)],
                &[(15_000, Write), (19_000, Close)]),
            ("S80: room for what waited is a sign of life", &[(0, Opened), (2_000, WriteWaiting), (11_000, WriteProgress(false)),
                (31_000, Until)], &[(31_000, SendPing)]),
            ("bytes that found room at once are none", &[(0, Opened), (11_000, WriteProgress(false)), (25_000, Until)],
                &[(20_000, SendPing), (25_000, KeepaliveTimeout)]),
            ("a transport that was not ready for a moment", &[(0, Opened), (11_000, WriteWaiting), (11_000, WriteProgress(true)),
                (11_000, WriteProgress(false)), (25_000, Until)], &[(20_000, SendPing), (25_000, KeepaliveTimeout)]),
            ("S80: room in the wait for a pong", &[(0, Opened), (20_000, WriteWaiting), (24_000, WriteProgress(false)),
                (43_999, Until)], &[(20_000, SendPing)]),
            ("S85: only the end of the transport is missing", &[(0, Opened), (3_000, WriteWaiting), (4_000, Lingering),
                (4_500, Received), (4_500, WriteWaiting), (4_500, Closing), (99_000, Until)], &[(5_000, Linger)]),
            ("S85: after a closing handshake", &[(0, Opened), (3_000, Closing), (4_000, Lingering), (99_000, Until)],
                &[(5_000, Linger)]),
            ("two at once: what ends the connection first",
                &[(0, Opened), (10_000, WriteWaiting), (20_000, Until)], &[(20_000, Write), (20_000, SendPing)]),
            ("closed", &[(0, Opened), (1_000, WriteWaiting), (2_000, Closing), (3_000, Closed), (4_000, WriteWaiting),
                (4_000, Received), (4_000, MessageStarted), (4_000, Closing), (4_000, Opened), (99_000, Until)], &[]),
        ];
        for (what, timeline, expected) in table {
            let mut deadlines = Deadlines::new(&all(), ms(0));
            assert_eq!(play(&mut deadlines, timeline), *expected, "{what}");
        }
    }

    #[test]
    fn what_is_off_never_expires() {
        let off = DeadlineConfig {
            handshake: None,
            close: None,
            linger: None,
            ping_interval: None,
            pong_wait: None,
            message: None,
            write: None,
        };
        let mut deadlines = Deadlines::new(&off, ms(0));
        for step in
            [WriteWaiting, Opened, Received, MessageStarted, WriteWaiting, Closing, Lingering]
        {
            apply(&mut deadlines, step, ms(1));
            assert_eq!(deadlines.next_deadline(), None, "{step:?}");
            assert_eq!(deadlines.on_deadline(Duration::MAX), None, "{step:?}");
        }
    }

    #[test]
    fn pings_without_a_wait_for_answers() {
        let config = DeadlineConfig { pong_wait: None, ..all() };
        let expired = play(&mut Deadlines::new(&config, ms(0)), &[(0, Opened), (70_000, Until)]);
        let pings: Vec<_> = [20_000, 40_000, 60_000].map(|at| (at, Expired::SendPing)).into();
        assert_eq!(expired, pings);
    }

    #[test]
    fn the_round_trip_is_that_of_the_answered_ping() {
        let mut deadlines = Deadlines::new(&all(), ms(0));
        deadlines.opened(ms(0));
        deadlines.pong_received(&deadlines.ping_payload(), ms(1));
        assert_eq!(deadlines.last_round_trip(), None, "a pong before any ping");

        assert_eq!(deadlines.on_deadline(ms(20_050)), Some(Expired::SendPing));
        deadlines.pong_received(&deadlines.ping_payload(), ms(20_060));
        assert_eq!(deadlines.last_round_trip(), None, "a pong before the ping has left");
        deadlines.ping_left(ms(20_100), 0);
        let ping = deadlines.ping_payload();
        deadlines.received(ms(20_150));
        deadlines.pong_received(b"", ms(20_150));
        assert_eq!(deadlines.last_round_trip(), None, "not its payload");
        deadlines.received(ms(20_163));
        deadlines.pong_received(&ping, ms(20_163));
        assert_eq!(deadlines.last_round_trip(), Some(ms(63)), "bytes before it do not count");
        deadlines.pong_received(&ping, ms(20_900));
        assert_eq!(deadlines.last_round_trip(), Some(ms(63)), "the same pong again");

        assert_eq!(deadlines.on_deadline(ms(40_163)), Some(Expired::SendPing));
        deadlines.ping_left(ms(40_163), 0);
        assert_ne!(deadlines.ping_payload(), ping);
        assert_eq!(deadlines.last_round_trip(), Some(ms(63)), "until the next pong");
        deadlines.pong_received(&ping, ms(40_170));
        assert_eq!(deadlines.last_round_trip(), Some(ms(63)), "the pong of an earlier ping");
        deadlines.pong_received(&deadlines.ping_payload(), ms(40_165));
        assert_eq!(deadlines.last_round_trip(), Some(ms(2)));
    }

    #[test]
    fn a_late_caller_leaves_the_peer_its_time() {
        let mut deadlines = Deadlines::new(&all(), ms(0));
        deadlines.opened(ms(0));
        assert_eq!(deadlines.on_deadline(ms(60_000)), Some(Expired::SendPing));
        deadlines.ping_left(ms(60_000), 0);
        assert_eq!(deadlines.on_deadline(ms(64_999)), None);
        assert_eq!(deadlines.on_deadline(ms(65_000)), Some(Expired::KeepaliveTimeout));
    }

    /// S80: a ping that waits to be written is not waited for, and one that stands behind much is
    /// waited for longer.
    #[test]
    fn a_ping_counts_from_when_it_has_left() {
        for (backlog, extra) in [(0, 0), (SLOWEST - 1, 0), (SLOWEST, 1_000), (10 * SLOWEST, 10_000)]
        {
            let mut deadlines = Deadlines::new(&all(), ms(0));
            deadlines.opened(ms(0));
            assert_eq!(deadlines.on_deadline(ms(20_000)), Some(Expired::SendPing));
            assert_eq!(deadlines.next_deadline(), None, "it has not left");
            deadlines.received(ms(30_000));
            assert_eq!(deadlines.next_deadline(), None, "nor has it now");
            deadlines.ping_left(ms(50_000), backlog);
            deadlines.ping_left(ms(54_000), 0); // it leaves once
            assert_eq!(deadlines.next_deadline(), Some(ms(55_000 + extra)));
            let late = ms(55_000 + extra);
            assert_eq!(deadlines.on_deadline(late), Some(Expired::KeepaliveTimeout));
        }
    }

    /// S81: a ping that is due does not wait for what must be looked at before a peer is blamed.
    #[cfg(any(feature = "tokio", feature = "futures-io"))]
    #[test]
    fn a_ping_blames_nobody() {
        let mut deadlines = Deadlines::new(&all(), ms(0));
        deadlines.opened(ms(0));
        assert!(!deadlines.on_ping(ms(19_999)));
        assert!(deadlines.on_ping(ms(20_000)));
        assert_eq!(deadlines.next_deadline(), None, "it has not left");
        deadlines.ping_left(ms(20_000), 0);
        assert!(!deadlines.on_ping(ms(25_000)), "its answer is due");
        assert_eq!(deadlines.on_deadline(ms(25_000)), Some(Expired::KeepaliveTimeout));
    }

    /// S79, S81: who has not looked at what arrived does not blame the peer for it.
    #[cfg(feature = "std")]
    #[test]
    fn silence_is_excused() {
        let mut deadlines = Deadlines::new(&all(), ms(0));
        deadlines.opened(ms(0));
        assert_eq!(deadlines.on_deadline(ms(20_000)), Some(Expired::SendPing));
        deadlines.ping_left(ms(20_000), 0);
        deadlines.message_started(ms(21_000));
        deadlines.excuse(ms(24_999), true, true); // nothing is due
        assert_eq!(deadlines.next_deadline(), Some(ms(25_000)));
        deadlines.excuse(ms(60_000), true, true);
        assert_eq!(deadlines.on_deadline(ms(64_999)), None);
        deadlines.excuse(ms(65_000), true, false);
        assert_eq!(deadlines.on_deadline(ms(65_000)), Some(Expired::KeepaliveTimeout));
        assert_eq!(deadlines.on_deadline(ms(89_999)), None);
        assert_eq!(deadlines.on_deadline(ms(90_000)), Some(Expired::Message));
    }

    #[test]
    fn durations_are_rounded_up_and_bounded() {
        let first = |handshake| {
            let config = DeadlineConfig { handshake: Some(handshake), ..all() };
            Deadlines::new(&config, ms(5)).next_deadline()
        };
        assert_eq!(first(Duration::ZERO), Some(ms(6)));
        assert_eq!(first(Duration::from_nanos(1)), Some(ms(6)));
        assert_eq!(first(Duration::from_micros(1_001)), Some(ms(7)));
        assert_eq!(first(Duration::MAX), Some(ms(5 + u64::from(u32::MAX) - 1)));
    }

    #[test]
    fn the_clock_may_go_back_or_be_at_its_end() {
        let mut deadlines = Deadlines::new(&all(), ms(50_000));
        deadlines.opened(ms(40_000));
        assert_eq!(deadlines.on_deadline(ms(60_000)), Some(Expired::SendPing));
        deadlines.ping_left(ms(60_000), 0);
        deadlines.pong_received(&deadlines.ping_payload(), ms(0));
        assert_eq!(deadlines.last_round_trip(), Some(ms(0)));

        let mut deadlines = Deadlines::new(&all(), Duration::MAX);
        let last = deadlines.next_deadline().unwrap();
        assert_eq!(deadlines.on_deadline(last), Some(Expired::Handshake));
        assert_eq!(deadlines.on_deadline(Duration::MAX), None);
    }

    #[test]
    fn an_idle_connection_pays_64_bytes() {
        assert!(size_of::<Deadlines>() <= 64, "{}", size_of::<Deadlines>());
    }

    fn steps() -> impl Strategy<Value = Step> {
        prop_oneof![
            Just(Opened),
            Just(Received),
            (0_u64..1 << 20).prop_map(Left),
            Just(Pong),
            Just(StrayPong),
            Just(MessageStarted),
            Just(MessageEnded),
            Just(WriteWaiting),
            any::<bool>().prop_map(WriteProgress),
            Just(Closing),
            Just(Lingering),
            Just(Closed),
            Just(Until),
        ]
    }

    prop_compose! {
        fn configs()(
            durations in proptest::array::uniform7(proptest::option::of(0_u64..50)),
        ) -> DeadlineConfig {
            let [handshake, close, linger, ping_interval, pong_wait, message, write] =
                durations.map(|duration| duration.map(ms));
            DeadlineConfig { handshake, close, linger, ping_interval, pong_wait, message, write }
        }
    }

    proptest! {
        /// For any history, also with a clock that jumps back.
        #[test]
        fn next_deadline_never_lies(
            config in configs(),
            history in proptest::collection::vec((0_u64..200, steps()), 0..40),
        ) {
            let mut deadlines = Deadlines::new(&config, ms(100));
            for (at, step) in history {
                apply(&mut deadlines, step, ms(at));
                let mut probe = deadlines.clone();
                match probe.next_deadline() {
                    None => prop_assert_eq!(probe.on_deadline(Duration::MAX), None),
                    Some(next) => {
                        let before = next.saturating_sub(Duration::from_nanos(1));
                        prop_assert_eq!(probe.on_deadline(before), None);
                        prop_assert!(probe.on_deadline(next).is_some());
                    }
                }
                // No busy loop: each can expire once at one instant.
                let mut seen = Vec::new();
                while let Some(expired) = deadlines.on_deadline(ms(at)) {
                    prop_assert!(!seen.contains(&expired), "{:?} twice at {} ms", expired, at);
                    seen.push(expired);
                }
                prop_assert!(deadlines.next_deadline().is_none_or(|next| next > ms(at)));
            }
        }
    }
}
