//! Text, in any fragments, is delivered if `core::str::from_utf8` takes it; else the connection
//! fails at the very byte that `core` finds at fault (RFC 6455 section 8.1).

use websocket_proto::{Config, Connection, Delivery, Event, Output, ProtocolError};

use super::super::common;
use super::super::script::Script;

pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let mut config = Config::default();
    config.delivery = if script.flag() { Delivery::Chunks } else { Delivery::Messages };
    let (fragments, text) = (script.cuts(), &script.0[..script.0.len().min(125)]);
    let mut connection = common::client(config);
    let mut got = String::new();
    let (mut at, mut opcode) = (0, 1);
    for piece in fragments.of(text) {
        let fin = if at + piece.len() == text.len() { 0x80 } else { 0 };
        assert_eq!(receive(&mut connection, &[opcode | fin, piece.len() as u8], &mut got), Ok(()));
        opcode = 0;
        for byte in piece {
            at += 1;
            let result = receive(&mut connection, &[*byte], &mut got);
            let verdict = core::str::from_utf8(&text[..at]);
            if verdict.is_err_and(|error| error.error_len().is_some() || at == text.len()) {
                return assert_eq!(result, Err(ProtocolError::InvalidUtf8), "at {at}");
            }
            assert_eq!(result, Ok(()), "at {at}");
        }
    }
    assert_eq!(got.as_bytes(), text);
}

fn receive(to: &mut Connection, bytes: &[u8], got: &mut String) -> Result<(), ProtocolError> {
    let mut bytes = bytes.to_vec();
    match to.receive(&mut &mut bytes[..], &mut Output::new())? {
        Some(Event::Text(text) | Event::TextChunk { text, .. }) => got.push_str(&text),
        event => assert_eq!(event, None),
    }
    Ok(())
}
