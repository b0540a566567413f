//! 7: the closing handshake (RFC 6455 5.5.1, 7).

use crate::case::{Case, Event, Step};
use crate::wire::frame::{close_body, continuation, ping, text};
use crate::wire::payload::Payload;

const AFTER: &str =
    "The application MUST NOT send any more data frames after sending a Close frame";
const IGNORE: &str = "After receiving a control frame indicating the connection should be closed, a peer \
                      discards any further data received";
const ANSWER: &str = "If an endpoint receives a Close frame and did not previously send a Close frame, the \
                      endpoint MUST send a Close frame in response";
const BODY: &str = "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer \
                    (in network byte order) representing a status code";
const ECHO: &str = "When sending a Close frame in response, the endpoint typically echos the status code \
                    it received";
const LENGTH: &str = "All control frames MUST have a payload length of 125 bytes or less";
const UTF8: &str = "Following the 2-byte integer, the body MAY contain UTF-8-encoded data";
const RESERVED: &str =
    "Endpoints MAY use the following pre-defined status codes when sending a Close frame";
const UNDEFINED: &str =
    "Status codes in the range 4000-4999 are reserved for private use and thus can't be registered";

/// Codes that may be in a Close frame, codes that may not, and codes that the RFC has no word for.
const GOOD: [u16; 13] =
    [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
const BAD: [u16; 9] = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
const BEYOND: [u16; 2] = [5000, 65_535];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = after_close();
    cases.extend(bodies());
    for (n, code) in (1..).zip(GOOD) {
        let title = format!("a Close frame with code {code}");
        let mut case = Case::new(format!("7.7.{n}"), title, "RFC 6455 5.5.1", ECHO)
            .step(close_with(code, b""))
            .expect([])
            .close_codes([1000, code])
            .closes_by_itself();
        case.closing.codes.dedup();
        cases.push(case);
    }
    for (n, code) in (1..).zip(BAD) {
        let title = format!("a Close frame with code {code}, which none may have");
        cases.push(
            Case::new(format!("7.9.{n}"), title, "RFC 6455 7.4.2", RESERVED)
                .step(close_with(code, b""))
                .expect([])
                .close_codes([1002])
                .may_end_unclean()
                .closes_by_itself(),
        );
    }
    for (n, code) in (1..).zip(BEYOND) {
        let title = format!("a Close frame with code {code}, above all that are defined");
        cases.push(
            Case::new(format!("7.13.{n}"), title, "RFC 6455 7.4.2", UNDEFINED)
                .step(close_with(code, b""))
                .expect([])
                .close_codes([1000, code, 1002])
                .may_end_unclean()
                .closes_by_itself()
                .informational(),
        );
    }
    cases
}

fn close(body: impl Into<Payload>) -> Step {
    Step::Close { body: body.into() }
}

fn close_with(code: u16, reason: &[u8]) -> Step {
    close([&code.to_be_bytes()[..], reason].concat())
}

fn after_close() -> Vec<Case> {
    let case = |n: usize, title, sentence| {
        Case::new(format!("7.1.{n}"), title, "RFC 6455 5.5.1", sentence)
    };
    let mut echoed = case(1, "a message, and a Close when its echo has come", ANSWER)
        .send([text("Hello World!")])
        .expect([Event::Text("Hello World!".into())]);
    echoed.closing.wrong_code_is_failure = true;
    vec![
        echoed,
        case(2, "two Close frames", IGNORE)
            .step(close_with(1000, b""))
            .send([close_body("")])
            .expect([])
            .closes_by_itself(),
        case(3, "a Ping behind a Close", IGNORE)
            .step(close_with(1000, b""))
            .send([ping("")])
            .expect([])
            .closes_by_itself(),
        case(4, "a message behind a Close", AFTER)
            .step(close_with(1000, b""))
            .send([text("Hello World!")])
            .expect([])
            .closes_by_itself(),
        case(5, "a Close between two fragments", AFTER)
            .send([text("fragment1").more()])
            .step(close_with(1000, b""))
            .send([continuation("fragment2")])
            .expect([])
            .closes_by_itself(),
        case(6, "a message of 256 KiB, another one, a Close and a Ping at once", IGNORE)
            .send([text(Payload::repeated(b"BAsd7&jh23", 256 << 10))])
            .send([text("Hello World!")])
            .step(close_with(1000, b""))
            .send([ping("")])
            .expect([Event::Text("Hello World!".into())])
            .or_not_strict([])
            .closes_by_itself()
            .informational(),
    ]
}

fn bodies() -> Vec<Case> {
    let case = |n: usize, title, section, sentence| {
        Case::new(format!("7.3.{n}"), title, section, sentence).expect([]).closes_by_itself()
    };
    let faulty = |case: Case, codes: &[u16]| case.close_codes(codes).may_end_unclean();
    let not_utf8 = ["κ\u{1f79}σμε".as_bytes(), b"\xed\xa0\x80edited"].concat();
    let reason = Case::new("7.5.1", "a reason that is no UTF-8", "RFC 6455 5.5.1", UTF8)
        .expect([])
        .closes_by_itself();
    vec![
        case(1, "a Close frame without a body", "RFC 6455 5.5.1", ANSWER).step(close("")),
        faulty(case(2, "a body of one byte", "RFC 6455 5.5.1", BODY), &[1002]).step(close("a")),
        case(3, "a code and no reason", "RFC 6455 5.5.1", ANSWER).step(close_with(1000, b"")),
        case(4, "a code and a reason", "RFC 6455 5.5.1", ANSWER)
            .step(close_with(1000, b"Hello World!")),
        case(5, "a reason of 123 bytes, the longest", "RFC 6455 5.5", LENGTH)
            .step(close_with(1000, &[b'*'; 123])),
        faulty(case(6, "a reason of 124 bytes, one too many", "RFC 6455 5.5", LENGTH), &[1002])
            .step(close_with(1000, &[b'*'; 124])),
        faulty(reason, &[1002, 1007]).step(close_with(1000, &not_utf8)),
    ]
}
