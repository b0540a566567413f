//! Two endpoints over a network that delays, splits, holds back, closes and resets at any byte:
//! thousands of conversations, each a function of its seed. A seed that fails is printed;
//! `SIMULATION_SEED=n` replays it, `SIMULATION_SEEDS=n` runs more.

mod common;

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use common::peer::Peer;
use websocket_proto::{
    CloseCode, Config, DeadlineConfig, Deadlines, Delivery, Expired, Message, Output,
    ProtocolError, State,
};

const SEEDS: u64 = 6_000;

#[test]
fn conversations() {
    let number = |name| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    if let Some(seed) = number("SIMULATION_SEED") {
        return println!("{:?}", World::new(seed).run());
    }
    let mut endings: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..number("SIMULATION_SEEDS").unwrap_or(SEEDS) {
        let run = panic::catch_unwind(AssertUnwindSafe(|| World::new(seed).run()));
        let Ok(run) = run else { panic!("SIMULATION_SEED={seed} replays the failure") };
        for ending in run {
            *endings.entry(ending).or_default() += 1;
        }
    }
    // Each way to end is among them, or the simulation would show less than it claims.
    println!("{endings:?}");
    for ending in [
        "clean",
        "UnexpectedEof",
        "KeepaliveTimeout",
        "CloseTimeout",
        "WriteTimeout",
        "MessageTimeout",
    ] {
        assert!(endings.get(ending).is_some_and(|&count| count >= 20), "{ending}: {endings:?}");
    }
}

/// SplitMix64: the same numbers on every machine and in every year.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    /// Small most of the time: headers and characters are cut.
    fn len(&mut self) -> usize {
        let bound = [4, 20, 300, 5_000, 70_000][self.below(5) as usize];
        self.below(bound) as usize
    }
}

/// One direction of the network.
#[derive(Debug, Default)]
struct Wire {
    bytes: Vec<u8>,
    /// The sender has ended its side.
    fin: bool,
    /// Only so many bytes more pass; then comes the end, or nothing ever again.
    cut_after: Option<usize>,
    black_hole: bool,
}

/// An endpoint with what an adapter adds to it.
#[derive(Debug)]
struct Side {
    peer: Peer,
    deadlines: Deadlines,
    /// Our direction has ended, and the other one.
    shut: bool,
    ended: bool,
    messages: u64,
    pongs: usize,
    fragment: Option<bool>,
    /// A keepalive ping waits to be written.
    pinging: bool,
    expired: bool,
}

