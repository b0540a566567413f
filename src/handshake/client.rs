//! The client's side: [`ClientRequest`] is what to ask for; [`Client`] reads the answer.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

#[cfg(feature = "deflate")]
use super::deflate::DeflateConfig;
use super::error::HandshakeError;
use super::extension::{Extension, extensions};
use super::head::{Head, HeadLimits, HeadReader, Kind, StartLine};
use super::headers::{NOT_VALID, check_extra, field_fault, is_token, list_has, names, push_field};
use super::response::Response;
use super::rules::{KEY_LEN, accept_key};
use super::url::{Authority, Url, check_target, split_query};
use crate::brief;
use crate::{ApiMisuse, Negotiated, Output, UrlFault, UrlPart};

/// What a client asks for (RFC 6455 section 4.1). Nothing is checked before
/// [`start`](Self::start), and nothing is written unless all of it is right.
///
/// `Debug` shows neither header values nor the query: they may be secrets.
///
/// ```
/// use websocket_proto::Output;
/// use websocket_proto::handshake::ClientRequest;
///
/// let mut output = Output::new();
/// let client = ClientRequest::new("server.example.com", "/chat")
///     .origin("http://example.com")
///     .subprotocol("chat")
///     .header("X-Trace", "1")
///     .start(*b"the sample nonce", &mut output)?;
/// # let _ = client;
/// # Ok::<(), websocket_proto::ApiMisuse>(())
/// ```
#[derive(Clone)]
pub struct ClientRequest {
    host: String,
    target: String,
    origin: Option<String>,
    subprotocols: Vec<String>,
    headers: Vec<(String, String)>,
    limits: HeadLimits,
    /// A colon in the user name is found when it is given, and reported by `start`.
    misuse: Option<ApiMisuse>,
    #[cfg(feature = "deflate")]
    deflate: Option<DeflateConfig>,
}

