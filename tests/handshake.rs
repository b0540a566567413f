//! The opening handshake with a client and a server of ours, and with anything else.

use proptest::collection::vec;
use proptest::prelude::*;
use websocket_proto::handshake::{
    Accept, Client, ClientRequest, HandshakeError, Origin, OriginPolicy, Refusal, Request, Server,
    ServerConfig, Url,
};
use websocket_proto::{Negotiated, Output};

const NONCE: [u8; 16] = *b"the sample nonce";

/// What a server makes of bytes that arrive in pieces.
fn serve(
    config: &ServerConfig,
    bytes: &[u8],
    size: usize,
) -> (Option<Result<Request, HandshakeError>>, Vec<u8>, Vec<u8>) {
    let mut server = Server::new(config.clone());
    let mut output = Output::new();
    let mut outcome = None;
    let mut rest = Vec::new();
    for mut piece in bytes.chunks(size) {
        let result = server.receive(&mut piece, &mut output).transpose();
        outcome = outcome.or(result);
        rest.extend_from_slice(piece);
    }
    (outcome, rest, output.pending().to_vec())
}

/// What a client makes of bytes that arrive in pieces.
fn answered(
    client: &mut Client,
    bytes: &[u8],
    size: usize,
) -> (Option<Result<Negotiated, HandshakeError>>, Vec<u8>) {
    let mut outcome = None;
    let mut rest = Vec::new();
    for mut piece in bytes.chunks(size) {
        let result = client.receive(&mut piece).transpose();
        outcome = outcome.or(result.map(|result| result.map(|(negotiated, _)| negotiated)));
        rest.extend_from_slice(piece);
    }
    (outcome, rest)
}

/// One handshake, in pieces of `size` both ways, with a frame behind the request and the answer.
fn back_to_back(
    request: ClientRequest,
    config: &ServerConfig,
    subprotocols: &[&str],
    size: usize,
) -> Negotiated {
    let mut output = Output::new();
    let mut client = request.start(NONCE, &mut output).unwrap();
    let bytes = [output.pending(), b"\x81\x80mask"].concat();
    let (received, rest, _) = serve(config, &bytes, size);
    assert_eq!(rest, b"\x81\x80mask");
    let received = received.expect("the request has ended").expect("and is good");

    let mut output = Output::new();
    let chosen = received.select_subprotocol(subprotocols);
    let accept = Accept::new().subprotocol(chosen).header("Set-Cookie", "a=b");
    let server_side = received.accept(&accept, &mut output).unwrap();
    let bytes = [output.pending(), b"\x81\x00"].concat();
    let (outcome, rest) = answered(&mut client, &bytes, size);
    assert_eq!(rest, b"\x81\x00");
    let client_side = outcome.expect("the response has ended").expect("and is good");
    assert_eq!(client_side, server_side);
    client_side
}

#[test]
fn client_and_server_agree() {
    for size in [1, 7, 4096] {
        let plain = ClientRequest::new("h", "/");
        let negotiated = back_to_back(plain, &ServerConfig::default(), &["chat"], size);
        assert_eq!(negotiated, Negotiated::default());

        let mut config = ServerConfig::default();
        config.origin = OriginPolicy::List(vec!["https://web.example".parse::<Origin>().unwrap()]);
        let full = ClientRequest::from_url(&"ws://[::1]:9001/a?b=c".parse().unwrap())
            .origin("https://web.example")
            .subprotocol("v2")
            .subprotocol("v1")
            .basic_auth("user", "pass word")
            .header("X-Trace", "\u{e9}");
        let negotiated = back_to_back(full, &config, &["v1", "v2"], size);
        assert_eq!(negotiated.subprotocol.as_deref(), Some("v1"));
    }
}

#[cfg(feature = "deflate")]
#[test]
fn client_and_server_agree_on_compression() {
    use websocket_proto::handshake::DeflateConfig;

    let mut server = ServerConfig::default();
    let mut deflate = DeflateConfig::default();
    deflate.server_max_window_bits = 11;
    deflate.client_max_window_bits = 10;
    deflate.client_no_context_takeover = true;
    let offer = || ClientRequest::new("h", "/").deflate(DeflateConfig::default());
    assert_eq!(back_to_back(offer(), &server, &[], 5).deflate, None, "the server did not ask");
    server.deflate = Some(deflate);
    let negotiated = back_to_back(offer(), &server, &[], 5);
    let params = negotiated.deflate.unwrap();
    assert_eq!((params.server_max_window_bits, params.client_max_window_bits), (11, 10));
    assert!(params.client_no_context_takeover && !params.server_no_context_takeover);
    let plain = ClientRequest::new("h", "/");
    assert_eq!(back_to_back(plain, &server, &[], 5).deflate, None, "the client did not ask");
}

