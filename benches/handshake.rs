//! The opening handshake, each side alone, in one read and in many. One iteration is one handshake.

mod common;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use websocket_proto::Output;
use websocket_proto::handshake::{Accept, ClientRequest, Server, ServerConfig};

criterion_group!(benches, server, client);
criterion_main!(benches);

/// What a browser sends.
const REQUEST: &[u8] = b"GET /chat?room=7 HTTP/1.1\r\n\
    Host: 127.0.0.1\r\n\
    Connection: Upgrade\r\n\
    Pragma: no-cache\r\n\
    Cache-Control: no-cache\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
    Upgrade: websocket\r\n\
    Origin: http://127.0.0.1\r\n\
    Sec-WebSocket-Version: 13\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-GB,en-US;q=0.9,en;q=0.8\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
    \r\n";
/// The nonce of that key: RFC 6455 section 1.3.
const NONCE: [u8; 16] = *b"the sample nonce";
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    \r\n";

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
        assert_eq!(output.pending(), RESPONSE);
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
    for mut input in REQUEST.chunks(read) {
        if let Some(request) = server.receive(&mut input, output).expect("a good request") {
            request.accept(&Accept::new(), output).expect("nothing that it may not hold");
        }
    }
}

fn client(criterion: &mut Criterion) {
    let mut group = common::group(criterion, "handshake/client");
    group.throughput(Throughput::Bytes(RESPONSE.len() as u64));
    let mut output = Output::new();
    for (name, read) in READS {
        assert!(ask(read, &mut output), "the answer is not the right one");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                output.advance(output.len());
                black_box(ask(read, &mut output));
            });
        });
    }
}

/// Whether the response was taken.
fn ask(read: usize, output: &mut Output) -> bool {
    let request = ClientRequest::new("127.0.0.1", "/chat?room=7");
    let mut client = request.start(NONCE, output).expect("a good request");
    RESPONSE.chunks(read).any(|mut input| client.receive(&mut input).expect("good").is_some())
}
