//! 6: text is UTF-8, and what is not is found (RFC 6455 5.6, 8.1).
//!
//! The sequences are those of Markus Kuhn's decoder stress test, as far as they are about one rule.

use std::time::Duration;

use crate::case::{Case, Event, Step};
use crate::wire::frame::{Frame, continuation, text};

const INVALID: &str = "When an endpoint is to interpret a byte stream as UTF-8 but finds that the byte \
                       stream is not, in fact, a valid UTF-8 stream, that endpoint MUST _Fail the \
                       WebSocket Connection_";
const VALID: &str = "Note that a particular text frame might include a partial UTF-8 sequence; however, \
                     the whole message MUST contain valid UTF-8";
/// The second letter is U+1F79, of three bytes.
const GREEK: &[u8] = "κ\u{1f79}σμε".as_bytes();
/// A surrogate, and a code point beyond the last: both inside text that is valid without them.
const SURROGATE: &[u8] = b"\xed\xa0\x80";
const TOO_LARGE: &[u8] = b"\xf4\x90\x80\x80";
const EDITED: &[u8] = b"edited";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::from(fragments());
    cases.extend(invalid_fragments());
    cases.extend(fail_fast());
    for (group, sequences) in (5..).zip(sequences()) {
        for (n, sequence) in (1..).zip(sequences) {
            cases.push(single(&format!("6.{group}.{n}"), sequence));
        }
    }
    cases
}

fn good(id: &str, title: &str, frames: impl Into<Vec<Frame>>, whole: &[u8]) -> Case {
    Case::new(id, title, "RFC 6455 5.6", VALID)
        .send(frames)
        .expect([Event::Text(whole.to_vec().into())])
        .close_after(1.0)
}

fn bytewise(id: &str, title: &str, payload: &[u8]) -> Case {
    Case::new(id, title, "RFC 6455 5.6", VALID)
        .step(Step::Fragments { message: text(payload.to_vec()), size: 1 })
        .expect([Event::Text(payload.to_vec().into())])
        .close_after(1.0)
}

fn fragments() -> [Case; 7] {
    let (first, second) = ("Hello-µ@ßöä", "üàá-UTF-8!!");
    let whole = [first, second].concat().into_bytes();
    let bytes = "text in fragments of one byte, which end within characters";
    [
        good("6.1.1", "empty text", [text("")], b""),
        good(
            "6.1.2",
            "text in three empty fragments",
            [text("").more(), continuation("").more(), continuation("")],
            b"",
        ),
        good(
            "6.1.3",
            "text between two empty fragments",
            [text("").more(), continuation("middle frame payload").more(), continuation("")],
            b"middle frame payload",
        ),
        good("6.2.1", "text with characters of two bytes", [text(whole.clone())], &whole),
        good(
            "6.2.2",
            "the same in two fragments, between two characters",
            [text(first).more(), continuation(second)],
            &whole,
        ),
        bytewise("6.2.3", bytes, &whole),
        bytewise("6.2.4", bytes, GREEK),
    ]
}

fn bad(id: &str, title: impl Into<String>) -> Case {
    Case::new(id, title, "RFC 6455 8.1", INVALID).peer_fails(1007).wrong_side_is_failure()
}

fn invalid_fragments() -> [Case; 2] {
    let payload = [GREEK, SURROGATE, EDITED].concat();
    [
        bad("6.3.1", "text with a surrogate in it").send([text(payload.clone())]).expect([]),
        bad("6.3.2", "the same in fragments of one byte")
            .step(Step::Fragments { message: text(payload), size: 1 })
            .expect([]),
    ]
}

/// The fault lies in the second of three parts, with a pause behind each: it should be seen there.
fn fail_fast() -> Vec<Case> {
    let payload = [GREEK, TOO_LARGE, EDITED].concat();
    // One behind the byte that proves the fault, or behind the whole faulty character.
    let exact = GREEK.len() + 1;
    let rows = [
        ("6.4.1", GREEK.len(), GREEK.len() + TOO_LARGE.len(), true),
        ("6.4.2", exact, exact + 1, true),
        ("6.4.3", GREEK.len(), GREEK.len() + TOO_LARGE.len(), false),
        ("6.4.4", exact, exact + 1, false),
    ];
    let case = |(id, one, two, fragments): (&str, usize, usize, bool)| {
        let what = if fragments { "fragments" } else { "pieces of one frame" };
        let part = |from: usize, to: usize| {
            if !fragments {
                return Step::Part { frame: text(payload.clone()), from, to };
            }
            let bytes = payload.get(from..to).unwrap_or_default().to_vec();
            let mut frame = if from == 0 { text(bytes) } else { continuation(bytes) };
            frame.fin = to == payload.len();
            Step::Send { frames: vec![frame], cut: crate::case::Cut::Whole }
        };
        let pause = |name| Step::WaitOpen(Duration::from_secs(1), name);
        bad(id, format!("text in three {what}, of which the second, up to byte {two}, is no UTF-8"))
            .step(part(0, one))
            .step(pause("A"))
            .step(part(one, two))
            .step(pause("B"))
            .step(part(two, payload.len()))
            .expect([Event::StillOpen("A")])
            .or_not_strict([Event::StillOpen("A"), Event::StillOpen("B")])
    };
    rows.map(case).into()
}