#[test]
fn a_refusal_reaches_the_client() {
    let mut output = Output::new();
    let mut client = ClientRequest::new("h", "/").start(NONCE, &mut output).unwrap();
    let (received, _, _) = serve(&ServerConfig::default(), output.pending(), 4096);
    let mut output = Output::new();
    let refusal = Refusal::new(429).header("Retry-After", "10").body("slow down");
    received.unwrap().unwrap().refuse(&refusal, &mut output).unwrap();
    let (outcome, rest) = answered(&mut client, output.pending(), 3);
    let error = outcome.unwrap().unwrap_err();
    assert_eq!(error.status(), 429);
    assert_eq!(error.response().unwrap().header("retry-after"), Some(&b"10"[..]));
    assert_eq!(rest, b"slow down");
}

/// The header lines of a request that is acceptable.
const HEADERS: [&str; 5] = [
    "Host: h",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
];

fn served(request_line: &str, headers: &[&str]) -> (Result<Request, HandshakeError>, String) {
    let head = [&[request_line], headers, &["", ""]].concat().join("\r\n");
    let mut answers = [1, 3, 4096].map(|size| {
        let (outcome, _, answer) = serve(&ServerConfig::default(), head.as_bytes(), size);
        (outcome.expect("the head has ended"), String::from_utf8(answer).expect("text"))
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    std::mem::replace(&mut answers[0], (Err(HandshakeError::Timeout), String::new()))
}

/// A header counts for its name, and not for the length of it.
#[test]
fn headers_with_names_of_the_same_length() {
    let look_alike = [
        "Date: h",
        "Cookie: https://evil",
        "Referer: websocket",
        "User-Agent: Upgrade",
        "Accept-Charset: 5",
        "X-Seventeen-Chars: dGhlIHNhbXBsZSBub25jZQ==",
        "X-Twenty-One-Characte: 13",
        "X-Twenty-Two-Character: a b",
        "X-Twenty-Four-Characters: a b",
    ];
    let lengths = look_alike.map(|line| line.find(':').unwrap());
    assert_eq!(lengths, [4, 6, 7, 10, 14, 17, 21, 22, 24]);
    // Twice each, in front and behind: they are nobody's.
    let all = [&look_alike[..], &HEADERS, &look_alike].concat();
    assert!(served("GET / HTTP/1.1", &all).0.is_ok());
    // In the place of the one that has to be there.
    for header in HEADERS {
        let others: Vec<_> = HEADERS.into_iter().filter(|other| *other != header).collect();
        let without = served("GET / HTTP/1.1", &others).0.expect_err(header);
        let lines = [&others[..], &look_alike].concat();
        assert_eq!(served("GET / HTTP/1.1", &lines).0, Err(without), "without {header}");
    }
}

/// RFC 9112 section 3. Which fault it is decides the status, so each is told apart.
#[test]
fn faults_of_the_request_line() {
    let malformed = HandshakeError::Malformed("request line");
    for (line, error) in [
        ("POST / HTTP/1.1", HandshakeError::Method),
        ("G@T / HTTP/1.1", malformed.clone()),
        (" / HTTP/1.1", malformed.clone()),
        ("GET /\u{e9} HTTP/1.1", malformed.clone()),
        ("GET  HTTP/1.1", malformed.clone()),
        ("GET / HTTP/x.1", malformed.clone()),
        ("GET / HTTP/1.x", malformed.clone()),
        ("GET / http/1.1", malformed.clone()),
        ("GET / HTTP/1.1 ", malformed.clone()),
        ("GET /", malformed),
        ("GET / HTTP/1.0", HandshakeError::HttpVersion),
        ("GET / HTTP/2.0", HandshakeError::HttpVersion),
    ] {
        let (outcome, answer) = served(line, &HEADERS);
        assert_eq!(outcome, Err(error.clone()), "{line:?}");
        assert!(answer.starts_with(&format!("HTTP/1.1 {} ", error.status())), "{answer}");
    }
}

/// RFC 9110 section 7.8: only an answer with `Upgrade` has it as a connection option too.
#[test]
fn answers_name_what_they_upgrade() {
    let (_, answer) = served("GET / HTTP/1.1", &HEADERS[..1]);
    assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
    assert!(
        answer.contains("\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\n"),
        "{answer}"
    );
    let (_, answer) = served("POST / HTTP/1.1", &HEADERS);
    assert!(answer.contains("\r\nConnection: close\r\nAllow: GET\r\n"), "{answer}");
}

/// The names are those of RFC 9110 section 15, and RFC 6585 for 429 and 431.
#[test]
fn a_refusal_names_its_status() {
    let named = [
        (301, "Moved Permanently"),
        (302, "Found"),
        (303, "See Other"),
        (304, "Not Modified"),
        (307, "Temporary Redirect"),
        (308, "Permanent Redirect"),
        (400, "Bad Request"),
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "Not Found"),
        (405, "Method Not Allowed"),
        (408, "Request Timeout"),
        (410, "Gone"),
        (414, "URI Too Long"),
        (426, "Upgrade Required"),
        (429, "Too Many Requests"),
        (431, "Request Header Fields Too Large"),
        (500, "Internal Server Error"),
        (502, "Bad Gateway"),
        (503, "Service Unavailable"),
        (505, "HTTP Version Not Supported"),
        // Not known by name.
        (418, ""),
        (599, ""),
    ];
    for (status, name) in named {
        let request = served("GET / HTTP/1.1", &HEADERS).0.expect("acceptable");
        let mut output = Output::new();
        let refusal = Refusal::new(status);
        assert_eq!(refusal.status(), status);
        request.refuse(&refusal, &mut output).expect("from 300 to 599");
        let line = format!("HTTP/1.1 {status} {name}\r\n");
        assert!(output.pending().starts_with(line.as_bytes()), "{line}");
    }
}

/// RFC 9112 section 4: a reason phrase has no control characters; and the version is 1.1 or 1.0.
#[test]
fn faults_of_the_status_line() {
    let malformed = HandshakeError::Malformed("status line");
    for (line, error) in [
        ("HTTP/1.1 404 Not\u{1}Found", None),
        ("HTTP/1.1 404 Not\u{7f}Found", None),
        ("HTTP/1.1 404Not Found", Some(malformed.clone())),
        ("HTTP/1.1 40x Not Found", Some(malformed.clone())),
        ("HTTP/x.1 404 Not Found", Some(malformed)),
        ("HTTP/2.0 404 Not Found", Some(HandshakeError::HttpVersion)),
    ] {
        for size in [1, 5, 4096] {
            let request = ClientRequest::new("h", "/");
            let mut client = request.start(NONCE, &mut Output::new()).expect("fine");
            let bytes = format!("{line}\r\nContent-Length: 0\r\n\r\n");
            let (outcome, _) = answered(&mut client, bytes.as_bytes(), size);
            let seen = outcome.expect("the head has ended").expect_err(line);
            assert!(!matches!(seen, HandshakeError::Refused(_)), "{line:?}: {seen}");
            assert!(error.as_ref().is_none_or(|error| *error == seen), "{line:?}: {seen}");
        }
    }
}

/// What refused, and with which status, is in the error's text.
#[test]
fn a_client_says_how_it_was_answered() {
    for (answer, text) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "server refused with http status 403"),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", "invalid response: "),
    ] {
        let request = ClientRequest::new("h", "/");
        let mut client = request.start(NONCE, &mut Output::new()).expect("fine");
        let (outcome, _) = answered(&mut client, answer.as_bytes(), 9);
        let error = outcome.expect("the head has ended").expect_err("no handshake");
        assert!(error.to_string().starts_with(text), "{error}");
        let status = answer[9..12].parse().expect("a number");
        assert_eq!(error.response().map(|response| response.status()), Some(status));
    }
    assert_eq!(HandshakeError::Timeout.response(), None);
}

