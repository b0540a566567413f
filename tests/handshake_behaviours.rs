//! Behaviours with a number that concern the opening handshake: what a hostile or unlucky peer
//! sends before it is open, and what must come of it. Memory is in `memory.rs`, deadlines of the
//! adapters in `blocking.rs` and `asynchronous.rs`.

mod common;

use std::time::Duration;

use common::wire::{FIN, Role, TEXT, fails_at, receive};
use websocket_proto::handshake::{
    Accept, ClientRequest, HandshakeError, Origin, OriginPolicy, Refusal, Request, Server,
    ServerConfig,
};
use websocket_proto::{
    ApiMisuse, Config, Connection, DeadlineConfig, Deadlines, Event, Expired, MaskKeys, Negotiated,
    Output, ProtocolError,
};

const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: good.com\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";
/// The answer to [`NONCE`].
const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const NONCE: [u8; 16] = *b"the sample nonce";

fn plain() -> ClientRequest {
    ClientRequest::new("good.com", "/")
}

/// What a server with these settings makes of `bytes`, `size` at a time; how many it took, and
/// its answer.
fn serve(
    config: &ServerConfig,
    bytes: &[u8],
    size: usize,
) -> (Option<Result<Request, HandshakeError>>, usize, String) {
    let mut server = Server::new(config.clone());
    let mut output = Output::new();
    let (mut outcome, mut taken) = (None, 0);
    for mut piece in bytes.chunks(size) {
        let len = piece.len();
        outcome = server.receive(&mut piece, &mut output).transpose();
        taken += len - piece.len();
        if outcome.is_some() {
            break;
        }
    }
    (outcome, taken, String::from_utf8(output.pending().to_vec()).expect("text"))
}

fn refused(config: &ServerConfig, bytes: &[u8], error: &HandshakeError, status: u16) {
    for size in [1, 7, bytes.len()] {
        let (outcome, _, answer) = serve(config, bytes, size);
        assert_eq!(outcome, Some(Err(error.clone())));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains("\r\nConnection: close"), "{answer}");
    }
}

/// S18: a good request, one byte per read.
#[test]
fn s18_a_request_byte_by_byte() {
    let (outcome, taken, _) = serve(&ServerConfig::default(), REQUEST.as_bytes(), 1);
    let request = outcome.expect("it has ended").expect("it is good");
    assert_eq!((request.target(), taken), ("/chat", REQUEST.len()));
    let mut output = Output::new();
    request.accept(&Accept::new(), &mut output).expect("nothing to refuse");
    assert_eq!(output.pending(), RESPONSE.as_bytes());
}

/// S20: headers for ever. 431 at the 101st, or at 16 KiB.
#[test]
fn s20_a_request_that_never_ends() {
    let endless = |header: &str, count| format!("GET / HTTP/1.1\r\n{}", header.repeat(count));
    let config = ServerConfig::default();
    let small = endless("a: b\r\n", 101);
    refused(&config, small.as_bytes(), &HandshakeError::TooManyHeaders { limit: 100 }, 431);
    let large = endless(&format!("a: {}\r\n", "b".repeat(1000)), 17);
    refused(&config, large.as_bytes(), &HandshakeError::HeadTooLarge { limit: 16 << 10 }, 431);
    // Not before.
    assert_eq!(serve(&config, endless("a: b\r\n", 100).as_bytes(), 1).0, None);
    assert_eq!(serve(&config, &large.as_bytes()[..(16 << 10) - 1], 7).0, None);
}

/// S21: what a server sends to a client has the same total, in bytes and in time.
#[test]
fn s21_a_response_that_never_ends() {
    let line = format!("a: {}\r\n", "b".repeat(1000));
    let text = format!("HTTP/1.1 101 X\r\n{}", line.repeat(17));
    for size in [1, 100] {
        let mut client = plain().start(NONCE, &mut Output::new()).expect("a good request");
        let mut taken = 0;
        let error = text.as_bytes().chunks(size).find_map(|mut piece| {
            taken += piece.len();
            client.receive(&mut piece).err()
        });
        assert_eq!(error, Some(HandshakeError::HeadTooLarge { limit: 16 << 10 }));
        assert!(taken < (16 << 10) + size, "{taken}");
    }
    let mut deadlines = Deadlines::new(&DeadlineConfig::default(), Duration::ZERO);
    for second in 1..10 {
        deadlines.received(Duration::from_secs(second));
        assert_eq!(deadlines.on_deadline(Duration::from_secs(second)), None);
    }
    assert_eq!(deadlines.on_deadline(Duration::from_secs(10)), Some(Expired::Handshake));
    let mut client = plain().start(NONCE, &mut Output::new()).expect("a good request");
    assert_eq!(client.timeout(), HandshakeError::Timeout);
    assert_eq!(client.receive(&mut RESPONSE.as_bytes()), Err(HandshakeError::Timeout));
}

