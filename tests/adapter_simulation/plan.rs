//! What a seed decides.

use std::time::Duration;

use websocket_proto::{Config, Connection, DeadlineConfig, MaskKeys, Negotiated};

use crate::payload::From;
use crate::random::Random;
use crate::wire::LinkPlan;

#[derive(Debug)]
pub struct Plan {
    pub connections: Vec<ConnectionPlan>,
    /// One poll in so many is of a task that nobody has woken.
    pub spurious: u64,
    /// One quiet moment in so many is used to look for tasks that sleep with work to do, beside
    /// those in which only a deadline is left.
    pub probe: u64,
}

/// How the program uses a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// `recv`, `feed`, `send`.
    Recv,
    /// `read`, with replies.
    Read,
    /// The halves of the crate, in two tasks.
    Split,
    /// Those of `futures_util`, in two tasks.
    StreamSplit,
    /// `Stream` and `Sink` in one task.
    StreamSink,
}

/// What the program does. Where it is split, the sending half does so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    SendOnly,
    ReceiveOnly,
    Echo,
    FeedClose,
    SendCloseRead,
    /// Any call after any other; calls that receive are given up now and then.
    Mixed,
}

/// What the receiving half does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiving {
    Steady,
    /// Sleeps so long between calls.
    Busy(Duration),
    /// Is dropped after so many messages.
    Dropped(u64),
    /// Is kept, and not polled before the sending half is done.
    Unpolled,
}

#[derive(Clone, Debug)]
pub struct ConnectionPlan {
    pub seed: u64,
    pub client: bool,
    pub deflate: bool,
    pub usage: Usage,
    pub script: Script,
    pub receiving: Receiving,
    /// How many messages the program sends, and the pause between them.
    pub messages: u64,
    pub pause: Duration,
    /// When the program has had enough, and closes.
    pub patience: Duration,
    /// The longest message of each side.
    pub longest: [usize; 2],
    pub link: LinkPlan,
    pub peer: PeerPlan,
    pub limits: Limits,
}

/// The deadlines. All are set, so that a default that changes changes nothing here.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub ping: Duration,
    pub pong: Duration,
    pub write: Duration,
    pub close: Duration,
    pub message: Option<Duration>,
    pub linger: Duration,
}

/// So many bytes each time, and so long between.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub bytes: usize,
    pub every: Duration,
}

#[derive(Clone, Debug)]
pub struct PeerPlan {
    pub reads: Pace,
    pub writes: Pace,
    /// It reads nothing more from this moment on.
    pub stops_reading: Option<Duration>,
    pub answers_pings: bool,
    pub answers_close: bool,
    pub actions: Vec<(Duration, Action)>,
    /// How long after the closing handshake it ends its side; `None`: never.
    pub ends: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Send(u64),
    /// A message in so many pieces, and so long between them.
    Pieces(u64, Duration),
    Ping,
    Close {
        reads_on: bool,
    },
    Reset,
    /// Ends its sending side and reads on.
    HalfClose,
    Leave,
    Fault,
    /// Neither reads nor writes any more, and says nothing of it.
    Silence,
}

const MS: fn(u64) -> Duration = Duration::from_millis;

impl Plan {
    pub fn new(seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0xD134_2543_DE82_EF95) ^ 0x5EED);
        let count = random.range(2, 4);
        // One in a hundred is about large messages, and takes its time.
        let large = random.one_in(100);
        let connections = (0..count).map(|_| connection(&mut random.fork(), large)).collect();
        Self { connections, spurious: random.pick(&[0, 0, 5, 50]), probe: random.pick(&[1, 8, 64]) }
    }
}

fn connection(random: &mut Random, large: bool) -> ConnectionPlan {
    let usage = random.pick(&[
        Usage::Recv,
        Usage::Recv,
        Usage::Read,
        Usage::Split,
        Usage::Split,
        Usage::StreamSplit,
        Usage::StreamSink,
    ]);
    let limits = limits(random);
    let mut plan = ConnectionPlan {
        seed: random.next(),
        client: random.one_in(2),
        deflate: cfg!(feature = "deflate") && random.one_in(4),
        usage,
        script: script(random),
        receiving: receiving(random, &limits),
        messages: random.pick(&[0, 1, 3, 10, 30]),
        pause: random.pick(&[Duration::ZERO, MS(1), MS(20), MS(700), limits.ping]),
        patience: MS(random.pick(&[500, 5_000, 60_000, 120_000])),
        longest: [longest(random, large), longest(random, large)],
        link: link(random),
        peer: peer(random, &limits),
        limits,
    };
    fit(&mut plan);
    plan
}

