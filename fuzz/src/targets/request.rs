//! A server reads any request the same however it is cut, answers it once, and opens for nothing
//! less than a WebSocket request. What comes behind is not touched.

use websocket_proto::handshake::{Accept, HandshakeError, Server, ServerConfig};
use websocket_proto::{Negotiated, Output};

use super::super::script::Script;

pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let (cuts, input) = (script.cuts(), script.0);
    let whole = serve([input]);
    assert_eq!(serve(cuts.of(input)), whole);
    let (outcome, answer, rest) = whole;
    let Some(outcome) = outcome else { return assert_eq!((answer, rest), Default::default()) };
    let status = outcome.as_ref().map_or_else(HandshakeError::status, |_| 101);
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains("\r\n\r\n"));
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "one answer");
    assert_eq!(answer.contains("\r\nConnection: close"), outcome.is_err());
    let (head, behind) = input.split_at(input.len() - rest.len());
    assert_eq!(behind, rest);
    if outcome.is_ok() {
        let head = String::from_utf8_lossy(head).to_ascii_lowercase();
        assert!(head.trim_start().starts_with("get ") && head.ends_with("\r\n\r\n"));
        let has = |part| head.contains(part);
        assert!(has("websocket") && has("\r\nhost") && has("upgrade") && has("\r\nconnection:"));
        assert!(has("\r\nsec-websocket-key:") && has("\r\nsec-websocket-version:"));
    }
}

type Served = (Option<Result<Negotiated, HandshakeError>>, String, Vec<u8>);

fn serve<'i>(pieces: impl IntoIterator<Item = &'i [u8]>) -> Served {
    let (mut server, mut output) = (Server::new(ServerConfig::default()), Output::new());
    let (mut outcome, mut rest) = (None, Vec::new());
    for mut piece in pieces {
        match server.receive(&mut piece, &mut output) {
            Ok(Some(it)) => outcome = Some(Ok(it.accept(&Accept::new(), &mut output).unwrap())),
            Ok(None) => assert!(piece.is_empty() || outcome.is_some()),
            Err(error) => assert_eq!(outcome.get_or_insert(Err(error.clone())), &Err(error)),
        }
        rest.extend_from_slice(piece);
    }
    (outcome, String::from_utf8(output.pending().to_vec()).unwrap(), rest)
}
