//! H: the opening handshake: requests right and wrong, whole and byte by byte.
//!
//! The rows come from the vectors that the crate `websocket-proto` tests itself with. A status that the
//! RFC only gives as an example is one of several that are right.

use serde::Deserialize;

use crate::case::{Case, Cut, Event, Role, Step};
use crate::handshake::case::{Answer, Opening};
use crate::verdict::Behavior;

const ROWS: &str = include_str!("../../vectors/server_requests.json");
/// The key in every row that has one.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

#[derive(Deserialize)]
struct Row {
    id: String,
    title: String,
    input: String,
    status: Vec<u16>,
    expect: String,
}

/// Limits and policies of one implementation, of which the RFC says nothing: a head or a line that is
/// long, offers that are malformed, bytes behind the request that are no frame.
const OPEN: [&str; 6] = ["H41", "H42", "H43", "N14", "N15", "N16"];

pub(super) fn cases() -> Vec<Case> {
    // The rows are a part of the program, and a test reads them all.
    let rows: Vec<Row> = serde_json::from_str(ROWS).unwrap_or_default();
    let mut cases = Vec::new();
    for row in &rows {
        let Some(request) = super::f_frames::bytes(&row.input) else { continue };
        for (n, cut, how) in [(1, Cut::Whole, ""), (2, Cut::Octets(1), ", byte by byte")] {
            cases.push(case(row, n, cut, how, &request));
        }
    }
    cases
}

fn case(row: &Row, n: usize, cut: Cut, how: &str, request: &[u8]) -> Case {
    let (section, sentence) = requirement(row);
    let title = format!("request: {}{how}", row.title);
    let mut case = Case::new(format!("H.{}.{n}", row.id), title, section, sentence);
    case.role = Role::Server;
    let (request, key) = (request.to_vec(), KEY);
    case.opening = Some(Opening { request, cut, key, allowed: allowed(row) });
    // What comes behind an accepted request in one case is a frame.
    if row.id == "H40" {
        return case.expect([Event::Text("Hello".into())]);
    }
    let case = case.step(Step::Close { body: b"\x03\xe8".into() }).expect([]);
    if OPEN.contains(&row.id.as_str()) { case.informational() } else { case }
}

fn allowed(row: &Row) -> Vec<(Behavior, Answer)> {
    let ok = |answer| (Behavior::Ok, answer);
    let not_strict = |answer| (Behavior::NonStrict, answer);
    let (refusals, opens): (Vec<u16>, Vec<u16>) =
        row.status.iter().partition(|status| **status != 101);
    let mut allowed = Vec::new();
    match row.expect.as_str() {
        _ if opens.is_empty() => {}
        "101, declined" => allowed.push(ok(Answer::OpenWith { deflate: false })),
        expect if expect.starts_with("101 + ext") => {
            allowed.push(ok(Answer::OpenWith { deflate: true }));
            allowed.push((Behavior::Unimplemented, Answer::Open));
        }
        _ => allowed.push(ok(Answer::Open)),
    }
    if row.expect.contains("Sec-WebSocket-Version") {
        // The field is demanded, the status is an example.
        allowed.push(ok(Answer::RefusalWithVersion));
    } else if !refusals.is_empty() {
        allowed.push(ok(Answer::Status(refusals)));
        allowed.push(not_strict(Answer::Refusal));
        allowed.push(not_strict(Answer::Silence));
    } else if row.id == "H45" {
        allowed.push(not_strict(Answer::Refusal));
    }
    allowed
}

fn requirement(row: &Row) -> (&'static str, &'static str) {
    const ABORT: &str = "the server MUST stop processing the client's handshake and return an HTTP \
                         response with an appropriate error code (such as 400 Bad Request)";
    const VERSION: &str = "If this version does not match a version understood by the server, the server \
                           MUST abort the WebSocket handshake described in this section and instead send \
                           an appropriate HTTP error code (such as 426 Upgrade Required) and a \
                           |Sec-WebSocket-Version| header field";
    const OFFER: &str = "A server MUST decline an extension negotiation offer for this extension if any \
                         of the following conditions are met";
    const ACCEPT: &str = "If the server chooses to accept the incoming connection, it MUST reply with a \
                          valid HTTP response";
    match row.id.as_str() {
        "H10" | "H11" => ("RFC 6455 4.2.2", VERSION),
        id if id.starts_with('N') => ("RFC 7692 7.1", OFFER),
        _ if row.status.contains(&101) => ("RFC 6455 4.2.2", ACCEPT),
        _ => ("RFC 6455 4.2.1", ABORT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_case_in_two_forms() {
        let rows: Vec<Row> = serde_json::from_str(ROWS).unwrap();
        assert!(rows.len() >= 54);
        assert_eq!(cases().len(), 2 * rows.len());
        for case in cases() {
            assert!(!case.opening.unwrap().allowed.is_empty(), "{}", case.id);
        }
    }
}
