//! `Sec-WebSocket-Extensions` and `Sec-WebSocket-Protocol`: what a server makes of any offer, a
//! client that could have made it takes.

use websocket_proto::handshake::{Accept, ClientRequest, Request, ServerConfig};
use websocket_proto::{Negotiated, Output};

use super::super::script::Script;

pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let (protocols, offer) = (script.string(), script.0);
    let headers: [(&str, &[u8]); 7] = [
        ("Host", b"h"),
        ("Upgrade", b"websocket"),
        ("Connection", b"Upgrade"),
        ("Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", b"13"),
        ("Sec-WebSocket-Protocol", protocols),
        ("Sec-WebSocket-Extensions", offer),
    ];
    #[cfg_attr(not(feature = "deflate"), allow(unused_mut, reason = "the extension is off"))]
    let mut config = ServerConfig::default();
    #[cfg(feature = "deflate")]
    (config.deflate = Some(Default::default()));
    let Ok(request) = Request::from_parts(&config, "GET", "/", (1, 1), headers) else { return };
    let chosen = request.subprotocols().next();
    let mut answer = Output::new();
    let agreed = request.accept(&Accept::new().subprotocol(chosen), &mut answer).expect("offered");
    assert_eq!(agreed.subprotocol.as_deref(), chosen);
    assert_eq!(client(chosen, answer.pending()), agreed);
}

fn client(subprotocol: Option<&str>, mut answer: &[u8]) -> Negotiated {
    let mut request = ClientRequest::new("h", "/");
    if let Some(name) = subprotocol {
        request = request.subprotocol(name);
    }
    #[cfg(feature = "deflate")]
    (request = request.deflate(Default::default()));
    let mut client = request.start(*b"the sample nonce", &mut Output::new()).expect("a token");
    client.receive(&mut answer).expect("it could have been asked for").expect("all of it").0
}
