//! How a server answers a request: [`Accept`], [`Refusal`], and how a response is written.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use super::error::HandshakeError;
use super::headers::{check_extra, names, push_field};
use crate::brief;
use crate::{ApiMisuse, Output};

/// How to accept a request: everything is optional.
///
/// `Debug` shows no header values: they may be secrets.
///
/// ```
/// use websocket_proto::handshake::Accept;
///
/// let accept = Accept::new().subprotocol("chat").header("Set-Cookie", "seen=1");
/// # let _ = accept;
/// ```
#[derive(Clone, Default)]
pub struct Accept<'a> {
    pub(crate) subprotocol: Option<&'a str>,
    pub(crate) headers: Vec<(&'a str, &'a str)>,
}

impl<'a> Accept<'a> {
    /// No subprotocol, no further headers.
    #[must_use]
    pub const fn new() -> Self {
        Self { subprotocol: None, headers: Vec::new() }
    }

    /// The subprotocol to speak: one of
    /// [`Request::subprotocols`](super::Request::subprotocols), for example from
    /// [`Request::select_subprotocol`](super::Request::select_subprotocol). `None` is to speak
    /// none.
    #[must_use]
    pub fn subprotocol(mut self, name: impl Into<Option<&'a str>>) -> Self {
        self.subprotocol = name.into();
        self
    }

    /// Adds a header. Those that the handshake itself sets are refused.
    #[must_use]
    pub fn header(mut self, name: &'a str, value: &'a str) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// A response that refuses a request: 401, 403, 404, 429, a redirect, or another from 300 to 599.
///
/// 304 is sent without its body: it has none. 426 says by itself what to upgrade to.
///
/// `Debug` shows neither header values nor the body: they may be secrets.
///
/// ```
/// use websocket_proto::handshake::Refusal;
///
/// let refusal = Refusal::new(401).header("WWW-Authenticate", "Bearer").body("log in first\n");
/// # let _ = refusal;
/// ```
#[derive(Clone)]
pub struct Refusal<'a> {
    status: u16,
    headers: Vec<(&'a str, &'a str)>,
    body: &'a [u8],
}

impl<'a> Refusal<'a> {
    /// A response with this status and an empty body.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: &[] }
    }

    /// Adds a header. `Connection: close` and `Content-Length` are set already, and for 426
    /// `Upgrade` and `Sec-WebSocket-Version`.
    #[must_use]
    pub fn header(mut self, name: &'a str, value: &'a str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The body. Its type, where it has one, is a header of its own. A 304 has none, so it is not
    /// sent (RFC 9110 section 15.4.5).
    #[must_use]
    pub fn body<B: AsRef<[u8]> + ?Sized>(mut self, body: &'a B) -> Self {
        self.body = body.as_ref();
        self
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    pub(crate) fn check(&self) -> Result<(), ApiMisuse> {
        if !(300..=599).contains(&self.status) {
            return Err(ApiMisuse::InvalidStatus(self.status));
        }
        self.headers.iter().try_for_each(|(name, value)| check_extra(name, value))
    }

    /// The caller has checked it.
    pub(crate) fn write(&self, output: &mut Output) {
        // RFC 9110 15.5.22: "The server MUST send an Upgrade header field in a 426 response". It is
        // not the application's to set.
        let upgrade = HandshakeError::UpgradeRequired;
        let own = if self.status == upgrade.status() { upgrade.headers() } else { &[] };
        write_response(self.status, own, &self.headers, self.body, output);
    }
}

impl fmt::Debug for Accept<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accept")
            .field("subprotocol", &self.subprotocol.map(brief::Text))
            .field("headers", &names(self.headers.iter().map(|(name, _)| *name)))
            .finish()
    }
}

impl fmt::Debug for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("status", &self.status)
            .field("headers", &names(self.headers.iter().map(|(name, _)| *name)))
            .field("body_len", &self.body.len())
            .finish()
    }
}

/// Writes a whole response. `own` has `Connection`, where there is more to it than `close`.
pub(crate) fn write_response(
    status: u16,
    own: &[(&str, &str)],
    extra: &[(&str, &str)],
    body: &[u8],
    output: &mut Output,
) {
    // RFC 9110 6.4.1: "All 1xx (Informational), 204 (No Content), and 304 (Not Modified) responses
    // do not include content". What stands behind the head would be read as another response.
    let body = (status != 304).then_some(body);
    let mut head = String::new();
    // Writing to a `String` does not fail.
    let _ = write!(head, "HTTP/1.1 {status} {}\r\n", reason_phrase(status));
    if let Some(body) = body {
        // Not in a 304, where it would have to be the length that a 200 has (RFC 9110 8.6).
        let _ = write!(head, "Content-Length: {}\r\n", body.len());
    }
    let mut text = head.into_bytes();
    if own.iter().all(|(name, _)| *name != "Connection") {
        push_field(&mut text, "Connection", "close");
    }
    for (name, value) in own.iter().chain(extra) {
        push_field(&mut text, name, value);
    }
    text.extend_from_slice(b"\r\n");
    text.extend_from_slice(body.unwrap_or_default());
    output.room(text.len()).copy_from_slice(&text);
}

/// RFC 9110 section 15. Nobody depends on it; it may be empty.
const fn reason_phrase(status: u16) -> &'static str {
    match status {
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        410 => "Gone",
        414 => "URI Too Long",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
