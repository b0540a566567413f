//! The compression engine against its backend alone, on the same messages in one run.
//!
//! `cargo bench --features deflate --bench deflate`. The backend alone is given one buffer, large
//! enough and initialised before: what the engine adds is limits, growth, and the check of the end.

extern crate alloc;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use zlib_rs::{Deflate, DeflateFlush, Inflate, InflateFlush};

use self::deflate::{Deflater, Inflater};

mod error {
    pub(crate) use websocket_proto::ProtocolError;
}

// The engine is not public: compiled in, as the library has it.
#[allow(dead_code, unused_imports, reason = "not all of it is used here")]
#[path = "../src/message/deflate/mod.rs"]
mod deflate;

const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// Valgrind counts what happens in [`measured`] of `deflate count SIDE DIRECTION CASE`, run once
/// (`benches/gates.sh`); otherwise criterion takes the time of all of them.
fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["count", side, direction, case] => {
            let case = cases().into_iter().find(|it| it.name == case).expect("one of the cases");
            let mut run = run(side, direction, case);
            run(); // memory has its size, and a window its content
            measured(&mut *run);
        }
        ["cases"] => cases().iter().for_each(|case| println!("{}", case.name)),
        _ => times(),
    }
}

#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    work();
}

fn times() {
    let mut criterion = Criterion::default().configure_from_args();
    for direction in ["inflate", "deflate"] {
        let mut group = criterion.benchmark_group(direction);
        for case in cases() {
            let bytes = case.messages.iter().map(|message| message.len() as u64).sum();
            group.throughput(Throughput::Bytes(bytes));
            for side in ["engine", "backend"] {
                let mut run = run(side, direction, case.clone());
                group.bench_function(BenchmarkId::new(side, case.name), |bencher| {
                    bencher.iter(&mut run);
                });
            }
        }
    }
    criterion.final_summary();
}

#[derive(Clone)]
struct Case {
    name: &'static str,
    level: u8,
    takeover: bool,
    messages: Vec<Vec<u8>>,
}

fn cases() -> Vec<Case> {
    let mut random = Random(1);
    let json: Vec<_> = (0..500).map(|_| json(&mut random)).collect();
    let text: Vec<_> = (0..20).map(|_| text(&mut random, 16 << 10)).collect();
    let long: Vec<_> = (0..4).map(|_| crate::text(&mut random, 256 << 10)).collect();
    let case = |name, level, takeover, messages: &Vec<_>| {
        let messages = messages.clone();
        Case { name, level, takeover, messages }
    };
    vec![
        case("json 200 B, level 1, takeover", 1, true, &json),
        case("json 200 B, level 6, takeover", 6, true, &json),
        case("json 200 B, level 1", 1, false, &json),
        case("text 16 KiB, level 1, takeover", 1, true, &text),
        case("text 16 KiB, level 6, takeover", 6, true, &text),
        case("text 16 KiB, level 1", 1, false, &text),
        case("text 256 KiB, level 6, takeover", 6, true, &long),
        case("text 256 KiB, level 1", 1, false, &long),
    ]
}

/// What one iteration does: all the messages of a case, one after the other.
fn run(side: &str, direction: &str, case: Case) -> Box<dyn FnMut()> {
    match (side, direction) {
        ("engine", "inflate") => engine_inflates(&case),
        ("backend", "inflate") => backend_inflates(&case),
        ("engine", "deflate") => engine_deflates(case),
        ("backend", "deflate") => backend_deflates(case),
        _ => panic!("no such measurement: {side} {direction}"),
    }
}

fn payloads(case: &Case) -> Vec<Vec<u8>> {
    let mut deflater = Deflater::new(15, case.level, 8, case.takeover).expect("in range");
    let compressed = |message: &Vec<u8>| {
        let mut payload = Vec::new();
        deflater.compress(message, &mut payload).expect("backend works");
        payload
    };
    case.messages.iter().map(compressed).collect()
}

fn engine_inflates(case: &Case) -> Box<dyn FnMut()> {
    let payloads = payloads(case);
    let mut inflater = Inflater::new(case.takeover);
    let mut out = Vec::new();
    Box::new(move || {
        for payload in &payloads {
            out.clear();
            let mut input = &payload[..];
            inflater.inflate(&mut input, &mut out, usize::MAX, 1 << 20, true).expect("valid");
            inflater.finish().expect("valid");
            black_box(&out);
        }
    })
}

fn backend_inflates(case: &Case) -> Box<dyn FnMut()> {
    let (payloads, takeover) = (payloads(case), case.takeover);
    let mut backend = Inflate::new(false, 15);
    let mut out = vec![0; 300 << 10];
    Box::new(move || {
        for payload in &payloads {
            backend.decompress(payload, &mut out, InflateFlush::NoFlush).expect("valid");
            let tail = backend.decompress(&TAIL, &mut [0], InflateFlush::NoFlush);
            tail.expect("valid");
            if !takeover {
                backend.reset(false);
            }
            black_box(&out);
        }
    })
}

fn engine_deflates(case: Case) -> Box<dyn FnMut()> {
    let mut deflater = Deflater::new(15, case.level, 8, case.takeover).expect("in range");
    let mut out = Vec::new();
    Box::new(move || {
        for message in &case.messages {
            out.clear();
            deflater.compress(message, &mut out).expect("backend works");
            black_box(&out);
        }
    })
}

fn backend_deflates(case: Case) -> Box<dyn FnMut()> {
    let mut backend = Deflate::new(i32::from(case.level), false, 15);
    let mut out = vec![0; 300 << 10];
    Box::new(move || {
        for message in &case.messages {
            let before = backend.total_out();
            backend.compress(message, &mut out, DeflateFlush::SyncFlush).expect("valid");
            black_box(backend.total_out() - before - TAIL.len() as u64);
            if !case.takeover {
                backend.reset();
            }
            black_box(&out);
        }
    })
}

/// A price tick of about 200 bytes.
fn json(random: &mut Random) -> Vec<u8> {
    let symbol = ["ABC", "DEFG", "XYZ", "QRS"][random.below(4)];
    let (bid, ask) = (random.below(100_000), random.below(100_000));
    format!(
        "{{\"type\":\"tick\",\"symbol\":\"{symbol}\",\"bid\":{}.{:02},\"ask\":{}.{:02},\
         \"bid_size\":{},\"ask_size\":{},\"exchange\":\"XNAS\",\"sequence\":{},\
         \"time\":\"2024-05-17T12:34:{:02}.{:06}Z\",\"flags\":[\"regular\",\"open\"]}}",
        bid / 100,
        bid % 100,
        ask / 100,
        ask % 100,
        random.below(10_000),
        random.below(10_000),
        random.below(1_000_000_000),
        random.below(60),
        random.below(1_000_000),
    )
    .into_bytes()
}

/// Words, the frequent ones more often.
fn text(random: &mut Random, len: usize) -> Vec<u8> {
    const WORDS: &str = "the of and to a in that is was he for it with as his on be at by this had \
        not are but from or have an they which one you were all her she there would their we him \
        been has when who will no more if out so up said what its about than into them can only \
        protocol message frame payload connection endpoint extension compress window server client";
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut text = Vec::new();
    while text.len() < len {
        let most = random.below(words.len()) + 1;
        text.extend_from_slice(words[random.below(most)].as_bytes());
        text.push(b' ');
    }
    text.truncate(len);
    text
}

/// A linear congruential generator: the same messages in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }
}
