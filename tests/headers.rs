//! RFC 6455 5.2 to 5.5, exhaustively: what each pair of first bytes means, to both roles, in each
//! state, and at which byte it is decided; then the extended lengths.
//!
//! The oracle lists every fault that the RFC sees in the bytes so far. Which of several that are
//! proved by the same byte is reported is the implementation's choice; at which byte is not.

mod common;

use common::wire::{BINARY, CLOSE, FIN, ROLES, Role, TEXT, fails_at, receive, take_sent};
use websocket_proto::{Config, Connection, Event, Output, ProtocolError, State};

/// What has happened on the connection before the header comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Nothing,
    /// A text message has begun.
    Fragment,
    /// We sent a Close frame.
    CloseSent,
    /// The peer sent a Close frame, and it was answered.
    Closed,
    /// The peer sent a Close frame, and the answer is the application's.
    CloseReceived,
    Failed,
}

const EVERY_STATE: [Before; 6] = [
    Before::Nothing,
    Before::Fragment,
    Before::CloseSent,
    Before::Closed,
    Before::CloseReceived,
    Before::Failed,
];

fn connection(role: Role, before: Before) -> Connection {
    let mut config = Config::default();
    config.auto_close = before != Before::CloseReceived;
    let mut connection = role.connection(config);
    let mut output = Output::new();
    match before {
        Before::Nothing => {}
        Before::Fragment => {
            let bytes = role.frame(TEXT, b"a");
            assert_eq!(receive(&mut connection, &bytes, &mut output), (Ok(None), 0));
        }
        Before::CloseSent => {
            let code = websocket_proto::CloseCode::NORMAL;
            connection.close(code, "", &mut output).expect("open");
        }
        Before::Closed | Before::CloseReceived => {
            let bytes = role.close(1000, "");
            assert!(receive(&mut connection, &bytes, &mut output).0.is_ok());
        }
        Before::Failed => {
            let (result, _) = receive(&mut connection, &[0xFF], &mut output);
            assert_eq!(result, Err(ProtocolError::ReservedBits(0xFF)));
        }
    }
    connection
}

/// The faults that the first byte proves.
fn faults_of_first(in_message: bool, byte0: u8) -> Vec<ProtocolError> {
    let (fin, rsv, opcode) = (byte0 >> 7, byte0 >> 4 & 0b111, byte0 & 0b1111);
    let mut faults = Vec::new();
    // 5.2, RSV1 to RSV3: "If a nonzero value is received and none of the negotiated extensions
    // defines the meaning of such a nonzero value, the receiving endpoint MUST _Fail_".
    if rsv != 0 {
        faults.push(ProtocolError::ReservedBits(byte0));
    }
    match opcode {
        // 5.4: a continuation goes on with a message that has begun.
        0 if !in_message => faults.push(ProtocolError::UnexpectedContinuation),
        // 5.4: fragments of two messages are not interleaved.
        1 | 2 if in_message => faults.push(ProtocolError::ExpectedContinuation),
        0..=2 => {}
        // 5.5: control frames "MUST NOT be fragmented".
        8..=10 if fin == 0 => faults.push(ProtocolError::FragmentedControl(opcode)),
        8..=10 => {}
        // 5.2: "%x3-7 are reserved", "%xB-F are reserved".
        _ => faults.push(ProtocolError::ReservedOpcode(opcode)),
    }
    faults
}

