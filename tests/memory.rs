//! Memory of a connection in a hostile peer's hands: RFC 6455 10.4. It follows what was received,
//! never what was declared.
//!
//! A test without the usual harness: it is alone in its process, on one thread, so that every byte
//! counted is the connection's. Memory that grows is counted by the difference.

mod common;

use std::alloc::System;

use cap::Cap;
use common::wire::{BINARY, CONTINUATION, FIN, PING, PONG, ROLES, Role, TEXT};
use websocket_proto::handshake::{Server, ServerConfig};
use websocket_proto::{
    CloseCode, Config, Connection, Delivery, Event, Message, Output, ProtocolError, State,
};

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

const SLACK: usize = 64 << 10;

type Test = fn(Role);

fn main() {
    let tests: [(&str, Test); 19] = [
        ("a new connection owns nothing", a_new_connection_owns_nothing),
        ("s04 and s70: a declared length costs nothing", a_declared_length_costs_nothing),
        ("s04: 10,000 headers, then silence", ten_thousand_headers),
        ("s17, s19 and s23: a handshake costs what was received", handshakes),
        ("s75: 10,000 idle connections", ten_thousand_idle),
        ("s02 and s03: many fragments", many_fragments),
        ("s05: one byte per read", one_byte_per_read),
        ("s01: empty fragments", empty_fragments),
        ("s10 and s12: floods of control frames", floods),
        ("a delivered message is the application's", a_delivered_message_is_given_away),
        ("a lent message allocates nothing", a_lent_message_allocates_nothing),
        ("fragments in large reads", fragments_in_large_reads),
        ("reading directly", reading_directly),
        ("memory that is used again", memory_that_is_used_again),
        ("a failure gives all back", a_failure_gives_all_back),
        ("a close gives all back", a_close_gives_all_back),
        ("s89: data that nobody waits for", data_that_nobody_waits_for),
        ("an end gives the compressor back", an_end_gives_the_compressor_back),
        ("s15: output is bounded and given back", output_is_given_back),
    ];
    let mut passed = 0;
    for (name, test) in tests {
        for role in ROLES {
            test(role);
            println!("test {name} ({role:?}) ... ok");
            passed += 1;
        }
    }
    println!("{passed} passed, 0 failed");
}

/// A connection with what it has cost so far.
struct Victim {
    connection: Connection,
    output: Output,
    base: usize,
    received: usize,
}

impl Victim {
    fn new(role: Role, config: Config) -> Self {
        let connection = role.connection(config);
        Self { connection, output: Output::new(), base: HEAP.allocated(), received: 0 }
    }

    fn live(&self) -> usize {
        HEAP.allocated().saturating_sub(self.base)
    }

    /// Feeds `input`, and counts after each event, while the event lives.
    fn feed(&mut self, input: &mut [u8]) -> Result<usize, ProtocolError> {
        self.received += input.len();
        let mut events = 0;
        let mut input = input;
        while let Some(event) = self.connection.receive(&mut input, &mut self.output)? {
            events += 1;
            let live = HEAP.allocated().saturating_sub(self.base);
            assert!(live <= 2 * self.received + SLACK, "{live} bytes");
            drop::<Event<'_>>(event);
        }
        assert!(self.live() <= 2 * self.received + SLACK, "{} bytes", self.live());
        Ok(events)
    }
}

/// From here on, more than `bound` bytes above `base` are refused, which ends the process.
fn allow(base: usize, bound: usize) {
    HEAP.set_limit(usize::MAX).expect("no limit");
    HEAP.set_limit(base + bound).expect("not below what is live");
}

fn unlimited(delivery: Delivery) -> Config {
    let mut config = Config::default();
    config.max_message_size = u64::MAX;
    config.max_frame_size = u64::MAX;
    config.delivery = delivery;
    config
}