fn script(random: &mut Random) -> Script {
    random.pick(&[
        Script::SendOnly,
        Script::ReceiveOnly,
        Script::Echo,
        Script::FeedClose,
        Script::SendCloseRead,
        Script::Mixed,
        Script::Mixed,
    ])
}

fn receiving(random: &mut Random, limits: &Limits) -> Receiving {
    match random.below(8) {
        0 => Receiving::Busy(random.pick(&[MS(50), limits.ping, limits.ping + 2 * limits.pong])),
        1 => Receiving::Dropped(random.pick(&[0, 1])),
        2 => Receiving::Unpolled,
        _ => Receiving::Steady,
    }
}

fn limits(random: &mut Random) -> Limits {
    let small = random.one_in(2);
    let time = |random: &mut Random, short: u64, long: u64| {
        if small { random.millis(short / 2, short) } else { MS(long) }
    };
    let mut limits = Limits {
        ping: time(random, 2_000, 20_000),
        pong: time(random, 2_000, 20_000),
        write: time(random, 4_000, 30_000),
        close: time(random, 3_000, 10_000),
        message: None,
        linger: MS(1_000),
    };
    if random.one_in(3) {
        limits.message = Some(time(random, 3_000, 15_000));
    }
    if random.one_in(4) {
        // What depends on one deadline is not hidden by another.
        limits.ping = MS(40_000);
    }
    limits
}

fn longest(random: &mut Random, large: bool) -> usize {
    if large {
        return random.pick(&[100_000, 300_000, 2_500_000]);
    }
    match random.below(40) {
        0..=19 => 400,
        20..=31 => 5_000,
        32..=38 => 40_000,
        _ => 200_000,
    }
}

fn link(random: &mut Random) -> LinkPlan {
    let out_capacity = capacity(random);
    let kernel = random.one_in(6);
    LinkPlan {
        out_capacity,
        in_capacity: capacity(random),
        room_step: if kernel { out_capacity / 3 } else { 1 },
        read_chunk: random.pick(&[1, 7, 1_400, 20_000, usize::MAX, usize::MAX]),
        write_chunk: random.pick(&[1, 7, 1_400, 20_000, usize::MAX, usize::MAX]),
        hold: random.pick(&[0, 0, 0, 1_000, 16_384]),
        one_waker: random.one_in(3),
        read_writes: random.pick(&[0, 0, 0, 10]),
        spurious: random.pick(&[0, 0, 7]),
        append: random.one_in(2),
    }
}

fn capacity(random: &mut Random) -> usize {
    random.pick(&[64, 700, 4_096, 4_096, 65_536, 262_144])
}

fn peer(random: &mut Random, limits: &Limits) -> PeerPlan {
    PeerPlan {
        reads: pace(random),
        writes: pace(random),
        stops_reading: random.one_in(10).then(|| random.millis(0, 60_000)),
        answers_pings: !random.one_in(8),
        answers_close: !random.one_in(8),
        actions: actions(random, limits),
        ends: random.pick(&[None, None, Some(Duration::ZERO), Some(MS(300)), Some(MS(20_000))]),
    }
}

fn pace(random: &mut Random) -> Pace {
    let every = random.pick(&[Duration::ZERO, Duration::ZERO, MS(1), MS(100), MS(400)]);
    let bytes = random.pick(&[1, 100, 4_096, 65_536]);
    Pace { bytes: if every.is_zero() { usize::MAX } else { bytes }, every }
}

