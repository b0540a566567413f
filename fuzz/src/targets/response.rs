//! A client of any configuration reads any response the same however it is cut, and opens for a 101
//! with the right accept value only.

#[cfg(feature = "deflate")]
use websocket_proto::handshake::DeflateConfig;
use websocket_proto::handshake::{ClientRequest, HandshakeError, Response};
use websocket_proto::{Negotiated, Output};

use super::super::script::Script;

pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let (cuts, bits) = (script.cuts(), script.byte());
    let request = request(bits, &mut script);
    let response = script.grown();
    let input = &response[..];
    let (outcome, rest) = answered(&request, [input]);
    assert_eq!(answered(&request, cuts.of(input)), (outcome.clone(), rest.clone()));
    assert!(input.ends_with(&rest));
    let Some(Ok((negotiated, response))) = outcome else { return };
    assert_eq!(response.status(), 101);
    assert_eq!(response.header("sec-websocket-accept"), Some(&b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="[..]));
    let chosen = response.header("sec-websocket-protocol");
    assert_eq!(negotiated.subprotocol.as_deref().map(str::as_bytes), chosen);
    let offered = |name: &[u8]| bits & 4 == 0 && (name == b"chat" || name == b"superchat");
    assert!(chosen.is_none_or(offered), "what was offered");
    #[cfg(feature = "deflate")]
    if bits & 8 != 0 {
        return;
    }
    assert_eq!(response.header("sec-websocket-extensions").unwrap_or_default().trim_ascii(), b"");
}

/// What is asked for; 0 is two subprotocols, no extension, and the limits' defaults.
fn request(bits: u8, script: &mut Script<'_>) -> ClientRequest {
    let mut request = ClientRequest::new("h", "/").limits(script.limits(bits & 3));
    if bits & 4 == 0 {
        request = request.subprotocol("chat").subprotocol("superchat");
    }
    #[cfg(feature = "deflate")]
    if bits & 8 != 0 {
        let mut deflate = DeflateConfig::default();
        deflate.client_no_context_takeover = bits & 16 != 0;
        deflate.client_max_window_bits = if bits & 32 != 0 { 10 } else { 15 };
        request = request.deflate(deflate);
    }
    request
}

type Answered = Option<Result<(Negotiated, Response), HandshakeError>>;

fn answered<'i>(
    request: &ClientRequest,
    pieces: impl IntoIterator<Item = &'i [u8]>,
) -> (Answered, Vec<u8>) {
    let mut client = request.clone().start(*b"the sample nonce", &mut Output::new()).unwrap();
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
