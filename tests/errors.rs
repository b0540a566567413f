//! What errors say: what was seen, what was allowed, and which field changes it. And what `Debug`
//! must not say.

mod common;

use std::error::Error;

use common::keys;
use websocket_proto::handshake::{ClientRequest, HandshakeError, Origin, Url};
use websocket_proto::{
    ApiMisuse, CloseCode, CloseFrame, Message, Output, ProtocolError, SendError, UrlPart,
};

/// Lower case and without a full stop, so that they fit into a longer sentence; with `words`.
fn check(error: &impl Error, words: &[&str]) {
    let text = error.to_string();
    let first = text.chars().next().expect("says something");
    assert!(!first.is_uppercase() && !text.ends_with('.'), "{text}");
    for word in words {
        assert!(text.contains(word), "{text:?} does not say {word:?}");
    }
}

#[test]
fn protocol_errors_say_what_was_seen_and_allowed() {
    use ProtocolError::*;
    let cases: &[(ProtocolError, &[&str])] = &[
        (ReservedBits(0xC1), &["reserved bits", "0xc1"]),
        (ReservedOpcode(0xB), &["reserved opcode", "0xb"]),
        (Unmasked, &["client", "not masked"]),
        (Masked, &["server", "is masked"]),
        (LengthNotMinimal, &["length", "shortest"]),
        (LengthTopBit, &["length", "2^63"]),
        (FragmentedControl(9), &["control frame", "0x9", "fragmented"]),
        (LongControl(10), &["control frame", "0xa", "125"]),
        (UnexpectedContinuation, &["continuation"]),
        (ExpectedContinuation, &["new message", "fragmented"]),
        (CloseBodyTooShort, &["close frame", "one byte"]),
        (CloseCodeNotAllowed(1005), &["close code 1005"]),
        (InvalidUtf8, &["utf-8"]),
        (CorruptDeflate, &["deflate"]),
        (DataAfterFinalBlock, &["final deflate block"]),
        (FrameTooBig { seen: 17, limit: 16 }, &["frame", "17", "16", "Config::max_frame_size"]),
        (MessageTooBig { seen: 9, limit: 8 }, &["message", "9", "8", "Config::max_message_size"]),
        (TooManyFragments { limit: 3 }, &["3 fragments", "Config::max_fragments"]),
        (TooManyEmptyFragments { limit: 4 }, &["4 empty", "Config::max_empty_fragments"]),
        (CompressionFailed, &["compressor"]),
        (DirectMisuse, &["Connection::direct"]),
        (UnexpectedEof, &["without a close frame"]),
        (MessageTimeout, &["message", "deadline"]),
        (KeepaliveTimeout, &["ping"]),
        (CloseTimeout, &["close frame"]),
        (WriteTimeout, &["took no bytes"]),
    ];
    for (error, words) in cases {
        check(error, words);
    }
}

#[test]
fn misuse_says_what_is_allowed() {
    use ApiMisuse::*;
    let cases: &[(ApiMisuse, &[&str])] = &[
        (Closing, &["closing"]),
        (LongControl(126), &["126", "125"]),
        (CloseCodeNotAllowed(999), &["999", "1000-1003", "3000-4999"]),
        (MessageInProgress, &["not been finished"]),
        (NoCloseReceived, &["no close frame"]),
        (ChunksDelivered, &["chunks", "Config::delivery", "read"]),
        (FragmentKind, &["kind"]),
        (InvalidHeaderName, &["header name", "letters, digits"]),
        (InvalidHeaderValue, &["header value", "control character", "space"]),
        (ReservedHeader, &["handshake itself", "upgrade", "sec-websocket-*"]),
        (InvalidSubprotocol, &["subprotocol", "token"]),
        (SubprotocolNotOffered, &["subprotocol", "not offered"]),
        (InvalidStatus(200), &["200", "300 to 599"]),
        (AlreadyAnswered, &["answered already", "clone"]),
        (SecureUrl, &["wss://", "tls"]),
    ];
    for (misuse, words) in cases {
        check(misuse, words);
        // As it is when a message could not be sent because of it.
        let error = SendError::<Message<'_>>::Misuse(misuse.clone());
        assert_eq!(format!("{error:?}"), format!("Misuse({misuse:?})"));
        assert_eq!(error.to_string(), misuse.to_string());
        assert_eq!(error.source().map(ToString::to_string), Some(misuse.to_string()));
    }
    let full = SendError::Full(Message::text("kept"));
    assert_eq!(format!("{full:?}"), "Full(..)", "an unwrap does not print the message");
    check(&full, &["full", "Config::output_hard_limit"]);
    assert!(full.source().is_none());
    assert_eq!(SendError::<()>::from(full), SendError::Full(()));
    let misuse = SendError::<Message<'_>>::Misuse(Closing);
    assert_eq!(SendError::<()>::from(misuse), SendError::Misuse(Closing));
}