#[derive(Debug)]
struct World {
    random: Random,
    now: Duration,
    sides: [Side; 2],
    /// From the side of the same index to the other.
    wires: [Wire; 2],
    /// The step at which the network resets both directions.
    reset_at: Option<u64>,
    faulty: bool,
    /// How seldom time jumps to a deadline although something could still move.
    patience: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let sides = std::array::from_fn(|index| Side::new(index == 0, &mut random));
        let mut world = Self {
            wires: Default::default(),
            now: Duration::ZERO,
            sides,
            reset_at: None,
            faulty: true,
            patience: if random.one_in(4) { 20 } else { 10_000 },
            random,
        };
        let random = &mut world.random;
        let which = random.below(2) as usize;
        match random.below(8) {
            0 => world.wires[which].cut_after = Some(random.len()),
            1 => {
                world.wires[which].cut_after = Some(random.len());
                world.wires[which].black_hole = true;
            }
            2 => world.reset_at = Some(random.below(200)),
            _ => world.faulty = false,
        }
        world
    }

    /// Runs to the end of both transports and says how each side ended.
    fn run(mut self) -> [String; 2] {
        let talk = self.random.below(150);
        for step in 0.. {
            assert!(step < 20_000, "it does not end: {:?}", self.sides);
            if self.sides.iter().all(Side::is_over) {
                break;
            }
            if self.reset_at == Some(step) {
                self.reset();
            }
            let which = self.random.below(2) as usize;
            let closing = step > talk;
            match self.random.below(6) {
                0 | 1 => self.application(which, closing),
                2 => self.write(which),
                3 | 4 => self.deliver(which),
                _ => self.wait(),
            }
        }
        self.check();
        self.sides.map(|side| side.peer.error.map_or("clean".into(), |error| format!("{error:?}")))
    }

    /// What an application does: it talks, and then it closes.
    fn application(&mut self, which: usize, closing: bool) {
        let (side, random) = (&mut self.sides[which], &mut self.random);
        let code = CloseCode::new(3000 + random.below(1000) as u16).expect("a private code");
        match side.peer.connection.state() {
            State::CloseReceived if random.one_in(2) => _ = side.peer.reply_close(),
            State::CloseReceived => _ = side.peer.close(code, "so be it"),
            State::Open if closing || random.one_in(200) => _ = side.peer.close(code, "enough"),
            _ => side.talk(random),
        }
        side.pump(self.now);
    }

    /// Moves some of what a side has to send to the network, unless that holds too much.
    fn write(&mut self, which: usize) {
        let (side, wire) = (&mut self.sides[which], &mut self.wires[which]);
        if side.shut {
            return;
        }
        let room = 100_000_usize.saturating_sub(wire.bytes.len());
        // A peer that vanished takes what the buffers on the way hold.
        let taken = side.peer.take(room.min(self.random.len()));
        wire.bytes.extend_from_slice(&taken);
        if !taken.is_empty() {
            side.deadlines.write_progress(self.now, !side.peer.output.is_empty());
        }
        let done = side.peer.connection.should_shutdown() || side.ended;
        if done && side.peer.output.is_empty() {
            side.shut = true;
            wire.fin = true;
        }
        side.pump(self.now);
    }

    /// Brings some bytes to the other side, or the end.
    fn deliver(&mut self, from: usize) {
        let wire = &mut self.wires[from];
        let side = &mut self.sides[1 - from];
        if side.ended {
            return;
        }
        let mut len = self.random.len().min(wire.bytes.len());
        if let Some(left) = &mut wire.cut_after {
            len = len.min(*left);
            *left -= len;
        }
        let bytes: Vec<u8> = wire.bytes.drain(..len).collect();
        let cut = wire.cut_after == Some(0);
        if !bytes.is_empty() {
            side.deadlines.received(self.now);
            side.peer.receive(&bytes);
        } else if wire.fin && wire.bytes.is_empty() && !wire.black_hole || cut && !wire.black_hole {
            side.ended = true;
            side.peer.receive_eof();
        }
        side.pump(self.now);
    }

    /// Time passes: a little, or, where nothing moves, up to a deadline.
    fn wait(&mut self) {
        let next = self.sides.iter().filter_map(|side| side.deadlines.next_deadline()).min();
        let moving = |(side, wire): (&Side, &Wire)| {
            !wire.bytes.is_empty() && wire.cut_after != Some(0) || !side.peer.output.is_empty()
        };
        let moving = self.sides.iter().zip(&self.wires).any(moving);
        self.now += match next {
            Some(next) if !moving || self.random.one_in(self.patience) => {
                next.saturating_sub(self.now)
            }
            _ => Duration::from_micros(self.random.below(50_000)),
        };
        for side in &mut self.sides {
            side.expire(self.now);
            side.pump(self.now);
        }
    }

    /// Both directions are gone, with what was on the way.
    fn reset(&mut self) {
        for (side, wire) in self.sides.iter_mut().zip(&mut self.wires) {
            wire.bytes.clear();
            side.give_up();
            side.peer.receive_eof();
        }
    }

    fn check(&self) {
        let [client, server] = &self.sides;
        client.peer.check(&server.peer);
        server.peer.check(&client.peer);
        for side in &self.sides {
            if let Some(error) = side.peer.error {
                assert!(
                    matches!(error.close_code().get(), 1006 | 1008 | 1011),
                    "two of us find no fault with each other: {error}",
                );
                assert!(self.faulty || self.expired(), "{error} of itself");
            }
        }
        if self.faulty || self.expired() {
            return;
        }
        for (side, from) in [(client, server), (server, client)] {
            let (seen, sent) = (&side.peer.received, &from.peer.sent);
            assert_eq!(side.peer.connection.state(), State::Closed);
            assert!(seen.messages == sent.messages, "all of it arrives");
            assert_eq!(seen.close, sent.close);
        }
    }

    fn expired(&self) -> bool {
        self.sides.iter().any(|side| side.expired)
    }
}

