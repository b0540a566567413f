//! The server's side: [`Server`] reads a request, and answers one that is at fault.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt::Write;

use super::answer::write_response;
#[cfg(feature = "deflate")]
use super::deflate::DeflateConfig;
use super::error::HandshakeError;
use super::head::{HeadLimits, HeadReader, Kind};
use super::origin::OriginPolicy;
use super::request::Request;
use crate::Output;

/// What a server accepts. The defaults are safe towards hostile peers and hostile pages.
///
/// Connections share it: put it into an [`Arc`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Limits on the request.
    pub limits: HeadLimits,
    /// Which origins are allowed; others get 403. Default [`OriginPolicy::SameHost`].
    pub origin: OriginPolicy,
    /// Whether a request without an `Origin`, which no browser sends, gets 403 as well. Default
    /// `false`.
    pub require_origin: bool,
    /// Whether clients reach this server over TLS (`wss://`) and in no other way, be it the
    /// server's own or that of a proxy in front of it. [`OriginPolicy::SameHost`] then asks for a
    /// page that came over TLS too: who can change what a page without TLS says could else use it
    /// to speak to this server. Default `false`: not known, pages of both kinds are allowed.
    pub secure: bool,
    /// Whether and how to compress messages (RFC 7692). Default `None`: offers are declined.
    #[cfg(feature = "deflate")]
    pub deflate: Option<DeflateConfig>,
}

/// The server's side of an opening handshake (RFC 6455 section 4.2), for one connection.
#[derive(Debug)]
pub struct Server {
    config: Arc<ServerConfig>,
    reader: HeadReader,
    state: State,
}

#[derive(Debug)]
enum State {
    Reading,
    /// The request was handed out.
    Done,
    Failed(HandshakeError),
}

impl Server {
    /// A server that waits for a request. It owns no buffer before the first byte.
    #[must_use]
    pub fn new(config: impl Into<Arc<ServerConfig>>) -> Self {
        let reader = HeadReader::new(Kind::Request);
        Self { config: config.into(), reader, state: State::Reading }
    }

    /// Takes bytes that were received. `None`: the request has not ended, all of `input` was
    /// taken. With the request, `input` holds what came behind it: the first frames.
    ///
    /// To be called no more after it has returned a request: it takes nothing then.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`]: the response is in `output`. The caller writes it and closes the
    /// transport. What is pipelined behind a faulty request is dropped, now and in later calls,
    /// which return the same error.
    pub fn receive(
        &mut self,
        input: &mut &[u8],
        output: &mut Output,
    ) -> Result<Option<Request>, HandshakeError> {
        match &self.state {
            State::Reading => {}
            State::Done => return Ok(None),
            State::Failed(error) => {
                *input = &[];
                return Err(error.clone());
            }
        }
        let config = &self.config;
        let request = match self.reader.read(&config.limits, input) {
            Ok(None) => return Ok(None),
            Ok(Some(head)) => Request::validate(head, config),
            Err(error) => Err(error),
        };
        match request {
            Ok(request) => {
                self.state = State::Done;
                Ok(Some(request))
            }
            Err(error) => {
                *input = &[];
                Err(self.fail(error, output))
            }
        }
    }

    /// The transport has ended before the request did. Returns the error; nothing is to be
    /// written.
    pub fn receive_eof(&mut self) -> HandshakeError {
        if let State::Failed(error) = &self.state {
            return error.clone();
        }
        self.state = State::Failed(HandshakeError::UnexpectedEof);
        HandshakeError::UnexpectedEof
    }

    /// The handshake's deadline has passed: writes the response 408 and returns the error. The
    /// caller measures the time, from the first moment to the whole request; progress must not
    /// restart it.
    pub fn timeout(&mut self, output: &mut Output) -> HandshakeError {
        self.fail(HandshakeError::Timeout, output)
    }

