//! Parsing and writing frame headers. One iteration is one header.

mod common;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use websocket_proto::frame::{Header, MAX_HEADER_LEN, Opcode, Parsed};

criterion_group!(benches, header);
criterion_main!(benches);

fn header(criterion: &mut Criterion) {
    let mut group = common::group(criterion, "header");
    for (name, payload_len) in [("short", 125), ("16 bit", 1 << 10), ("64 bit", 1 << 20)] {
        for mask in [None, Some([0x37, 0xfa, 0x21, 0x3d])] {
            let masked = if mask.is_some() { "masked" } else { "unmasked" };
            let opcode = Opcode::Binary;
            let header = Header { fin: true, rsv1: false, opcode, mask, payload_len };
            let mut buffer = [0; MAX_HEADER_LEN];
            let len = header.encode(&mut buffer);
            let bytes = buffer[..len].to_vec();
            assert_eq!(bytes, expected(mask, payload_len));
            assert_eq!(Header::parse(&bytes), Ok(Parsed::Done { header, len }));

            group.bench_function(format!("parse, {name}, {masked}"), |bencher| {
                bencher.iter(|| Header::parse(black_box(&bytes)));
            });
            group.bench_function(format!("encode, {name}, {masked}"), |bencher| {
                bencher.iter(|| black_box(&header).encode(black_box(&mut buffer)));
            });
        }
    }
    let partial = [0x82, 0xFE, 0x04];
    assert_eq!(Header::parse(&partial), Ok(Parsed::Partial(5)));
    group.bench_function("parse, partial", |bencher| {
        bencher.iter(|| Header::parse(black_box(&partial)));
    });
}

/// The header that the independent encoder writes.
fn expected(mask: Option<[u8; 4]>, payload_len: u64) -> Vec<u8> {
    let mut frame = Vec::new();
    let payload = vec![0; payload_len as usize];
    common::encode(0x82, mask.map(u32::from_ne_bytes), &payload, &mut frame);
    frame.truncate(frame.len() - payload.len());
    frame
}
