//! Payloads that say whose they are, in each of their blocks of 16 bytes.

use std::fmt::Write;

use websocket_proto::Message;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Us,
    Peer,
}

const BLOCK: usize = 16;

/// The payload of the message with this number: `<W`, connection, sender, number, block, `>`.
pub fn payload(connection: usize, from: From, number: u64, len: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len + BLOCK);
    let mut block = *b"<Wcs0000:000000>";
    block[2] = b'0' + connection as u8;
    block[3] = if from == From::Us { b'u' } else { b'p' };
    digits(&mut block[4..8], number);
    let mut index = 0;
    while bytes.len() < len {
        digits(&mut block[9..15], index);
        bytes.extend_from_slice(&block);
        index += 1;
    }
    bytes.truncate(len);
    bytes
}

fn digits(into: &mut [u8], mut number: u64) {
    for digit in into.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 0xF) as usize];
        number >>= 4;
    }
}

/// One message in three is text.
pub fn message(connection: usize, from: From, number: u64, len: usize) -> Message<'static> {
    let bytes = payload(connection, from, number, len);
    if number.is_multiple_of(3) {
        Message::text(String::from_utf8(bytes).unwrap())
    } else {
        Message::binary(bytes)
    }
}

/// What is wrong with a message that should be this one.
pub fn check(
    message: &Message<'_>,
    connection: usize,
    from: From,
    number: u64,
    len: usize,
) -> Option<String> {
    let (bytes, expected) = (message.as_bytes(), payload(connection, from, number, len));
    if message.as_text().is_some() == number.is_multiple_of(3) && bytes == expected {
        return None;
    }
    let mut text = format!("message {number}: {} bytes, not {len}", bytes.len());
    if let Some(at) = bytes.iter().zip(&expected).position(|(a, b)| a != b) {
        let part = &bytes[at..bytes.len().min(at + 20)];
        let _ = write!(text, ", differs at {at}: {:?}", String::from_utf8_lossy(part));
    }
    Some(text)
}

/// Readable remains of a payload that is not of `connection`, anywhere in `buffer`. Memory that is
/// zero is passed quickly.
pub fn foreign(buffer: &[u8], connection: usize) -> Option<String> {
    let own = b'0' + connection as u8;
    for start in (0..buffer.len()).step_by(BLOCK) {
        let chunk = &buffer[start..buffer.len().min(start + BLOCK)];
        if <[u8; BLOCK]>::try_from(chunk).is_ok_and(|chunk| u128::from_ne_bytes(chunk) == 0) {
            continue;
        }
        let end = buffer.len().min(start + BLOCK + 4);
        for window in buffer[start..end].windows(4) {
            let &[b'<', b'W', who @ b'0'..=b'9', from @ (b'u' | b'p')] = window else { continue };
            if who != own {
                return Some(format!("<W{}{} near byte {start}", who as char, from as char));
            }
        }
    }
    None
}

/// Remains of anybody's payload in what `Debug` prints: as text, or as a list of numbers.
pub fn is_in_debug(text: &str) -> bool {
    text.contains("<W") || text.contains("60, 87, ")
}
