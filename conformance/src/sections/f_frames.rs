//! F: byte-exact inputs, each whole, in two pieces and byte by byte.
//!
//! The rows come from the vectors that the crate `websocket-proto` tests itself with. An echo is
//! expected for each message that a row says is received, and a Pong for each Ping.

use serde::Deserialize;
use serde_json::Value;

use crate::case::{Case, Cut, Event, Role, Side, Step};
use crate::deflate::Agreement;
use crate::wire::frame::{Frame, Length, Mask, binary, text};
use crate::wire::payload::Payload;

const ROWS: &str = include_str!("../../vectors/frames.json");

#[derive(Deserialize)]
struct Row {
    id: String,
    title: String,
    role: String,
    permessage_deflate: bool,
    input: String,
    events: Vec<Value>,
    close_sent: Value,
    ended_by: Option<String>,
    rfc: String,
    #[serde(default)]
    note: String,
}

pub(super) fn cases() -> Vec<Case> {
    // The rows are a part of the program, and a test reads them all.
    let rows: Vec<Row> = serde_json::from_str(ROWS).unwrap_or_default();
    let mut cases = headers();
    for row in &rows {
        let Some(bytes) = bytes(&row.input) else { continue };
        // Sixteen kilobytes one by one say no more than others do.
        let middle = (bytes.len() / 2).max(1);
        for (n, cut, how) in [
            (1, Cut::Whole, "whole"),
            (2, Cut::Octets(middle), "in two pieces"),
            (3, Cut::Octets(1), "byte by byte"),
        ] {
            cases.push(case(row, n, cut, how, &bytes));
        }
    }
    cases
}

/// Headers that are wrong towards either role, or towards the one that the mask is wrong for.
fn headers() -> Vec<Case> {
    const MASKED: &str = "A client MUST close a connection if it detects a masked frame";
    const UNMASKED: &str =
        "The server MUST close the connection upon receiving a frame that is not masked";
    const MINIMAL: &str =
        "in all cases, the minimal number of bytes MUST be used to encode the length";
    const TOP: &str = "the following 8 bytes interpreted as a 64-bit unsigned integer (the most \
                       significant bit MUST be 0) are the payload length";
    let case = |n: usize, title, section, sentence, frame: Frame, role| {
        let mut case = Case::new(format!("F.{n}"), title, section, sentence)
            .send([frame])
            .expect([])
            .peer_fails(1002)
            .wrong_side_is_failure()
            .strict();
        case.closing.wrong_code_is_failure = true;
        case.role = role;
        case
    };
    let (unmasked, masked) = (text("Hello").mask(Mask::None), text("Hello").mask(Mask::Always));
    let length = |n, title, frame: Frame, form, sentence| {
        case(n, title, "RFC 6455 5.2", sentence, frame.length(form), Role::Both)
    };
    let most = || binary(Payload::repeated(b"x", 65_535));
    vec![
        case(1, "a frame that is not masked", "RFC 6455 5.1", UNMASKED, unmasked, Role::Server),
        case(2, "a frame that is masked", "RFC 6455 5.1", MASKED, masked, Role::Client),
        length(3, "a length of 5 in 16 bits", text("Hello"), Length::In16, MINIMAL),
        length(4, "a length of 5 in 64 bits", text("Hello"), Length::In64, MINIMAL),
        length(5, "a length of 0 in 16 bits", text(""), Length::In16, MINIMAL),
        length(6, "a length of 65535 in 64 bits", most(), Length::In64, MINIMAL),
        length(7, "a length of 2^63", binary(""), Length::Declared(1 << 63), TOP),
        length(8, "a length of 2^64 - 1", binary(""), Length::Declared(u64::MAX), TOP),
    ]
}