/// The faults that the second byte proves, where the first proves none.
fn faults_of_second(role: Role, byte0: u8, byte1: u8) -> Vec<ProtocolError> {
    let (masked, len, opcode) = (byte1 >> 7 == 1, byte1 & 0x7F, byte0 & 0b1111);
    let mut faults = Vec::new();
    // 5.1: "The server MUST close the connection upon receiving a frame that is not masked", "A
    // client MUST close a connection if it detects a masked frame".
    match (role, masked) {
        (Role::Server, false) => faults.push(ProtocolError::Unmasked),
        (Role::Client, true) => faults.push(ProtocolError::Masked),
        _ => {}
    }
    // 5.5: "MUST have a payload length of 125 bytes or less".
    if opcode >= 8 && len >= 126 {
        faults.push(ProtocolError::LongControl(opcode));
    }
    // 5.5.1: "If there is a body, the first two bytes of the body MUST be" the code.
    if opcode == 8 && len == 1 {
        faults.push(ProtocolError::CloseBodyTooShort);
    }
    faults
}

/// What a frame without payload is, in a whole.
fn empty_frame(before: Before, byte0: u8) -> Option<Event<'static>> {
    match (byte0 & 0b1111, byte0 >> 7) {
        (0..=2, 0) => None,
        (0, _) if before == Before::Fragment => Some(Event::Text("a".into())),
        (1, _) => Some(Event::Text("".into())),
        (2, _) => Some(Event::Binary(b"".into())),
        (8, _) => Some(Event::Close(None)),
        (9, _) => Some(Event::Ping(b"".into())),
        (10, _) => Some(Event::Pong(b"".into())),
        other => panic!("{other:?} has a fault"),
    }
}

#[test]
fn every_pair_of_first_bytes_at_a_client() {
    every_pair_of_first_bytes(Role::Client);
}

#[test]
fn every_pair_of_first_bytes_at_a_server() {
    every_pair_of_first_bytes(Role::Server);
}

fn every_pair_of_first_bytes(role: Role) {
    for before in EVERY_STATE {
        for byte0 in 0..=0xFF {
            check_first(role, before, byte0);
            for byte1 in 0..=0xFF {
                check_second(role, before, byte0, byte1);
            }
        }
    }
}

/// The first byte alone.
fn check_first(role: Role, before: Before, byte0: u8) {
    let mut connection = connection(role, before);
    let mut output = Output::new();
    let (result, left) = receive(&mut connection, &[byte0], &mut output);
    assert_eq!(left, 0);
    let faults = match before {
        Before::Closed | Before::CloseReceived => Vec::new(),
        Before::Failed => vec![ProtocolError::ReservedBits(0xFF)],
        _ => faults_of_first(before == Before::Fragment, byte0),
    };
    check((role, before, byte0, 0), &faults, None, &result);
    check_output(before, &faults, &connection, &mut output);
}

/// Both bytes in one input, and one after the other.
fn check_second(role: Role, before: Before, byte0: u8, byte1: u8) {
    let name = (role, before, byte0, byte1);
    let first = faults_of_first(before == Before::Fragment, byte0);
    let faults = match before {
        Before::Closed | Before::CloseReceived => Vec::new(),
        Before::Failed => vec![ProtocolError::ReservedBits(0xFF)],
        _ if !first.is_empty() => first,
        _ => faults_of_second(role, byte0, byte1),
    };
    // Without a key there is nothing to wait for after an empty frame's header.
    let discards = matches!(before, Before::Closed | Before::CloseReceived);
    let whole = byte1 == 0 && role == Role::Client && faults.is_empty() && !discards;
    let event = if whole { empty_frame(before, byte0) } else { None };

    for cut in [false, true] {
        let mut connection = connection(role, before);
        let mut output = Output::new();
        let (result, left) = if cut {
            let (first, left) = receive(&mut connection, &[byte0], &mut output);
            assert_eq!(left, 0);
            let second = receive(&mut connection, &[byte1], &mut output);
            // The error that the first byte proved stays.
            assert!(first.is_ok() || first == second.0, "{name:02x?}");
            second
        } else {
            receive(&mut connection, &[byte0, byte1], &mut output)
        };
        assert_eq!(left, 0, "{name:02x?}");
        check(name, &faults, event.as_ref(), &result);
        if event.is_none() {
            check_output(before, &faults, &connection, &mut output);
        }
    }
}

