//! What `{:?}` of the types of the handshake shows: enough to tell what is going on, in a log that
//! anyone may read, with the room that a log has. S88.

use std::fmt::Debug;

use websocket_proto::handshake::{
    Accept, Client, ClientRequest, HandshakeError, Origin, OriginPolicy, Refusal, Request,
    Response, Server, ServerConfig, Url,
};
use websocket_proto::{ApiMisuse, Negotiated, Output};

/// Stands wherever a secret may be.
const SECRET: &str = "s3cr3t";
const MOST: usize = 2 << 10;
const NONCE: [u8; 16] = *b"the sample nonce";

/// The header lines in which secrets travel, and 80 more that are long.
fn headers() -> Vec<(String, String)> {
    let names = ["Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "X-Api-Key"];
    let secrets = names.map(|name| (name.to_owned(), SECRET.to_owned()));
    let others = (0..80).map(|at| (format!("X-{at}-{}", "x".repeat(60)), SECRET.to_owned()));
    secrets.into_iter().chain(others).collect()
}

fn lines() -> String {
    headers().iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect()
}

fn request_text() -> String {
    format!(
        "GET /{}?token={SECRET} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat, {SECRET}\r\n{}\r\n",
        "p".repeat(4000),
        "h".repeat(2000),
        lines()
    )
}

fn request() -> Request {
    let mut server = Server::new(ServerConfig::default());
    let text = request_text();
    let request = server.receive(&mut text.as_bytes(), &mut Output::new());
    request.expect("a good request").expect("all of it")
}

/// A server after a part of the request, the whole, and a fault.
fn server(bytes: &[u8]) -> Server {
    let mut server = Server::new(config());
    let _ = server.receive(&mut &bytes[..], &mut Output::new());
    server
}

/// Settings are the application's own; a list of origins may be long all the same.
fn config() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.origin = OriginPolicy::List(
        (0..500).map(|at| format!("https://{}{at}", "o".repeat(100)).parse().unwrap()).collect(),
    );
    config
}

fn client_request() -> ClientRequest {
    let host = "h".repeat(3000);
    let target = format!("/{}?token={SECRET}", "p".repeat(3000));
    let request = ClientRequest::new(host, target).basic_auth(SECRET, SECRET).bearer_auth(SECRET);
    let request = request.origin(format!("https://{SECRET}")).subprotocol("chat");
    headers()
        .into_iter()
        .fold(request, |request, (name, value)| request.header(name, value))
        .subprotocol(SECRET)
}

fn client(bytes: &[u8]) -> (Client, Option<(Negotiated, Response)>, Option<HandshakeError>) {
    let mut client = client_request().start(NONCE, &mut Output::new()).expect("it can be sent");
    match client.receive(&mut &bytes[..]) {
        Ok(open) => (client, open, None),
        Err(error) => (client, None, Some(error)),
    }
}

fn opened() -> (Client, Option<(Negotiated, Response)>, Option<HandshakeError>) {
    let text = format!(
        "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n{}\r\n",
        lines()
    );
    client(text.as_bytes())
}

fn refused() -> (Client, Option<(Negotiated, Response)>, Option<HandshakeError>) {
    client(format!("HTTP/1.1 401 {SECRET}\r\n{}\r\n{SECRET}", lines()).as_bytes())
}

fn invalid() -> (Client, Option<(Negotiated, Response)>, Option<HandshakeError>) {
    client(format!("HTTP/1.1 101 {SECRET}\r\nUpgrade: {SECRET}\r\n{}\r\n", lines()).as_bytes())
}

fn url() -> Url {
    format!("wss://{}:8443/{}?token={SECRET}", "h".repeat(3000), "p".repeat(3000)).parse().unwrap()
}

fn negotiated() -> Negotiated {
    let mut negotiated = Negotiated::default();
    negotiated.subprotocol = Some("n".repeat(4000));
    negotiated
}

