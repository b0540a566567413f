//! [`Url`]: `ws://` and `wss://` (RFC 6455 section 3), and the authority within.

use alloc::string::String;
use core::fmt;
use core::net::Ipv6Addr;
use core::str::FromStr;

use super::headers::table;
use crate::ApiMisuse;

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
#[derive(Clone, Debug, PartialEq, Eq)]
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
        let (scheme, rest) = text.split_once("://").ok_or(ApiMisuse::InvalidUrl)?;
        let secure = scheme.eq_ignore_ascii_case("wss");
        if !secure && !scheme.eq_ignore_ascii_case("ws") {
            return Err(ApiMisuse::InvalidUrl);
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end).ok_or(ApiMisuse::InvalidUrl)?;
        let mut path = String::with_capacity(target.len().saturating_add(1));
        if !target.starts_with('/') {
            path.push('/');
        }
        path.push_str(target);
        if !is_target(path.as_bytes()) {
            return Err(ApiMisuse::InvalidUrl);
        }
        let Authority { host, port } = Authority::parse(authority).ok_or(ApiMisuse::InvalidUrl)?;
        let default = if secure { 443 } else { 80 };
        let mut authority = String::from(host);
        if let Some(port) = port.filter(|&port| port != default) {
            fmt::Write::write_fmt(&mut authority, format_args!(":{port}"))
                .map_err(|_| ApiMisuse::InvalidUrl)?;
        }
        Ok(Self {
            secure,
            host: String::from(host.trim_start_matches('[').trim_end_matches(']')),
            authority,
            port: port.unwrap_or(default),
            target: path,
        })
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

impl<'a> Authority<'a> {
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (host, port) = if text.starts_with('[') {
            let (host, port) = text.split_at_checked(text.find(']')?.checked_add(1)?)?;
            host.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?;
            (host, port)
        } else {
            let end = text.bytes().take_while(|&byte| is_name_byte(byte)).count();
            text.split_at_checked(end).filter(|(host, _)| !host.is_empty())?
        };
        let port = if port.is_empty() { None } else { Some(port.strip_prefix(':')?) };
        let port = match port {
            // `port = *DIGIT`: a colon without a number means the default
            None | Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            Some(_) => return None,
        };
        Some(Self { host, port })
    }

    /// Whether both are the same, where `default` is the port that is meant if none is written.
    pub(crate) fn is_same(self, other: Authority<'_>, default: u16) -> bool {
        self.host.eq_ignore_ascii_case(other.host)
            && self.port.unwrap_or(default) == other.port.unwrap_or(default)
    }
}

/// Whether `target` is an absolute path with an optional query that can stand in a request line.
pub(crate) fn is_target(target: &[u8]) -> bool {
    target.first() == Some(&b'/') && is_sendable(target)
}

/// Whether these characters can stand in a request line, as path or query.
///
/// Any visible ASCII is taken: browsers send characters such as `|` that RFC 3986 would encode. A
/// `#` would begin a fragment, which a request line cannot have (RFC 9112 section 3.2).
pub(crate) fn is_sendable(target: &[u8]) -> bool {
    target.iter().all(|&byte| byte.is_ascii_graphic() && byte != b'#')
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
            assert_eq!(text.parse::<Url>(), Err(ApiMisuse::InvalidUrl), "{text:?}");
        }
    }
}