/// Beside the state of the key generator, which a client has.
fn a_new_connection_owns_nothing(role: Role) {
    let before = HEAP.allocated();
    let connection = role.connection(Config::default());
    let output = Output::new();
    let owned = HEAP.allocated() - before;
    assert!(owned <= if role == Role::Client { 512 } else { 0 }, "{owned} bytes");
    drop((connection, output));
    assert_eq!(HEAP.allocated(), before);
}

/// S04 and S70: a header, then silence, whatever it announces.
fn a_declared_length_costs_nothing(role: Role) {
    for len in [126, 65_535, 65_536, (1 << 20) - 1, 1 << 32, 1 << 62, u64::MAX >> 1] {
        for opcode in [TEXT, BINARY, FIN | TEXT, FIN | BINARY] {
            for delivery in [Delivery::Messages, Delivery::Chunks] {
                let mut victim = Victim::new(role, unlimited(delivery));
                let mut header = role.header(opcode, len);
                let mut byte = [b'x'];
                victim.base = HEAP.allocated();
                allow(victim.base, 0);
                let whole = header.len();
                let (first, rest) = header.split_at_mut(whole / 2);
                assert_eq!(victim.feed(first), Ok(0));
                assert_eq!(victim.feed(rest), Ok(0));
                assert_eq!(victim.live(), 0, "{len} bytes were declared");
                // One byte of payload: as much is kept, and little more.
                allow(victim.base, 64);
                assert!(victim.feed(&mut byte).is_ok());
                allow(victim.base, usize::MAX >> 1);
            }
        }
    }
}

/// S04: the header alone, on 10,000 connections: no memory beside their state.
fn ten_thousand_headers(role: Role) {
    let header = role.header(FIN | BINARY, (1 << 20) - 1);
    let mut connections: Vec<_> = (0..10_000).map(|_| role.connection(Config::default())).collect();
    let mut output = Output::new();
    let mut scratch = header.clone();
    let base = HEAP.allocated();
    allow(base, 0);
    for connection in &mut connections {
        scratch.copy_from_slice(&header);
        assert_eq!(connection.receive(&mut &mut scratch[..], &mut output), Ok(None));
        assert!(connection.in_message(), "for the message deadline to see");
    }
    allow(base, usize::MAX >> 1);
    assert_eq!(HEAP.allocated(), base);
}

/// S17, S19, S23: nothing before the first byte, then at most twice what came, whatever the reads.
/// All of it is given back when the handshake has failed.
fn handshakes(role: Role) {
    if role == Role::Client {
        return; // the reader of heads is the same
    }
    let config = std::sync::Arc::new(ServerConfig::default());
    let mut request = String::from("GET / HTTP/1.1\r\nHost: h\r\n");
    while request.len() < 16_000 {
        request.push_str("Cookie: 0123456789012345678901234567890123456789");
        request.push_str("012345678901234567890123456789012345678901234567890123456789");
        request.push_str("012345678901234567890123456789012345678901234567890123456789\r\n");
    }
    for read in [1, 7, 1000] {
        let mut output = Output::new();
        let base = HEAP.allocated();
        allow(base, 0);
        let mut server = Server::new(std::sync::Arc::clone(&config));
        assert!(size_of_val(&server) <= 1 << 10);
        let mut received = 0;
        for mut piece in request.as_bytes().chunks(read) {
            received += piece.len();
            allow(base, 2 * received + 256);
            assert_eq!(
                server.receive(&mut piece, &mut output).map(|open| open.is_some()),
                Ok(false)
            );
        }
        allow(base, usize::MAX >> 1);
        assert!(HEAP.allocated() >= base + received, "it is kept");
        server.timeout(&mut output);
        drop(output);
        assert!(HEAP.allocated() <= base, "the head is given back");
    }
}