/// RFC 3986 section 3.1: a scheme begins with a letter.
#[test]
fn an_origin_that_is_none() {
    for origin in ["1http://h", "-http://h", "://h", "http:/h", "h"] {
        let line = format!("Origin: {origin}");
        let (outcome, answer) = served("GET / HTTP/1.1", &[&HEADERS[..], &[&line]].concat());
        assert!(outcome.is_err(), "{origin}: {answer}");
    }
    assert!(served("GET / HTTP/1.1", &[&HEADERS[..], &["Origin: http://h"]].concat()).0.is_ok());
}

/// Section 3: `wss` is over TLS.
#[test]
fn a_url_says_whether_it_is_secure() {
    for (url, secure, port) in
        [("ws://h/", false, 80), ("wss://h/", true, 443), ("WSS://h:80", true, 80)]
    {
        let url: Url = url.parse().expect("well-formed");
        assert_eq!((url.is_secure(), url.port()), (secure, port), "{url:?}");
    }
}

/// What a server refuses by itself, a client understands.
#[test]
fn an_origin_that_is_not_allowed() {
    let mut output = Output::new();
    let request = ClientRequest::new("good.com", "/").origin("https://good.com.evil");
    let mut client = request.start(NONCE, &mut output).unwrap();
    let (outcome, _, answer) = serve(&ServerConfig::default(), output.pending(), 10);
    assert_eq!(outcome, Some(Err(HandshakeError::Origin)));
    let (outcome, _) = answered(&mut client, &answer, 10);
    assert_eq!(outcome.unwrap().unwrap_err().status(), 403);
}

