//! What `benches/growth.sh` counts the instructions of: `growth CASE SIZE` makes one hostile input
//! of about so many bytes, and only what happens inside [`measured`] counts. Work that grows faster
//! than its input shows as a ratio above 2 between a size and its double.

use std::hint::black_box;

use websocket_proto::handshake::{Server, ServerConfig};
use websocket_proto::{Config, Connection, Delivery, Event, Message, Negotiated, Output};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const CONTINUATION: u8 = 0x00;
const TEXT: u8 = 0x01;
const BINARY: u8 = 0x02;
const FIN: u8 = 0x80;
const PING: u8 = 0x89;
const PONG: u8 = 0x8A;

/// A name, and what runs an input of so many bytes.
type Case = (&'static str, fn(usize));

/// The cases; those of a behaviour in tests/BEHAVIOURS.md have its id.
const CASES: &[Case] = &[
    ("s02-fragments-of-1", |size| fragments(size, 1, 1 << 16)),
    ("s03-fragments-of-64", |size| fragments(size, 64, 1 << 16)),
    ("s03-fragments-of-64-in-small-reads", |size| fragments(size, 64, 50)),
    ("s05-frame-byte-by-byte", |size| {
        receive(&config(), &frame(FIN | BINARY, &vec![7; size]), 1, 1);
    }),
    ("s10-pings-not-read", |size| pings(size, PING, false)),
    ("s11-pings-read", |size| pings(size, PING, true)),
    ("s12-pongs", |size| pings(size, PONG, false)),
    ("s19-request-byte-by-byte", |size| request(size, 1)),
    ("s20-request-of-short-lines", |size| request(size, 500)),
    ("s15-output-byte-by-byte", output_byte_by_byte),
    ("text-in-small-pieces", |size| text(size, Delivery::Messages)),
    ("text-chunks-in-small-pieces", |size| text(size, Delivery::Chunks)),
    ("messages-of-3", |size| {
        let count = size / 9;
        receive(&config(), &frame(FIN | BINARY, b"abc").repeat(count), 1 << 12, count);
    }),
    #[cfg(feature = "deflate")]
    ("s61-inflating-zeros", compressed::zeros),
    #[cfg(feature = "deflate")]
    ("s67-empty-blocks", compressed::empty_blocks),
];

fn main() {
    // `cargo bench` runs it too, with an option of its own.
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    match &arguments[..] {
        [] => CASES.iter().for_each(|(name, _)| println!("{name}")),
        [case, size] => {
            let run = CASES.iter().find(|(name, _)| name == case).expect("no such case").1;
            run(size.parse().expect("bytes"));
        }
        _ => panic!("growth [CASE SIZE]"),
    }
}

/// The name that valgrind starts and stops counting at.
#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    work();
}

/// Limits that are out of the way.
fn config() -> Config {
    let mut config = Config::default();
    config.max_message_size = u64::MAX;
    config.max_frame_size = u64::MAX;
    config.max_fragments = u32::MAX;
    config
}

fn receive(config: &Config, bytes: &[u8], read: usize, events: usize) {
    receive_with(Connection::server(Negotiated::default(), *config), bytes, read, events);
}

/// Feeds `bytes`, `read` at a time, and counts the events.
fn receive_with(mut server: Connection, bytes: &[u8], read: usize, events: usize) {
    let mut output = Output::new();
    let mut bytes = bytes.to_vec();
    let mut seen = 0;
    measured(&mut || {
        for mut input in bytes.chunks_mut(read) {
            while let Some(event) = server.receive(&mut input, &mut output).expect("no fault") {
                seen += 1;
                black_box(event);
            }
        }
    });
    assert_eq!(seen, events);
}

/// One message of `size` bytes.
fn fragments(size: usize, each: usize, read: usize) {
    let count = (size / each).max(2);
    let mut bytes = frame(BINARY, &vec![5; each]);
    bytes.extend(frame(CONTINUATION, &vec![5; each]).repeat(count - 2));
    bytes.extend(frame(FIN | CONTINUATION, &vec![5; each]));
    receive(&config(), &bytes, read, 1);
}

fn pings(size: usize, byte0: u8, read: bool) {
    let bytes = frame(byte0, &[9; 125]).repeat((size / 131).max(1));
    let mut server = Connection::server(Negotiated::default(), Config::default());
    let mut output = Output::new();
    let mut bytes = bytes;
    measured(&mut || {
        for mut input in bytes.chunks_mut(1 << 10) {
            while let Some(event) = server.receive(&mut input, &mut output).expect("no fault") {
                black_box(matches!(event, Event::Ping(_)));
            }
            if read {
                output.advance(usize::MAX);
            }
        }
    });
}

