//! Sending messages: encoding into the output, whose bytes then count as written. One iteration is
//! one message.

mod common;

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use websocket_proto::{Connection, Event, Message, Output, Prepared};

use common::{Content, Random, Role, SIZES};

criterion_group!(benches, send);
criterion_main!(benches);

fn send(criterion: &mut Criterion) {
    for role in [Role::Server, Role::Client] {
        let mut group = common::group(criterion, &format!("send/{role:?}").to_lowercase());
        for (size_name, size) in SIZES {
            let payload = Random(2).content(Content::Binary, size);
            let prepared = Prepared::binary(Bytes::from(payload.clone()));
            group.throughput(Throughput::Bytes(size as u64));

            verify(role, &payload, |connection, output| {
                connection.send(Message::binary(&payload[..]), output).expect("open");
            });
            let (mut connection, mut output) = (common::connection(role), Output::new());
            group.bench_function(BenchmarkId::new("borrowed", size_name), |bencher| {
                bencher.iter(|| {
                    let message = Message::binary(black_box(&payload[..]));
                    connection.send(message, &mut output).expect("open, and all is written");
                    written(&mut output);
                });
            });

            verify(role, &payload, |connection, output| {
                connection.send(Message::from(payload.clone()), output).expect("open");
            });
            let (mut connection, mut output) = (common::connection(role), Output::new());
            group.bench_function(BenchmarkId::new("owned", size_name), |bencher| {
                let send = |payload| {
                    connection.send(Message::from(payload), &mut output).expect("open, written");
                    written(&mut output);
                };
                let batch =
                    if size < 4096 { BatchSize::SmallInput } else { BatchSize::PerIteration };
                bencher.iter_batched(|| payload.clone(), send, batch);
            });

            verify(role, &payload, |connection, output| {
                connection.send_prepared(&prepared, output).expect("open");
            });
            let (mut connection, mut output) = (common::connection(role), Output::new());
            group.bench_function(BenchmarkId::new("prepared", size_name), |bencher| {
                bencher.iter(|| {
                    connection.send_prepared(black_box(&prepared), &mut output).expect("open");
                    written(&mut output);
                });
            });
        }
    }
}

/// Takes everything, as a transport does that is never full.
fn written(output: &mut Output) {
    for chunk in output.chunks() {
        black_box(chunk);
    }
    output.advance(output.len());
}

/// What is sent arrives at the other end.
fn verify(role: Role, payload: &[u8], send: impl Fn(&mut Connection, &mut Output)) {
    let peer = match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    };
    let (mut connection, mut output) = (common::connection(role), Output::new());
    send(&mut connection, &mut output);
    let mut bytes: Vec<u8> = output.chunks().flatten().copied().collect();
    if payload.len() < 256 << 10 {
        assert_eq!(bytes[0], 0x82, "one frame");
    }
    assert_eq!(bytes[1] & 0x80 != 0, role == Role::Client, "masked by clients only");
    let mut input = &mut bytes[..];
    let event = common::connection(peer).receive(&mut input, &mut Output::new());
    let Ok(Some(Event::Binary(received))) = event else { panic!("{event:?}") };
    assert!(received == payload, "the payload differs");
    assert!(input.is_empty(), "nothing else is sent");
}