fn actions(random: &mut Random, limits: &Limits) -> Vec<(Duration, Action)> {
    let mut actions = Vec::new();
    for _ in 0..random.below(7) {
        let wait = random.pick(&[
            Duration::ZERO,
            Duration::ZERO,
            MS(1),
            MS(300),
            limits.ping + MS(1),
            limits.ping + limits.pong + MS(1),
            limits.message.unwrap_or(MS(5_000)) + MS(1),
        ]);
        actions.push((wait, action(random, limits)));
    }
    let wait = random.pick(&[Duration::ZERO, MS(50), MS(3_000), MS(45_000)]);
    let last = match random.below(16) {
        0..=2 => Action::Close { reads_on: false },
        3..=6 => Action::Close { reads_on: true },
        7 => Action::Reset,
        8 => Action::HalfClose,
        9 => Action::Leave,
        10 => Action::Fault,
        11..=12 => Action::Silence,
        _ => return actions,
    };
    actions.push((wait, last));
    actions
}

fn action(random: &mut Random, limits: &Limits) -> Action {
    let long = limits.message.unwrap_or(MS(2_000));
    match random.below(8) {
        0..=3 => Action::Send(random.pick(&[1, 1, 2, 5, 20])),
        4 => Action::Ping,
        // In one go, in time, and dripping.
        5 => Action::Pieces(2, Duration::ZERO),
        6 => Action::Pieces(3, long / 4),
        _ => Action::Pieces(12, long / 3),
    }
}

/// Keeps the number of steps of a run within bounds: little bytes at a time for little only.
fn fit(plan: &mut ConnectionPlan) {
    let out = plan.volume(From::Us, plan.messages.max(5));
    let input = plan.volume(From::Peer, 20);
    let link = &mut plan.link;
    link.out_capacity = link.out_capacity.max(out / 500);
    link.in_capacity = link.in_capacity.max(input / 500);
    link.room_step = link.room_step.min(link.out_capacity);
    link.write_chunk = link.write_chunk.max(out / 1_000);
    link.read_chunk = link.read_chunk.max(input / 1_000);
    plan.peer.reads.bytes = plan.peer.reads.bytes.max(out / 500);
    plan.peer.writes.bytes = plan.peer.writes.bytes.max(input / 500);
}

impl ConnectionPlan {
    fn volume(&self, from: From, messages: u64) -> usize {
        (0..messages).map(|number| self.len(from, number)).sum()
    }

    /// The length of the message with this number.
    pub fn len(&self, from: From, number: u64) -> usize {
        let mut random = Random(self.seed ^ (number << 1 | u64::from(from == From::Us)));
        random.next();
        let longest = self.longest[usize::from(from == From::Peer)] as u64;
        let bound = [1, 4, 130, longest, longest][random.below(5) as usize];
        random.below(bound.min(longest)) as usize
    }

    /// A connection of ours, or its peer.
    pub fn connection(&self, of: From, auto_pong: bool, auto_close: bool) -> Connection {
        let mut config = Config::default();
        config.max_message_size = 16 << 20;
        config.max_frame_size = 16 << 20;
        config.auto_pong = auto_pong;
        config.auto_close = auto_close;
        let negotiated = self.negotiated();
        if self.client == (of == From::Us) {
            Connection::client(negotiated, config, MaskKeys::from_seed([self.seed as u8; 32]))
        } else {
            Connection::server(negotiated, config)
        }
    }

    #[cfg(feature = "deflate")]
    fn negotiated(&self) -> Negotiated {
        let mut negotiated = Negotiated::default();
        negotiated.deflate = self.deflate.then(websocket_proto::DeflateParams::default);
        negotiated
    }

    #[cfg(not(feature = "deflate"))]
    fn negotiated(&self) -> Negotiated {
        assert!(!self.deflate, "it is not compiled in");
        Negotiated::default()
    }
}

impl Limits {
    pub fn config(&self) -> DeadlineConfig {
        let mut config = DeadlineConfig::default();
        config.ping_interval = Some(self.ping);
        config.pong_wait = Some(self.pong);
        config.write = Some(self.write);
        config.close = Some(self.close);
        config.message = self.message;
        config.linger = Some(self.linger);
        config
    }

    /// The longest that a peer which does nothing at all can stay.
    pub fn sum(&self) -> Duration {
        self.ping + self.pong + self.write + self.close
    }
}
