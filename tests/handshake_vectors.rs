//! Every row of the handshake vectors: whole, at every two-way split, and byte by byte, then the
//! end of the transport, then 1 KiB of junk.

use serde_json::Value;
use websocket_proto::handshake::{Accept, ClientRequest, HandshakeError, Server, ServerConfig};
use websocket_proto::{
    CloseCode, Config, Connection, Event, MaskKeys, Negotiated, Output, ProtocolError,
};

/// The nonce behind the sample key of RFC 6455 section 1.3, which all rows use that do not say what
/// answers theirs.
const NONCE: [u8; 16] = *b"the sample nonce";
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

fn rows(text: &str) -> Vec<Value> {
    serde_json::from_str(text).expect("the vectors are JSON")
}

fn text<'r>(row: &'r Value, name: &str) -> &'r str {
    row[name].as_str().expect("a string")
}

fn input(row: &Value) -> Vec<u8> {
    let hex = text(row, "input").as_bytes();
    hex.chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Runs `receive` over every way to cut the input, and checks that all outcomes are the same.
fn every_chunking<T: PartialEq + std::fmt::Debug>(
    id: &str,
    bytes: &[u8],
    mut run: impl FnMut(&mut dyn Iterator<Item = &[u8]>) -> T,
) -> T {
    let whole = run(&mut std::iter::once(bytes));
    assert_eq!(run(&mut bytes.chunks(1)), whole, "{id}: byte by byte");
    for at in 1..bytes.len() {
        let (first, second) = bytes.split_at(at);
        assert_eq!(run(&mut [first, second].into_iter()), whole, "{id}: split at {at}");
    }
    whole
}

/// What a server did: the status, its answer, and the bytes that it left behind the head.
#[derive(Debug, PartialEq)]
struct Served {
    status: u16,
    answer: String,
    negotiated: Option<Negotiated>,
    rest: Vec<u8>,
    /// What the rest is, as frames, if the request was accepted.
    frames: Option<(Vec<Event<'static>>, ProtocolError)>,
}

fn serve(config: &ServerConfig, pieces: &mut dyn Iterator<Item = &[u8]>) -> Served {
    let mut output = Output::new();
    let mut server = Server::new(config.clone());
    let mut served = None;
    let mut rest = Vec::new();
    for mut piece in pieces {
        let result = server.receive(&mut piece, &mut output);
        match (&served, result) {
            (None, Ok(None)) => assert!(piece.is_empty(), "all is taken until the head has ended"),
            (None, Ok(Some(request))) => {
                let negotiated = request.accept(&Accept::new(), &mut output).unwrap();
                served = Some((101, Some(negotiated)));
            }
            (None, Err(error)) => served = Some((error.status(), None)),
            (Some((101, _)), later) => assert_eq!(later, Ok(None), "frames are not for it"),
            (Some((status, _)), later) => assert_eq!(later.unwrap_err().status(), *status),
        }
        rest.extend_from_slice(piece);
    }
    let (status, negotiated) = served.unwrap_or_default();
    let answer = String::from_utf8(output.pending().to_vec()).unwrap();
    let mut frames = None;
    if let Some(negotiated) = &negotiated {
        let connection = Connection::server(negotiated.clone(), Config::default());
        frames = Some(frames_behind(connection, &rest));
    } else {
        let error = server.receive_eof();
        assert_eq!(error.status(), status, "the first error stays");
        let mut junk: &[u8] = &[b'x'; 1024];
        assert_eq!(server.receive(&mut junk, &mut output), Err(error));
        assert_eq!((junk, output.len()), (&b""[..], answer.len()), "junk is dropped");
    }
    Served { status, answer, negotiated, rest, frames }
}

/// What a connection makes of the bytes behind the head, of the end, and of junk after it.
fn frames_behind(mut connection: Connection, rest: &[u8]) -> (Vec<Event<'static>>, ProtocolError) {
    let mut output = Output::new();
    let mut rest = rest.to_vec();
    let (mut input, mut events) = (&mut rest[..], Vec::new());
    while let Ok(Some(event)) = connection.receive(&mut input, &mut output) {
        events.push(event.into_owned());
    }
    let error = connection.receive_eof().expect_err("none of the rows closes");
    let sent = output.len();
    let mut junk = [0x81; 1024];
    assert_eq!(connection.receive(&mut &mut junk[..], &mut output), Err(error));
    assert_eq!(output.len(), sent, "junk is dropped");
    (events, error)
}

/// `accept` answers the row's key.
fn check_answer(id: &str, accept: &str, served: &Served) {
    let Served { status, answer, .. } = served;
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{id}: {answer}");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole head");
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{id}: one answer");
    if *status == 101 {
        assert!(head.contains(&format!("\r\nSec-WebSocket-Accept: {accept}")), "{id}: {head}");
        assert_eq!(body, "", "{id}");
        return;
    }
    assert!(head.contains("\r\nConnection: close"), "{id}: {head}");
    assert!(head.contains(&format!("\r\nContent-Length: {}", body.len())), "{id}: {head}");
    let has = |line: &str| head.contains(line);
    assert_eq!(has("\r\nSec-WebSocket-Version: 13"), *status == 426, "{id}: {head}");
    assert_eq!(has("\r\nUpgrade: websocket"), *status == 426, "{id}: {head}");
    assert_eq!(has("\r\nAllow: GET"), *status == 405, "{id}: {head}");
}

fn run_server_rows(config: &ServerConfig, ids: &str, mut check: impl FnMut(&str, &str, &Served)) {
    let rows = rows(include_str!("vectors/server_requests.json"));
    assert_eq!(rows.len(), 58);
    for row in rows.iter().filter(|row| text(row, "id").starts_with(ids)) {
        let (id, bytes) = (text(row, "id"), input(row));
        let served = every_chunking(id, &bytes, |pieces| serve(config, pieces));
        let allowed = row["status"].as_array().unwrap();
        assert!(allowed.contains(&Value::from(served.status)), "{id}: {served:?}");
        check_answer(id, row["accept"].as_str().unwrap_or(ACCEPT), &served);
        // What comes behind a good head is not touched: H40 is followed by a frame, H41 by
        // a request.
        let head_len = bytes.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
        if served.status == 101 && id != "H49" {
            assert_eq!(served.rest, bytes[head_len..], "{id}");
        }
        match id {
            "H40" => {
                assert_eq!(served.rest, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
                let hello = vec![Event::Text("Hello".into())];
                assert_eq!(served.frames, Some((hello, ProtocolError::UnexpectedEof)));
            }
            "H41" => {
                assert_eq!(served.rest, bytes[..head_len]);
                let (events, error) = served.frames.as_ref().expect("it was accepted");
                assert_eq!((events.len(), error.close_code()), (0, CloseCode::PROTOCOL_ERROR));
            }
            _ => assert_eq!(served.rest, b"", "{id}"),
        }
        check(id, text(row, "expect"), &served);
    }
}

/// The choices that the rows leave open, so that a change of mind is seen.
#[test]
fn server_requests() {
    run_server_rows(&ServerConfig::default(), "", |id, _, served| {
        let chosen = match id {
            "H07" | "H49" => 101, // lists, and empty lines before the request
            "H08" | "H11" | "H14" | "H15" => 426,
            "H05" | "H12" => 400,
            "H26" => 405,
            "H28" => 505,
            _ => served.status,
        };
        assert_eq!(served.status, chosen, "{id}");
        // Compression was not asked for: every offer is declined.
        assert!(!served.answer.contains("Sec-WebSocket-Extensions"), "{id}");
        if served.status == 101 {
            assert_eq!(served.negotiated, Some(Negotiated::default()), "{id}");
        }
    });
}

#[cfg(feature = "deflate")]
#[test]
fn server_requests_with_compression() {
    use websocket_proto::handshake::DeflateConfig;

    let mut config = ServerConfig::default();
    config.deflate = Some(DeflateConfig::default());
    let mut agreed = Vec::new();
    run_server_rows(&config, "N", |id, expect, served| {
        let count = served.answer.matches("permessage-deflate").count();
        let params = served.negotiated.as_ref().and_then(|negotiated| negotiated.deflate);
        assert_eq!(params.is_some(), count == 1, "{id}: {served:?}");
        if expect.starts_with("101 + ext") {
            assert_eq!(count, 1, "{id}: {}", served.answer);
        } else if expect.contains("declined") || expect.contains("ignored") {
            assert_eq!(count, 0, "{id}: {}", served.answer);
        }
        if count > 0 {
            agreed.push(id.to_owned());
        }
    });
    assert_eq!(agreed, ["N01", "N06", "N07", "N12", "N13"]);
}

/// What a client found: the outcome, and the bytes that it left behind the head.
type Answered = (Result<Negotiated, HandshakeError>, Vec<u8>);

fn answer(request: &ClientRequest, pieces: &mut dyn Iterator<Item = &[u8]>) -> Option<Answered> {
    let mut client = request.clone().start(NONCE, &mut Output::new()).unwrap();
    let mut outcome = None;
    let mut rest = Vec::new();
    for mut piece in pieces {
        let result = client.receive(&mut piece);
        match (&outcome, result) {
            (None, Ok(None)) => assert!(piece.is_empty(), "all is taken until the head has ended"),
            (None, Ok(Some((negotiated, _)))) => outcome = Some(Ok(negotiated)),
            (None, Err(error)) => outcome = Some(Err(error)),
            (Some(Ok(_)), later) => assert_eq!(later, Ok(None)),
            (Some(Err(error)), later) => assert_eq!(later.as_ref(), Err(error)),
        }
        rest.extend_from_slice(piece);
    }
    if let Some(Err(error)) = &outcome {
        assert_eq!(&client.receive_eof(), error, "the first error stays");
        let mut junk: &[u8] = &[b'x'; 1024];
        assert_eq!(client.receive(&mut junk).as_ref(), Err(error));
    }
    outcome.map(|outcome| (outcome, rest))
}

fn run_client_rows(request: &ClientRequest) {
    let rows = rows(include_str!("vectors/client_responses.json"));
    assert_eq!(rows.len(), 26);
    for row in &rows {
        let (id, bytes, expect) = (text(row, "id"), input(row), text(row, "expect"));
        assert_eq!(text(row, "key"), KEY);
        let (outcome, rest) =
            every_chunking(id, &bytes, |pieces| answer(request, pieces)).expect("a decision");
        // K28, K29, K36: the rows allow both; see the documentation of `Client::receive`.
        let open = expect.starts_with("open") || id == "K29";
        assert_eq!(outcome.is_ok(), open, "{id}: {outcome:?}");
        let frame: &[u8] = if ["K28", "K29", "K30"].contains(&id) { b"\x81\x05Hello" } else { b"" };
        assert_eq!(rest, frame, "{id}");
        if let Ok(negotiated) = &outcome {
            let keys = MaskKeys::from_seed([7; 32]);
            let connection = Connection::client(negotiated.clone(), Config::default(), keys);
            let hello = vec![Event::Text("Hello".into())];
            let events = if frame.is_empty() { Vec::new() } else { hello };
            assert_eq!(frames_behind(connection, &rest), (events, ProtocolError::UnexpectedEof));
        }
        match (id, outcome) {
            ("K17", Err(error)) => {
                assert_eq!(error.status(), 301);
                let response = error.response().expect("the response is handed on");
                assert_eq!(response.header("Location"), Some(&b"ws://evil/"[..]));
            }
            ("K11", Err(error)) => assert_eq!(error.status(), 200),
            ("K16", Err(error)) => {
                assert_eq!(error, HandshakeError::TooManyInterimResponses { limit: 8 });
            }
            ("K31" | "K34" | "K35", Err(error)) => {
                assert!(matches!(error, HandshakeError::Malformed(_)), "{id}: {error}");
            }
            (_, Err(error)) => assert_eq!(error.response().unwrap().status(), 101, "{id}"),
            (_, Ok(negotiated)) => assert_eq!(negotiated, Negotiated::default(), "{id}"),
        }
    }
}

#[test]
fn client_responses() {
    run_client_rows(&ClientRequest::new("a.example", "/c"));
}

/// A client that offers compression finds the same faults in the answers.
#[cfg(feature = "deflate")]
#[test]
fn client_responses_with_compression() {
    use websocket_proto::handshake::DeflateConfig;

    run_client_rows(&ClientRequest::new("a.example", "/c").deflate(DeflateConfig::default()));
}
