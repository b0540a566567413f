//! Frames out of a script: mostly right, at fault here and there, in ways that random bytes would
//! seldom hit.

use websocket_proto_fuzz::model::unmask;
use websocket_proto_fuzz::script::Script;

const OPCODES: [u8; 16] = [0, 0, 0, 1, 1, 1, 2, 2, 8, 9, 9, 10, 3, 11, 15, 0];

const TEXTS: [&[u8]; 8] = [
    b"Hello",
    "\u{e9}\u{20ac}\u{10348}".as_bytes(),
    b"\xE2",
    b"\x82\xAC",
    b"\xED\xA0\x80",
    b"\xC0\x80",
    b"\xF4\x90",
    b"",
];

const CODES: [u16; 16] = [
    1000, 1001, 1003, 1004, 1005, 1006, 1007, 1011, 1012, 1014, 1015, 1016, 2999, 3000, 4999, 5000,
];

pub(crate) fn build(mut script: Script<'_>, is_server: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !script.0.is_empty() && bytes.len() < 4 * crate::LIMIT {
        frame(&mut script, is_server, &mut bytes);
    }
    bytes
}

/// Whether a frame declares more than the limit, by the layout of RFC 6455 5.2 alone.
pub(crate) fn oversized(mut bytes: &[u8]) -> bool {
    while let [_, byte1, rest @ ..] = bytes {
        let width = [2, 8].get(usize::from(byte1 & 127).wrapping_sub(126)).copied().unwrap_or(0);
        let (Some(length), mask) = (rest.get(..width), usize::from(byte1 >> 7) * 4) else {
            return false;
        };
        let len = match width {
            0 => u64::from(byte1 & 127),
            _ => length.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        };
        if len > crate::LIMIT as u64 {
            return true;
        }
        bytes = rest.get(width + mask + len as usize..).unwrap_or_default();
    }
    false
}

fn frame(script: &mut Script<'_>, is_server: bool, bytes: &mut Vec<u8>) {
    let [kind, content, fault] = [script.byte(), script.byte(), script.byte()];
    let opcode = OPCODES[usize::from(kind & 15)];
    let fin = opcode > 7 || kind & 16 != 0;
    let mut payload = match (opcode, content & 3) {
        (8, 0) => Vec::new(),
        (8, _) => {
            let code = CODES[usize::from(content >> 4)].to_be_bytes();
            [&code, TEXTS[usize::from(content >> 1 & 7)]].concat()
        }
        (_, 0) => script.string().to_vec(),
        (_, 1) => TEXTS[usize::from(content >> 2 & 7)].repeat(1 + usize::from(content >> 6) * 50),
        _ => TEXTS[usize::from(content >> 2 & 7)].to_vec(),
    };
    // One frame in eight is at fault beyond what its opcode and payload are.
    let (bits, wrong) = (fault >> 3, fault & 7 == 7);
    if opcode > 7 && !(wrong && bits & 1 != 0) {
        payload.truncate(125);
    }
    let rsv = if wrong && bits & 2 != 0 { 0x10 << (bits >> 3 & 3).min(2) } else { 0 };
    let fin = fin != (wrong && bits & 4 != 0);
    bytes.push(if fin { 0x80 } else { 0 } | rsv | opcode);
    let masked = is_server != (wrong && bits == 8);
    let mask_bit = if masked { 0x80 } else { 0 };
    let len = payload.len() as u64;
    match u16::try_from(payload.len()) {
        Ok(len @ 0..126) if !(wrong && bits & 16 != 0) => bytes.push(mask_bit | len as u8),
        Ok(len) if !(wrong && bits & 24 == 24) => {
            bytes.push(mask_bit | 126);
            bytes.extend(len.to_be_bytes());
        }
        _ => {
            bytes.push(mask_bit | 127);
            let top = if wrong && bits == 31 { 1 << 63 } else { 0 };
            bytes.extend((top | len).to_be_bytes());
        }
    }
    if masked {
        let key = [kind, content, fault, 0x55];
        bytes.extend(key);
        unmask(key, &mut payload);
    }
    bytes.extend(payload);
}