/// S75: open, and idle after a message that was cut: 256 bytes each, and a client's keys.
fn ten_thousand_idle(role: Role) {
    const COUNT: usize = 10_000;
    assert!(size_of::<Connection>() <= 256);
    let message = role.frame(FIN | TEXT, b"one message");
    let mut output = Output::new();
    let mut connections = Vec::with_capacity(COUNT);
    let base = HEAP.allocated();
    for _ in 0..COUNT {
        let mut connection = role.connection(Config::default());
        let mut scratch = message.clone();
        let (mut head, mut tail) = scratch.split_at_mut(message.len() / 2);
        assert_eq!(connection.receive(&mut head, &mut output), Ok(None));
        assert!(matches!(connection.receive(&mut tail, &mut output), Ok(Some(Event::Text(_)))));
        connections.push(connection);
    }
    let each = (HEAP.allocated() - base) / COUNT;
    assert!(each <= if role == Role::Client { 512 } else { 0 }, "{each} bytes beside the state");
}

/// Contiguous: the payload, and not a list of fragments. It grows by doubling, so that each byte
/// is moved a constant number of times.
fn many_fragments(role: Role) {
    for payload in [&b"x"[..], &[b'x'; 64]] {
        for opcode in [TEXT, BINARY] {
            let mut victim = Victim::new(role, unlimited(Delivery::Messages));
            let next = role.frame(CONTINUATION, payload);
            let mut scratch = next.clone();
            let mut first = role.frame(opcode, payload);
            victim.base = HEAP.allocated();
            assert_eq!(victim.feed(&mut first[..2]), Ok(0));
            assert_eq!(victim.feed(&mut first[2..]), Ok(0));
            let mut growths = 0;
            for index in 2..=20_000 {
                let kept = index * payload.len();
                let before = victim.live();
                allow(victim.base, 2 * kept + 64);
                scratch.copy_from_slice(&next);
                assert_eq!(victim.feed(&mut scratch), Ok(0));
                growths += usize::from(victim.live() != before);
            }
            allow(victim.base, usize::MAX >> 1);
            assert!(victim.live() >= 20_000 * payload.len());
            assert!(growths <= 20, "{growths} times the memory grew");
        }
    }
}

fn one_byte_per_read(role: Role) {
    for (byte0, size) in [(FIN | TEXT, 100_000), (FIN | BINARY, 100_000), (FIN | BINARY, 1 << 18)] {
        let mut victim = Victim::new(role, unlimited(Delivery::Messages));
        let mut bytes = role.frame(byte0, &vec![b'x'; size]);
        victim.base = HEAP.allocated();
        allow(victim.base, 2 * size + 64);
        let mut events = 0;
        for (index, byte) in bytes.chunks_mut(1).enumerate() {
            events += victim.feed(byte).expect("no fault");
            if index < size {
                assert!(victim.live() <= 2 * (index + 1) + 64, "{} at {index}", victim.live());
            }
        }
        assert_eq!(events, 1);
        allow(victim.base, usize::MAX >> 1);
        assert_eq!(victim.live(), 0);
    }
}

fn empty_fragments(role: Role) {
    let mut victim = Victim::new(role, Config::default());
    let mut first = role.frame(BINARY, b"");
    let next = role.frame(CONTINUATION, b"");
    let mut scratch = next.clone();
    victim.base = HEAP.allocated();
    allow(victim.base, 0);
    assert_eq!(victim.feed(&mut first), Ok(0));
    for _ in 1..1024 {
        scratch.copy_from_slice(&next);
        assert_eq!(victim.feed(&mut scratch), Ok(0));
    }
    allow(victim.base, usize::MAX >> 1);
}

