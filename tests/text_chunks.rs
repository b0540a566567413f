//! Text as it arrives: RFC 6455 5.6 and 8.1, at every cut of the message into frames and of the
//! bytes into inputs. The oracle is the standard library's validator over the whole prefix.

mod common;

use common::feed;
use common::wire::{CONTINUATION, FIN, ROLES, Role, TEXT, fails_at};
use websocket_proto::{Config, Connection, Delivery, Event, ProtocolError};

const DELIVERIES: [Delivery; 2] = [Delivery::Messages, Delivery::Chunks];

fn connection(role: Role, delivery: Delivery) -> Connection {
    let mut config = Config::default();
    config.delivery = delivery;
    role.connection(config)
}

/// A text message in two frames, cut at `cut`.
fn two_frames(role: Role, text: &[u8], cut: usize) -> Vec<u8> {
    let (head, tail) = text.split_at(cut);
    [role.frame(TEXT, head), role.frame(FIN | CONTINUATION, tail)].concat()
}

/// The text of the chunks; checks that they are chunks of one message, and where it ends.
fn join(events: &[Event<'_>], complete: bool) -> String {
    let mut joined = String::new();
    for (index, event) in events.iter().enumerate() {
        let Event::TextChunk { text, last } = event else { panic!("{event:?}") };
        assert_eq!(*last, complete && index + 1 == events.len(), "the last chunk, and no other");
        assert!(*last || !text.is_empty(), "an empty chunk says nothing");
        joined.push_str(text);
    }
    assert!(!complete || !events.is_empty(), "the end was not reported");
    joined
}

#[test]
fn valid_text_at_every_cut() {
    for text in ["", "a", "é", "€", "\u{10348}", "aé€\u{10348}z", "\u{10348}€éa", "€€", "é\u{0}é"]
    {
        for role in ROLES {
            for frame_cut in 0..=text.len() {
                let bytes = two_frames(role, text.as_bytes(), frame_cut);
                let check = |pieces: &[&[u8]]| {
                    let mut chunks = connection(role, Delivery::Chunks);
                    let log = feed(&mut chunks, pieces.iter().copied());
                    assert_eq!((join(&log.events, true).as_str(), log.error), (text, None));
                    let mut whole = connection(role, Delivery::Messages);
                    let log = feed(&mut whole, pieces.iter().copied());
                    assert_eq!(log.events, [Event::Text(text.into())]);
                };
                check(&bytes.chunks(1).collect::<Vec<_>>());
                for first in 0..=bytes.len() {
                    for second in first..=bytes.len() {
                        check(&[&bytes[..first], &bytes[first..second], &bytes[second..]]);
                    }
                }
            }
        }
    }
}

/// The number of bytes after which no continuation can make the text valid.
fn proved_at(bytes: &[u8]) -> Option<usize> {
    (1..=bytes.len()).find(|&len| {
        std::str::from_utf8(&bytes[..len]).is_err_and(|error| error.error_len().is_some())
    })
}

const INVALID: [&[u8]; 14] = [
    b"ok\xFF",
    b"\x80",
    b"\xC0\xAF",                               // overlong
    b"\xE0\x80\x80",                           // overlong
    b"\xE0\x9F\xBF",                           // overlong
    b"\xF0\x8F\xBF\xBF",                       // overlong
    b"\xED\xA0\x80",                           // surrogate
    b"a\xED\xBF\xBFb",                         // surrogate
    b"\xF4\x90\x80\x80",                       // above U+10FFFF
    b"\xF5\x80\x80\x80",                       // never begins a character
    b"\xE2\x82A",                              // ends too early
    b"\xF0\x90\x8D\xE2\x82",                   // ends too early
    b"\xCE\xBA\xE1\xBD\xB9\xED\xA0\x80edited", // Autobahn 6.3.1
    b"\xC3\xA9\xC3\xC3\xA9",
];

/// 8.1, and the policy of failing at the first bad byte, in the middle of a frame.
#[test]
fn invalid_text_fails_at_the_first_bad_byte() {
    for text in INVALID {
        let bad = proved_at(text).expect("invalid");
        for role in ROLES {
            for cut in 0..=text.len() {
                for delivery in DELIVERIES {
                    let bytes = two_frames(role, text, cut);
                    let header = role.header(TEXT, 0).len();
                    let headers = if bad <= cut { header } else { 2 * header };
                    let expected = (headers + bad, ProtocolError::InvalidUtf8);
                    let mut connection = connection(role, delivery);
                    assert_eq!(fails_at(&mut connection, &bytes), Some(expected), "{text:x?}");
                }
            }
        }
    }
}

/// Whatever the cuts: the error, and before it nothing but a part of the valid text.
#[test]
fn invalid_text_at_every_cut() {
    let unfinished: [&[u8]; 4] = [b"\xC3", b"a\xE2\x82", b"\xF0\x90\x8D", b"\xE2\x82\xAC\xF0"];
    for text in INVALID.into_iter().chain(unfinished) {
        let valid = std::str::from_utf8(text).expect_err("invalid").valid_up_to();
        for role in ROLES {
            for frame_cut in 0..=text.len() {
                let mut bytes = two_frames(role, text, frame_cut);
                bytes.extend(role.frame(FIN | TEXT, b"never delivered"));
                for cut in 0..=bytes.len() {
                    for delivery in DELIVERIES {
                        let pieces = [&bytes[..cut], &bytes[cut..]];
                        let log = feed(&mut connection(role, delivery), pieces);
                        assert_eq!(log.error, Some(ProtocolError::InvalidUtf8), "{text:x?}");
                        let delivered = join(&log.events, false);
                        assert!(text[..valid].starts_with(delivered.as_bytes()));
                    }
                }
            }
        }
    }
}

/// A control frame between the fragments comes after what was said before it.
#[test]
fn a_bad_byte_before_a_ping_is_reported_before_it() {
    for role in ROLES {
        for delivery in DELIVERIES {
            let bytes = [role.frame(TEXT, b"a\xFF"), role.frame(0x89, b"p")].concat();
            for cut in 0..=bytes.len() {
                let mut connection = connection(role, delivery);
                let log = feed(&mut connection, [&bytes[..cut], &bytes[cut..]]);
                assert_eq!(log.error, Some(ProtocolError::InvalidUtf8));
                assert!(!log.events.contains(&Event::Ping(b"p".into())));
            }
        }
    }
}