    fn fail(&mut self, error: HandshakeError, output: &mut Output) -> HandshakeError {
        if let State::Failed(first) = &self.state {
            return first.clone(); // it has been answered
        }
        // The reason names a rule, a limit or a setting; it never repeats what was received.
        let mut reason = String::new();
        let _ = writeln!(reason, "{error}");
        write_response(error.status(), error.headers(), &[], reason.as_bytes(), output);
        self.reader = HeadReader::new(Kind::Request);
        self.state = State::Failed(error.clone());
        error
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;

    use super::*;
    use crate::ApiMisuse;
    use crate::handshake::{Accept, Refusal};

    const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Origin: http://server.example.com\r\nSec-WebSocket-Protocol: chat, superchat\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n";

    fn text(output: &Output) -> String {
        core::str::from_utf8(output.pending()).unwrap().to_owned()
    }

    fn receive(request: &str) -> (Result<Option<Request>, HandshakeError>, String) {
        let mut output = Output::new();
        let mut server = Server::new(ServerConfig::default());
        let mut input = request.as_bytes();
        let result = server.receive(&mut input, &mut output);
        (result, text(&output))
    }

    fn request() -> Request {
        receive(REQUEST).0.unwrap().unwrap()
    }

    /// RFC 6455 section 1.3: the server's handshake.
    #[test]
    fn the_example_of_the_rfc() {
        let mut output = Output::new();
        let negotiated = request().accept(&Accept::new().subprotocol("chat"), &mut output).unwrap();
        assert_eq!(negotiated.subprotocol.as_deref(), Some("chat"));
        assert_eq!(
            text(&output),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n"
        );
    }

    #[test]
    fn extra_headers_are_sent() {
        let mut output = Output::new();
        request()
            .accept(&Accept::new().header("X-A", "b").header("X-A", "c"), &mut output)
            .unwrap();
        assert!(text(&output).ends_with("xOo=\r\nX-A: b\r\nX-A: c\r\n\r\n"));
    }

    /// S55: response splitting, and answers that do not follow from the request.
    #[test]
    fn misuse_writes_nothing() {
        let mut output = Output::new();
        let request = request();
        for (accept, expected) in [
            (Accept::new().subprotocol("other"), ApiMisuse::SubprotocolNotOffered),
            (Accept::new().subprotocol("Chat"), ApiMisuse::SubprotocolNotOffered),
            (Accept::new().header("X", "a\r\nY: b"), ApiMisuse::InvalidHeaderValue),
            (Accept::new().header("X: y\r\nZ", "a"), ApiMisuse::InvalidHeaderName),
            (Accept::new().header("Upgrade", "websocket"), ApiMisuse::ReservedHeader),
            (Accept::new().header("sec-websocket-accept", "x"), ApiMisuse::ReservedHeader),
        ] {
            assert_eq!(request.accept(&accept, &mut output), Err(expected));
        }
        for (refusal, expected) in [
            (Refusal::new(200), ApiMisuse::InvalidStatus(200)),
            (Refusal::new(101), ApiMisuse::InvalidStatus(101)),
            (Refusal::new(299), ApiMisuse::InvalidStatus(299)),
            (Refusal::new(600), ApiMisuse::InvalidStatus(600)),
            (Refusal::new(403).header("X", "\n"), ApiMisuse::InvalidHeaderValue),
            (Refusal::new(403).header("Content-Length", "9"), ApiMisuse::ReservedHeader),
        ] {
            assert_eq!(request.refuse(&refusal, &mut output), Err(expected));
        }
        assert!(output.is_empty());
        request.accept(&Accept::new(), &mut output).unwrap();
    }

    #[test]
    fn refusals_are_whole_responses() {
        let mut output = Output::new();
        let refusal = Refusal::new(401).header("WWW-Authenticate", "Bearer").body("no");
        request().refuse(&refusal, &mut output).unwrap();
        assert_eq!(
            text(&output),
            "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: close\r\n\
             WWW-Authenticate: Bearer\r\n\r\nno"
        );
        for status in [300, 599] {
            request().refuse(&Refusal::new(status), &mut Output::new()).unwrap();
        }
    }

    #[test]
    fn faults_are_answered() {
        let version = REQUEST.replace("Version: 13", "Version: 1777");
        // S27: a proxy that thinks the tunnel stands must not get a second answer.
        let pipelined = alloc::format!("{version}GET /internal HTTP/1.1\r\n\r\n");
        for (request, start, header) in [
            (pipelined.as_str(), "HTTP/1.1 426 ", "\r\nSec-WebSocket-Version: 13\r\n"),
            (pipelined.as_str(), "HTTP/1.1 426 ", "\r\nUpgrade: websocket\r\n"),
            (pipelined.as_str(), "HTTP/1.1 426 ", "\r\nConnection: close, Upgrade\r\n"),
            (&REQUEST.replace("GET", "PUT"), "HTTP/1.1 405 ", "\r\nAllow: GET\r\n"),
            (&REQUEST.replace("/1.1", "/1.0"), "HTTP/1.1 505 ", "\r\nConnection: close\r\n"),
            (
                &REQUEST.replace("http:", "https://evil."),
                "HTTP/1.1 403 ",
                "\r\nConnection: close\r\n",
            ),
            ("\x16\x03\x01", "HTTP/1.1 400 ", "\r\nConnection: close\r\n"),
        ] {
            let (result, answer) = receive(request);
            assert!(result.is_err());
            assert!(answer.starts_with(start), "{answer}");
            assert!(answer.contains(header), "{answer}");
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(&alloc::format!("Content-Length: {}", body.len())), "{answer}");
            assert_eq!(answer.matches("HTTP/1.1").count(), 1);
        }
    }

