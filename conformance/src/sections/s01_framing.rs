//! 1: one message in one frame, in each form of the length (RFC 6455 5.2).

use crate::case::{Case, Cut, Event};
use crate::wire::frame::{binary, text};
use crate::wire::payload::Payload;

const SENTENCE: &str = "the minimal number of bytes MUST be used to encode the length, for example, the \
                        length of a 124-byte-long string can't be encoded as the sequence 126, 0, 124";

pub(super) fn cases() -> Vec<Case> {
    let sizes = [0, 125, 126, 127, 128, 65_535, 65_536, 65_536];
    let mut cases = Vec::new();
    for (n, size) in (1..).zip(sizes) {
        // The last one comes in pieces that fit nothing.
        let (cut, how) = match n {
            8 => (Cut::Octets(997), ", in pieces of 997 bytes"),
            _ => (Cut::Whole, ""),
        };
        let patience = if size > 1000 { 10.0 } else { 1.0 };
        let case = |kind: u8, name: &str| {
            let title = format!("a {name} message of {size} bytes{how}");
            Case::new(format!("1.{kind}.{n}"), title, "RFC 6455 5.2", SENTENCE).fail_after(patience)
        };
        let payload = Payload::repeated(b"*", size);
        cases.push(
            case(1, "text").send_cut([text(payload.clone())], cut).expect([Event::Text(payload)]),
        );
        let payload = Payload::repeated(b"\xfe", size);
        cases.push(
            case(2, "binary")
                .send_cut([binary(payload.clone())], cut)
                .expect([Event::Binary(payload)]),
        );
    }
    cases
}
