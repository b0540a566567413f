//! The examples of RFC 6455 5.7, byte for byte, read and written.

mod common;

use common::wire::{KEY, Role, events, first_sent};
use websocket_proto::frame::{Header, MAX_HEADER_LEN, Opcode};
use websocket_proto::{Config, Connection, Event, Message, Output};

const UNMASKED_TEXT: &[u8] = &[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
const MASKED_TEXT: &[u8] = &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
const FRAGMENTED_TEXT: &[u8] = &[0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f];
const UNMASKED_PING: &[u8] = &[0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
const MASKED_PONG: &[u8] = &[0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
const BINARY_256: &[u8] = &[0x82, 0x7e, 0x01, 0x00];
const BINARY_64K: &[u8] = &[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0];

fn written(write: impl FnOnce(&mut Connection, &mut Output)) -> Vec<u8> {
    let mut connection = Role::Server.connection(Config::default());
    let mut output = Output::new();
    write(&mut connection, &mut output);
    let mut bytes = Vec::new();
    common::drain(&mut output, &mut bytes);
    bytes
}

fn read(role: Role, bytes: &[u8]) -> Vec<Event<'static>> {
    events(&mut role.connection(Config::default()), bytes, &mut Output::new())
}

#[test]
fn read_by_a_client() {
    assert_eq!(read(Role::Client, UNMASKED_TEXT), [Event::Text("Hello".into())]);
    assert_eq!(read(Role::Client, FRAGMENTED_TEXT), [Event::Text("Hello".into())]);
    assert_eq!(read(Role::Client, UNMASKED_PING), [Event::Ping(b"Hello".into())]);
    for (header, len) in [(BINARY_256, 256), (BINARY_64K, 65_536)] {
        let payload = vec![0xA5; len];
        let bytes = [header, &payload].concat();
        assert_eq!(read(Role::Client, &bytes), [Event::Binary(payload.into())]);
    }
}

#[test]
fn read_by_a_server() {
    assert_eq!(read(Role::Server, MASKED_TEXT), [Event::Text("Hello".into())]);
    assert_eq!(read(Role::Server, MASKED_PONG), [Event::Pong(b"Hello".into())]);
}

#[test]
fn written_by_a_server() {
    let text = written(|server, output| server.send("Hello".into(), output).expect("open"));
    assert_eq!(text, UNMASKED_TEXT);
    let fragmented = written(|server, output| {
        server.send_fragment("Hel".into(), false, output).expect("open");
        server.send_fragment("lo".into(), true, output).expect("open");
    });
    assert_eq!(fragmented, FRAGMENTED_TEXT);
    let ping = written(|server, output| server.ping(b"Hello", output).expect("open"));
    assert_eq!(ping, UNMASKED_PING);
    for (header, len) in [(BINARY_256, 256), (BINARY_64K, 65_536)] {
        // Borrowed and owned payloads take different ways into the output.
        let payload = vec![0xA5; len];
        let expected = [header, &payload].concat();
        let borrowed = written(|server, output| {
            server.send(Message::binary(&payload[..]), output).expect("open");
        });
        let owned = written(|server, output| {
            server.send(Message::binary(payload.clone()), output).expect("open");
        });
        assert!(borrowed == expected && owned == expected, "{len} bytes");
    }
}

/// A client's key is its own; with the key of the RFC the bytes are those of the RFC.
#[test]
fn written_by_a_client() {
    let mut client = Role::Client.connection(Config::default());
    let mut output = Output::new();
    client.send("Hello".into(), &mut output).expect("open");
    client.receive(&mut &mut UNMASKED_PING.to_vec()[..], &mut output).expect("no fault");
    let mut bytes = Vec::new();
    common::drain(&mut output, &mut bytes);
    for expected in [MASKED_TEXT, MASKED_PONG] {
        let (frame, len) = first_sent(&bytes).expect("a frame");
        assert_eq!(len, expected.len());
        let key = frame.key.expect("masked");
        for (index, (byte, expected)) in bytes.iter().zip(expected).enumerate() {
            // From the header on, the difference is that of the keys.
            let difference = match index {
                0..2 => 0,
                2..6 => key[index - 2] ^ KEY[index - 2],
                _ => key[(index - 6) % 4] ^ KEY[(index - 6) % 4],
            };
            assert_eq!(byte ^ difference, *expected, "byte {index}");
        }
        bytes.drain(..len);
    }
    assert!(bytes.is_empty());
}

#[test]
fn headers_written_by_hand() {
    for (bytes, opcode, mask, payload_len) in [
        (UNMASKED_TEXT, Opcode::Text, None, 5),
        (MASKED_TEXT, Opcode::Text, Some(KEY), 5),
        (MASKED_PONG, Opcode::Pong, Some(KEY), 5),
        (BINARY_256, Opcode::Binary, None, 256),
        (BINARY_64K, Opcode::Binary, None, 65_536),
    ] {
        let header = Header { fin: true, rsv1: false, opcode, mask, payload_len };
        let mut buffer = [0; MAX_HEADER_LEN];
        let len = header.encode(&mut buffer);
        assert_eq!(buffer[..len], bytes[..len]);
    }
}