/// Which part of a URL is wrong and where, but nothing that could be a secret.
#[test]
fn misuse_says_which_part_of_a_url() {
    use UrlPart::*;
    let url: [(&str, UrlPart, u32, Option<u8>); 26] = [
        ("", Scheme, 0, None),
        ("h", Scheme, 0, None),
        ("ws:/h", Scheme, 0, None),
        ("http://h/", Scheme, 0, None),
        ("user:secret@h://", Scheme, 0, None),
        ("ws://", Host, 5, None),
        ("ws:///a", Host, 5, Some(b'/')),
        ("ws://:80/", Host, 5, Some(b':')),
        ("WSS://a b/", Host, 7, Some(b' ')),
        ("ws://\u{e9}/", Host, 5, Some(0xC3)),
        ("ws://h\\a/", Host, 6, Some(b'\\')),
        ("ws://[::1", Host, 5, Some(b'[')),
        ("ws://[::1]x/", Host, 10, Some(b'x')),
        ("ws://user:secret@h/", UserInfo, 5, None),
        ("ws://user@h/", UserInfo, 5, None),
        ("ws://us\r\ner:secret@h/", UserInfo, 5, None),
        ("ws://user:sec/ret@h/", Port, 10, None),
        ("ws://user/sec\"ret \u{e9}@h/", Path, 17, None),
        ("ws://h:65536", Port, 7, None),
        ("ws://h:+1/", Port, 7, None),
        ("ws://h/a b", Path, 8, Some(b' ')),
        ("ws://h/\r\n", Path, 7, Some(b'\r')),
        ("ws://h/a?token=secret\u{7f}", Query, 21, Some(0x7F)),
        ("ws://h?\u{e9}", Query, 7, Some(0xC3)),
        ("ws://h/a#f", Fragment, 8, None),
        ("ws://h#f", Fragment, 6, None),
    ];
    for (text, part, at, seen) in url {
        let misuse = text.parse::<Url>().expect_err(text);
        let ApiMisuse::InvalidUrl(fault) = misuse else { panic!("{text:?}: {misuse:?}") };
        assert_eq!((fault.part, fault.at, fault.seen), (part, at, seen), "{text:?}");
        check(&misuse, &["ws://host[:port][/path][?query]"]);
        for shown in [misuse.to_string(), format!("{misuse:?}")] {
            assert!(!shown.contains("user:") && !shown.contains("sec"), "{text:?}: {shown}");
        }
    }
    let texts: [(ApiMisuse, &[&str]); 9] = [
        ("ws://a b".parse::<Url>().expect_err("space"), &["host", "byte 6 (' ')", "ascii"]),
        ("ws://h/\n".parse::<Url>().expect_err("line end"), &["path", "byte 7 (0x0a)", "encoded"]),
        ("ws://h?\0".parse::<Url>().expect_err("nul"), &["query", "byte 7 (0x00)", "encoded"]),
        ("ws://u@h".parse::<Url>().expect_err("user"), &["password", "ClientRequest::basic_auth"]),
        ("ws://h#".parse::<Url>().expect_err("fragment"), &["fragment", "byte 6"]),
        ("http://h".parse::<Url>().expect_err("scheme"), &["scheme", "wss://"]),
        ("ws://h:x".parse::<Url>().expect_err("port"), &["port", "byte 7", "65535"]),
        ("h".parse::<Origin>().expect_err("none"), &["origin", "scheme://host[:port]", "scheme"]),
        ("http://h/x".parse::<Origin>().expect_err("path"), &["origin", "path", "byte 8 ('/')"]),
    ];
    for (misuse, words) in texts {
        check(&misuse, words);
    }
    let start = |request: ClientRequest| {
        let mut output = Output::new();
        request.start([0; 16], &mut output).map(|_| ()).expect_err("misuse")
    };
    let requests: [(ClientRequest, &[&str]); 8] = [
        (ClientRequest::new("u:p@h", "/"), &["host", "password"]),
        (ClientRequest::new("", "/"), &["host", "byte 0"]),
        (ClientRequest::new("h/x", "/"), &["host", "path", "byte 1 ('/')"]),
        (ClientRequest::new("h:x", "/"), &["host", "port", "65535"]),
        (ClientRequest::new("h", "x"), &["target", "path", "byte 0 ('x')"]),
        (ClientRequest::new("h", "/?\r"), &["target", "query", "byte 2 (0x0d)"]),
        (ClientRequest::new("h", "/").origin("a\n"), &["origin", "byte 1 (0x0a)"]),
        (ClientRequest::new("h", "/").origin("a "), &["origin", "byte 1 (' ')"]),
    ];
    for (request, words) in requests {
        check(&start(request), words);
    }
    assert!(size_of::<ApiMisuse>() <= 16, "it is in the result of every call");
}

