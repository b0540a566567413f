//! A client and a server that are told to send anything: what leaves is what was meant, or
//! nothing. No text of the application can end a line, a head, or name a header of the handshake.

use websocket_proto::Output;
use websocket_proto::handshake::{Accept, ClientRequest, OriginPolicy, Server, ServerConfig};

use super::super::script::Script;

pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let mut text = || String::from_utf8_lossy(script.string()).into_owned();
    let [host, target, origin, name, value, protocol] = std::array::from_fn(|_| text());
    let mut request = ClientRequest::new(&*host, &*target).header(&*name, &*value);
    if !origin.is_empty() {
        request = request.origin(&*origin);
    }
    let request = request.subprotocol(&*protocol).subprotocol("chat");
    let mut output = Output::new();
    let Ok(mut client) = request.start(*b"the sample nonce", &mut output) else {
        return assert!(output.is_empty(), "nothing is written for a request that is refused");
    };
    let mut config = ServerConfig::default();
    config.origin = OriginPolicy::Any;
    let mut input = output.pending();
    let mut answer = Output::new();
    let request = Server::new(config).receive(&mut input, &mut answer);
    let request = request.expect("our server takes what our client sends").expect("all of it");
    assert_eq!((request.host(), request.target(), input), (&*host, &*target, &b""[..]));
    assert_eq!(request.header(&name), Some(value.trim_matches([' ', '\t']).as_bytes()));
    assert_eq!(request.origin().is_some(), !origin.is_empty());
    assert!(request.subprotocols().eq([&*protocol, "chat"]));
    let accept = Accept::new().subprotocol(&*protocol).header(&name, &value);
    if request.accept(&accept, &mut answer).is_err() {
        return assert!(answer.is_empty(), "nor for an answer");
    }
    let mut input = answer.pending();
    let (negotiated, response) = client.receive(&mut input).expect("accepted").expect("all of it");
    assert_eq!((negotiated.subprotocol.as_deref(), input), (Some(&*protocol), &b""[..]));
    assert_eq!(response.header(&name), Some(value.trim_matches([' ', '\t']).as_bytes()));
}