/// S22: the ninth interim answer is one too many; they count for the size of the head.
#[test]
fn s22_interim_responses_for_ever() {
    let answer = |text: &str| {
        let mut client = plain().start(NONCE, &mut Output::new()).expect("a good request");
        client.receive(&mut text.as_bytes()).map(|open| open.is_some())
    };
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    assert_eq!(answer(&format!("{}{RESPONSE}", interim.repeat(8))), Ok(true));
    let many = HandshakeError::TooManyInterimResponses { limit: 8 };
    assert_eq!(answer(&interim.repeat(9)), Err(many));
    let long = format!("HTTP/1.1 103 Early Hints\r\nLink: {}\r\n\r\n", "x".repeat(8000));
    assert_eq!(answer(&long.repeat(3)), Err(HandshakeError::HeadTooLarge { limit: 16 << 10 }));
}

/// S24: a stray line end behind the head is no part of it: byte 0x0d is a reserved opcode.
#[test]
fn s24_a_line_end_behind_the_head() {
    let text = format!("{REQUEST}\r\n");
    let (outcome, taken, _) = serve(&ServerConfig::default(), text.as_bytes(), text.len());
    assert!(outcome.is_some_and(|outcome| outcome.is_ok()));
    let mut connection = common::server(Config::default());
    let (at, error) = fails_at(&mut connection, &text.as_bytes()[taken..]).expect("no frame");
    assert_eq!((at, error), (1, ProtocolError::ReservedOpcode(0xD)));
    assert_eq!(error.close_code().get(), 1002);
}

/// S25: frames in the same read as the head are left in the input, to the byte.
#[test]
fn s25_frames_behind_the_head() {
    let event = |connection: &mut Connection, rest: &[u8]| {
        receive(connection, rest, &mut Output::new()).0.expect("no fault")
    };
    let frame = Role::Server.frame(FIN | TEXT, b"early");
    let bytes = [REQUEST.as_bytes(), &frame].concat();
    let (outcome, taken, _) = serve(&ServerConfig::default(), &bytes, bytes.len());
    assert!(outcome.is_some_and(|outcome| outcome.is_ok()));
    let mut connection = common::server(Config::default());
    assert_eq!(event(&mut connection, &bytes[taken..]), Some(Event::Text("early".into())));

    let frame = Role::Client.frame(FIN | TEXT, b"early");
    let bytes = [RESPONSE.as_bytes(), &frame].concat();
    let mut input = &bytes[..];
    let mut client = plain().start(NONCE, &mut Output::new()).expect("a good request");
    assert!(client.receive(&mut input).expect("a good response").is_some());
    assert_eq!(input, frame);
    let mut connection = common::client(Config::default());
    assert_eq!(event(&mut connection, input), Some(Event::Text("early".into())));
}

/// S27: a proxy that believes in the upgrade must not get an answer to what is pipelined.
#[test]
fn s27_a_request_smuggled_behind_a_bad_version() {
    let text = REQUEST.replace("Version: 13", "Version: 1777");
    let bytes = format!("{text}GET /internal HTTP/1.1\r\nHost: good.com\r\n\r\n");
    let config = ServerConfig::default();
    refused(&config, bytes.as_bytes(), &HandshakeError::Version, 426);
    let mut server = Server::new(config);
    let mut output = Output::new();
    let mut input = bytes.as_bytes();
    server.receive(&mut input, &mut output).expect_err("not version 13");
    assert!(input.is_empty(), "what follows is dropped");
    let answer = String::from_utf8(output.pending().to_vec()).expect("text");
    for header in ["Upgrade: websocket\r\n", "Sec-WebSocket-Version: 13\r\n"] {
        assert!(answer.contains(header), "{answer}");
    }
    let mut late = REQUEST.as_bytes();
    assert_eq!(server.receive(&mut late, &mut output), Err(HandshakeError::Version));
    assert_eq!((late.len(), output.len()), (0, answer.len()), "one answer");
}