    #[test]
    fn an_error_is_sticky_and_answered_once() {
        let mut output = Output::new();
        let mut server = Server::new(ServerConfig::default());
        let error = server.receive(&mut &b"\0"[..], &mut output).unwrap_err();
        let len = output.len();
        let mut input = REQUEST.as_bytes();
        assert_eq!(server.receive(&mut input, &mut output), Err(error));
        assert!(input.is_empty());
        assert_eq!(output.len(), len);
    }

    #[test]
    fn time_and_end_of_input() {
        let mut output = Output::new();
        let mut server = Server::new(ServerConfig::default());
        assert_eq!(server.receive(&mut &b"GET"[..], &mut output), Ok(None));
        assert_eq!(server.timeout(&mut output), HandshakeError::Timeout);
        assert!(text(&output).starts_with("HTTP/1.1 408 Request Timeout\r\n"));
        assert_eq!(server.receive(&mut &b"/"[..], &mut output), Err(HandshakeError::Timeout));
        let len = output.len();
        assert_eq!(server.timeout(&mut output), HandshakeError::Timeout);
        assert_eq!(server.receive_eof(), HandshakeError::Timeout);
        assert_eq!(output.len(), len);

        let mut output = Output::new();
        let mut server = Server::new(ServerConfig::default());
        assert_eq!(server.receive_eof(), HandshakeError::UnexpectedEof);
        let after = server.receive(&mut REQUEST.as_bytes(), &mut output);
        assert_eq!(after, Err(HandshakeError::UnexpectedEof));
        assert!(output.is_empty());
    }

    #[test]
    fn bytes_behind_the_request_are_left() {
        let mut output = Output::new();
        let mut server = Server::new(Arc::new(ServerConfig::default()));
        let text = alloc::format!("{REQUEST}\r\n");
        let mut input = text.as_bytes();
        assert!(server.receive(&mut input, &mut output).unwrap().is_some());
        assert_eq!(input, b"\r\n"); // S24: for the frame layer to refuse
        assert_eq!(server.receive(&mut input, &mut output), Ok(None));
        assert_eq!(input, b"\r\n");
    }

    /// S23: what a connection costs that sends nothing.
    #[test]
    fn an_idle_handshake_is_small() {
        assert!(size_of::<Server>() <= 160, "{}", size_of::<Server>());
    }
}
