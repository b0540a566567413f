//! Receiving messages of one frame each. One iteration is one message; a read is a copy of a chunk.
//!
//! What unmasking costs stands between `server` and `client`, what the check of UTF-8 costs between
//! `binary` and the two kinds of text: neither can be called for itself.

mod common;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use common::{Content, Receiver, Role, SIZES, Wire};

criterion_group!(benches, receive);
criterion_main!(benches);

fn receive(criterion: &mut Criterion) {
    for role in [Role::Server, Role::Client] {
        for content in [Content::Binary, Content::Ascii, Content::Mixed] {
            let name = format!("receive/{role:?}/{content:?}").to_lowercase();
            let mut group = common::group(criterion, &name);
            for (size_name, size) in SIZES {
                let wire = Wire::new(role, content, 1, size, false);
                group.throughput(Throughput::Bytes(size as u64));
                // What a busy socket gives, and what one segment carries.
                for (chunk_name, chunk) in [("64 KiB reads", 64 << 10), ("1448 B reads", 1448)] {
                    for (delivery, owned) in [("lent", false), ("owned", true)] {
                        let mut receiver = Receiver::verified(&wire, role, chunk);
                        let id = BenchmarkId::new(format!("{chunk_name}, {delivery}"), size_name);
                        group.bench_function(id, |bencher| {
                            bencher.iter_custom(|messages| receiver.time(messages, owned));
                        });
                    }
                }
            }
        }
    }
}