/// S28: TLS, or the PROXY protocol, on a plain port.
#[test]
fn s28_another_protocol() {
    let tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n";
    let proxy = b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\nGET / HTTP/1.1\r\n\r\n";
    for bytes in [&tls[..], proxy] {
        for size in [1, bytes.len()] {
            let (outcome, _, answer) = serve(&ServerConfig::default(), bytes, size);
            let error = outcome.expect("decided").expect_err("not http");
            assert!(matches!(error, HandshakeError::Malformed(_)), "{error}");
            assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        }
    }
    // Whatever it is, it has no more than a line's room.
    let (outcome, taken, _) = serve(&ServerConfig::default(), &[b'A'; 1 << 16], 100);
    assert!(outcome.is_some_and(|outcome| outcome.is_err()));
    assert!(taken <= (8 << 10) + 100, "{taken}");
}

/// S54: nothing that a client's caller says can end a line or a head.
#[test]
fn s54_a_client_does_not_split_its_request() {
    let table = [
        (plain().header("X", "a\r"), ApiMisuse::InvalidHeaderValue),
        (plain().header("X", "a\n"), ApiMisuse::InvalidHeaderValue),
        (plain().header("X", "a\0"), ApiMisuse::InvalidHeaderValue),
        (plain().subprotocol("a, b"), ApiMisuse::InvalidSubprotocol),
        (plain().subprotocol(""), ApiMisuse::InvalidSubprotocol),
    ];
    for (request, misuse) in table {
        let mut output = Output::new();
        assert_eq!(request.start(NONCE, &mut output).map(|_| ()), Err(misuse));
        assert!(output.is_empty());
    }
    let mut output = Output::new();
    let target = ClientRequest::new("h", "/x HTTP/1.1\r\nX: y").start(NONCE, &mut output);
    assert!(matches!(target.map(|_| ()), Err(ApiMisuse::InvalidTarget(_))));
    let host = ClientRequest::new("a\r\nb", "/").start(NONCE, &mut output);
    assert!(matches!(host.map(|_| ()), Err(ApiMisuse::InvalidHost(_))));
    assert!(output.is_empty());
}

/// S55: nor can a server's.
#[test]
fn s55_a_server_does_not_split_its_response() {
    let (outcome, _, _) = serve(&ServerConfig::default(), REQUEST.as_bytes(), 100);
    let request = outcome.expect("it has ended").expect("it is good");
    let table = [
        (Accept::new().subprotocol("not-offered"), ApiMisuse::SubprotocolNotOffered),
        (Accept::new().header("X", "a\r\nY: b"), ApiMisuse::InvalidHeaderValue),
        (Accept::new().header("X\r\nY", "a"), ApiMisuse::InvalidHeaderName),
        (Accept::new().header("Upgrade", "h2c"), ApiMisuse::ReservedHeader),
    ];
    let mut output = Output::new();
    for (accept, misuse) in table {
        assert_eq!(request.accept(&accept, &mut output), Err(misuse));
    }
    let refusal = Refusal::new(403).header("X", "a\r\n\r\nb");
    assert_eq!(request.refuse(&refusal, &mut output), Err(ApiMisuse::InvalidHeaderValue));
    assert!(output.is_empty());
}

