//! Receiving messages in fragments, with and without Pings between them. One iteration is one
//! message.

mod common;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use common::{Content, Receiver, Role, Wire};

criterion_group!(benches, fragments);
criterion_main!(benches);

fn fragments(criterion: &mut Criterion) {
    for (name, pings) in [("fragments", false), ("fragments with pings", true)] {
        let mut group = common::group(criterion, name);
        for (count, size) in [(1, 16 << 10), (16, 1 << 10), (256, 64), (4_096, 16), (65_536, 16)] {
            for content in [Content::Binary, Content::Mixed] {
                let wire = Wire::new(Role::Server, content, count, size, pings);
                group.throughput(Throughput::Bytes((count * size) as u64));
                let mut receiver = Receiver::verified(&wire, Role::Server, 64 << 10);
                let id = BenchmarkId::new(format!("{content:?}"), format!("{count} x {size} B"));
                group.bench_function(id, |bencher| {
                    bencher.iter_custom(|messages| receiver.time(messages, false));
                });
            }
        }
    }
}
