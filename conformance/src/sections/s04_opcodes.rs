//! 4: reserved opcodes (RFC 6455 5.2).

use crate::case::{Case, Cut, Event};
use crate::wire::frame::{frame, ping, text};

const SENTENCE: &str = "If an unknown opcode is received, the receiving endpoint MUST _Fail the \
                        WebSocket Connection_";
const HELLO: &str = "Hello, world!";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (group, name, first) in [(1, "data", 3_u8), (2, "control", 11)] {
        for (n, opcode) in (1..=5).zip(first..) {
            let with = match n {
                1 | 3 => "without payload",
                2 | 4 => "with payload",
                _ => "with payload, byte by byte",
            };
            let title = format!("a frame with reserved {name} opcode {opcode}, {with}");
            let id = format!("4.{group}.{n}");
            let case = Case::new(id, title, "RFC 6455 5.2", SENTENCE).peer_fails(1002);
            cases.push(match n {
                1 => case.send([frame(opcode, "")]).expect([]),
                2 => case.send([frame(opcode, "reserved opcode payload")]).expect([]),
                // Amid good frames, of which the one before should come back.
                _ => {
                    let payload = if n == 3 { "" } else { HELLO };
                    let cut = if n == 5 { Cut::Octets(1) } else { Cut::Whole };
                    case.send_cut([text(HELLO), frame(opcode, payload), ping("")], cut)
                        .expect([Event::Text(HELLO.into())])
                        .or_not_strict([])
                }
            });
        }
    }
    cases
}