/// S58: scheme, host and port, exactly; a request without an origin is the application's choice.
#[test]
fn s58_origins() {
    let mut config = ServerConfig::default();
    config.origin = OriginPolicy::List(vec!["https://good.com".parse::<Origin>().expect("one")]);
    let with = |origin: &str| {
        REQUEST.replace("Connection:", &format!("Origin: {origin}\r\nConnection:")).into_bytes()
    };
    for bad in
        ["https://evil", "null", "https://good.com.evil", "http://good.com", "https://good.com:444"]
    {
        refused(&config, &with(bad), &HandshakeError::Origin, 403);
    }
    let accepted = |config: &ServerConfig, bytes: &[u8]| {
        serve(config, bytes, 100).0.expect("it has ended").is_ok()
    };
    assert!(accepted(&config, &with("https://good.com")));
    assert!(accepted(&config, REQUEST.as_bytes()), "no browser");
    config.require_origin = true;
    refused(&config, REQUEST.as_bytes(), &HandshakeError::Origin, 403);
    // By default pages of the same host, and of no other.
    assert!(accepted(&ServerConfig::default(), &with("http://good.com")));
    refused(&ServerConfig::default(), &with("https://evil"), &HandshakeError::Origin, 403);
}

/// S59: status and headers are the caller's; nothing is followed.
#[test]
fn s59_redirects_are_not_followed() {
    for location in ["ws://169.254.169.254/", "file:///etc/passwd", "ws://other.example/"] {
        let mut output = Output::new();
        let mut client = plain().start(NONCE, &mut output).expect("a good request");
        let written = output.len();
        let text =
            format!("HTTP/1.1 301 Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        let error = client.receive(&mut text.as_bytes()).expect_err("not a 101");
        assert_eq!(error.status(), 301);
        let response = error.response().expect("the server's");
        assert_eq!(response.header("Location"), Some(location.as_bytes()));
        assert_eq!(output.len(), written, "nothing more is sent");
    }
}

/// S93: RFC 9112 3.2.2, a server takes a target in absolute form, and one without a path is for `/`.
#[test]
fn s93_absolute_targets() {
    let sent = |target: &str, host: &str| {
        let request = REQUEST.replace("GET /chat", &format!("GET {target}"));
        let request = request.replace("Host: good.com", &format!("Host: {host}"));
        let mut outcomes = [1, 7, request.len()].map(|size| {
            let (outcome, _, _) = serve(&ServerConfig::default(), request.as_bytes(), size);
            outcome.expect("it has ended")
        });
        assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{target}: {outcomes:?}");
        std::mem::replace(&mut outcomes[0], Err(HandshakeError::Timeout))
    };
    for (target, host, says, query) in [
        ("ws://h?q", "h", "/?q", Some("q")),
        ("http://h?q=/x", "h", "/?q=/x", Some("q=/x")),
        ("http://h?", "h", "/?", Some("")),
        ("http://h", "h", "/", None),
        ("http://h/", "h", "/", None),
        ("WS://h:80", "h:80", "/", None),
        ("wss://h?a?b@c://d", "h", "/?a?b@c://d", Some("a?b@c://d")),
        ("hTTps://h:443/x?y", "h:443", "/x?y", Some("y")),
        ("http://[::1]?q", "[::1]", "/?q", Some("q")),
        ("http://[::1]:8080", "[::1]:8080", "/", None),
        ("http://h:?q", "h:", "/?q", Some("q")),
        // In origin form, whatever it looks like.
        ("//h/x", "h", "//h/x", None),
        ("/http://h", "h", "/http://h", None),
    ] {
        let request = sent(target, host).expect(target);
        let path = says.split('?').next().expect("a part");
        assert_eq!((request.target(), request.path(), request.query()), (says, path, query));
        assert_eq!(request.host(), host, "{target}");
        let mut output = Output::new();
        request.accept(&Accept::new(), &mut output).expect("nothing to refuse");
        assert_eq!(output.pending(), RESPONSE.as_bytes());
    }
    for target in [
        "http://?q",        // no host
        "http:///x",        // no host
        "http://:80",       // no host
        "http://u@h?q",     // RFC 9110 4.2.4: userinfo is an error
        "http://u:p@h",     // likewise
        "http://h#f",       // RFC 9112 3.2: no fragment
        "http://h?q#f",     // likewise
        "http://h:65536?q", // no port
        "http://[::1?q",    // no address
        "http://[::1]h",    // no port
        "http://h\\x",      // no part of a name
        "ftp://h/?q",       // another scheme
        "http:/h",          // no authority
        "h?q",              // neither form
        "?q",               // neither form
        "*",                // for OPTIONS
    ] {
        let error = sent(target, "h").expect_err(target);
        assert_eq!(error.status(), 400, "{target}: {error}");
    }
}

/// S97: a page is compared with one host, so the two places that name it must agree.
#[test]
fn s97_a_target_for_another_host_than_the_header() {
    let sent = |config: &ServerConfig, target: &str, host: &str| {
        let request = REQUEST.replace("GET /chat", &format!("GET {target}"));
        let request = request.replace("Host: good.com", &format!("Host: {host}"));
        let (outcome, _, answer) = serve(config, request.as_bytes(), 100);
        let outcome = outcome.expect("it has ended");
        outcome.map(|request| request.host().to_owned()).map_err(|error| (error.status(), answer))
    };
    let mut any = ServerConfig::default();
    any.origin = OriginPolicy::Any;
    let mut listed = ServerConfig::default();
    listed.origin = OriginPolicy::List(Vec::new());
    for (target, host) in [
        ("http://evil/", "good.com"),
        ("http://good.com/", "evil"),
        ("ws://evil?q", "good.com"),
        ("http://good.com:8080/", "good.com"),
        ("http://good.com/", "good.com:443"),
        ("https://good.com/", "good.com:80"),
        ("http://good.com.evil/", "good.com"),
        ("http://[::1]/", "[::2]"),
    ] {
        let (status, answer) = sent(&ServerConfig::default(), target, host).expect_err(target);
        assert_eq!(status, 400, "{target} {host}");
        assert!(answer.contains("ServerConfig::origin"), "says which setting: {answer}");
        // RFC 9112 3.2.2: the header is ignored where nothing depends on it.
        let named = target.split("://").nth(1).expect("absolute").split(['/', '?']).next();
        for config in [&any, &listed] {
            assert_eq!(sent(config, target, host).ok().as_deref(), named, "{target} {host}");
        }
    }
    for (target, host) in [
        ("http://good.com/", "good.com"),
        ("http://GOOD.com/", "good.COM"),
        ("ws://good.com:80", "good.com"),
        ("wss://good.com", "good.com:443"),
        ("https://good.com:8443?q", "good.com:8443"),
    ] {
        assert!(sent(&ServerConfig::default(), target, host).is_ok(), "{target} {host}");
    }
}

/// S97: a server that is reached over TLS is not open to pages that anyone on the way can change.
#[test]
fn s97_a_page_without_tls_and_a_server_with_it() {
    let accepted = |secure: bool, origin: &str, host: &str| {
        let mut config = ServerConfig::default();
        config.secure = secure;
        let request = REQUEST.replace("Host: good.com", &format!("Host: {host}"));
        let request = request.replace("Connection:", &format!("Origin: {origin}\r\nConnection:"));
        match serve(&config, request.as_bytes(), 100).0.expect("it has ended") {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error, HandshakeError::Origin, "{origin} {host}");
                false
            }
        }
    };
    for (origin, host, unknown, secure) in [
        ("https://good.com", "good.com", true, true),
        ("HTTPS://good.com:443", "good.com", true, true),
        ("https://good.com", "good.com:443", true, true),
        ("https://good.com:8443", "good.com:8443", true, true),
        ("http://good.com", "good.com", true, false),
        ("http://good.com", "good.com:80", true, false),
        ("http://good.com:443", "good.com:443", true, false),
        ("http://good.com:8443", "good.com:8443", true, false),
        ("https://good.com", "good.com:80", false, false),
        ("https://evil", "good.com", false, false),
        ("wss://good.com", "good.com", false, false),
        ("null", "good.com", false, false),
    ] {
        assert_eq!(accepted(false, origin, host), unknown, "{origin} {host}");
        assert_eq!(accepted(true, origin, host), secure, "{origin} {host}, secure");
    }
    // A list says itself which scheme each origin has.
    let mut config = ServerConfig::default();
    config.secure = true;
    config.origin = OriginPolicy::List(vec!["http://good.com".parse::<Origin>().expect("one")]);
    let request = REQUEST.replace("Connection:", "Origin: http://good.com\r\nConnection:");
    assert!(serve(&config, request.as_bytes(), 100).0.expect("it has ended").is_ok());
}

