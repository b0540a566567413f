//! C: the closing handshake beyond Autobahn: all codes that are registered, and that nothing follows a
//! Close frame (RFC 6455 5.5.1, 7).

use crate::case::{Case, Event, Step};
use crate::wire::frame::{close, continuation, frame, ping, text};
use crate::wire::payload::Payload;

const ECHO: &str = "When sending a Close frame in response, the endpoint typically echos the status code \
                    it received";
const ANSWER: &str = "If an endpoint receives a Close frame and did not previously send a Close frame, the \
                      endpoint MUST send a Close frame in response";
const DISCARD: &str = "After receiving a control frame indicating the connection should be closed, a peer \
                       discards any further data received";
const RESERVED: &str = "is a reserved value and MUST NOT be set as a status code in a Close control frame \
                        by an endpoint";
const PONG: &str = "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in response, unless \
                    it already received a Close frame";
const UTF8: &str = "Following the 2-byte integer, the body MAY contain UTF-8-encoded data";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = codes();
    cases.extend(before_close());
    cases.extend(after_close());
    cases.extend(reasons());
    cases
}

fn case(n: usize, title: impl Into<String>, section: &'static str, sentence: &'static str) -> Case {
    Case::new(format!("C.{n}"), title, section, sentence).closes_by_itself().strict()
}

fn closing(code: u16, reason: &[u8]) -> Step {
    let body: Payload = [&code.to_be_bytes()[..], reason].concat().into();
    Step::Close { body }
}

/// Codes that were registered after the RFC, then the reserved ones.
fn codes() -> Vec<Case> {
    let mut cases = Vec::new();
    for (n, code) in (1..).zip(1012..=1014) {
        cases.push(
            case(n, format!("a Close frame with code {code}"), "RFC 6455 7.4.2", ECHO)
                .step(closing(code, b""))
                .expect([])
                .close_codes([1000, code]),
        );
    }
    for (n, code) in (4..).zip([1005, 1006, 1015]) {
        cases.push(
            case(n, format!("a Close frame with code {code}"), "RFC 6455 7.4.1", RESERVED)
                .step(closing(code, b"reserved"))
                .expect([])
                .close_codes([1002])
                .may_end_unclean(),
        );
    }
    cases
}

/// What was sent before a Close should be answered before it.
fn before_close() -> Vec<Case> {
    vec![
        case(7, "a Ping, then a Close at once", "RFC 6455 5.5.2", PONG)
            .send([ping("before")])
            .step(closing(1000, b""))
            .expect([Event::Pong("before".into())])
            .or_not_strict([]),
        case(8, "a message, then a Close at once", "RFC 6455 5.5.1", ANSWER)
            .send([text("before")])
            .step(closing(1000, b""))
            .expect([Event::Text("before".into())])
            .or_not_strict([]),
        case(9, "a message that is not ended, then a Close", "RFC 6455 5.5.1", ANSWER)
            .send([text("never ").more(), continuation("ended").more()])
            .step(closing(1000, b""))
            .expect([]),
    ]
}

fn after_close() -> Vec<Case> {
    let rows = [
        ("another Close with another code", close(1001, b"again")),
        ("a frame with a reserved opcode", frame(3, "ignored")),
        ("a Ping", ping("ignored")),
        ("a message that is no UTF-8", text(b"\xff")),
    ];
    let case = |(n, (what, frame))| {
        case(n, format!("a Close, then {what}"), "RFC 6455 1.4", DISCARD)
            .step(closing(1000, b""))
            .send([frame])
            .expect([])
    };
    (10..).zip(rows).map(case).collect()
}

fn reasons() -> Vec<Case> {
    let longest = "\u{20ac}".repeat(41);
    vec![
        case(14, "a reason of 41 characters of three bytes, the longest", "RFC 6455 5.5.1", UTF8)
            .step(closing(1000, longest.as_bytes()))
            .expect([]),
        case(15, "a reason that is cut within a character", "RFC 6455 5.5.1", UTF8)
            .step(closing(1000, longest.as_bytes().get(..122).unwrap_or_default()))
            .expect([])
            .close_codes([1007, 1002])
            .may_end_unclean(),
    ]
}
