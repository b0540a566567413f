//! A server of any configuration reads any request the same however it is cut, answers it once, and
//! opens for nothing less than a WebSocket request. What comes behind is not touched.

use std::sync::Arc;

#[cfg(feature = "deflate")]
use websocket_proto::handshake::DeflateConfig;
use websocket_proto::handshake::{Accept, HandshakeError, OriginPolicy, Server, ServerConfig};
use websocket_proto::{Negotiated, Output};

use super::super::script::Script;

pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let cuts = script.cuts();
    let config = Arc::new(config(&mut script));
    let head = script.grown();
    let input = &head[..];
    let whole = serve(&config, [input]);
    assert_eq!(serve(&config, cuts.of(input)), whole);
    let (outcome, answer, rest) = whole;
    let Some(outcome) = outcome else { return assert_eq!((answer, rest), Default::default()) };
    let status = outcome.as_ref().map_or_else(HandshakeError::status, |_| 101);
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains("\r\n\r\n"));
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "one answer");
    assert_eq!(answer.contains("\r\nConnection: close"), outcome.is_err());
    let (head, behind) = input.split_at(input.len() - rest.len());
    assert_eq!(behind, rest);
    if let Ok(negotiated) = outcome {
        check_open(&config, &negotiated, head);
    }
}

/// What is opened keeps to the rules and to the configuration.
fn check_open(config: &ServerConfig, negotiated: &Negotiated, head: &[u8]) {
    assert!(head.len() <= config.limits.max_head_size as usize, "a head above its limit");
    let longest = head.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::len).max();
    assert!(longest <= Some(config.limits.max_line_size as usize), "a line above its limit");
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    assert!(head.trim_start().starts_with("get ") && head.ends_with("\r\n\r\n"));
    let has = |part| head.contains(part);
    assert!(has("websocket") && has("\r\nhost") && has("upgrade") && has("\r\nconnection:"));
    assert!(has("\r\nsec-websocket-key:") && has("\r\nsec-websocket-version:"));
    assert!(!config.require_origin || has("\r\norigin:"), "an origin is asked for");
    if config.secure && config.origin == OriginPolicy::SameHost {
        assert!(!has("\r\norigin: http:"), "a page without TLS");
    }
    assert!(negotiated.subprotocol.is_none() || has("chat"));
    #[cfg(feature = "deflate")]
    assert!(config.deflate.is_some() || negotiated.deflate.is_none(), "it was not allowed");
}

/// 0 is the default.
fn config(script: &mut Script<'_>) -> ServerConfig {
    let bits = script.byte();
    let bit = |index: u8| bits >> index & 1 == 1;
    let mut config = ServerConfig::default();
    config.limits = script.limits(bits & 3);
    config.origin = match bits >> 2 & 3 {
        0 => OriginPolicy::SameHost,
        1 => OriginPolicy::Any,
        2 => OriginPolicy::List(vec!["https://example.com".parse().expect("an origin")]),
        _ => OriginPolicy::List(vec!["null".parse().expect("an origin")]),
    };
    config.require_origin = bit(4);
    config.secure = bit(5);
    #[cfg(feature = "deflate")]
    if bit(6) {
        let mut deflate = DeflateConfig::default();
        deflate.server_no_context_takeover = bit(7);
        deflate.server_max_window_bits = if bit(7) { 10 } else { 15 };
        config.deflate = Some(deflate);
    }
    config
}

type Served = (Option<Result<Negotiated, HandshakeError>>, String, Vec<u8>);

fn serve<'i>(config: &Arc<ServerConfig>, pieces: impl IntoIterator<Item = &'i [u8]>) -> Served {
    let (mut server, mut output) = (Server::new(Arc::clone(config)), Output::new());
    let (mut outcome, mut rest) = (None, Vec::new());
    for mut piece in pieces {
        match server.receive(&mut piece, &mut output) {
            Ok(Some(it)) => {
                let chosen = it.select_subprotocol(&["superchat", "chat"]);
                let accept = Accept::new().subprotocol(chosen);
                outcome = Some(Ok(it.accept(&accept, &mut output).unwrap()));
            }
            Ok(None) => assert!(piece.is_empty() || outcome.is_some()),
            Err(error) => assert_eq!(outcome.get_or_insert(Err(error.clone())), &Err(error)),
        }
        rest.extend_from_slice(piece);
    }
    (outcome, String::from_utf8(output.pending().to_vec()).unwrap(), rest)
}
