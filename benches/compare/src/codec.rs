//! The cases of the codec, and what runs in each.

use std::sync::{Arc, Mutex};

use bytes::Bytes;

use crate::engine::{Count, Deflate, Engine, Kind, Role, Verify};
use crate::for_each_engine;
use crate::handshake;
use crate::memory::Memory;
use crate::wire::{Content, Random, Sample, Unpack, Wire, decode};

/// One column of the tables.
#[derive(Clone, Debug)]
pub struct Case {
    /// Which table it stands in.
    pub group: &'static str,
    pub name: String,
    pub what: What,
    /// Bytes of payload in a message.
    pub bytes: usize,
}

#[derive(Clone, Copy, Debug)]
pub enum What {
    Receive { role: Role, content: Content, fragments: usize, size: usize },
    Send { role: Role, size: usize },
    ReceiveDeflated { sample: Sample, deflate: Deflate },
    SendDeflated { sample: Sample, deflate: Deflate },
    Handshake,
}

/// An engine in a case, checked and ready: runs so many messages.
pub struct Entry {
    pub engine: &'static str,
    /// Bytes that leave for a message, where engines differ in that.
    pub sent: Option<f64>,
    pub run: Box<dyn FnMut(u64)>,
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut receive = |group, name: &str, role, content, fragments, size| {
        let what = What::Receive { role, content, fragments, size };
        cases.push(Case { group, name: name.into(), what, bytes: fragments * size });
    };
    let server = "receive binary, server";
    for (name, size) in SIZES {
        receive(server, name, Role::Server, Content::Binary, 1, size);
    }
    let fragments = "receive fragments, server";
    receive(fragments, "16 x 1 KiB", Role::Server, Content::Binary, 16, 1 << 10);
    receive(fragments, "256 x 64 B", Role::Server, Content::Binary, 256, 64);
    for (text, role) in
        [("receive text, server", Role::Server), ("receive text, client", Role::Client)]
    {
        for (name, size) in [SIZES[1], SIZES[3]] {
            receive(text, &format!("ASCII {name}"), role, Content::Ascii, 1, size);
            receive(text, &format!("mixed {name}"), role, Content::Mixed, 1, size);
        }
    }
    let client = "receive binary, client";
    for (name, size) in SIZES {
        receive(client, name, Role::Client, Content::Binary, 1, size);
    }
    let growth = "growth: receive, server";
    for (name, size) in
        [("1 KiB", 1 << 10), ("32 KiB", 32 << 10), ("1 MiB", 1 << 20), ("16 MiB", 16 << 20)]
    {
        receive(growth, name, Role::Server, Content::Binary, 1, size);
    }
    for (name, count) in [("1 x 16 B", 1), ("256 x 16 B", 256), ("65,536 x 16 B", 65_536)] {
        receive(growth, name, Role::Server, Content::Binary, count, 16);
    }
    for (group, role) in [("send, server", Role::Server), ("send, client", Role::Client)] {
        for (name, size) in SIZES {
            cases.push(Case {
                group,
                name: name.into(),
                what: What::Send { role, size },
                bytes: size,
            });
        }
    }
    deflated(&mut cases);
    cases.push(Case {
        group: "handshake, server, in memory",
        name: "a browser's 12 headers".into(),
        what: What::Handshake,
        bytes: handshake::REQUEST.len(),
    });
    cases
}

fn deflated(cases: &mut Vec<Case>) {
    for (sample, name) in [(Sample::Json, "JSON 200 B"), (Sample::Text, "text 16 KiB")] {
        for (level, takeover) in [(1, true), (6, true), (1, false)] {
            let deflate = Deflate { takeover, level };
            let name = format!("{name}, level {level}{}", if takeover { ", takeover" } else { "" });
            for (group, what) in [
                ("receive compressed, server", What::ReceiveDeflated { sample, deflate }),
                ("send compressed, server", What::SendDeflated { sample, deflate }),
            ] {
                cases.push(Case { group, name: name.clone(), what, bytes: sample.bytes() });
            }
        }
    }
}

/// The sizes of the receive table and of its plot.
pub const SIZES: [(&str, usize); 6] = [
    ("16 B", 16),
    ("125 B", 125),
    ("1 KiB", 1 << 10),
    ("16 KiB", 16 << 10),
    ("256 KiB", 256 << 10),
    ("1 MiB", 1 << 20),
];

/// Every engine that takes part, after its payloads were compared with what was encoded.
pub fn entries(case: &Case, only: Option<&str>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    macro_rules! add {
        ($engine:ty) => {
            let named = crate::selects(only, <$engine>::NAME);
            if named && let Some((sent, run)) = entry::<$engine>(case) {
                entries.push(Entry { engine: <$engine>::NAME, sent, run });
            }
        };
    }
    for_each_engine!(add);
    if matches!(case.what, What::Handshake) {
        for (engine, accept) in handshake::ENGINES {
            if crate::selects(only, engine) {
                handshake::verify(engine, *accept);
                let run = Box::new(move |count| handshake::run(*accept, count));
                entries.push(Entry { engine, sent: None, run });
            }
        }
    }
    entries
}

