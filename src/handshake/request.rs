//! [`Request`]: a client's opening handshake (RFC 6455 section 4.2.1), validated.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

use super::answer::{Accept, Refusal};
#[cfg(feature = "deflate")]
use super::deflate::{Agreed, all_of};
use super::error::HandshakeError;
use super::fields::Span;
use super::head::{Head, HeadReader, Kind, StartLine};
use super::headers::{check_extra, is_field_value, is_token, list, trim};
use super::origin::OriginPolicy;
#[cfg(feature = "deflate")]
use super::rules::EXTENSIONS;
use super::rules::{Known, accept_key};
use super::server::ServerConfig;
use super::target::Addressed;
use super::url::split_query;
use crate::brief;
use crate::{ApiMisuse, Negotiated, Output};

/// A client's opening handshake that may be accepted: every rule of RFC 6455 section 4.2.1 holds,
/// and the origin is allowed.
///
/// It comes from bytes, by [`Server::receive`](super::Server::receive), or from a request that
/// an HTTP framework has parsed, by [`Request::from_parts`]; the same rules are applied. What is
/// left to decide is the application's: whether the path exists, whether the client is authorised,
/// which subprotocol to speak. Then [`accept`](Self::accept) or [`refuse`](Self::refuse) writes
/// the answer, once. A clone is to be looked at only: it cannot be answered.
///
/// `Debug` shows neither header values nor the query: they may be secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    head: Head,
    target: Span,
    host: Span,
    origin: Option<Span>,
    key: Span,
    #[cfg(feature = "deflate")]
    deflate: Option<Agreed>,
    answered: Answered,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("host", &brief::Text(self.host()))
            .field("path", &brief::Text(self.path()))
            .field("query_len", &self.query().map(str::len))
            .field("subprotocols", &self.subprotocols().count())
            .field("headers", &self.head)
            .field("answered", &self.answered.0)
            .finish_non_exhaustive()
    }
}

/// Whether a request was answered. In what is equal to it, it may be otherwise.
#[derive(Debug, Default)]
struct Answered(AtomicBool);

impl Answered {
    /// The one answer that may be given: fails the second time. To be called where nothing else
    /// can keep the answer from being written.
    fn set(&self) -> Result<(), ApiMisuse> {
        // Nothing else is told by it, so no order is.
        if self.0.swap(true, Ordering::Relaxed) { Err(ApiMisuse::AlreadyAnswered) } else { Ok(()) }
    }
}

/// The answer stays with the original: two that are not aware of each other would be two answers.
impl Clone for Answered {
    fn clone(&self) -> Self {
        Self(AtomicBool::new(true))
    }
}

impl PartialEq for Answered {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Answered {}

/// Names and values, to be put into a framework's response.
type Fields = Vec<(&'static str, String)>;

impl Request {
    /// A request that was parsed elsewhere: method, target (in origin form or absolute form),
    /// HTTP version as major and minor number, and all headers.
    ///
    /// # Errors
    ///
    /// As [`Server::receive`](super::Server::receive); the limits of `config` apply too. The
    /// caller answers with [`HandshakeError::status`] and [`HandshakeError::headers`].
    ///
    /// ```
    /// use websocket_proto::handshake::{Request, ServerConfig};
    ///
    /// let headers: [(&str, &[u8]); 5] = [
    ///     ("host", b"example.com"),
    ///     ("upgrade", b"websocket"),
    ///     ("connection", b"Upgrade"),
    ///     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    ///     ("sec-websocket-version", b"13"),
    /// ];
    /// let config = ServerConfig::default();
    /// let request = Request::from_parts(&config, "GET", "/chat", (1, 1), headers)?;
    /// let (negotiated, headers) = request.accept_headers(None).unwrap();
    /// assert_eq!(headers[2], ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".to_string()));
    /// # let _ = negotiated;
    /// # Ok::<(), websocket_proto::handshake::HandshakeError>(())
    /// ```
    pub fn from_parts<'a>(
        config: &ServerConfig,
        method: &str,
        target: &str,
        version: (u8, u8),
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Self, HandshakeError> {
        const NO_TOKEN: HandshakeError = HandshakeError::Malformed("header name is not a token");
        const CONTROL: HandshakeError =
            HandshakeError::Malformed("header value has a control character");

        if version != (1, 1) {
            return Err(HandshakeError::HttpVersion);
        }
        // Written as text and read again, so that no rule exists twice. The pieces are checked
        // first: none can end a line.
        if !is_token(method.as_bytes()) || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(HandshakeError::Malformed("request line"));
        }
        let mut text = Vec::with_capacity(1 << 10);
        for part in [method, " ", target, " HTTP/1.1\r\n"] {
            text.extend_from_slice(part.as_bytes());
        }
        for (name, value) in headers {
            let value = trim(value);
            if !is_token(name.as_bytes()) {
                return Err(NO_TOKEN);
            }
            if !is_field_value(value) {
                return Err(CONTROL);
            }
            for part in [name.as_bytes(), b": ", value, b"\r\n"] {
                text.extend_from_slice(part);
            }
            if text.len() > config.limits.max_head_size as usize {
                break; // the reader says so
            }
        }
        text.extend_from_slice(b"\r\n");
        match HeadReader::new(Kind::Request).read(&config.limits, &mut text.as_slice())? {
            Some(head) => Self::validate(head, config),
            None => Err(HandshakeError::Malformed("request line")),
        }
    }

    /// Path and query: `/chat?room=1`. A request in absolute form (RFC 9112 section 3.2.2) is
    /// reduced to these: `ws://h?room=1` is for `/?room=1`.
    #[must_use]
    pub fn target(&self) -> &str {
        match self.head.text(self.target) {
            "" => "/",
            target => target,
        }
    }

    /// The path, percent-encoded as it came: `/chat`.
    #[must_use]
    pub fn path(&self) -> &str {
        split_query(self.target()).0
    }

    /// The query, if there is a `?`.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        split_query(self.target()).1
    }