impl Side {
    fn new(is_client: bool, random: &mut Random) -> Self {
        let mut config = Config::default();
        if random.one_in(2) {
            config.delivery = Delivery::Chunks;
        }
        if random.one_in(3) {
            config.output_soft_limit = random.len();
            config.output_hard_limit = config.output_soft_limit + random.len();
        }
        config.fragment_size = 8 + random.len();
        config.auto_close = !random.one_in(4);
        let mut deadlines = DeadlineConfig::default();
        if random.one_in(2) {
            deadlines.ping_interval = Some(Duration::from_millis(1 + random.below(2_000)));
            deadlines.pong_wait = Some(Duration::from_secs(2));
        } else {
            // Without a sign of life only the application's own patience ends a silent peer.
            deadlines.message = random.one_in(2).then_some(Duration::from_secs(3));
        }
        deadlines.write = Some(Duration::from_millis(500 + random.below(5_000)));
        let mut deadlines = Deadlines::new(&deadlines, Duration::ZERO);
        deadlines.opened(Duration::ZERO);
        let new = if is_client { common::client } else { common::server };
        Self {
            peer: Peer::new(new(config), config),
            deadlines,
            shut: false,
            ended: false,
            messages: 0,
            pongs: 0,
            fragment: None,
            pinging: false,
            expired: false,
        }
    }

    const fn is_over(&self) -> bool {
        self.shut && self.ended
    }

    fn talk(&mut self, random: &mut Random) {
        if self.shut {
            return;
        }
        let payload = |random: &mut Random| {
            let len = random.len();
            let factor = random.next();
            (1..=len as u64).map(|i| (factor.wrapping_mul(i) >> 56) as u8).collect::<Vec<u8>>()
        };
        let text = |random: &mut Random| {
            let characters = ['a', '\u{e9}', '\u{20ac}', '\u{10348}'];
            let len = random.below(200);
            Message::text(
                (0..len).map(|_| characters[random.below(4) as usize]).collect::<String>(),
            )
        };
        let is_text = self.fragment.unwrap_or_else(|| random.one_in(2));
        let message = if is_text { text(random) } else { Message::binary(payload(random)) };
        match random.below(8) {
            0..=3 => {
                let fin = random.one_in(4);
                if self.peer.send_fragment(message, fin) {
                    self.fragment = (!fin).then_some(is_text);
                }
            }
            4 => {
                let payload = payload(random);
                self.peer.ping(&payload[..payload.len().min(125)]);
            }
            _ => _ = self.peer.send(message),
        }
    }

    /// What an adapter does before it waits: it tells the deadlines what they depend on.
    fn pump(&mut self, now: Duration) {
        self.peer.check_state();
        let connection = &self.peer.connection;
        let messages = connection.statistics().received.messages;
        if std::mem::replace(&mut self.messages, messages) != messages {
            self.deadlines.message_ended();
        }
        if connection.in_message() {
            self.deadlines.message_started(now);
        }
        for pong in &self.peer.received.pongs[self.pongs..] {
            self.deadlines.pong_received(pong, now);
        }
        self.pongs = self.peer.received.pongs.len();
        if self.shut {
            self.deadlines.write_progress(now, false);
        } else if !self.peer.output.is_empty() {
            self.deadlines.write_waiting(now);
        }
        if self.pinging && self.peer.output.is_empty() {
            self.pinging = false;
            self.deadlines.ping_left(now, 0);
        }
        let left = self.peer.output.is_empty() || connection.state() == State::Failed;
        if left && connection.state() != State::Open || self.shut || self.ended {
            self.deadlines.closing(now);
        }
        if self.is_over() {
            self.deadlines.closed();
        }
    }

    fn expire(&mut self, now: Duration) {
        while let Some(expired) = self.deadlines.on_deadline(now) {
            let error = match expired {
                Expired::SendPing => {
                    self.peer.ping(&self.deadlines.ping_payload());
                    self.pinging = true;
                    continue;
                }
                Expired::KeepaliveTimeout => ProtocolError::KeepaliveTimeout,
                Expired::Message => ProtocolError::MessageTimeout,
                Expired::Write => ProtocolError::WriteTimeout,
                _ => ProtocolError::CloseTimeout,
            };
            self.expired = true;
            self.peer.fail(error);
            if matches!(expired, Expired::Write | Expired::Close) {
                self.give_up();
            }
        }
    }

    /// Drops the transport.
    fn give_up(&mut self) {
        self.shut = true;
        self.ended = true;
        self.peer.output = Output::new();
    }
}