#[test]
fn handshake_errors_say_which_limit() {
    use HandshakeError::*;
    let cases: &[(HandshakeError, &[&str])] = &[
        (Malformed("no colon"), &["no colon"]),
        (TargetTooLong { limit: 81 }, &["81", "max_line_size"]),
        (LineTooLong { limit: 82 }, &["82", "max_line_size"]),
        (HeadTooLarge { limit: 83 }, &["83", "max_head_size"]),
        (TooManyHeaders { limit: 84 }, &["84", "max_headers"]),
        (HttpVersion, &["1.1"]),
        (Method, &["get"]),
        (UpgradeRequired, &["upgrade"]),
        (Version, &["version", "13"]),
        (Origin, &["origin"]),
        (Timeout, &["deadline"]),
        (UnexpectedEof, &["ended"]),
        (TooManyInterimResponses { limit: 8 }, &["8", "max_interim_responses"]),
    ];
    for (error, words) in cases {
        let text = error.to_string();
        for word in *words {
            assert!(text.to_lowercase().contains(word), "{text:?} does not say {word:?}");
        }
        assert!(!text.ends_with('.'), "{text}");
    }
}

#[test]
fn close_codes_are_their_number() {
    let code = CloseCode::new(4321).expect("for private use");
    assert_eq!(u16::from(code), 4321);
    assert_eq!(code.to_string(), "4321");
    assert_eq!(format!("{code:>6}"), "  4321");
    assert_eq!(format!("{code:?}"), "CloseCode(4321)");
}

/// A program logs what it got.
#[test]
fn a_close_frame_shows_its_code_and_reason() {
    let mut client = common::client(websocket_proto::Config::default());
    let mut output = websocket_proto::Output::new();
    let mut bytes = *b"\x88\x05\x03\xE8bye";
    let event = client.receive(&mut &mut bytes[..], &mut output).expect("well-formed");
    let Some(websocket_proto::Event::Close(Some(frame))) = event else { panic!("{event:?}") };
    let frame: &CloseFrame = &frame;
    assert_eq!(format!("{frame:?}"), r#"CloseFrame { code: CloseCode(1000), reason: "bye" }"#);
}

/// Whoever reads a log must not be able to tell the next key.
#[test]
fn the_keys_do_not_show() {
    assert_eq!(format!("{:?}", keys()), "MaskKeys { .. }");
}