/// Whole in the input, and cut: nothing is kept of them but the pongs that wait.
fn floods(role: Role) {
    for (byte0, answered) in [(FIN | PING, true), (FIN | PONG, false)] {
        for cut in [0, 1, 20, 100] {
            let config = Config::default();
            let mut victim = Victim::new(role, config);
            let frame = role.frame(byte0, &[7; 125]);
            let mut scratch = frame.clone();
            victim.base = HEAP.allocated();
            // The output's memory doubles: 128 KiB hold 64 KiB and a frame.
            let bound = if answered { 2 * config.output_soft_limit + 1024 } else { 512 };
            allow(victim.base, bound);
            for _ in 0..3000 {
                scratch.copy_from_slice(&frame);
                let (head, tail) = scratch.split_at_mut(cut);
                assert_eq!(victim.feed(head), Ok(0));
                assert_eq!(victim.feed(tail), Ok(1));
            }
            allow(victim.base, usize::MAX >> 1);
            assert!(
                victim.output.len() <= if answered { config.output_soft_limit + 131 } else { 0 }
            );
            victim.output.advance(usize::MAX);
            assert!(victim.live() <= config.output_soft_limit, "{} bytes stay", victim.live());
            victim.connection.send_owed(&mut victim.output);
            victim.output.advance(usize::MAX);
            victim.output.release();
            assert_eq!(victim.live(), 0);
        }
    }
}

/// Events in one input are lent; those in several are owned, and their memory goes with them.
fn a_delivered_message_is_given_away(role: Role) {
    for byte0 in [FIN | TEXT, FIN | BINARY] {
        for cut in [0, 1, 50_000] {
            let mut victim = Victim::new(role, Config::default());
            let frame = role.frame(byte0, &[b'x'; 100_000]);
            let mut scratch = frame.clone();
            victim.base = HEAP.allocated();
            // Lent, not copied, if no byte of the payload came before.
            allow(victim.base, if cut > 1 { 2 * frame.len() } else { 0 });
            for _ in 0..5 {
                scratch.copy_from_slice(&frame);
                let (head, tail) = scratch.split_at_mut(cut);
                assert_eq!(victim.feed(head), Ok(0));
                assert_eq!(victim.feed(tail), Ok(1));
                assert_eq!(victim.live(), 0);
            }
            allow(victim.base, usize::MAX >> 1);
        }
    }
}

/// Not even for a moment: an allocation would be over the limit and end the process.
fn a_lent_message_allocates_nothing(role: Role) {
    let fragments: Vec<u8> = (0..256)
        .flat_map(|index| {
            let opcode = if index == 0 { BINARY } else { CONTINUATION };
            role.frame(if index == 255 { FIN | opcode } else { opcode }, &[5; 64])
        })
        .collect();
    for message in [
        role.frame(FIN | BINARY, &[7; 16]),
        role.frame(FIN | BINARY, &[7; 125]),
        role.frame(FIN | BINARY, &[7; 60_000]),
        role.frame(FIN | TEXT, "ä漢😀x".repeat(12).as_bytes()),
        fragments,
    ] {
        let mut victim = Victim::new(role, Config::default());
        let mut scratch = message.clone();
        victim.base = HEAP.allocated();
        allow(victim.base, 0);
        for _ in 0..10 {
            scratch.copy_from_slice(&message);
            assert_eq!(victim.feed(&mut scratch), Ok(1));
        }
        allow(victim.base, usize::MAX >> 1);
    }
    // Nor does sending, once the output has room.
    let mut victim = Victim::new(role, Config::default());
    for round in 0..10 {
        victim.connection.send(Message::binary(&[9; 125][..]), &mut victim.output).expect("room");
        victim.output.advance(usize::MAX);
        if round == 0 {
            allow(HEAP.allocated(), 0);
        }
    }
    allow(victim.base, usize::MAX >> 1);
}

