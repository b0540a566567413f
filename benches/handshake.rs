//! The opening handshake, each side alone, in one read and in many. One iteration is one handshake.

#[path = "common/browser.rs"]
mod browser;
mod common;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use websocket_proto::Output;
use websocket_proto::handshake::{Accept, ClientRequest, Server, ServerConfig};

use browser::{ACCEPT, REQUEST};

criterion_group!(benches, server, client);
criterion_main!(benches);

/// The nonce of the key in [`REQUEST`].
const NONCE: [u8; 16] = *b"the sample nonce";

fn response() -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
    )
}

/// The sizes of reads. The head is not looked at again from its start in each of them.
const READS: [(&str, usize); 3] = [("one read", usize::MAX), ("50 bytes", 50), ("1 byte", 1)];

fn server(criterion: &mut Criterion) {
    let mut group = common::group(criterion, "handshake/server");
    group.throughput(Throughput::Bytes(REQUEST.len() as u64));
    let config = Arc::new(ServerConfig::default());
    let mut output = Output::new();
    for (name, read) in READS {
        output.advance(output.len());
        answer(&config, read, &mut output);
        assert_eq!(output.pending(), response().as_bytes());
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                output.advance(output.len());
                answer(&config, read, &mut output);
                black_box(output.pending());
            });
        });
    }
}

fn answer(config: &Arc<ServerConfig>, read: usize, output: &mut Output) {
    let mut server = Server::new(config.clone());
    for mut input in REQUEST.as_bytes().chunks(read) {
        if let Some(request) = server.receive(&mut input, output).expect("a good request") {
            request.accept(&Accept::new(), output).expect("nothing that it may not hold");
        }
    }
}

fn client(criterion: &mut Criterion) {
    let mut group = common::group(criterion, "handshake/client");
    let response = response();
    group.throughput(Throughput::Bytes(response.len() as u64));
    let mut output = Output::new();
    for (name, read) in READS {
        assert!(ask(&response, read, &mut output), "the answer is not the right one");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                output.advance(output.len());
                black_box(ask(&response, read, &mut output));
            });
        });
    }
}

/// Whether the response was taken.
fn ask(response: &str, read: usize, output: &mut Output) -> bool {
    let request = ClientRequest::new("127.0.0.1", "/chat?room=7");
    let mut client = request.start(NONCE, output).expect("a good request");
    response
        .as_bytes()
        .chunks(read)
        .any(|mut input| client.receive(&mut input).expect("good").is_some())
}
