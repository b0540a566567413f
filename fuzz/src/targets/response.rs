//! A client reads any response the same however it is cut, and opens for a 101 with the right
//! accept value only.

use websocket_proto::handshake::{ClientRequest, HandshakeError, Response};
use websocket_proto::{Negotiated, Output};

use super::super::script::Script;

pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let (cuts, input) = (script.cuts(), script.0);
    let (outcome, rest) = answered([input]);
    assert_eq!(answered(cuts.of(input)), (outcome.clone(), rest.clone()));
    assert!(input.ends_with(&rest));
    let Some(Ok((negotiated, response))) = outcome else { return };
    assert_eq!(response.status(), 101);
    assert_eq!(response.header("sec-websocket-accept"), Some(&b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="[..]));
    let chosen = response.header("sec-websocket-protocol");
    assert_eq!(negotiated.subprotocol.as_deref().map(str::as_bytes), chosen);
    assert!(chosen.is_none_or(|name| name == b"chat" || name == b"superchat"));
    assert_eq!(response.header("sec-websocket-extensions").unwrap_or_default().trim_ascii(), b"");
}

type Answered = Option<Result<(Negotiated, Response), HandshakeError>>;

fn answered<'i>(pieces: impl IntoIterator<Item = &'i [u8]>) -> (Answered, Vec<u8>) {
    let request = ClientRequest::new("h", "/").subprotocol("chat").subprotocol("superchat");
    let mut client = request.start(*b"the sample nonce", &mut Output::new()).unwrap();
    let (mut outcome, mut rest) = (None, Vec::new());
    for mut piece in pieces {
        match client.receive(&mut piece) {
            Ok(Some(open)) => outcome = Some(Ok(open)),
            Ok(None) => assert!(piece.is_empty() || outcome.is_some()),
            Err(error) => assert_eq!(outcome.get_or_insert(Err(error.clone())), &Err(error)),
        }
        rest.extend_from_slice(piece);
    }
    (outcome, rest)
}