/// As many fragments as a message may have by default, nearly: the memory grows a logarithmic
/// number of times, however many fragments come at once.
fn fragments_in_large_reads(role: Role) {
    const COUNT: usize = 1 << 16;
    for (byte0, read) in [(BINARY, 1 << 10), (BINARY, 64 << 10), (TEXT, 1 << 10)] {
        let mut bytes = role.frame(byte0, &[b'x'; 16]);
        let next = role.frame(CONTINUATION, &[b'x'; 16]);
        (2..COUNT).for_each(|_| bytes.extend_from_slice(&next));
        bytes.extend_from_slice(&role.frame(FIN | CONTINUATION, &[b'x'; 16]));
        let mut victim = Victim::new(role, unlimited(Delivery::Messages));
        victim.base = HEAP.allocated();
        allow(victim.base, 2 * 16 * COUNT + read);
        let (mut events, mut growths) = (0, 0);
        for piece in bytes.chunks_mut(read) {
            let before = victim.live();
            events += victim.feed(piece).expect("no fault");
            growths += usize::from(victim.live() > before);
        }
        allow(victim.base, usize::MAX >> 1);
        assert_eq!((events, victim.live()), (1, 0));
        assert!(growths <= 16, "{growths} times the memory grew");
    }
}

/// The room follows what was received, and the last step is exact.
fn reading_directly(role: Role) {
    for (total, read) in [(1 << 20, 16 << 10), (1_000_003, 5_000), (70_000, 64 << 10)] {
        let mut victim = Victim::new(role, unlimited(Delivery::Messages));
        let mut header = role.header(FIN | BINARY, total as u64);
        let mut start = vec![1; read - header.len()];
        victim.base = HEAP.allocated();
        assert_eq!(victim.feed(&mut header), Ok(0));
        assert_eq!(victim.connection.direct(), None, "a declared length costs nothing");
        assert_eq!(victim.live(), 0);
        assert_eq!(victim.feed(&mut start), Ok(0));
        let mut growths = 0;
        let message = loop {
            let before = victim.live();
            allow(victim.base, 2 * victim.received + 64);
            let (message, room) = victim.connection.direct().expect("payload comes next");
            allow(victim.base, usize::MAX >> 1);
            let count = room.min(read);
            message.resize(message.len() + count, 1);
            victim.received += count;
            growths += usize::from(victim.live() != before);
            assert!(victim.live() <= 2 * victim.received + 64, "{} bytes", victim.live());
            match victim.connection.direct_done(&mut victim.output) {
                Ok(Some(Event::Binary(message))) => break message.into_owned(),
                Ok(None) => {}
                other => panic!("{other:?}"),
            }
        };
        assert_eq!((message.len(), message.capacity()), (total, total));
        assert!(growths <= 8, "{growths} times the memory grew");
        drop(message);
        assert_eq!(victim.live(), 0);
    }
}

/// One buffer of at most 1 MiB is kept, and not for messages that are far smaller.
fn memory_that_is_used_again(role: Role) {
    let size = 100_000;
    let mut victim = Victim::new(role, Config::default());
    let message = role.frame(FIN | BINARY, &vec![1; size]);
    let short = role.frame(FIN | BINARY, &vec![1; size / 5]);
    let mut scratch = message.clone();
    let mut receive = |victim: &mut Victim, message: &[u8]| {
        scratch[..message.len()].copy_from_slice(message);
        let (mut head, mut tail) = scratch[..message.len()].split_at_mut(100);
        let Victim { connection, output, .. } = victim;
        assert_eq!(connection.receive(&mut head, output), Ok(None));
        match connection.receive(&mut tail, output) {
            Ok(Some(Event::Binary(data))) => data.into_owned(),
            other => panic!("{other:?}"),
        }
    };
    victim.base = HEAP.allocated();
    for round in 0..5 {
        let data = receive(&mut victim, &message);
        assert_eq!((data.len(), data.capacity()), (size, size));
        victim.connection.recycle(data);
        assert_eq!(victim.live(), size);
        if round == 0 {
            allow(victim.base, size); // nothing is allocated any more
        }
    }
    allow(victim.base, usize::MAX >> 1);
    let data = receive(&mut victim, &short);
    assert_eq!((data.len(), data.capacity(), victim.live()), (size / 5, size / 5, size / 5));
    drop(data);
    victim.connection.recycle(Vec::with_capacity((1 << 20) + 1));
    assert_eq!(victim.live(), 0, "too large");
    victim.connection.recycle(vec![0; 1 << 20]);
    victim.connection.recycle(vec![0; 1 << 16]);
    assert_eq!(victim.live(), 1 << 16, "one is kept");
    let _ = victim.connection.fail(ProtocolError::MessageTimeout, &mut victim.output);
    victim.connection.recycle(vec![0; 1 << 16]);
    victim.output.advance(usize::MAX);
    victim.output.release();
    assert_eq!(victim.live(), 0, "a failure gives it back");
}

