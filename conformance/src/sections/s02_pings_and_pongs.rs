//! 2: Pings are answered with Pongs, and Pongs with nothing (RFC 6455 5.5.2, 5.5.3).

use crate::case::{Case, Cut, Event, Step};
use crate::wire::frame::{ping, pong};
use crate::wire::payload::Payload;

const ANSWER: &str = "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in response";
const SAME: &str = "A Pong frame sent in response to a Ping frame must have identical \"Application \
                    data\" as found in the message body of the Ping frame being replied to";
const UNASKED: &str = "A response to an unsolicited Pong frame is not expected";
const TOO_LONG: &str = "All control frames MUST have a payload length of 125 bytes or less";
const ONLY_LAST: &str = "If an endpoint receives a Ping frame and has not yet sent Pong frame(s) in \
                         response to previous Ping frame(s), the endpoint MAY elect to send a Pong frame \
                         for only the most recently processed Ping frame";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = answered();
    cases.push(
        Case::new("2.5", "a Ping of 126 bytes", "RFC 6455 5.5", TOO_LONG)
            .send([ping(Payload::repeated(b"\xfe", 126))])
            .expect([])
            .peer_fails(1002),
    );
    cases.extend(unasked());
    for (id, cut, how) in [("2.10", Cut::Whole, ""), ("2.11", Cut::Octets(1), ", byte by byte")] {
        let payloads: Vec<String> = (0..10).map(|n| format!("payload-{n}")).collect();
        let pings: Vec<_> = payloads.iter().cloned().map(ping).collect();
        let pongs: Vec<_> =
            payloads.into_iter().map(|payload| Event::Pong(payload.into())).collect();
        let title = format!("ten Pings, each to be answered{how}");
        cases.push(
            Case::new(id, title, "RFC 6455 5.5.3", ONLY_LAST)
                .send_cut(pings, cut)
                .expect(pongs)
                .close_after(3.0),
        );
    }
    cases
}

fn answered() -> Vec<Case> {
    let octets: Payload = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff".into();
    let most = Payload::repeated(b"\xfe", 125);
    let rows: [(_, _, _, Payload, _, _); 5] = [
        ("2.1", "a Ping without payload", ANSWER, "".into(), Cut::Whole, 1.0),
        ("2.2", "a Ping with text in it", SAME, "Hello, world!".into(), Cut::Whole, 1.0),
        ("2.3", "a Ping with bytes that are no text", SAME, octets, Cut::Whole, 1.0),
        ("2.4", "a Ping of 125 bytes", SAME, most.clone(), Cut::Whole, 1.0),
        ("2.6", "a Ping of 125 bytes, byte by byte", SAME, most, Cut::Octets(1), 2.0),
    ];
    let case = |(id, title, sentence, payload, cut, patience): (_, _, _, Payload, _, _)| {
        Case::new(id, title, "RFC 6455 5.5.2", sentence)
            .send_cut([ping(payload.clone())], cut)
            .expect([Event::Pong(payload)])
            .close_after(patience)
    };
    rows.map(case).into()
}

fn unasked() -> [Case; 3] {
    let case = |id, title| Case::new(id, title, "RFC 6455 5.5.3", UNASKED).close_after(1.0);
    let close = || Step::Close { body: Payload::from(b"\x03\xe8") };
    [
        case("2.7", "a Pong that answers nothing, without payload")
            .send([pong("")])
            .step(close())
            .expect([]),
        case("2.8", "a Pong that answers nothing, with payload")
            .send([pong("unsolicited pong payload")])
            .step(close())
            .expect([]),
        case("2.9", "a Pong that answers nothing, then a Ping")
            .send([pong("unsolicited pong payload"), ping("ping payload")])
            .expect([Event::Pong("ping payload".into())]),
    ]
}