/// S98: one answer to one request. What fails is no answer.
#[test]
fn s98_a_second_answer() {
    type Answer = fn(&Request, &mut Output) -> Result<(), ApiMisuse>;
    let ways: [Answer; 3] = [
        |request, output| request.accept(&Accept::new(), output).map(|_| ()),
        |request, output| request.refuse(&Refusal::new(404), output),
        |request, _| request.accept_headers(None).map(|_| ()),
    ];
    let new = || {
        let (outcome, _, _) = serve(&ServerConfig::default(), REQUEST.as_bytes(), 100);
        outcome.expect("it has ended").expect("it is good")
    };
    for first in ways {
        for second in ways {
            let (request, mut output) = (new(), Output::new());
            // These write nothing, and leave the answer to be given.
            let other = Accept::new().subprotocol("not-offered");
            request.accept(&other, &mut output).expect_err("not offered");
            request.accept_headers(Some("not-offered")).expect_err("not offered");
            request.refuse(&Refusal::new(200), &mut output).expect_err("no refusal");
            assert!(output.is_empty());
            first(&request, &mut output).expect("the first one");
            let written = output.len();
            for _ in 0..2 {
                assert_eq!(second(&request, &mut output), Err(ApiMisuse::AlreadyAnswered));
            }
            assert_eq!(output.len(), written, "one answer");
            assert_eq!(request.path(), "/chat", "it can be looked at all the same");
        }
    }
    // A clone would be a second request, and its answer a second answer.
    let (request, mut output) = (new(), Output::new());
    let clone = request.clone();
    assert_eq!(clone, request);
    for way in ways {
        assert_eq!(way(&clone, &mut output), Err(ApiMisuse::AlreadyAnswered));
    }
    assert!(output.is_empty());
    request.accept(&Accept::new(), &mut output).expect("the original is as it was");
    assert_eq!(output.pending(), RESPONSE.as_bytes());
}