/// Half a message and half a ping are kept; then something breaks.
fn half_way(role: Role) -> Victim {
    let mut victim = Victim::new(role, Config::default());
    let mut bytes = [role.frame(BINARY, &[1; 200_000]), role.frame(FIN | PING, &[2; 100])].concat();
    let len = bytes.len() - 10;
    bytes.truncate(len);
    victim.base = HEAP.allocated();
    assert_eq!(victim.feed(&mut bytes), Ok(0));
    assert!(victim.live() >= 200_000);
    victim
}

fn a_failure_gives_all_back(role: Role) {
    let ways: [fn(&mut Victim); 2] = [
        |victim| {
            assert!(victim.connection.receive_eof().is_err());
        },
        |victim| {
            victim.connection.fail(ProtocolError::MessageTimeout, &mut victim.output);
            assert!(victim.feed(&mut [0xFF; 100]).is_err());
        },
    ];
    for way in ways {
        let mut victim = half_way(role);
        way(&mut victim);
        victim.output.advance(usize::MAX);
        victim.output.release();
        assert_eq!((victim.live(), victim.connection.state()), (0, State::Failed));
    }
}

/// 5.5.1: nothing follows a Close, so the part of a message before it is of no more use.
fn a_close_gives_all_back(role: Role) {
    for cut in [0, 4] {
        let mut victim = Victim::new(role, Config::default());
        let mut start = role.frame(BINARY, &[1; 200_000]);
        let mut close = role.frame(FIN | 8, b"");
        victim.base = HEAP.allocated();
        assert_eq!(victim.feed(&mut start), Ok(0));
        let len = close.len();
        let (head, tail) = close.split_at_mut(cut.min(len - 1));
        assert_eq!(victim.feed(head), Ok(0));
        assert_eq!(victim.feed(tail), Ok(1));
        victim.output.advance(usize::MAX);
        victim.output.release();
        assert_eq!((victim.live(), victim.connection.state()), (0, State::Closed));
    }
}

/// S89: a message of 1 MiB in pieces after our own Close, begun before it or not, or after a
/// failure: what was kept is given back, and then not a byte is allocated.
fn data_that_nobody_waits_for(role: Role) {
    let close: fn(&mut Victim) = |victim| {
        victim.connection.close(CloseCode::NORMAL, "", &mut victim.output).expect("open");
        victim.connection.discard_data();
    };
    let fail: fn(&mut Victim) = |victim| {
        victim.connection.fail(ProtocolError::MessageTimeout, &mut victim.output);
    };
    for (new, byte0, message) in contents() {
        for begun in [0, 1, 100, 600_000] {
            for end in [close, fail] {
                let mut victim = new(role);
                let mut frame = role.frame(byte0, &message);
                let (head, tail) = frame.split_at_mut(begun);
                victim.base = HEAP.allocated();
                assert!(victim.feed(head).is_ok());
                end(&mut victim);
                victim.output.advance(usize::MAX);
                victim.output.release();
                assert_eq!(victim.live(), 0, "{begun} bytes before");
                allow(HEAP.allocated(), 0);
                for piece in tail.chunks_mut(5_000) {
                    let events = victim.feed(piece);
                    assert!(events == Ok(0) || victim.connection.state() == State::Failed);
                }
                allow(victim.base, usize::MAX >> 1);
                victim.connection.recycle(vec![0; 1 << 16]);
                assert_eq!(victim.live(), 0, "nothing is kept for the next message");
            }
        }
    }
}