/// One sequence, alone in a message. What it must be taken for follows from what UTF-8 is.
fn single(id: &str, sequence: Vec<u8>) -> Case {
    if std::str::from_utf8(&sequence).is_ok() {
        Case::new(id, format!("text {}", hex(&sequence)), "RFC 6455 5.6", VALID)
            .send([text(sequence.clone())])
            .expect([Event::Text(sequence.into())])
            .fail_after(0.5)
    } else {
        bad(id, format!("text {}, which is no UTF-8", hex(&sequence)))
            .send([text(sequence)])
            .expect([])
            .fail_after(0.5)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Groups 5 to 23.
fn sequences() -> Vec<Vec<Vec<u8>>> {
    let own = |rows: &[&[u8]]| rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>();
    let cut_short = own(&[
        b"\xc0",
        b"\xe0\x80",
        b"\xf0\x80\x80",
        b"\xf8\x80\x80\x80",
        b"\xfc\x80\x80\x80\x80",
        b"\xdf",
        b"\xef\xbf",
        b"\xf7\xbf\xbf",
        b"\xfb\xbf\xbf\xbf",
        b"\xfd\xbf\xbf\xbf\xbf",
    ]);
    vec![
        own(&[
            b"hello\x24world",
            "hello¢world".as_bytes(),
            "hello€world".as_bytes(),
            "hello\u{24b62}world".as_bytes(),
            GREEK,
        ]),
        (1..=GREEK.len()).filter_map(|end| GREEK.get(..end)).map(<[u8]>::to_vec).collect(),
        // The first and the last character of each length, and what would come after them.
        own(&[b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"]),
        own(&[b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"]),
        own(&[b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"]),
        own(&[b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"]),
        own(&[
            b"\xed\x9f\xbf",
            b"\xee\x80\x80",
            b"\xef\xbf\xbd",
            b"\xf4\x8f\xbf\xbf",
            b"\xf4\x90\x80\x80",
        ]),
        lonely_continuations(),
        lonely_starts(),
        cut_short.clone(),
        vec![cut_short.concat()],
        own(&[b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"]),
        // Longer than need be: a slash, the last of each length, and NUL.
        own(&[
            b"\xc0\xaf",
            b"\xe0\x80\xaf",
            b"\xf0\x80\x80\xaf",
            b"\xf8\x80\x80\x80\xaf",
            b"\xfc\x80\x80\x80\x80\xaf",
        ]),
        own(&[
            b"\xc1\xbf",
            b"\xe0\x9f\xbf",
            b"\xf0\x8f\xbf\xbf",
            b"\xf8\x87\xbf\xbf\xbf",
            b"\xfc\x83\xbf\xbf\xbf\xbf",
        ]),
        own(&[
            b"\xc0\x80",
            b"\xe0\x80\x80",
            b"\xf0\x80\x80\x80",
            b"\xf8\x80\x80\x80\x80",
            b"\xfc\x80\x80\x80\x80\x80",
        ]),
        // Surrogates, alone and in pairs.
        own(&[
            b"\xed\xa0\x80",
            b"\xed\xad\xbf",
            b"\xed\xae\x80",
            b"\xed\xaf\xbf",
            b"\xed\xb0\x80",
            b"\xed\xbe\x80",
            b"\xed\xbf\xbf",
        ]),
        surrogate_pairs(),
        noncharacters(),
        (0xfff9..=0xffff).filter_map(char::from_u32).map(utf8).collect(),
    ]
}

fn utf8(character: char) -> Vec<u8> {
    character.to_string().into_bytes()
}

fn lonely_continuations() -> Vec<Vec<u8>> {
    let mut rows = vec![vec![0x80], vec![0xbf]];
    rows.extend((2..=6).map(|n| [0x80, 0xbf].into_iter().cycle().take(n).collect()));
    rows.push((0x80..0xbf).collect());
    rows
}

/// All first bytes of each length but the last, with spaces between.
fn lonely_starts() -> Vec<Vec<u8>> {
    let ranges = [0xc0..0xdf, 0xe0..0xef, 0xf0..0xf7, 0xf8..0xfb, 0xfc..0xfd_u8];
    ranges.map(|range| range.flat_map(|byte| [byte, b' ']).collect()).into()
}

fn surrogate_pairs() -> Vec<Vec<u8>> {
    let high: [&[u8]; 4] = [b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf"];
    let low: [&[u8]; 2] = [b"\xed\xb0\x80", b"\xed\xbf\xbf"];
    high.iter().flat_map(|high| low.map(|low| [high, low].concat())).collect()
}

/// Code points that are no characters and yet valid: the last two of each plane, and some inside.
fn noncharacters() -> Vec<Vec<u8>> {
    let mut rows = vec![utf8('\u{fffe}'), utf8('\u{ffff}')];
    for first in 0xf0..=0xf4_u8 {
        for second in [0x8f, 0x9f, 0xaf, 0xbf] {
            for last in [0xbe, 0xbf] {
                let row = vec![first, second, 0xbf, last];
                if std::str::from_utf8(&row).is_ok() {
                    rows.push(row);
                }
            }
        }
    }
    rows
}
