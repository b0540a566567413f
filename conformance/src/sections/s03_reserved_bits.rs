//! 3: reserved bits, where no extension gives them a meaning (RFC 6455 5.2).

use crate::case::{Case, Cut, Event};
use crate::wire::frame::{Frame, binary, close_body, ping, text};

const SENTENCE: &str = "If a nonzero value is received and none of the negotiated extensions defines the \
                        meaning of such a nonzero value, the receiving endpoint MUST _Fail the WebSocket \
                        Connection_";
const HELLO: &str = "Hello, world!";
const OCTETS: &[u8] = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff";

pub(super) fn cases() -> Vec<Case> {
    let case = |bits: u8, title: &str| {
        let title = format!("{title} with RSV bits {bits:03b}");
        Case::new(format!("3.{bits}"), title, "RFC 6455 5.2", SENTENCE).peer_fails(1002)
    };
    let alone = |bits, title, frame: Frame| case(bits, title).send([frame.rsv(bits)]).expect([]);
    // A good message before, which should come back, and a Ping behind, which must not be answered.
    let between = |bits, how: &str, cut| {
        case(bits, &format!("a message, then one{how}"))
            .send_cut([text(HELLO), text(HELLO).rsv(bits), ping("")], cut)
            .expect([Event::Text(HELLO.into())])
            .or_not_strict([])
    };
    vec![
        alone(1, "a text message", text(HELLO)),
        between(2, "", Cut::Whole),
        between(3, ", frame by frame,", Cut::Frames),
        between(4, ", byte by byte,", Cut::Octets(1)),
        alone(5, "a binary message", binary(OCTETS)),
        alone(6, "a binary message of text", binary(HELLO)),
        alone(7, "a Close frame", close_body("")),
    ]
}