    /// The host that is addressed, with its port if there is one: the `Host` header, or what a
    /// request in absolute form has in its place. The client wrote it; see
    /// [`OriginPolicy::SameHost`](super::OriginPolicy::SameHost).
    #[must_use]
    pub fn host(&self) -> &str {
        self.head.text(self.host)
    }

    /// The `Origin` header. It has passed [`ServerConfig::origin`].
    #[must_use]
    pub fn origin(&self) -> Option<&[u8]> {
        self.origin.map(|span| self.head.bytes(span))
    }

    /// The subprotocols that the client speaks, in its order of preference (RFC 6455 section
    /// 1.9).
    pub fn subprotocols(&self) -> impl Iterator<Item = &str> {
        self.head
            .all("Sec-WebSocket-Protocol")
            .flat_map(list)
            .filter_map(|name| core::str::from_utf8(name).ok())
    }

    /// The first of `supported`, the server's order of preference, that the client offered.
    #[must_use]
    pub fn select_subprotocol<'s>(&self, supported: &[&'s str]) -> Option<&'s str> {
        supported.iter().copied().find(|&name| self.subprotocols().any(|offered| offered == name))
    }

    /// The first value of a header, compared without regard to case, without spaces at its ends.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.head.all(name).next()
    }

    /// All headers in the order in which they came.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.head.fields()
    }

    /// Writes the 101 response (RFC 6455 section 4.2.2). After it, the connection is open: what
    /// follows the request in the input are frames.
    ///
    /// # Errors
    ///
    /// [`ApiMisuse`] for a subprotocol that the client did not offer, or a header that may not be
    /// added: nothing was written, and another answer can be given. And for a second answer:
    /// [`ApiMisuse::AlreadyAnswered`].
    pub fn accept(
        &self,
        accept: &Accept<'_>,
        output: &mut Output,
    ) -> Result<Negotiated, ApiMisuse> {
        for (name, value) in &accept.headers {
            check_extra(name, value)?;
        }
        let mut push = |before: &str, name: &str, value: &[u8]| {
            let parts = [before.as_bytes(), name.as_bytes(), b": ", value, b"\r\n"];
            let mut room = output.room(parts.iter().map(|part| part.len()).sum());
            for part in parts {
                let (place, rest) = room.split_at_mut_checked(part.len()).unwrap_or_default();
                place.copy_from_slice(part);
                room = rest;
            }
        };
        let mut line = "HTTP/1.1 101 Switching Protocols\r\n";
        // The first header is written only where the answer stands.
        let negotiated = self.answer(accept.subprotocol, |name, value| {
            push(core::mem::take(&mut line), name, value);
        })?;
        for (name, value) in &accept.headers {
            push("", name, value.as_bytes());
        }
        output.room(2).copy_from_slice(b"\r\n");
        Ok(negotiated)
    }

    /// The headers of the 101 response, for a program inside an HTTP framework that sends it.
    ///
    /// # Errors
    ///
    /// [`ApiMisuse::SubprotocolNotOffered`]; [`ApiMisuse::AlreadyAnswered`] for a second answer.
    pub fn accept_headers(
        &self,
        subprotocol: Option<&str>,
    ) -> Result<(Negotiated, Fields), ApiMisuse> {
        let mut headers = Vec::with_capacity(5);
        let negotiated = self.answer(subprotocol, |name, value| {
            headers.push((name, String::from_utf8_lossy(value).into_owned())); // it is ASCII
        })?;
        Ok((negotiated, headers))
    }

    /// Writes a response that refuses, with `Connection: close`. The caller writes the output and
    /// closes the transport; what follows the request in the input must not be read.
    ///
    /// # Errors
    ///
    /// [`ApiMisuse`] for a status or a header that may not be sent: nothing was written, and
    /// another answer can be given. And for a second answer: [`ApiMisuse::AlreadyAnswered`].
    pub fn refuse(&self, refusal: &Refusal<'_>, output: &mut Output) -> Result<(), ApiMisuse> {
        refusal.check()?;
        self.answered.set()?;
        refusal.write(output);
        Ok(())
    }

    /// The headers of the 101 response (4.2.2 step 5), one call each.
    fn answer(
        &self,
        subprotocol: Option<&str>,
        mut field: impl FnMut(&'static str, &[u8]),
    ) -> Result<Negotiated, ApiMisuse> {
        let mut negotiated = Negotiated::default();
        if let Some(chosen) = subprotocol {
            // 4.2.2: "the value ... MUST be ... one of the values in the |Sec-WebSocket-Protocol|
            // field sent by the client"
            if !self.subprotocols().any(|offered| offered == chosen) {
                return Err(ApiMisuse::SubprotocolNotOffered);
            }
            negotiated.subprotocol = Some(String::from(chosen));
        }
        self.answered.set()?;
        field("Upgrade", b"websocket");
        field("Connection", b"Upgrade");
        // Its length was checked.
        let key = self.head.bytes(self.key).first_chunk().copied().unwrap_or_default();
        field("Sec-WebSocket-Accept", &accept_key(&key));
        if let Some(chosen) = subprotocol {
            field("Sec-WebSocket-Protocol", chosen.as_bytes());
        }
        #[cfg(feature = "deflate")]
        if let Some(agreed) = self.deflate {
            field("Sec-WebSocket-Extensions", agreed.answer().as_bytes());
            negotiated.deflate = Some(agreed.params);
        }
        Ok(negotiated)
    }

    /// The rules of 4.2.1, and the origin.
    pub(crate) fn validate(mut head: Head, config: &ServerConfig) -> Result<Self, HandshakeError> {
        const TARGET: HandshakeError = HandshakeError::Malformed("request target is not a path");
        const DISPUTED: HandshakeError = HandshakeError::Malformed(
            "request target is for another host than the host header (ServerConfig::origin)",
        );

        let StartLine::Request { method, target } = head.start() else {
            return Err(HandshakeError::Malformed("request line"));
        };
        let known = Known::collect(&head)?;
        if head.bytes(method) != b"GET" {
            return Err(HandshakeError::Method);
        }
        known.check()?;
        let to = Addressed::new(head.text(target), known.host.unwrap_or_default())?;
        // RFC 9112 3.2 has a client send in `Host` what the target says. Where a page is compared
        // with the host, there must be one host that it is compared with.
        if to.disputed && config.origin == OriginPolicy::SameHost {
            return Err(DISPUTED);
        }
        let allowed = match known.origin {
            Some(origin) => config.origin.allows(origin, to.authority, config.secure),
            None => !config.require_origin,
        };
        if !allowed {
            return Err(HandshakeError::Origin);
        }
        let spans = (
            head.span(to.target.as_bytes()),
            head.span(to.host.as_bytes()),
            head.span(known.key.unwrap_or_default()),
        );
        let (Some(mut target), Some(host), Some(key)) = spans else { return Err(TARGET) };
        let origin = known.origin.and_then(|origin| head.span(origin));
        if to.target.starts_with('?') {
            // RFC 9112 3.2.1: "If the target URI's path component is empty, the client MUST send
            // "/" as the path", and so it is called here in the absolute form too.
            target = head.with_root(target).ok_or(TARGET)?;
        }
        Ok(Self {
            target,
            host,
            origin,
            key,
            #[cfg(feature = "deflate")]
            deflate: config
                .deflate
                .and_then(|deflate| deflate.choose(all_of(head.all(EXTENSIONS)))),
            answered: Answered::default(),
            head,
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;

    const GOOD: [(&str, &str); 5] = [
        ("Host", "h:8080"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
    ];

    fn request_to(
        config: &ServerConfig,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Result<Request, HandshakeError> {
        let pairs = headers.iter().map(|(name, value)| (*name, value.as_bytes()));
        let parts = Request::from_parts(config, "GET", target, (1, 1), pairs);
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let text = format!("GET {target} HTTP/1.1\r\n{lines}\r\n");
        let bytes = HeadReader::new(Kind::Request)
            .read(&config.limits, &mut text.as_bytes())
            .and_then(|head| Request::validate(head.unwrap(), config));
        assert_eq!(parts, bytes, "both ways");
        parts
    }

    type Changes<'a> = &'a [(&'a str, Option<&'a str>)];

    /// The baseline with some headers replaced (`None`: taken away) or added.
    fn with(changes: Changes<'_>) -> Result<Request, HandshakeError> {
        let config = ServerConfig::default();
        let mut headers = GOOD.to_vec();
        headers.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        for (name, value) in changes {
            headers.extend(value.map(|value| (*name, value)));
        }
        request_to(&config, "/", &headers)
    }

    #[test]
    fn parts_of_a_request() {
        let config = ServerConfig { origin: OriginPolicy::Any, ..ServerConfig::default() };
        for (target, full, path, query, host) in [
            ("/", "/", "/", None, "h:8080"),
            ("/a/b?c=d?e", "/a/b?c=d?e", "/a/b", Some("c=d?e"), "h:8080"),
            ("/?", "/?", "/", Some(""), "h:8080"),
            ("/a%20b|{}", "/a%20b|{}", "/a%20b|{}", None, "h:8080"),
            ("http://x/c", "/c", "/c", None, "x"),
            ("WSS://x:1/c?d", "/c?d", "/c", Some("d"), "x:1"),
            ("http://x", "/", "/", None, "x"),
            ("http://x?y", "/?y", "/", Some("y"), "x"),
        ] {
            let request = request_to(&config, target, &GOOD).unwrap();
            assert_eq!(request.target(), full, "{target}");
            assert_eq!(request.path(), path, "{target}");
            assert_eq!(request.query(), query, "{target}");
            assert_eq!(request.host(), host, "{target}");
        }
        for target in
            ["*", "h:80", "a", "", "/#f", "/\u{e9}", "ftp://x/", "http:///c", "http://u@x/", "?x"]
        {
            let request = request_to(&config, target, &GOOD);
            assert_eq!(request.map_err(|error| error.status()), Err(400), "{target}");
        }
    }

    #[test]
    fn rules() {
        let long = "x".repeat(9000);
        let table: [(Changes<'_>, Option<u16>); 36] = [
            (&[], None),
            (&[("Host", None)], Some(400)),
            (&[("Host", Some(""))], Some(400)),
            (&[("Host", Some("a b"))], Some(400)),
            (&[("Host", Some("u@h"))], Some(400)),
            (&[("Host", Some("h:99999"))], Some(400)),
            (&[("Host", Some("[::1]:80"))], None),
            (&[("Host", Some("a")), ("host", Some("a"))], Some(400)),
            (&[("Upgrade", None)], Some(426)),
            (&[("Upgrade", Some("h2c"))], Some(426)),
            (&[("Upgrade", Some("h2c")), ("upgrade", Some("WebSocket"))], None),
            (&[("Upgrade", Some("websocket2"))], Some(426)),
            (&[("Connection", None)], Some(400)),
            (&[("Connection", Some("notupgrade"))], Some(400)),
            (&[("Connection", Some("close")), ("connection", Some("x, upgrade"))], None),
            (&[("Sec-WebSocket-Version", None)], Some(400)),
            (&[("Sec-WebSocket-Version", Some("8"))], Some(426)),
            (&[("Sec-WebSocket-Version", Some("1777"))], Some(426)),
            (&[("Sec-WebSocket-Version", Some("13, 8"))], Some(426)),
            (&[("Sec-WebSocket-Version", Some("+13"))], Some(426)),
            (&[("Sec-WebSocket-Key", None)], Some(400)),
            (&[("Sec-WebSocket-Key", Some(""))], Some(400)),
            (&[("Sec-WebSocket-Key", Some("dGhlIHNhbXBsZSBub25jZQ"))], Some(400)),
            (&[("Sec-WebSocket-Key", Some("dGhlIHNhbXBsZSBub25jZR=="))], None),
            (&[("Sec-WebSocket-Key", Some("AAAAAAAAAAAAAAAAAAAAAAAA"))], Some(400)), // 18 bytes
            (&[("Content-Length", Some("0"))], None),
            (&[("Content-Length", Some("5"))], Some(400)),
            (&[("Content-Length", Some("0, 5"))], Some(400)),
            (&[("Transfer-Encoding", Some("chunked"))], Some(400)),
            (&[("Sec-WebSocket-Protocol", Some("a, b"))], None),
            (&[("Sec-WebSocket-Protocol", Some("a b"))], Some(400)),
            (&[("Sec-WebSocket-Extensions", Some("a; b=\"c"))], Some(400)),
            (&[("X", Some(long.as_str()))], Some(431)),
            (&[("Origin", Some("http://h:8080"))], None),
            (&[("Origin", Some("http://evil"))], Some(403)),
            (&[("Origin", Some("http://h:8080")), ("origin", Some("http://evil"))], Some(400)),
        ];
        for (changes, status) in table {
            let outcome = with(changes).map_err(|error| error.status());
            assert_eq!(outcome.err(), status, "{changes:?}");
        }
    }

    #[test]
    fn parts_that_are_not_http() {
        let config = ServerConfig::default();
        let status = |method: &str, target: &str, version, extra: (&str, &[u8])| {
            let headers = GOOD.iter().map(|(name, value)| (*name, value.as_bytes())).chain([extra]);
            let request = Request::from_parts(&config, method, target, version, headers);
            request.err().map(|error| error.status())
        };
        let none = ("X", &b""[..]);
        assert_eq!(status("GET", "/", (1, 1), none), None);
        assert_eq!(status("POST", "/", (1, 1), none), Some(405));
        assert_eq!(status("get", "/", (1, 1), none), Some(405));
        assert_eq!(status("GET", "/", (1, 0), none), Some(505));
        assert_eq!(status("GET", "/", (2, 0), none), Some(505));
        assert_eq!(status("GET /x HTTP/1.1\r\n", "/", (1, 1), none), Some(400));
        assert_eq!(status("GET", "/ HTTP/1.1\r\nX: y", (1, 1), none), Some(400));
        assert_eq!(status("GET", "/", (1, 1), ("X", b"a\r\nUpgrade: b")), Some(400));
        assert_eq!(status("GET", "/", (1, 1), ("X: y\r\nZ", b"")), Some(400));
        assert_eq!(status("GET", "/", (1, 1), ("X", b"a\0")), Some(400));
        let endless = core::iter::repeat(("X", &b"y"[..]));
        let request = Request::from_parts(&config, "GET", "/", (1, 1), endless);
        assert_eq!(request, Err(HandshakeError::TooManyHeaders { limit: 100 }));
    }

    #[test]
    fn an_origin_can_be_required() {
        let config = ServerConfig {
            require_origin: true,
            origin: OriginPolicy::Any,
            ..ServerConfig::default()
        };
        assert_eq!(request_to(&config, "/", &GOOD), Err(HandshakeError::Origin));
        let mut headers = GOOD.to_vec();
        headers.push(("Origin", "null"));
        let request = request_to(&config, "/", &headers).unwrap();
        assert_eq!(request.origin(), Some(&b"null"[..]));
    }

    #[test]
    fn subprotocols_are_chosen_in_the_servers_order() {
        let offer =
            [("Sec-WebSocket-Protocol", Some("a, b")), ("sec-websocket-protocol", Some("c"))];
        let request = with(&offer).unwrap();
        assert_eq!(request.subprotocols().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(request.select_subprotocol(&["x", "c", "a"]), Some("c"));
        assert_eq!(request.select_subprotocol(&["A"]), None);
        assert_eq!(with(&[]).unwrap().select_subprotocol(&["a"]), None);
        let (negotiated, headers) = request.accept_headers(Some("b")).unwrap();
        assert_eq!(negotiated.subprotocol.as_deref(), Some("b"));
        assert!(headers.contains(&("Sec-WebSocket-Protocol", "b".to_string())));
        for bad in ["d", "", "a, b", "A"] {
            assert_eq!(
                request.accept_headers(Some(bad)),
                Err(ApiMisuse::SubprotocolNotOffered),
                "{bad}"
            );
        }
    }

    #[test]
    fn headers_are_found_without_regard_to_case() {
        let request = with(&[("X-Token", Some("1")), ("x-token", Some("2"))]).unwrap();
        assert_eq!(request.header("X-TOKEN"), Some(&b"1"[..]));
        assert_eq!(request.header("none"), None);
        assert_eq!(request.headers().count(), 7);
        assert!(!format!("{request:?}").contains("dGhl"), "no values in logs");
        assert_eq!(
            vec!["Host"],
            request.headers().map(|(name, _)| name).take(1).collect::<Vec<_>>()
        );
    }
}