fn check(
    name: (Role, Before, u8, u8),
    faults: &[ProtocolError],
    event: Option<&Event<'static>>,
    result: &Result<Option<Event<'static>>, ProtocolError>,
) {
    match result {
        Ok(seen) => {
            assert_eq!(faults, [], "{name:02x?}: accepted");
            assert_eq!(seen.as_ref(), event, "{name:02x?}");
        }
        Err(error) => {
            assert!(faults.contains(error), "{name:02x?}: {error}, expected one of {faults:?}");
            assert!(name.1 != Before::Closed, "{name:02x?}");
            assert_eq!(error.close_code().get(), 1002, "{name:02x?}");
        }
    }
}

/// 7.1.7: a failure sends one Close frame, unless one was sent before.
fn check_output(
    before: Before,
    faults: &[ProtocolError],
    connection: &Connection,
    output: &mut Output,
) {
    let sent = take_sent(output);
    if faults.is_empty() || !matches!(before, Before::Nothing | Before::Fragment) {
        assert_eq!(sent, []);
    } else {
        assert_eq!(sent, [(FIN | CLOSE, 1002_u16.to_be_bytes().to_vec())]);
    }
    let state = match before {
        _ if !faults.is_empty() => State::Failed,
        Before::Nothing | Before::Fragment => State::Open,
        Before::CloseSent => State::CloseSent,
        Before::Closed => State::Closed,
        Before::CloseReceived => State::CloseReceived,
        Before::Failed => State::Failed,
    };
    assert_eq!(connection.state(), state);
}

/// Each header without a fault and with a length of up to 125, followed by its payload: delivered,
/// whole and cut after each byte of the header.
#[test]
fn every_short_frame() {
    let mut frames = 0;
    for role in ROLES {
        for before in [Before::Nothing, Before::Fragment, Before::CloseSent] {
            for byte0 in 0..=0xFF {
                if !faults_of_first(before == Before::Fragment, byte0).is_empty() {
                    continue;
                }
                for len in 0..=125_u8 {
                    let mask = if role.receives_masked() { 0x80 } else { 0 };
                    if faults_of_second(role, byte0, mask | len).is_empty() {
                        check_frame(role, before, byte0, len.into());
                        frames += 1;
                    }
                }
            }
        }
    }
    // 2 roles x 126 lengths x (FIN or not of two data opcodes, 3 control opcodes), 125 for Close;
    // within a message there is one data opcode.
    assert_eq!(frames, 2 * (2 * (7 * 126 - 1) + (5 * 126 - 1)));
}

fn check_frame(role: Role, before: Before, byte0: u8, len: usize) {
    let payload: Vec<u8> = match (byte0 & 0b1111, len) {
        (CLOSE, 2..) => [&1000_u16.to_be_bytes()[..], &vec![b'x'; len - 2]].concat(),
        _ => vec![b'x'; len],
    };
    let text = |start: &str| format!("{start}{}", "x".repeat(len));
    let event = match (byte0 & 0b1111, byte0 >> 7) {
        (0..=2, 0) => None,
        (0, _) => Some(Event::Text(text("a").into())),
        (1, _) => Some(Event::Text(text("").into())),
        (2, _) => Some(Event::Binary(payload.clone().into())),
        (9, _) => Some(Event::Ping(payload.clone().into())),
        (10, _) => Some(Event::Pong(payload.clone().into())),
        _ => None,
    };
    let bytes = role.frame(byte0, &payload);
    let header = bytes.len() - len;
    for cut in 0..=header.min(bytes.len() - 1) {
        let mut connection = connection(role, before);
        let mut output = Output::new();
        let (head, tail) = bytes.split_at(cut);
        assert_eq!(receive(&mut connection, head, &mut output), (Ok(None), 0));
        let (result, left) = receive(&mut connection, tail, &mut output);
        assert_eq!(left, 0);
        match result.expect("no fault") {
            Some(Event::Close(frame)) => {
                assert_eq!(byte0, FIN | CLOSE);
                assert_eq!(frame.is_some(), len > 0);
                assert_eq!(connection.state(), State::Closed);
            }
            seen => assert_eq!(seen, event, "{role:?} {before:?} {byte0:02x} {len} cut at {cut}"),
        }
    }
}