impl ClientRequest {
    /// A request to a host, with its port where it is not the default of the scheme, for a path
    /// with an optional query.
    #[must_use]
    pub fn new(host: impl Into<String>, target: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            target: target.into(),
            origin: None,
            subprotocols: Vec::new(),
            headers: Vec::new(),
            limits: HeadLimits::default(),
            misuse: None,
            #[cfg(feature = "deflate")]
            deflate: None,
        }
    }

    /// A request for what a URL names. Where to connect, and whether over TLS, is the caller's
    /// part: [`Url::host`], [`Url::port`], [`Url::is_secure`].
    #[must_use]
    pub fn from_url(url: &Url) -> Self {
        Self::new(url.authority(), url.target())
    }

    /// Sets `Origin`. Browsers always send one; other programs seldom have one.
    #[must_use]
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// Adds a subprotocol that the client speaks, after those it prefers (section 1.9).
    #[must_use]
    pub fn subprotocol(mut self, name: impl Into<String>) -> Self {
        self.subprotocols.push(name.into());
        self
    }

    /// Adds a header. Those that the handshake itself sets are refused.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds `Authorization: Basic` (RFC 7617). A name with a colon is misuse: the server would
    /// take it for the password's.
    #[must_use]
    pub fn basic_auth(mut self, user: &str, password: &str) -> Self {
        let control = |text: &str| text.chars().any(char::is_control);
        if user.contains(':') || control(user) || control(password) {
            self.misuse = Some(ApiMisuse::InvalidHeaderValue);
        }
        let credentials = STANDARD.encode([user, ":", password].concat());
        self.header("Authorization", ["Basic ", &credentials].concat())
    }

    /// Adds `Authorization: Bearer` (RFC 6750).
    #[must_use]
    pub fn bearer_auth(mut self, token: &str) -> Self {
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.misuse = Some(ApiMisuse::InvalidHeaderValue);
        }
        self.header("Authorization", ["Bearer ", token].concat())
    }

    /// Limits on the response.
    #[must_use]
    pub const fn limits(mut self, limits: HeadLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Offers to compress messages (RFC 7692). Without it no extension is offered, and a server
    /// that answers one fails the handshake.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub const fn deflate(mut self, config: DeflateConfig) -> Self {
        self.deflate = Some(config);
        self
    }

    /// Writes the request. `nonce` must be fresh random bytes for each connection: "The value of
    /// this header field MUST be a nonce consisting of a randomly selected 16-byte value"
    /// (section 4.1).
    ///
    /// # Errors
    ///
    /// [`ApiMisuse`]: a part of the request cannot be sent. Nothing was written.
    pub fn start(self, nonce: [u8; 16], output: &mut Output) -> Result<Client, ApiMisuse> {
        self.check()?;
        let mut key = [0; KEY_LEN];
        // 16 bytes are 24 characters: it fits.
        let _ = STANDARD.encode_slice(nonce, &mut key);
        let mut text = Vec::with_capacity(256);
        for part in ["GET ", &self.target, " HTTP/1.1\r\n"] {
            text.extend_from_slice(part.as_bytes());
        }
        push_field(&mut text, "Host", &self.host);
        push_field(&mut text, "Upgrade", "websocket");
        push_field(&mut text, "Connection", "Upgrade");
        push_field(&mut text, "Sec-WebSocket-Key", core::str::from_utf8(&key).unwrap_or_default());
        if let Some(origin) = &self.origin {
            push_field(&mut text, "Origin", origin);
        }
        if !self.subprotocols.is_empty() {
            push_field(&mut text, "Sec-WebSocket-Protocol", &self.subprotocols.join(", "));
        }
        push_field(&mut text, "Sec-WebSocket-Version", "13");
        #[cfg(feature = "deflate")]
        if let Some(deflate) = self.deflate {
            push_field(&mut text, "Sec-WebSocket-Extensions", &deflate.offer());
        }
        for (name, value) in &self.headers {
            push_field(&mut text, name, value);
        }
        text.extend_from_slice(b"\r\n");
        output.room(text.len()).copy_from_slice(&text);
        Ok(Client {
            reader: HeadReader::new(Kind::Response),
            limits: self.limits,
            accept: accept_key(&key),
            subprotocols: self.subprotocols,
            interim: 0,
            state: State::Reading,
            #[cfg(feature = "deflate")]
            deflate: self.deflate,
        })
    }

    fn check(&self) -> Result<(), ApiMisuse> {
        if let Some(misuse) = &self.misuse {
            return Err(misuse.clone());
        }
        if let Err((part, at)) = Authority::parse(&self.host) {
            return Err(ApiMisuse::InvalidHost(UrlFault::new(&self.host, part, at)));
        }
        if let Err((part, at)) = check_target(&self.target) {
            return Err(ApiMisuse::InvalidTarget(UrlFault::new(&self.target, part, at)));
        }
        // Whatever is a header value is sent: not every client has an origin of the web.
        if let Some(origin) = &self.origin
            && let Some(at) = field_fault(origin.as_bytes())
        {
            return Err(ApiMisuse::InvalidOrigin(UrlFault::new(origin, UrlPart::Host, at)));
        }
        // 4.1: "non-empty strings with characters in the range U+0021 to U+007E not including
        // separator characters ... and MUST all be unique strings"
        let unique = self.subprotocols.iter().enumerate().all(|(index, name)| {
            is_token(name.as_bytes()) && self.subprotocols.iter().take(index).all(|it| it != name)
        });
        if !unique {
            return Err(ApiMisuse::InvalidSubprotocol);
        }
        self.headers.iter().try_for_each(|(name, value)| check_extra(name, value))
    }
}

impl fmt::Debug for ClientRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What cannot be sent is not shown: there may be a password in the host, for one.
        let valid = |text, valid: bool| if valid { brief::Text(text) } else { NOT_VALID };
        let (path, query) = split_query(&self.target);
        f.debug_struct("ClientRequest")
            .field("host", &valid(&self.host, Authority::parse(&self.host).is_ok()))
            .field("path", &valid(path, check_target(&self.target).is_ok()))
            .field("query_len", &query.map(str::len))
            .field("subprotocols", &self.subprotocols.len())
            .field("headers", &names(self.headers.iter().map(|(name, _)| name.as_str())))
            .finish_non_exhaustive()
    }
}

/// The client's side of an opening handshake that waits for the answer.
pub struct Client {
    reader: HeadReader,
    limits: HeadLimits,
    accept: [u8; 28],
    subprotocols: Vec<String>,
    /// Interim responses so far.
    interim: u32,
    state: State,
    #[cfg(feature = "deflate")]
    deflate: Option<DeflateConfig>,
}