fn case(row: &Row, n: usize, cut: Cut, how: &str, bytes: &[u8]) -> Case {
    let title = format!("{}, {how}", row.title);
    let id = format!("F.{}.{n}", row.id);
    let section = format!("RFC {}", row.rfc);
    let answered = row.ended_by.as_deref() == Some("echo");
    let mut case = Case::new(id, title, section, sentence(row)).step(Step::Raw {
        bytes: bytes.to_vec(),
        cut,
        closes: answered,
    });
    case.role = if row.role == "client" { Role::Client } else { Role::Server };
    case.deflate = row.permessage_deflate.then(Agreement::plain);
    case.closing.strict = true;
    let events: Vec<Event> = row.events.iter().filter_map(event).collect();
    let failed = row.ended_by.as_deref() == Some("fail");
    if failed && !events.is_empty() {
        case = case.or_not_strict([]);
    }
    case = case.expect(events);
    let code = row.close_sent.as_u64().and_then(|code| u16::try_from(code).ok());
    if failed {
        case.closing.by = Side::Peer;
        case.closing.clean = false;
        case.closing.wrong_side_is_failure = true;
        case.closing.wrong_code_is_failure = true;
        case.closing.codes = failing(row, code.unwrap_or(1002));
    } else if answered {
        case.closing.scripted = true;
        case.closing.codes.extend(code.filter(|code| *code != 1000));
    }
    // Where the outcome is a limit or a policy of one implementation, others may have another.
    let open = code == Some(1009) || row.note.contains("policy") || row.note.contains("strict");
    if open { case.informational() } else { case }
}

/// RFC 7692 names no code for what does not inflate, and a reason that is no UTF-8 is a fault of both
/// kinds. A fault that is of one kind has one code.
fn failing(row: &Row, code: u16) -> Vec<u16> {
    let either = row.permessage_deflate && !row.rfc.starts_with("6455") || row.id == "D06";
    match code {
        1007 if either => vec![1007, 1002],
        code => vec![code],
    }
}

fn event(event: &Value) -> Option<Event> {
    let (name, value) = event.as_object()?.iter().next()?;
    let value = value.as_str()?;
    match name.as_str() {
        "text" => Some(Event::Text(value.to_owned().into())),
        "binary" => Some(Event::Binary(bytes(value)?.into())),
        "ping" => Some(Event::Pong(bytes(value)?.into())),
        // What the suite sent of its own accord is not answered.
        _ => None,
    }
}

pub(super) fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn sentence(row: &Row) -> &'static str {
    let rules = [
        (
            "6455 5.1",
            "The server MUST close the connection upon receiving a frame that is not masked",
        ),
        (
            "6455 5.2",
            "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_; so it is for reserved bits, and lengths MUST be minimal",
        ),
        (
            "6455 5.4",
            "Message fragments MUST be delivered to the recipient in the order sent by the sender",
        ),
        (
            "6455 5.5.1",
            "If an endpoint receives a Close frame and did not previously send a Close frame, \
                        the endpoint MUST send a Close frame in response",
        ),
        (
            "6455 5.5",
            "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be \
                      fragmented",
        ),
        ("6455 5.6", "the whole message MUST contain valid UTF-8"),
        (
            "6455 7.4",
            "Endpoints MAY use the following pre-defined status codes when sending a Close frame",
        ),
        (
            "6455 8.1",
            "When an endpoint is to interpret a byte stream as UTF-8 but finds that the byte \
                      stream is not, in fact, a valid UTF-8 stream, that endpoint MUST _Fail the \
                      WebSocket Connection_",
        ),
        (
            "7692 6.1",
            "An endpoint MUST NOT set the \"Per-Message Compressed\" bit of control frames and \
                      non-first fragments of a data message",
        ),
    ];
    let found = rules.iter().filter(|(section, _)| row.rfc.starts_with(section));
    found.max_by_key(|(section, _)| section.len()).map_or(
        "Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the payload of the message. Decompress the resulting data using DEFLATE",
        |(_, sentence)| sentence,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_case_in_three_forms() {
        let rows: Vec<Row> = serde_json::from_str(ROWS).unwrap();
        assert!(rows.len() >= 107);
        assert_eq!(cases().len(), 3 * rows.len() + headers().len());
        for row in &rows {
            assert!(bytes(&row.input).is_some(), "{}", row.id);
            let echoed = row.events.iter().filter(|e| e.get("pong").is_none()).count();
            assert_eq!(row.events.iter().filter_map(event).count(), echoed, "{}", row.id);
        }
    }
}