/// S98: RFC 9110 15.4.5, a 304 "is always terminated by the end of the header section".
#[test]
fn s98_a_refusal_without_a_body() {
    let answer = |refusal: &Refusal<'_>| {
        let (outcome, _, _) = serve(&ServerConfig::default(), REQUEST.as_bytes(), 100);
        let mut output = Output::new();
        let request = outcome.expect("it has ended").expect("it is good");
        request.refuse(refusal, &mut output).expect("from 300 to 599");
        String::from_utf8(output.pending().to_vec()).expect("text")
    };
    assert_eq!(
        answer(&Refusal::new(304).header("ETag", "\"1\"").body("not to be seen")),
        "HTTP/1.1 304 Not Modified\r\nConnection: close\r\nETag: \"1\"\r\n\r\n"
    );
    // Every other status has one.
    for status in (300..600).filter(|status| *status != 304) {
        let text = answer(&Refusal::new(status).body("seen"));
        assert!(text.ends_with("\r\n\r\nseen"), "{text}");
        assert!(text.contains("\r\nContent-Length: 4\r\n"), "{text}");
    }
}

/// RFC 9110 7.8: `Upgrade` is never sent without its connection option, nor 426 without `Upgrade`,
/// whoever writes the answer.
#[test]
fn upgrade_has_its_connection_option() {
    let headers = REQUEST.lines().skip(1).filter_map(|line| line.split_once(": "));
    let parts = |changed: &str| {
        let headers = headers.clone().filter(|(name, _)| *name != changed);
        let headers: Vec<_> = headers.map(|(name, value)| (name, value.as_bytes())).collect();
        Request::from_parts(&ServerConfig::default(), "GET", "/", (1, 1), headers)
    };
    let expected = [
        ("Connection", "close, Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
    ];
    let error = parts("Upgrade").expect_err("no upgrade");
    assert_eq!((error.status(), error.headers()), (426, &expected[..]));
    assert_eq!(HandshakeError::Version.headers(), expected);
    assert_eq!(HandshakeError::Method.headers(), [("Allow", "GET")]);
    // What the server writes itself, and what the application has it write.
    let bytes = REQUEST.replace("Upgrade: websocket\r\n", "");
    let (_, _, fault) = serve(&ServerConfig::default(), bytes.as_bytes(), 100);
    let mut output = Output::new();
    let request = parts("").expect("acceptable");
    request.refuse(&Refusal::new(426).header("X", "y"), &mut output).expect("a status for it");
    let refusal = String::from_utf8(output.pending().to_vec()).expect("text");
    assert!(refusal.contains("\r\nX: y\r\n"), "{refusal}");
    for text in [fault, refusal] {
        assert!(text.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "{text}");
        for (name, value) in expected {
            assert!(text.contains(&format!("\r\n{name}: {value}\r\n")), "{text}");
        }
        assert_eq!(text.matches("Connection:").count(), 1, "{text}");
    }
}

/// RFC 6455 section 4.1 prints a nonce whose last character has bits beyond the 16 bytes.
#[test]
fn the_nonce_that_the_rfc_prints() {
    let answer = |key: &str| {
        let request = REQUEST.replace("dGhlIHNhbXBsZSBub25jZQ==", key);
        let (outcome, _, _) = serve(&ServerConfig::default(), request.as_bytes(), 9);
        let mut output = Output::new();
        outcome.expect("it has ended").map(|request| {
            request.accept(&Accept::new(), &mut output).expect("nothing to refuse");
            String::from_utf8(output.pending().to_vec()).expect("text")
        })
    };
    // What is answered is the text of the key, whatever it decodes to.
    for (key, accept) in [
        ("AQIDBAUGBwgJCgsMDQ4PEC==", "OfS0wDaT5NoxF2gqm7Zj2YtetzM="),
        ("AQIDBAUGBwgJCgsMDQ4PEA==", "C/0nmHhBztSRGR1CwL6Tf4ZjwpY="),
        ("/////////////////////w==", "XXpj4jYzLM2yUE0C7TIgMwTQh2g="),
        ("//////////////////////==", "zXRQvy1wi5A4l0hwWYxMN3e2wNk="),
    ] {
        let answer = answer(key).expect(key);
        assert!(answer.contains(&format!("Sec-WebSocket-Accept: {accept}\r\n")), "{answer}");
    }
    for key in [
        "AQIDBAUGBwgJCgsMDQ4PEC=",   // padding
        "AQIDBAUGBwgJCgsMDQ4PEC",    // none
        "AQIDBAUGBwgJCgsMDQ4PEC===", // too much
        "AQIDBAUGBwgJCgsMDQ4PE===",  // too much, and a character too few
        "AQIDBAUGBwgJCgsMDQ4P====",  // 15 bytes
        "AQIDBAUGBwgJCgsMDQ4P",      // 15 bytes
        "AQIDBAUGBwgJCgsMDQ4PEBE=",  // 17 bytes
        "AQIDBAUGBwgJCgsMDQ4PEBES",  // 18 bytes
        "-_-_-_-_-_-_-_-_-_-_-w==",  // the alphabet for URLs
        "AQIDBAUGBwgJ CgsMDQ4PC==",  // a space
        "AQIDBAUGBwgJCgsMDQ4PE\t==", // a tab
        "AQIDBAUGBwgJCg==DQ4PEC==",  // padding within
        "AQIDBAUGBwgJCgsMDQ4PEC=A",  // behind padding
    ] {
        assert_eq!(answer(key).expect_err(key).status(), 400, "{key}");
    }
}

/// S77: over HTTP/2 there is no key and no 101; the connection asks for neither (RFC 8441 5).
#[test]
fn s77_a_connection_without_the_http_1_handshake() {
    let mut server = Connection::server(Negotiated::default(), Config::default());
    let keys = MaskKeys::from_seed([1; 32]);
    let mut client = Connection::client(Negotiated::default(), Config::default(), keys);
    let mut wire = Output::new();
    client.send("over a stream".into(), &mut wire).expect("open");
    assert_eq!(wire.pending()[1] & 0x80, 0x80, "masked all the same");
    let event = receive(&mut server, wire.pending(), &mut Output::new()).0;
    assert_eq!(event, Ok(Some(Event::Text("over a stream".into()))));
    let unmasked = Role::Client.frame(FIN | TEXT, b"x");
    let result = receive(&mut server, &unmasked, &mut Output::new()).0;
    assert_eq!(result, Err(ProtocolError::Unmasked));
}