/// Connections, and a message of 1 MiB for each that does not end.
type Content = (fn(Role) -> Victim, u8, Vec<u8>);

fn contents() -> Vec<Content> {
    let plain: fn(Role) -> Victim = |role| Victim::new(role, unlimited(Delivery::Messages));
    let chunks: fn(Role) -> Victim = |role| Victim::new(role, unlimited(Delivery::Chunks));
    #[cfg_attr(not(feature = "deflate"), allow(unused_mut))]
    let mut contents = vec![
        (plain, BINARY, vec![7; 1 << 20]),
        (plain, TEXT, vec![b'x'; 1 << 20]),
        (chunks, BINARY, vec![7; 1 << 20]),
    ];
    #[cfg(all(feature = "deflate", feature = "std"))]
    {
        // Stored blocks of 2^15 bytes (RFC 1951 3.2.4).
        let block = [&[0x00, 0x00, 0x80, 0xff, 0x7f][..], &[7; 1 << 15]].concat();
        contents.push((deflating, 0x40 | BINARY, block.repeat(32)));
        contents.push((deflating, 0x40 | TEXT, block.repeat(32)));
    }
    contents
}

/// Without `std` the backend's memory is not Rust's to count.
#[cfg(all(feature = "deflate", feature = "std"))]
fn deflating(role: Role) -> Victim {
    let mut negotiated = websocket_proto::Negotiated::default();
    negotiated.deflate = Some(websocket_proto::DeflateParams::default());
    let (config, keys) = (unlimited(Delivery::Messages), common::keys());
    let connection = match role {
        Role::Client => Connection::client(negotiated, config, keys),
        Role::Server => Connection::server(negotiated, config),
    };
    Victim { connection, output: Output::new(), base: HEAP.allocated(), received: 0 }
}

/// Nothing is sent after our Close or a failure, and the peer may take its time.
#[cfg(all(feature = "deflate", feature = "std"))]
fn an_end_gives_the_compressor_back(role: Role) {
    let ends: [fn(&mut Victim); 3] = [
        |victim| {
            victim.connection.close(CloseCode::NORMAL, "", &mut victim.output).expect("open");
        },
        |victim| assert!(victim.connection.receive_eof().is_err()),
        |victim| {
            victim.connection.fail(ProtocolError::MessageTimeout, &mut victim.output);
        },
    ];
    for end in ends {
        let mut victim = deflating(role);
        let message = Message::text("x".repeat(1_000));
        victim.connection.send(message, &mut victim.output).expect("open");
        assert!(victim.live() > 200_000, "the window");
        end(&mut victim);
        victim.output.advance(usize::MAX);
        victim.output.release();
        assert_eq!(victim.live(), 0);
    }
}

#[cfg(not(all(feature = "deflate", feature = "std")))]
fn an_end_gives_the_compressor_back(_: Role) {}

/// A peer that does not read: refused at the hard limit, and no memory stays when it has read.
fn output_is_given_back(role: Role) {
    for size in [100, 1000, 20_000, 200_000] {
        let config = Config::default();
        let mut victim = Victim::new(role, config);
        let payload = vec![7; size];
        victim.base = HEAP.allocated();
        // The contiguous part doubles; large payloads have memory of their size.
        allow(victim.base, 2 * config.output_hard_limit + SLACK);
        let message = || Message::binary(&payload[..]);
        while victim.connection.send(message(), &mut victim.output).is_ok() {}
        assert!(victim.output.len() <= config.output_hard_limit);
        assert!(
            victim.output.len() > config.output_hard_limit - size - 20,
            "no room is left unused"
        );
        allow(victim.base, usize::MAX >> 1);
        while !victim.output.is_empty() {
            let len = victim.output.pending().len().min(5000);
            victim.output.advance(len);
        }
        assert!(victim.live() <= SLACK, "{} bytes stay", victim.live());
        victim.output.release();
        assert_eq!(victim.live(), 0);
    }
}