/// Four bytes a character, cut everywhere by the frames and by the reads.
fn text(size: usize, delivery: Delivery) {
    let text = "\u{10348}".repeat((size / 4).max(2));
    let pieces: Vec<&[u8]> = text.as_bytes().chunks(3).collect();
    let mut bytes = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        let opcode = if index == 0 { TEXT } else { CONTINUATION };
        let fin = if index + 1 == pieces.len() { FIN } else { 0 };
        bytes.extend(frame(fin | opcode, piece));
    }
    let mut config = config();
    config.delivery = delivery;
    let mut server = Connection::server(Negotiated::default(), config);
    let mut output = Output::new();
    let mut len = 0;
    measured(&mut || {
        for mut input in bytes.chunks_mut(7) {
            while let Some(event) = server.receive(&mut input, &mut output).expect("no fault") {
                len += match event {
                    Event::Text(text) | Event::TextChunk { text, .. } => text.len(),
                    other => panic!("{other:?}"),
                };
            }
        }
    });
    assert_eq!(len, text.len());
}

/// A head of `size` bytes that ends.
fn request(size: usize, read: usize) {
    let mut text = String::from(
        "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n",
    );
    while text.len() + 12 < size {
        text.push_str("a: bcdefg\r\n");
    }
    text.push_str("\r\n");
    let mut config = ServerConfig::default();
    config.limits.max_head_size = u32::MAX;
    config.limits.max_headers = u32::MAX;
    let mut server = Server::new(config);
    let mut output = Output::new();
    let mut requests = 0;
    measured(&mut || {
        for mut input in text.as_bytes().chunks(read) {
            let request = server.receive(&mut input, &mut output).expect("a good request");
            requests += usize::from(request.is_some());
        }
    });
    assert_eq!(requests, 1);
}

/// Much waits, and the transport takes a byte at a time.
fn output_byte_by_byte(size: usize) {
    let mut config = Config::default();
    config.output_hard_limit = usize::MAX;
    let mut server = Connection::server(Negotiated::default(), config);
    let mut output = Output::new();
    measured(&mut || {
        for _ in 0..size / 127 {
            server.send(Message::binary(&[9; 125][..]), &mut output).expect("no limit");
        }
        while !output.is_empty() {
            black_box(output.pending());
            output.advance(1);
        }
    });
}

#[cfg(feature = "deflate")]
mod compressed {
    use websocket_proto::{Connection, DeflateParams, MaskKeys, Message, Negotiated, Output};

    use super::{BINARY, FIN, config, frame, receive_with};

    const RSV1: u8 = 0x40;

    fn negotiated() -> Negotiated {
        let mut negotiated = Negotiated::default();
        negotiated.deflate = Some(DeflateParams::default());
        negotiated
    }

    fn server() -> Connection {
        Connection::server(negotiated(), config())
    }

    /// About a thousand bytes for each on the wire.
    pub(super) fn zeros(size: usize) {
        let mut client = Connection::client(negotiated(), config(), MaskKeys::from_seed([1; 32]));
        let mut output = Output::new();
        client.send(Message::binary(vec![0; size]), &mut output).expect("open");
        let mut wire = Vec::new();
        while !output.is_empty() {
            let len = output.pending().len();
            wire.extend_from_slice(output.pending());
            output.advance(len);
        }
        assert!(wire.len() < size / 2 + 100);
        receive_with(server(), &wire, 1 << 10, 1);
    }

    /// Stored blocks of no bytes; the last one is completed by what 7.2.2 appends.
    pub(super) fn empty_blocks(size: usize) {
        let mut payload = [0x00, 0x00, 0x00, 0xFF, 0xFF].repeat(size / 5);
        payload.push(0x00);
        receive_with(server(), &frame(FIN | RSV1 | BINARY, &payload), 1 << 10, 1);
    }
}

/// A client's frame: RFC 6455 section 5.2.
fn frame(byte0: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![byte0];
    match payload.len() {
        len @ ..126 => bytes.push(0x80 | len as u8),
        len @ ..0x1_0000 => {
            bytes.push(0x80 | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        len => {
            bytes.push(0x80 | 127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend(KEY);
    bytes.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}