type Shown = (&'static str, Box<dyn Debug>, &'static [&'static str]);

/// Every type of the handshake that has seen something; and what its `Debug` says of it.
fn all() -> Vec<Shown> {
    let fields = Box::leak(Box::new(headers()));
    let accept = fields.iter().fold(Accept::new().subprotocol("chat"), |accept, (name, value)| {
        accept.header(name, value)
    });
    let refusal = fields
        .iter()
        .fold(Refusal::new(401).body(SECRET), |refusal, (name, value)| refusal.header(name, value));
    let misuse = |text: &str| text.parse::<Url>().expect_err("not a url");
    let part = request_text().into_bytes();
    let origin: Origin = format!("https://{}", "o".repeat(5000)).parse().unwrap();
    vec![
        ("ClientRequest", Box::new(client_request()), &["hhh", "/ppp", "Authorization", "3000"]),
        (
            "a ClientRequest that cannot be sent",
            Box::new(
                ClientRequest::new(format!("u:{SECRET}@h"), format!("http://u:{SECRET}@h/"))
                    .header(format!("Authorization: {SECRET}"), ""),
            ),
            &["not valid"],
        ),
        (
            "a ClientRequest with a fragment",
            Box::new(ClientRequest::new("host.example", format!("/x#{SECRET}"))),
            &["host.example"],
        ),
        ("Client", Box::new(opened().0), &["Done"]),
        ("a Client on the way", Box::new(client(&part[..5000]).0), &["Client"]),
        (
            "a Client with a part",
            Box::new(client(format!("HTTP/1.1 101 X\r\n{}", lines()).as_bytes()).0),
            &["Reading"],
        ),
        ("a Client that was refused", Box::new(refused().0), &["Refused", "401", "Cookie"]),
        ("a Client that failed", Box::new(invalid().0), &["InvalidResponse"]),
        ("Response", Box::new(opened().1.unwrap().1), &["101", "Authorization", "more"]),
        ("Negotiated", Box::new(negotiated()), &["nnn", "4000 bytes"]),
        ("Refused", Box::new(refused().2), &["Refused", "401", "Authorization", "more"]),
        ("InvalidResponse", Box::new(invalid().2), &["InvalidResponse", "upgrade header"]),
        ("ServerConfig", Box::new(config()), &["https://ooo", "and 490 more", "require_origin"]),
        ("Origin", Box::new(origin), &["https://ooo", "5012 bytes"]),
        ("Server", Box::new(server(&[])), &["Reading"]),
        ("a Server with a part", Box::new(server(&part[..part.len() - 1])), &["Reading"]),
        ("a Server that is done", Box::new(server(&part)), &["Done"]),
        ("a Server that failed", Box::new(server(SECRET.as_bytes())), &["Server"]),
        ("a Server and a fault", Box::new(server(b"GET s3cr3t\r\n")), &["Failed", "Malformed"]),
        ("Request", Box::new(request()), &["hhh", "/ppp", "Upgrade", "more"]),
        ("Accept", Box::new(accept), &["chat", "Cookie", "more"]),
        ("Refusal", Box::new(refusal), &["401", "Cookie", "more", "6"]),
        ("Url", Box::new(url()), &["hhh", "8443", "/ppp"]),
        ("a user", Box::new(misuse("ws://u:s3cr3t@h/\0")), &["UserInfo"]),
        ("a fault behind a user", Box::new(misuse("ws://h/s3cr3t@\0")), &["Path"]),
        ("AlreadyAnswered", Box::new(ApiMisuse::AlreadyAnswered), &["AlreadyAnswered"]),
    ]
}

#[test]
fn s88_debug_of_a_handshake_shows_no_secret_and_is_short() {
    use base64_of_secret as encoded;
    for (name, value, says) in all() {
        for shown in [format!("{value:?}"), format!("{value:#?}")] {
            for secret in [SECRET, encoded(), "115, 51, 99, 114, 51, 116", "dGhlIHNh", "s3pPLM"] {
                assert!(!shown.contains(secret), "{name} shows {secret}: {shown}");
            }
            assert!(shown.len() < MOST, "{name} has {} bytes: {shown}", shown.len());
            for word in says {
                assert!(shown.contains(word), "{name} does not say {word}: {shown}");
            }
        }
    }
}

/// `s3cr3t:s3cr3t`, as `basic_auth` sends it.
fn base64_of_secret() -> &'static str {
    "czNjcjN0OnMzY3IzdA"
}

/// Short texts are shown as they are; what cannot be seen is escaped, and counts for what it takes.
#[test]
fn s88_text_is_cut_where_it_is_long() {
    let shown = |text: &str| {
        let mut negotiated = Negotiated::default();
        negotiated.subprotocol = Some(text.to_owned());
        let shown = format!("{negotiated:?}");
        let (_, shown) = shown.split_once("subprotocol: Some(").expect("its name");
        shown.split(')').next().expect("a part").to_owned()
    };
    assert_eq!(shown("chat"), r#""chat""#);
    assert_eq!(shown("a\"\n\u{1}"), r#""a\"\n\u{1}""#);
    assert_eq!(shown(&"x".repeat(48)), format!("\"{}\"", "x".repeat(48)));
    assert_eq!(shown(&"x".repeat(49)), format!("\"{}\"... (49 bytes", "x".repeat(48)));
    assert_eq!(shown(&"\u{e9}".repeat(25)), format!("\"{}\"... (50 bytes", "\u{e9}".repeat(24)));
    assert_eq!(shown(&"\u{1}".repeat(10)), format!("\"{}\"... (10 bytes", r"\u{1}".repeat(9)));
}
