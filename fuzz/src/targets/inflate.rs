//! Compressed messages against a second inflater, written from RFC 1951 for clarity: the same
//! bytes come out, or the connection fails with 1007, however the input is cut.

use websocket_proto::{Connection, DeflateParams, Event, Negotiated};

use super::super::common::{Log, feed, keys};
use super::super::reference::inflate;
use super::super::script::Script;

pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let params = DeflateParams { server_no_context_takeover: script.flag(), ..Default::default() };
    let (config, cuts) = (script.unlimited(), script.cuts());
    let (mut wire, mut expected, mut failed) = (Vec::new(), Vec::new(), false);
    let mut window = Vec::new();
    while !script.0.is_empty() && !failed {
        let kind = script.byte();
        let is_text = kind & 1 == 1;
        // The end of a long message is read in another way: many stored blocks, then anything.
        let long = if kind & 128 == 128 { stored(script.string()).repeat(64) } else { Vec::new() };
        let payload = &[&long, script.string()].concat()[..];
        // One frame or two; RSV1 is set on the first (RFC 7692 6.1).
        let opcode = if is_text { 0x41 } else { 0x42 };
        let (first, second) = payload.split_at(payload.len() / 2);
        let frames = if payload.len() % 2 == 0 {
            vec![(opcode, first), (0x80, second)]
        } else {
            vec![(0x80 | opcode, payload)]
        };
        for (head, part) in frames {
            let [high, low] = (part.len() as u16).to_be_bytes();
            let long = [head, 126, high, low];
            let short = [head, part.len() as u8];
            wire.extend(if part.len() < 126 { &short[..] } else { &long[..] });
            wire.extend(part);
        }
        match inflate(payload, &window).map(|it| (event(is_text, it.bytes), it.window)) {
            Some((Some(event), after)) => (expected.push(event), window = after).1,
            _ => failed = true,
        }
        if params.server_no_context_takeover {
            window.clear();
        }
    }
    let mut negotiated = Negotiated::default();
    negotiated.deflate = Some(params);
    for pieces in [cuts.of(&wire).collect(), vec![&wire[..]]] {
        let log = feed(&mut Connection::client(negotiated.clone(), config, keys()), pieces);
        let Log { events, error, .. } = log.join_chunks();
        assert_eq!(error.map(|it| it.close_code().get()), failed.then_some(1007), "{error:?}");
        assert!(events == expected, "what came out");
    }
}

/// RFC 1951 section 3.2.4.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let len = (bytes.len() as u16).to_le_bytes();
    [&[0x00][..], &len, &len.map(|it| !it), bytes].concat()
}

/// `None` for text that is not UTF-8.
fn event(is_text: bool, bytes: Vec<u8>) -> Option<Event<'static>> {
    if !is_text {
        return Some(Event::Binary(bytes.into()));
    }
    String::from_utf8(bytes).ok().map(|text| Event::Text(text.into()))
}
