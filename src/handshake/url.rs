//! [`Url`]: `ws://` and `wss://` (RFC 6455 section 3), and the authority within.

use alloc::format;
use alloc::string::String;
use core::fmt;
use core::net::Ipv6Addr;
use core::str::FromStr;

use super::headers::table;
use crate::brief;
use crate::{ApiMisuse, UrlFault, UrlPart};

/// A WebSocket URL: `ws://host[:port][/path][?query]`, or `wss://` for TLS (RFC 6455 section 3).
///
/// It takes what can be sent as it stands: a host name or address in ASCII, a path and query
/// already percent-encoded. There is no fragment ("Fragment identifiers are meaningless in the
/// context of WebSocket URIs and MUST NOT be used"), and no `user:password@`: RFC 9110 section
/// 4.2.4 deprecates it, and [`ClientRequest::basic_auth`](super::ClientRequest::basic_auth) says
/// it openly. A crate such as `url` is the better tool for text that a person typed; its output
/// parses here.
///
/// ```
/// use websocket_proto::handshake::Url;
///
/// let url: Url = "wss://[2001:db8::1]:8443/chat?room=1".parse()?;
/// assert!(url.is_secure());
/// assert_eq!(url.host(), "2001:db8::1");
/// assert_eq!(url.port(), 8443);
/// assert_eq!(url.authority(), "[2001:db8::1]:8443");
/// assert_eq!(url.target(), "/chat?room=1");
/// assert_eq!("ws://example.com".parse::<Url>()?.port(), 80);
/// # Ok::<(), websocket_proto::ApiMisuse>(())
/// ```
///
/// `Debug` does not show the query: it may be a secret. `Display` is the whole URL.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    secure: bool,
    /// As it is sent in `Host`: the port is left out where it is the default.
    authority: String,
    /// The part of `authority` without port and brackets.
    host: String,
    port: u16,
    target: String,
}

impl Url {
    /// Whether the scheme is `wss`: the connection is to be made over TLS.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host name or address to connect to, an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port to connect to: 80 for `ws` and 443 for `wss` unless the URL has one.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// What the `Host` header says: the host, and the port where it is not the default.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Path and query, `/` at least: the "resource name" of RFC 6455 section 3.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }
}

impl FromStr for Url {
    type Err = ApiMisuse;

    fn from_str(text: &str) -> Result<Self, ApiMisuse> {
        let fault = |(part, at)| ApiMisuse::InvalidUrl(UrlFault::new(text, part, at));
        let (scheme, rest) = text.split_once("://").ok_or(fault((UrlPart::Scheme, 0)))?;
        let secure = scheme.eq_ignore_ascii_case("wss");
        if !secure && !scheme.eq_ignore_ascii_case("ws") {
            return Err(fault((UrlPart::Scheme, 0)));
        }
        let behind = |start| move |(part, at): Place| (part, at.saturating_add(start));
        let start = scheme.len().saturating_add("://".len());
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end).unwrap_or_default();
        let Authority { host, port } =
            Authority::parse(authority).map_err(behind(start)).map_err(fault)?;
        let start = start.saturating_add(end);
        sendable(target.as_bytes()).map_err(behind(start)).map_err(fault)?;
        let root = if target.starts_with('/') { "" } else { "/" };
        let default = if secure { 443 } else { 80 };
        Ok(Self {
            secure,
            host: String::from(host.trim_start_matches('[').trim_end_matches(']')),
            authority: match port.filter(|&port| port != default) {
                Some(port) => format!("{host}:{port}"),
                None => String::from(host),
            },
            port: port.unwrap_or(default),
            target: [root, target].concat(),
        })
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, query) = split_query(&self.target);
        f.debug_struct("Url")
            .field("secure", &self.secure)
            .field("host", &brief::Text(&self.host))
            .field("port", &self.port)
            .field("path", &brief::Text(path))
            .field("query_len", &query.map(str::len))
            .finish()
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "wss" } else { "ws" };
        write!(f, "{scheme}://{}{}", self.authority, self.target)
    }
}

/// `host [ ":" port ]` (RFC 3986 section 3.2, without userinfo).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Authority<'a> {
    /// Not empty; an IPv6 address has its brackets.
    pub(crate) host: &'a str,
    pub(crate) port: Option<u16>,
}

/// The part that is at fault, and its position in bytes.
pub(crate) type Place = (UrlPart, usize);

impl<'a> Authority<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, Place> {
        let end = match text.strip_prefix('[') {
            Some(inside) => bracketed(inside).ok_or((UrlPart::Host, 0))?,
            None => text.bytes().take_while(|&byte| is_name_byte(byte)).count(),
        };
        let (host, rest) = text.split_at_checked(end).unwrap_or_default();
        if host.is_empty() {
            return Err(fault_at(text, end));
        }
        let port = match rest.strip_prefix(':') {
            None if rest.is_empty() => None,
            None => return Err(fault_at(text, end)),
            // `port = *DIGIT`: a colon without a number means the default
            Some("") => None,
            Some(digits) => Some(port_number(digits).ok_or_else(|| match text.contains('@') {
                true => (UrlPart::UserInfo, 0),
                false => (UrlPart::Port, end.saturating_add(1)),
            })?),
        };
        Ok(Self { host, port })
    }

    /// Whether both are the same, where `default` is the port that is meant if none is written.
    pub(crate) fn is_same(self, other: Authority<'_>, default: u16) -> bool {
        self.host.eq_ignore_ascii_case(other.host)
            && self.port.unwrap_or(default) == other.port.unwrap_or(default)
    }
}

