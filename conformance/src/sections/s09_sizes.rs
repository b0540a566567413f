//! 9: large messages, many fragments, small pieces, many messages (RFC 6455 5.4, 10.4).

use std::time::Duration;

use crate::case::{Case, Cut, Event, Step};
use crate::exchange::{Exchange, Source};
use crate::wire::frame::{Frame, binary, text};
use crate::wire::payload::Payload;

const SIZE: &str = "Implementations that have implementation- and/or platform-specific limitations \
                    regarding the frame size or total message size after reassembly from multiple \
                    frames MUST protect themselves against exceeding those limits";
const FRAGMENTS: &str = "A fragmented message is conceptually equivalent to a single larger message whose \
                         payload is equal to the concatenation of the payloads of the fragments in order";
const PIECES: &str = "Incoming data MUST be parsed as WebSocket frames as defined in Section 5.2";
const TEXT: &[u8] = b"BAsd7&jh23";
const BINARY: &[u8] = b"\x00\xfe\x23\xfa\xf0";
const MIB: usize = 1 << 20;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (kind, (group, name)) in [("text", 1), ("binary", 2)].into_iter().map(|(n, g)| (n, (g, n)))
    {
        let is_text = kind == "text";
        let pattern = if is_text { TEXT } else { BINARY };
        for (n, size) in (1..).zip([64 << 10, 256 << 10, MIB, 4 * MIB, 8 * MIB, 16 * MIB]) {
            let title = format!("a {name} message of {} KiB", size >> 10);
            let patience = if n <= 2 || !is_text && n <= 4 { 10.0 } else { 100.0 };
            let (frame, event) = both(is_text, pattern, size);
            cases.push(
                Case::new(format!("9.{group}.{n}"), title, "RFC 6455 10.4", SIZE)
                    .send([frame])
                    .expect([event])
                    .close_after(patience),
            );
        }
        cases.extend(fragments(group + 2, is_text));
        cases.extend(pieces(group + 4, is_text, pattern));
        cases.extend(round_trips(group + 6, is_text));
    }
    cases
}

fn both(is_text: bool, pattern: &'static [u8], size: usize) -> (Frame, Event) {
    let payload = Payload::repeated(pattern, size);
    if is_text {
        (text(payload.clone()), Event::Text(payload))
    } else {
        (binary(payload.clone()), Event::Binary(payload))
    }
}

fn fragments(group: usize, is_text: bool) -> Vec<Case> {
    let case = |n: usize| {
        let size = 64 << (2 * (n - 1));
        let (message, event) = both(is_text, if is_text { b"*" } else { b"\xfe" }, 4 * MIB);
        let title = format!("a message of 4 MiB in fragments of {size} bytes");
        Case::new(format!("9.{group}.{n}"), title, "RFC 6455 5.4", FRAGMENTS)
            .step(Step::Fragments { message, size })
            .expect([event])
            .close_after(100.0)
    };
    (1..=9).map(case).collect()
}

fn pieces(group: usize, is_text: bool, pattern: &'static [u8]) -> Vec<Case> {
    let case = |n: usize| {
        let size = 64 << (n - 1);
        let (frame, event) = both(is_text, pattern, MIB);
        let title = format!("a frame of 1 MiB, in pieces of {size} bytes");
        Case::new(format!("9.{group}.{n}"), title, "RFC 6455 6.2", PIECES)
            .send_cut([frame], Cut::Octets(size))
            .expect([event])
            .close_after(1000.0)
    };
    (1..=6).map(case).collect()
}

fn round_trips(group: usize, is_text: bool) -> Vec<Case> {
    let sizes = [(0, 60), (16, 60), (64, 60), (256, 120), (1024, 240), (4096, 480)];
    let case = |(n, (length, patience)): (usize, (usize, u64))| {
        let exchange = Exchange {
            source: Source::Repeated(if is_text { b"*" } else { b"\xfe" }),
            text: is_text,
            length,
            count: 1000,
            fragment: None,
        };
        let name = if is_text { "text" } else { "binary" };
        let title = format!("1000 {name} messages of {length} bytes, each echoed before the next");
        let mut case = Case::new(format!("9.{group}.{n}"), title, "RFC 6455 6.2", PIECES)
            .step(Step::Exchange(exchange));
        case.patience = Duration::from_secs(patience);
        case
    };
    (1..).zip(sizes).map(case).collect()
}
