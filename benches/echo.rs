//! Two connections back to back in memory: a client sends, a server echoes what it is lent, the
//! client receives. One iteration is all messages in flight, there and back.

mod common;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use websocket_proto::{Connection, Event, Message, Output};

use common::{Content, Random, Role, SIZES};

criterion_group!(benches, echo);
criterion_main!(benches);

fn echo(criterion: &mut Criterion) {
    for content in [Content::Binary, Content::Mixed] {
        let name = format!("echo/{content:?}").to_lowercase();
        let mut group = common::group(criterion, &name);
        for in_flight in [1, 32] {
            for (size_name, size) in SIZES {
                if in_flight * size > 1 << 20 {
                    continue; // beyond the output's hard limit
                }
                group.throughput(Throughput::ElementsAndBytes {
                    elements: in_flight as u64,
                    bytes: (in_flight * size) as u64,
                });
                let payload = Random(2).content(content, size);
                let mut pair = Pair::new();
                let mut seen = 0;
                pair.round(content, &payload, in_flight, |event| {
                    let message = Message::try_from(event).expect("a message");
                    assert_eq!(message.as_text().is_some(), content != Content::Binary);
                    assert!(message.as_bytes() == payload, "the echo differs");
                    seen += 1;
                });
                assert_eq!(seen, in_flight);
                let id = BenchmarkId::new(format!("{in_flight} in flight"), size_name);
                group.bench_function(id, |bencher| {
                    bencher.iter(|| {
                        pair.round(content, &payload, in_flight, |event| {
                            black_box(&event);
                        });
                    });
                });
            }
        }
    }
}

struct Pair {
    client: Connection,
    server: Connection,
    to_server: Output,
    to_client: Output,
    wire: Vec<u8>,
}

impl Pair {
    fn new() -> Self {
        Self {
            client: common::connection(Role::Client),
            server: common::connection(Role::Server),
            to_server: Output::new(),
            to_client: Output::new(),
            wire: Vec::new(),
        }
    }

    fn round(
        &mut self,
        content: Content,
        payload: &[u8],
        in_flight: usize,
        mut each: impl FnMut(Event<'_>),
    ) {
        for _ in 0..in_flight {
            let message = match content {
                Content::Binary => Message::binary(payload),
                _ => Message::text(std::str::from_utf8(payload).expect("text")),
            };
            self.client.send(message, &mut self.to_server).expect("open and not full");
        }
        transfer(&mut self.to_server, &mut self.wire);
        let mut input = &mut self.wire[..];
        while let Some(event) =
            self.server.receive(&mut input, &mut self.to_client).expect("a good client")
        {
            let message = Message::try_from(event).expect("a message");
            self.server.send(message, &mut self.to_client).expect("open and not full");
        }
        transfer(&mut self.to_client, &mut self.wire);
        let mut input = &mut self.wire[..];
        while let Some(event) =
            self.client.receive(&mut input, &mut self.to_server).expect("a good server")
        {
            each(event);
        }
    }
}

/// The transport: one copy.
fn transfer(from: &mut Output, to: &mut Vec<u8>) {
    to.clear();
    for chunk in from.chunks() {
        to.extend_from_slice(chunk);
    }
    from.advance(from.len());
}