/// The length of an IPv6 address with its brackets; `inside` is what stands behind the first.
fn bracketed(inside: &str) -> Option<usize> {
    let (address, _) = inside.split_once(']')?;
    address.parse::<Ipv6Addr>().ok()?;
    address.len().checked_add(2)
}

fn port_number(digits: &str) -> Option<u16> {
    // `parse` would take a sign.
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// What it is that no host can have where `at` is, behind a host or at the start of one.
fn fault_at(text: &str, at: usize) -> Place {
    match text.as_bytes().get(at) {
        _ if text.contains('@') => (UrlPart::UserInfo, 0),
        Some(b'/') if at > 0 => (UrlPart::Path, at),
        Some(b'?') if at > 0 => (UrlPart::Query, at),
        Some(b'#') if at > 0 => (UrlPart::Fragment, at),
        _ => (UrlPart::Host, at),
    }
}

/// The path of a target, and the query if there is a `?`.
pub(crate) fn split_query(target: &str) -> (&str, Option<&str>) {
    target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)))
}

/// Checks that `target` is an absolute path with an optional query, for a request line.
pub(crate) fn check_target(target: &str) -> Result<(), Place> {
    if !target.starts_with('/') {
        return Err((UrlPart::Path, 0));
    }
    sendable(target.as_bytes())
}

/// Checks that a path or query, or both, can stand in a request line.
///
/// Any visible ASCII is taken: browsers send characters such as `|` that RFC 3986 would encode. A
/// `#` would begin a fragment, which a request line cannot have (RFC 9112 section 3.2).
pub(crate) fn sendable(target: &[u8]) -> Result<(), Place> {
    let bad = |byte: &u8| !byte.is_ascii_graphic() || *byte == b'#';
    let Some(at) = target.iter().position(bad) else { return Ok(()) };
    let before = target.get(..at).unwrap_or_default();
    Err(match target.get(at) {
        Some(b'#') => (UrlPart::Fragment, at),
        _ if before.contains(&b'?') => (UrlPart::Query, at),
        _ => (UrlPart::Path, at),
    })
}

/// `reg-name` of RFC 3986 section 3.2.2: unreserved, percent-encoded, sub-delims.
fn is_name_byte(byte: u8) -> bool {
    NAME.get(usize::from(byte)).is_some_and(|&is| is)
}

/// A table: one load a byte.
static NAME: [bool; 256] =
    table(b"-._~%!$&'()*+,;=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn good_urls() {
        let table = [
            ("ws://h", "ws://h/", "h", 80),
            ("WS://h/", "ws://h/", "h", 80),
            ("wss://h", "wss://h/", "h", 443),
            ("wss://h:443/a", "wss://h/a", "h", 443),
            ("wss://h:80/a", "wss://h:80/a", "h", 80),
            ("ws://h:/a", "ws://h/a", "h", 80),
            ("ws://h?q=/x?y", "ws://h/?q=/x?y", "h", 80),
            ("ws://127.0.0.1:9001/a%20b?c", "ws://127.0.0.1:9001/a%20b?c", "127.0.0.1", 9001),
            ("ws://[::1]/", "ws://[::1]/", "::1", 80),
            ("ws://[::1]:8080", "ws://[::1]:8080/", "::1", 8080),
            ("ws://a_b.example:65535//x", "ws://a_b.example:65535//x", "a_b.example", 65535),
        ];
        for (text, normal, host, port) in table {
            let url: Url = text.parse().unwrap();
            assert_eq!(url.to_string(), normal);
            assert_eq!((url.host(), url.port()), (host, port), "{text}");
            assert_eq!(normal.parse::<Url>().unwrap(), url);
        }
    }

    #[test]
    fn bad_urls() {
        for text in [
            "",
            "h",
            "http://h/",
            "ws:h",
            "ws:/h",
            "ws://",
            "ws:///a",
            "ws://:80/",
            "ws://h:x/",
            "ws://h:65536",
            "ws://h:+1",
            "ws://h:1:2",
            "ws://u:p@h/",
            "ws://u@h/",
            "ws://h/#f",
            "ws://h#f",
            "ws://h/a b",
            "ws://h/\r\nX: y",
            "ws://a\r\nb/",
            "ws://h/\0",
            "ws://h /",
            "ws://\u{e9}/",
            "ws://h/\u{e9}",
            "ws://[::1",
            "ws://[",
            "ws://[1",
            "ws://[\r\nX-Injected",
            "ws://[a b\0:80/",
            "ws://::1/",
            "ws://[::1]x/",
            "ws://[1.2.3.4]/",
            "ws://[fe80::1%25eth0]/",
            "ws://x[::1]/",
            "ws://h]/",
            " ws://h/",
            "ws://h\\a/",
            "wsss://h/",
        ] {
            let url = text.parse::<Url>();
            assert!(matches!(url, Err(ApiMisuse::InvalidUrl(_))), "{text:?}: {url:?}");
        }
    }
}