/// Text that is nearly a head: lines of the right names with values that are right or odd.
fn head(first: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        8 => proptest::sample::select(vec![
            "Host: h", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Origin: http://h",
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Content-Length: 0",
            "Sec-WebSocket-Protocol: a, b", "Sec-WebSocket-Extensions: permessage-deflate",
            "Sec-WebSocket-Extensions: x; y=\"z\"", "X:", "",
        ]).prop_map(|line| line.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..12),
        1 => "[ -~]{0,20}".prop_map(String::into_bytes),
    ];
    let end =
        proptest::sample::select(vec!["\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r"]);
    let lines = vec((line, end), 0..10);
    (proptest::sample::select(first), lines).prop_map(|(first, lines)| {
        let mut text = first.as_bytes().to_vec();
        for (line, end) in lines {
            text.extend(line);
            text.extend(end.as_bytes());
        }
        text.extend(b"\r\n");
        text
    })
}

const REQUEST_LINES: &[&str] = &[
    "GET / HTTP/1.1\r\n",
    "GET / HTTP/1.1\r\n",
    "POST /x HTTP/1.1\r\n",
    "\r\nGET /?a HTTP/1.1\r\n",
    "",
];
const STATUS_LINES: &[&str] = &[
    "HTTP/1.1 101 X\r\n",
    "HTTP/1.1 101 X\r\n",
    "HTTP/1.1 100\r\n\r\nHTTP/1.1 101 \r\n",
    "HTTP/1.1 404 X\r\n",
    "",
];

/// Small limits, so that random input reaches them.
fn small() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.limits.max_head_size = 250;
    config.limits.max_line_size = 48;
    config.limits.max_headers = 7;
    config
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_server_does_not_depend_on_the_chunking(
        bytes in prop_oneof![head(REQUEST_LINES), vec(any::<u8>(), 0..400)],
        size in 1..40_usize,
        limited in any::<bool>(),
    ) {
        let config = if limited { small() } else { ServerConfig::default() };
        prop_assert_eq!(serve(&config, &bytes, size), serve(&config, &bytes, bytes.len().max(1)));
    }

    #[test]
    fn a_client_does_not_depend_on_the_chunking(
        bytes in prop_oneof![head(STATUS_LINES), vec(any::<u8>(), 0..400)],
        size in 1..40_usize,
        limited in any::<bool>(),
    ) {
        let run = |size| {
            let limits = if limited { small() } else { ServerConfig::default() }.limits;
            let request = ClientRequest::new("h", "/").limits(limits).subprotocol("a");
            answered(&mut request.start(NONCE, &mut Output::new()).unwrap(), &bytes, size)
        };
        prop_assert_eq!(run(size), run(bytes.len().max(1)));
    }

    /// S54 and S55: whatever the strings, what is written is one head, or nothing.
    #[test]
    fn no_string_splits_a_head(
        host in "[a-z\\r\\n: /\u{e9}]{0,6}",
        target in "/[a-z\\r\\n #?]{0,6}",
        name in "[a-zA-Z\\r\\n: -]{0,8}",
        value in "[a-z\\r\\n\\x00:\u{e9}]{0,8}",
        subprotocol in "[a-z\\r\\n, ]{0,4}",
    ) {
        let mut output = Output::new();
        let request = ClientRequest::new(host, target)
            .header(name.clone(), value.clone())
            .subprotocol(subprotocol);
        if request.start(NONCE, &mut output).is_err() {
            prop_assert!(output.is_empty());
        } else {
            let (outcome, rest, _) = serve(&ServerConfig::default(), output.pending(), 4096);
            let request = outcome.expect("one head").expect("a good one");
            prop_assert_eq!(rest.len(), 0);
            let mut output = Output::new();
            let accept = Accept::new().header(&name, &value);
            request.accept(&accept, &mut output).expect("the same rules for headers");
            prop_assert_eq!(output.pending().windows(4).filter(|four| four == b"\r\n\r\n").count(), 1);
        }
    }
}
