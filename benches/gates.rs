//! What `benches/gates.sh` counts the instructions of: `gates CASE` does one thing 10,000 times,
//! and only what happens inside [`measured`] counts. It prints how many messages that were.

use std::hint::black_box;

use websocket_proto::handshake::{Accept, Server, ServerConfig};
use websocket_proto::{Config, Connection, Event, MaskKeys, Message, Negotiated, Output};

const ROUNDS: usize = 10_000;
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn main() {
    // `cargo bench` runs it too, with an option of its own.
    let Some(case) = std::env::args().nth(1).filter(|case| !case.starts_with('-')) else { return };
    let text: String = "aé漢😀 bcd".chars().cycle().take(48).collect();
    match case.as_str() {
        "receive-binary-16" => receive(&frame(0x82, &[7; 16])),
        "receive-binary-125" => receive(&frame(0x82, &[7; 125])),
        "receive-text-mixed" => receive(&frame(0x81, text.as_bytes())),
        "receive-256-fragments-of-64" => receive(&fragments()),
        "send-125-server" => send(server(), &[9; 125]),
        "send-1000-server" => send(server(), &[9; 1000]),
        "send-125-client" => {
            let keys = MaskKeys::from_seed([1; 32]);
            let client = Connection::client(Negotiated::default(), Config::default(), keys);
            send(client, &[9; 125]);
        }
        "handshake-server" => handshake(),
        _ => panic!("no case {case}"),
    }
    println!("{ROUNDS}");
}

/// The name that valgrind starts and stops counting at.
#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    work();
}

/// One message, whole in its input.
fn receive(message: &[u8]) {
    let mut server = server();
    let mut output = Output::new();
    let mut buffer = message.to_vec();
    for _ in 0..ROUNDS {
        buffer.copy_from_slice(message);
        let mut messages = 0;
        measured(&mut || {
            let mut input = &mut buffer[..];
            while let Some(event) = server.receive(&mut input, &mut output).expect("no fault") {
                messages += usize::from(matches!(event, Event::Text(_) | Event::Binary(_)));
                black_box(event);
            }
        });
        assert_eq!(messages, 1);
    }
}

fn server() -> Connection {
    Connection::server(Negotiated::default(), Config::default())
}

fn send(mut connection: Connection, payload: &[u8]) {
    let mut output = Output::new();
    for _ in 0..ROUNDS {
        measured(&mut || {
            let message = Message::binary(black_box(payload));
            connection.send(message, &mut output).expect("open, and the output is empty");
        });
        assert!(output.len() > payload.len());
        output.advance(usize::MAX);
    }
}

/// A browser's request, from its bytes to the response.
fn handshake() {
    const REQUEST: &[u8] = b"GET /chat?room=1 HTTP/1.1\r\nHost: server.example.com\r\n\
        Connection: Upgrade\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n\
        User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
        Upgrade: websocket\r\nOrigin: https://server.example.com\r\n\
        Sec-WebSocket-Version: 13\r\nAccept-Encoding: gzip, deflate, br\r\n\
        Accept-Language: en-US,en;q=0.9\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";
    let config = std::sync::Arc::new(ServerConfig::default());
    let mut output = Output::new();
    for _ in 0..ROUNDS {
        measured(&mut || {
            let mut server = Server::new(std::sync::Arc::clone(&config));
            let mut input = black_box(REQUEST);
            let request = server.receive(&mut input, &mut output).expect("no fault");
            let request = request.expect("the whole request is there");
            black_box(request.accept(&Accept::new(), &mut output).expect("nothing to refuse"));
        });
        assert!(output.pending().starts_with(b"HTTP/1.1 101 "));
        output.advance(usize::MAX);
    }
}

fn fragments() -> Vec<u8> {
    let byte0 = |index| match index {
        0 => 0x02,
        255 => 0x80,
        _ => 0x00,
    };
    (0..256).flat_map(|index| frame(byte0(index), &[5; 64])).collect()
}

/// A client's frame of at most 125 bytes, as RFC 6455 section 5.2 has it.
fn frame(byte0: u8, payload: &[u8]) -> Vec<u8> {
    let len = u8::try_from(payload.len()).ok().filter(|len| *len <= 125).expect("a short payload");
    let masked = payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key);
    [byte0, 0x80 | len].into_iter().chain(KEY).chain(masked).collect()
}