/// The faults that `bytes` of an extended length prove, if the bytes before proved none.
fn faults_of_length(bytes: &[u8], width: usize, limit: u64) -> Vec<ProtocolError> {
    let mut least = [0; 8];
    least[8 - width..][..bytes.len()].copy_from_slice(bytes);
    let least = u64::from_be_bytes(least);
    let greatest = least | u64::MAX.checked_shr(64 - 8 * (width - bytes.len()) as u32).unwrap_or(0);
    let mut faults = Vec::new();
    // 5.2: "the most significant bit MUST be 0".
    if width == 8 && bytes[0] >> 7 == 1 {
        faults.push(ProtocolError::LengthTopBit);
    }
    // 5.2: "the minimal number of bytes MUST be used to encode the length".
    let shorter = if width == 2 { 125 } else { 0xFFFF };
    if greatest <= shorter {
        faults.push(ProtocolError::LengthNotMinimal);
    }
    if least > limit {
        faults.push(ProtocolError::FrameTooBig { seen: least, limit });
    }
    faults
}

fn check_length(role: Role, length: &[u8], limit: u64) {
    let width = length.len();
    let mask = if role.receives_masked() { 0x80 } else { 0 };
    let mut header = vec![FIN | BINARY, mask | if width == 2 { 126 } else { 127 }];
    header.extend_from_slice(length);
    let expected = (1..=width).find_map(|have| {
        let faults = faults_of_length(&length[..have], width, limit);
        (!faults.is_empty()).then_some((2 + have, faults))
    });
    let new = || {
        let mut config = Config::default();
        config.max_frame_size = limit;
        config.max_message_size = u64::MAX;
        role.connection(config)
    };
    let check = |result: Option<(usize, ProtocolError)>| match (result, &expected) {
        (None, None) => {}
        (Some((at, error)), Some((expected, faults))) => {
            assert_eq!(at, *expected, "{header:02x?}, limit {limit}: {error}");
            assert!(faults.contains(&error), "{header:02x?}: {error}, not one of {faults:?}");
        }
        (result, expected) => {
            panic!("{header:02x?}, limit {limit}: {result:?}, expected {expected:?}")
        }
    };
    check(fails_at(&mut new(), &header));
    for have in 2..=header.len() {
        let error = receive(&mut new(), &header[..have], &mut Output::new()).0.err();
        match &expected {
            Some((at, _)) if *at <= have => check(error.map(|error| (*at, error))),
            _ => assert_eq!(error, None, "{:02x?}, limit {limit}", &header[..have]),
        }
    }
}

#[test]
fn every_16_bit_length() {
    for value in 0..=u16::MAX {
        let role = ROLES[usize::from(value % 2)];
        let value64 = u64::from(value);
        for limit in [u64::MAX, value64, value64.saturating_sub(1)] {
            check_length(role, &value.to_be_bytes(), limit);
        }
    }
}

#[test]
fn lengths_of_64_bits_around_each_power_of_two() {
    for role in ROLES {
        for bit in 0..64 {
            let power = 1_u64 << bit;
            for value in [power - 1, power, power + 1] {
                let limits = [u64::MAX, u64::MAX >> 1, value, value.saturating_sub(1), power >> 1];
                for limit in limits.into_iter().chain([0, 100, 0xFFFF, 1 << 20]) {
                    check_length(role, &value.to_be_bytes(), limit);
                }
            }
        }
        check_length(role, &u64::MAX.to_be_bytes(), u64::MAX);
    }
}