#[derive(Debug)]
enum State {
    Reading,
    /// The response was handed out.
    Done,
    Failed(HandshakeError),
}

impl Client {
    /// Takes bytes that were received. `None`: the response has not ended, all of `input` was
    /// taken. With the response, `input` holds what came behind it: the first frames.
    ///
    /// Interim responses (RFC 9110 section 15.2) are skipped; their bytes count toward the limit.
    /// `Content-Length` and `Transfer-Encoding` in a 101 mean nothing: it is "always terminated by
    /// the first empty line after the header fields" (RFC 9112 section 6.3).
    ///
    /// To be called no more after it has returned a response: it takes nothing then.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`]: the caller closes the transport. For
    /// [`Refused`](HandshakeError::Refused) `input` holds what has come of the body; otherwise it
    /// is dropped, now and in later calls, which return the same error.
    pub fn receive(
        &mut self,
        input: &mut &[u8],
    ) -> Result<Option<(Negotiated, Response)>, HandshakeError> {
        match &self.state {
            State::Reading => {}
            State::Done => return Ok(None),
            State::Failed(error) => {
                let error = error.clone();
                drop_unless_refused(&error, input);
                return Err(error);
            }
        }
        loop {
            let result = match self.reader.read(&self.limits, input) {
                Ok(None) => return Ok(None),
                Ok(Some(head)) => self.response(head),
                Err(error) => Err(error),
            };
            match result {
                Ok(None) => {}
                Ok(Some(open)) => {
                    self.state = State::Done;
                    return Ok(Some(open));
                }
                Err(error) => {
                    drop_unless_refused(&error, input);
                    self.reader = HeadReader::new(Kind::Response);
                    self.state = State::Failed(error.clone());
                    return Err(error);
                }
            }
        }
    }

    /// The transport has ended before the response did. Returns the error.
    pub fn receive_eof(&mut self) -> HandshakeError {
        self.fail(HandshakeError::UnexpectedEof)
    }

    /// The handshake's deadline has passed. Returns the error. Progress must not restart the
    /// deadline.
    pub fn timeout(&mut self) -> HandshakeError {
        self.fail(HandshakeError::Timeout)
    }

    fn fail(&mut self, error: HandshakeError) -> HandshakeError {
        if let State::Failed(first) = &self.state {
            return first.clone();
        }
        self.state = State::Failed(error.clone());
        error
    }

    /// `None` for an interim response.
    fn response(&mut self, head: Head) -> Result<Option<(Negotiated, Response)>, HandshakeError> {
        let StartLine::Response { status, minor } = head.start() else {
            return Err(HandshakeError::Malformed("status line"));
        };
        let response = Response::new(status, head);
        if status != 101 {
            if status >= 200 {
                return Err(HandshakeError::Refused(Box::new(response)));
            }
            self.interim = self.interim.saturating_add(1);
            let limit = self.limits.max_interim_responses;
            if self.interim > limit {
                return Err(HandshakeError::TooManyInterimResponses { limit });
            }
            return Ok(None);
        }
        // An HTTP/1.0 server cannot know what it agreed to (RFC 9110 section 7.8).
        let checked =
            if minor == 0 { Err("http version is not 1.1") } else { self.check(&response) };
        match checked {
            Ok(negotiated) => Ok(Some((negotiated, response))),
            Err(reason) => {
                Err(HandshakeError::InvalidResponse { reason, response: Box::new(response) })
            }
        }
    }

