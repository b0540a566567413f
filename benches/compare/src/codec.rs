//! The cases of the codec, and what runs in each.

use std::sync::{Arc, Mutex};

use bytes::Bytes;

use crate::engine::{Count, Engine, Kind, Role, Verify};
use crate::for_each_engine;
use crate::handshake;
use crate::memory::Memory;
use crate::wire::{Content, Random, Wire, decode};

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
    Handshake,
}

/// An engine in a case, checked and ready: runs so many messages.
pub struct Entry {
    pub engine: &'static str,
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
    let text = "receive text, server";
    for (name, size) in [SIZES[1], SIZES[3]] {
        receive(text, &format!("ASCII {name}"), Role::Server, Content::Ascii, 1, size);
        receive(text, &format!("mixed {name}"), Role::Server, Content::Mixed, 1, size);
    }
    let client = "receive binary, client";
    for (name, size) in [SIZES[1], SIZES[3], SIZES[5]] {
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
        for (name, size) in [SIZES[1], SIZES[3], SIZES[5]] {
            cases.push(Case {
                group,
                name: name.into(),
                what: What::Send { role, size },
                bytes: size,
            });
        }
    }
    cases.push(Case {
        group: "handshake, server, in memory",
        name: "a browser's 12 headers".into(),
        what: What::Handshake,
        bytes: handshake::REQUEST.len(),
    });
    cases
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
            if named && let Some(run) = entry::<$engine>(case) {
                entries.push(Entry { engine: <$engine>::NAME, run });
            }
        };
    }
    for_each_engine!(add);
    if matches!(case.what, What::Handshake) {
        for (engine, accept) in handshake::ENGINES {
            if crate::selects(only, engine) {
                handshake::verify(engine, *accept);
                let run = Box::new(move |count| handshake::run(*accept, count));
                entries.push(Entry { engine, run });
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

fn entry<E: Engine>(case: &Case) -> Option<Box<dyn FnMut(u64)>> {
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
            Some(receiver::<E>(role, content, fragments, size))
        }
        What::Send { role, size } => E::sends(role).then(|| sender::<E>(role, size)),
        What::Handshake => None,
    }
}

fn receiver<E: Engine>(
    role: Role,
    content: Content,
    fragments: usize,
    size: usize,
) -> Box<dyn FnMut(u64)> {
    let wire = Arc::new(Wire::new(role, content, fragments, size));
    let mut engine = E::new(role, Memory::new(wire.clone(), None));
    // Twice over, in calls of uneven length: every message, and the seam between two rounds.
    let total = 2 * wire.messages.len() + 1;
    let mut sink = Verify { wire: &wire, seen: 0, decodes: E::DECODES };
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

fn sender<E: Engine>(role: Role, size: usize) -> Box<dyn FnMut(u64)> {
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
