//! 10: one message in fragments as libraries make them (RFC 6455 5.4).

use crate::case::{Case, Event, Step};
use crate::wire::frame::text;
use crate::wire::payload::Payload;

pub(super) fn cases() -> Vec<Case> {
    let payload = Payload::repeated(b"*", 65_536);
    let case = Case::new(
        "10.1.1",
        "a text message of 65536 bytes in fragments of 1300 bytes",
        "RFC 6455 5.4",
        "The primary purpose of fragmentation is to allow sending a message that is of unknown size when \
         the message is started without having to buffer that message",
    );
    vec![
        case.step(Step::Fragments { message: text(payload.clone()), size: 1300 })
            .expect([Event::Text(payload)])
            .fail_after(10.0),
    ]
}