    /// What a client must check in a 101 (section 4.1, the numbered list on the response).
    fn check(&self, response: &Response) -> Result<Negotiated, &'static str> {
        let head = response.head();
        let upgrade = head.single("Upgrade").map_err(|()| "two upgrade headers")?;
        if !upgrade.is_some_and(|value| value.eq_ignore_ascii_case(b"websocket")) {
            return Err("upgrade header is not websocket");
        }
        if !head.all("Connection").any(|value| list_has(value, b"upgrade")) {
            return Err("no upgrade in the connection header");
        }
        let accept = head.single("Sec-WebSocket-Accept").map_err(|()| "two accept headers")?;
        if accept != Some(&self.accept) {
            return Err("sec-websocket-accept does not answer the key");
        }
        let subprotocol =
            head.single("Sec-WebSocket-Protocol").map_err(|()| "two subprotocol headers")?;
        let mut negotiated = Negotiated::default();
        if let Some(chosen) = subprotocol {
            let offered = self.subprotocols.iter().find(|name| name.as_bytes() == chosen);
            negotiated.subprotocol = Some(offered.ok_or("subprotocol was not offered")?.clone());
        }
        for answer in head.all("Sec-WebSocket-Extensions").flat_map(extensions) {
            self.extension(answer.map_err(|_| "sec-websocket-extensions")?, &mut negotiated)?;
        }
        Ok(negotiated)
    }

    #[cfg(feature = "deflate")]
    fn extension(
        &self,
        answer: Extension<'_>,
        negotiated: &mut Negotiated,
    ) -> Result<(), &'static str> {
        match (self.deflate, negotiated.deflate) {
            (Some(config), None) => {
                negotiated.deflate = Some(config.check(answer)?);
                Ok(())
            }
            _ => Err("extension was not offered"),
        }
    }

    /// 4.1: "this header field indicates the use of an extension that was not present in the
    /// client's handshake": none ever is.
    #[cfg(not(feature = "deflate"))]
    fn extension(&self, _: Extension<'_>, _: &mut Negotiated) -> Result<(), &'static str> {
        Err("extension was not offered")
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("reader", &self.reader)
            .field("subprotocols", &self.subprotocols.len())
            .field("interim", &self.interim)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

fn drop_unless_refused(error: &HandshakeError, input: &mut &[u8]) {
    if !matches!(error, HandshakeError::Refused(_)) {
        *input = &[];
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;
    use alloc::format;
    use alloc::vec;

    use super::*;

    const NONCE: [u8; 16] = *b"the sample nonce";
    const OPEN: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

    fn start(request: ClientRequest) -> Result<(Client, String), ApiMisuse> {
        let mut output = Output::new();
        let client = request.start(NONCE, &mut output);
        if client.is_err() {
            assert!(output.is_empty(), "nothing is written");
        }
        client.map(|client| (client, core::str::from_utf8(output.pending()).unwrap().to_owned()))
    }

    fn answer(
        request: ClientRequest,
        text: &str,
    ) -> Result<Option<(Negotiated, Response)>, HandshakeError> {
        start(request).unwrap().0.receive(&mut text.as_bytes())
    }

    fn plain() -> ClientRequest {
        ClientRequest::new("h", "/")
    }

    /// RFC 6455 section 1.3: the client's handshake.
    #[test]
    fn the_example_of_the_rfc() {
        let request = ClientRequest::new("server.example.com", "/chat")
            .origin("http://example.com")
            .subprotocol("chat")
            .subprotocol("superchat");
        let (mut client, text) = start(request).unwrap();
        assert_eq!(
            text,
            "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Origin: http://example.com\r\nSec-WebSocket-Protocol: chat, superchat\r\n\
             Sec-WebSocket-Version: 13\r\n\r\n"
        );
        let response = format!("{OPEN}Sec-WebSocket-Protocol: chat\r\n\r\n\x01");
        let mut input = response.as_bytes();
        let (negotiated, response) = client.receive(&mut input).unwrap().unwrap();
        assert_eq!(negotiated.subprotocol.as_deref(), Some("chat"));
        assert_eq!(response.status(), 101);
        assert_eq!(response.header("upgrade"), Some(&b"websocket"[..]));
        assert_eq!(input, b"\x01");
        assert_eq!(client.receive(&mut input), Ok(None));
        assert_eq!(input, b"\x01");
    }

    #[test]
    fn credentials() {
        // RFC 7617 section 2 and RFC 6750 section 2.1
        let (_, text) = start(plain().basic_auth("Aladdin", "open sesame")).unwrap();
        assert!(text.contains("\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
        let (_, text) = start(plain().bearer_auth("mF_9.B5f-4.1JqM")).unwrap();
        assert!(text.contains("\r\nAuthorization: Bearer mF_9.B5f-4.1JqM\r\n"));
        for bad in [
            plain().basic_auth("a:b", "c"),
            plain().basic_auth("a\n", "c"),
            plain().basic_auth("a", "\0"),
            plain().bearer_auth(""),
            plain().bearer_auth("a b"),
            plain().bearer_auth("a\r\nX: y"),
        ] {
            let shown = format!("{bad:?}");
            assert!(!shown.contains("Basic") && !shown.contains("Bearer"), "{shown}");
            assert_eq!(start(bad).map(|_| ()), Err(ApiMisuse::InvalidHeaderValue));
        }
    }

    #[test]
    fn urls() {
        let url = "ws://[::1]:9001/a?b".parse().unwrap();
        let (_, text) = start(ClientRequest::from_url(&url)).unwrap();
        assert!(text.starts_with("GET /a?b HTTP/1.1\r\nHost: [::1]:9001\r\n"));
    }

    /// S54: nothing that the caller gives can end a line or a head.
    #[test]
    fn misuse_writes_nothing() {
        for host in ["", "a\r\nb", "a b", "a/b", "u@h", "h:x", "\u{e9}", "::1", "h\0"] {
            let request = ClientRequest::new(host, "/");
            let misuse = start(request).map(|_| ());
            assert!(matches!(misuse, Err(ApiMisuse::InvalidHost(_))), "{host:?}: {misuse:?}");
        }
        for target in ["", "x", "/x HTTP/1.1\r\nX: y", "/a b", "/\0", "/#f", "/\u{e9}", "http://h/"]
        {
            let request = ClientRequest::new("h", target);
            let misuse = start(request).map(|_| ());
            assert!(matches!(misuse, Err(ApiMisuse::InvalidTarget(_))), "{target:?}: {misuse:?}");
        }
        for names in [vec!["a, b"], vec![""], vec!["a", "b", "a"], vec!["a\r\n"], vec!["\u{e9}"]] {
            let request = names.iter().fold(plain(), |request, name| request.subprotocol(*name));
            assert_eq!(start(request).map(|_| ()), Err(ApiMisuse::InvalidSubprotocol), "{names:?}");
        }
        let table = [
            (plain().header("X", "a\r\nb"), ApiMisuse::InvalidHeaderValue),
            (plain().header("X", "a\0"), ApiMisuse::InvalidHeaderValue),
            (plain().header("X y", "a"), ApiMisuse::InvalidHeaderName),
            (plain().header("Sec-WebSocket-Key", "a"), ApiMisuse::ReservedHeader),
            (plain().header("host", "a"), ApiMisuse::ReservedHeader),
            (
                plain().origin("a\r\nb"),
                ApiMisuse::InvalidOrigin(UrlFault::new("a\r\nb", UrlPart::Host, 1)),
            ),
        ];
        for (request, expected) in table {
            assert_eq!(start(request).map(|_| ()), Err(expected));
        }
    }

    #[test]
    fn answers() {
        let good = [
            "",
            "Sec-WebSocket-Extensions:\r\n",
            "Content-Length: 5\r\n",
            "Transfer-Encoding: chunked\r\n",
        ];
        for extra in good {
            assert!(answer(plain(), &format!("{OPEN}{extra}\r\n")).unwrap().is_some(), "{extra}");
        }
        for extra in [
            "Upgrade: websocket\r\n",
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
            "Sec-WebSocket-Protocol: a\r\n",
            "Sec-WebSocket-Protocol:\r\n",
            "Sec-WebSocket-Extensions: permessage-deflate\r\n",
            "Sec-WebSocket-Extensions: a;\r\n",
        ] {
            let error = answer(plain(), &format!("{OPEN}{extra}\r\n")).unwrap_err();
            assert!(matches!(error, HandshakeError::InvalidResponse { .. }), "{extra}");
            assert_eq!(error.response().unwrap().status(), 101);
            assert_eq!(error.status(), 502);
        }
        for (from, to) in [
            ("Upgrade: websocket", "Upgrade: h2c"),
            ("Upgrade: websocket", "Upgrade: websocket, h2c"),
            ("Connection: Upgrade", "Connection: notupgrade"),
            ("s3pP", "S3pP"),
            ("xOo=", "xOo"),
            ("HTTP/1.1", "HTTP/1.0"),
        ] {
            let text = format!("{}\r\n", OPEN.replace(from, to));
            assert!(
                matches!(answer(plain(), &text), Err(HandshakeError::InvalidResponse { .. })),
                "{to}"
            );
        }
        let two = || plain().subprotocol("a").subprotocol("b");
        let both = format!("{OPEN}Sec-WebSocket-Protocol: a, b\r\n\r\n");
        assert!(answer(two(), &both).is_err());
        let twice = format!("{OPEN}Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n\r\n");
        assert!(answer(two(), &twice).is_err());
        let (negotiated, _) = answer(two(), &format!("{OPEN}\r\n")).unwrap().unwrap();
        assert_eq!(negotiated.subprotocol, None);
    }

    #[cfg(feature = "deflate")]
    #[test]
    fn deflate_is_agreed_once() {
        let request = || plain().deflate(DeflateConfig::default());
        let with = |value: &str| {
            let text = format!("{OPEN}Sec-WebSocket-Extensions: {value}\r\n\r\n");
            answer(request(), &text).map(|open| open.unwrap().0.deflate)
        };
        assert!(
            start(request()).unwrap().1.contains(
                "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
            )
        );
        assert_eq!(with("permessage-deflate"), Ok(Some(crate::DeflateParams::default())));
        assert_eq!(with(""), Ok(None));
        assert!(with("permessage-deflate, permessage-deflate").is_err());
        assert!(with("permessage-deflate, x").is_err());
        assert!(with("x").is_err());
    }

    /// S59: a redirect is the caller's to follow.
    #[test]
    fn refusals_carry_the_response_and_leave_the_body() {
        let (mut client, _) = start(plain()).unwrap();
        let mut input = &b"HTTP/1.0 302 Found\r\nLocation: ws://169.254.169.254/\r\nContent-Length: 2\r\n\r\nhi"[..];
        let error = client.receive(&mut input).unwrap_err();
        assert_eq!(error.status(), 302);
        assert_eq!(
            error.response().unwrap().header("location"),
            Some(&b"ws://169.254.169.254/"[..])
        );
        assert_eq!(error.response().unwrap().headers().count(), 2);
        assert_eq!(input, b"hi");
        assert_eq!(client.receive(&mut input), Err(error));
        assert_eq!(input, b"hi");
    }

    /// S22, and the total of S21.
    #[test]
    fn interim_responses_are_limited() {
        let interim = |count: usize| "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n".repeat(count);
        let text = format!("{}{OPEN}\r\n", interim(8));
        assert!(answer(plain(), &text).unwrap().is_some());
        let error = answer(plain(), &format!("{}{OPEN}\r\n", interim(9))).unwrap_err();
        assert_eq!(error, HandshakeError::TooManyInterimResponses { limit: 8 });
        let long = format!("HTTP/1.1 100 Continue\r\nX: {}\r\n\r\n", "x".repeat(8150));
        let error = answer(plain(), &format!("{}{OPEN}\r\n", long.repeat(2))).unwrap_err();
        assert_eq!(error, HandshakeError::HeadTooLarge { limit: 16 << 10 });
        let limits = HeadLimits { max_interim_responses: 0, ..HeadLimits::default() };
        let error = answer(plain().limits(limits), &interim(1)).unwrap_err();
        assert_eq!(error, HandshakeError::TooManyInterimResponses { limit: 0 });
    }

    #[test]
    fn time_and_end_of_input() {
        let (mut client, _) = start(plain()).unwrap();
        assert_eq!(client.receive(&mut OPEN.as_bytes()), Ok(None));
        assert_eq!(client.receive_eof(), HandshakeError::UnexpectedEof);
        let mut input = &b"\r\n"[..];
        assert_eq!(client.receive(&mut input), Err(HandshakeError::UnexpectedEof));
        assert!(input.is_empty());
        let (mut client, _) = start(plain()).unwrap();
        assert_eq!(client.timeout(), HandshakeError::Timeout);
        assert_eq!(client.receive(&mut OPEN.as_bytes()), Err(HandshakeError::Timeout));
        assert_eq!(client.receive_eof(), HandshakeError::Timeout);
    }
}