/// How each engine is driven, for the foot of the tables.
pub fn how() -> Vec<(&'static str, &'static str)> {
    let mut how = Vec::new();
    macro_rules! add {
        ($engine:ty) => {
            how.push((<$engine>::NAME, <$engine>::HOW));
        };
    }
    for_each_engine!(add);
    how
}

type Run = Box<dyn FnMut(u64)>;

fn entry<E: Engine>(case: &Case) -> Option<(Option<f64>, Run)> {
    // The growth of the neighbours is not ours to show.
    if case.group.starts_with("growth") && !(E::NAME == "ideal" || E::NAME == "websocket-proto") {
        return None;
    }
    match case.what {
        What::Receive { role, content, fragments, size } => {
            let kind = if content == Content::Binary { Kind::Binary } else { Kind::Text };
            if !E::receives(role, kind, fragments > 1) {
                return None;
            }
            let wire = Arc::new(Wire::new(role, content, fragments, size));
            let engine = E::new(role, Memory::new(wire.clone(), None));
            Some((None, receiver(engine, &wire)))
        }
        What::Send { role, size } => E::sends(role).then(|| (None, sender::<E>(role, size))),
        What::ReceiveDeflated { sample, deflate } => {
            let wire = Arc::new(Wire::deflated(Role::Server, sample, deflate));
            let engine = E::deflated(Role::Server, Memory::new(wire.clone(), None), deflate)?;
            Some((None, receiver(engine, &wire)))
        }
        What::SendDeflated { sample, deflate } => deflating_sender::<E>(sample, deflate),
        What::Handshake => None,
    }
}

fn receiver<E: Engine>(mut engine: E, wire: &Wire) -> Run {
    // Twice over, in calls of uneven length: every message, and the seam between two rounds.
    let total = 2 * wire.messages.len() + 1;
    let mut sink = Verify { wire, seen: 0, decodes: E::DECODES };
    while sink.seen < total {
        let count = (total - sink.seen).min(97);
        engine.receive(count as u64, &mut sink);
    }
    Box::new(move |messages| {
        let mut sink = Count::default();
        engine.receive(messages, &mut sink);
        assert_eq!(sink.messages, messages);
        std::hint::black_box(sink.bytes);
    })
}

/// Sends the messages of a sample in turn, after what it sent was inflated and compared.
fn deflating_sender<E: Engine>(sample: Sample, deflate: Deflate) -> Option<(Option<f64>, Run)> {
    let payloads: Vec<Bytes> = sample.messages().into_iter().map(Bytes::from).collect();
    let record = Arc::new(Mutex::new(Vec::new()));
    let memory = Memory::new(Arc::new(Wire::empty()), Some(record.clone()));
    let mut engine = E::deflated(Role::Server, memory, deflate)?;
    payloads.iter().for_each(|payload| engine.send(payload, 1));
    let record = record.lock().expect("one thread");
    let (mut sent, mut unpack) = (&record[..], Unpack::new(deflate.takeover));
    for (index, payload) in payloads.iter().enumerate() {
        let message = unpack.message(&mut sent, false, payload.len());
        assert!(message == payload[..], "{} sends something else, message {index}", E::NAME);
    }
    assert!(sent.is_empty(), "{} sends more", E::NAME);
    let bytes = record.len() as f64 / payloads.len() as f64;

    let memory = Memory::new(Arc::new(Wire::empty()), None);
    let mut engine = E::deflated(Role::Server, memory, deflate)?;
    let mut next = 0;
    let run = move |messages| {
        for _ in 0..messages {
            engine.send(&payloads[next], 1);
            next = (next + 1) % payloads.len();
        }
    };
    Some((Some(bytes), Box::new(run)))
}

fn sender<E: Engine>(role: Role, size: usize) -> Run {
    let payload = Bytes::from(Random(2).content(Content::Binary, size));
    if E::DECODES {
        let record = Arc::new(Mutex::new(Vec::new()));
        let memory = Memory::new(Arc::new(Wire::empty()), Some(record.clone()));
        E::new(role, memory).send(&payload, 3);
        let record = record.lock().expect("one thread");
        let mut sent = &record[..];
        for _ in 0..3 {
            let (opcode, decoded) = decode(&mut sent, role == Role::Client);
            assert!(opcode == 2 && decoded == payload[..], "{} sends something else", E::NAME);
        }
        assert!(sent.is_empty(), "{} sends more", E::NAME);
    }
    let mut engine = E::new(role, Memory::new(Arc::new(Wire::empty()), None));
    Box::new(move |messages| engine.send(&payload, messages))
}
