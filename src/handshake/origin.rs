//! [`OriginPolicy`]: which web pages may connect (RFC 6455 sections 4.2.2 and 10.2).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use super::url::{Authority, Place};
use crate::brief::{self, Few};
use crate::{ApiMisuse, UrlFault, UrlPart};

/// Which `Origin` a request may have.
///
/// A browser lets any page open a WebSocket to any server, with the user's cookies; the origin is
/// what tells the server's own pages from others (cross-site WebSocket hijacking). It protects
/// users of browsers only: any other program can send what it likes, or nothing. A request without
/// an origin is therefore let through, unless
/// [`ServerConfig::require_origin`](super::ServerConfig::require_origin) is set.
///
/// Scheme, host and port are compared as a whole, never a part of the text.
///
/// ```
/// use websocket_proto::handshake::OriginPolicy;
///
/// let policy = OriginPolicy::List(vec!["https://example.com".parse()?]);
/// # let _ = policy;
/// # Ok::<(), websocket_proto::ApiMisuse>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginPolicy {
    /// The origin's host and port must be those of the `Host` header.
    ///
    /// A server behind a TLS proxy does not know its own scheme, so `http` and `https` are both
    /// taken, and a port that is not written is the default of the origin's scheme on both sides:
    /// `https://h` matches `Host: h` and `Host: h:443`, `http://h:8080` matches `Host: h:8080`. A
    /// server that says it is [secure](super::ServerConfig::secure) takes `https` only. A proxy
    /// must hand `Host` on as it came; else use a list. A request in absolute form whose target
    /// names another host than `Host` gets 400.
    ///
    /// The server does not know its own name either: it takes whatever the browser calls it. Who
    /// owns `evil.example` can let that name lead to this server's address once the page is there
    /// (*DNS rebinding*): host and origin are then both `evil.example`, and the page may speak to
    /// a server that only the victim can reach, on `localhost` or behind a firewall. It comes
    /// without the cookies of the server's real name. Where an address alone lets clients in, use
    /// a [`List`](Self::List) of the origins that there are.
    #[default]
    SameHost,
    /// The origin must be one of these. The server's own is not among them unless it is listed.
    List(Vec<Origin>),
    /// Any origin, `null` included: the server is for every web page, or checks for itself.
    Any,
}

/// A web origin: scheme, host and port (RFC 6454), or `null`.
///
/// A port that is not written is the default of `http` or `https`. Host and scheme are compared
/// without regard to case. `null` is what sandboxed frames and local files send; anyone can
/// produce it.
#[derive(Clone, PartialEq, Eq)]
pub struct Origin(Option<Tuple<String>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tuple<S> {
    scheme: S,
    host: S,
    port: Option<u16>,
}

impl FromStr for Origin {
    type Err = ApiMisuse;

    fn from_str(text: &str) -> Result<Self, ApiMisuse> {
        if text == "null" {
            return Ok(Self(None));
        }
        let fault = |(part, at)| ApiMisuse::InvalidOrigin(UrlFault::new(text, part, at));
        let Tuple { scheme, host, port } = Tuple::parse(text).map_err(fault)?;
        let (scheme, host) = (scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
        Ok(Self(Some(Tuple { scheme, host, port })))
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match &self.0 {
            None => String::from("null"),
            Some(Tuple { scheme, host, port: None }) => format!("{scheme}://{host}"),
            Some(Tuple { scheme, host, port: Some(port) }) => format!("{scheme}://{host}:{port}"),
        };
        write!(f, "Origin({:?})", brief::Text(&text))
    }
}

impl fmt::Debug for OriginPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameHost => f.write_str("SameHost"),
            Self::List(list) => f.debug_tuple("List").field(&Few::of(list)).finish(),
            Self::Any => f.write_str("Any"),
        }
    }
}

impl OriginPolicy {
    /// Whether a request with this `Origin` header to this host may go on. `secure`: the host is
    /// known to be reached over TLS.
    pub(crate) fn allows(&self, origin: &[u8], host: Authority<'_>, secure: bool) -> bool {
        let parsed = core::str::from_utf8(origin).ok().and_then(|text| Tuple::parse(text).ok());
        match self {
            Self::Any => true,
            Self::List(list) => list.iter().any(|Origin(listed)| match (listed, parsed) {
                (Some(listed), Some(origin)) => listed.matches(origin),
                (None, _) => origin == b"null",
                _ => false,
            }),
            Self::SameHost => parsed.is_some_and(|origin| origin.is_on(host, secure)),
        }
    }
}

impl<'a> Tuple<&'a str> {
    /// `scheme "://" host [ ":" port ]`, and nothing behind it (RFC 6454 section 6.2).
    fn parse(text: &'a str) -> Result<Self, Place> {
        const SCHEME: Place = (UrlPart::Scheme, 0);

        let tail = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let len = text.bytes().take_while(tail).count();
        let (scheme, rest) = text.split_at_checked(len).ok_or(SCHEME)?;
        let authority = rest.strip_prefix("://").ok_or(SCHEME)?;
        if !scheme.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return Err(SCHEME);
        }
        let start = text.len().saturating_sub(authority.len());
        let Authority { host, port } =
            Authority::parse(authority).map_err(|(part, at)| (part, at.saturating_add(start)))?;
        Ok(Self { scheme, host, port: port.or_else(|| default_port(scheme)) })
    }

    fn is_on(self, other: Authority<'_>, secure: bool) -> bool {
        let own = Authority { host: self.host, port: self.port };
        default_port(self.scheme).is_some_and(|default| {
            // RFC 6454 5: two origins are the same if scheme, host and port are.
            (!secure || default == HTTPS) && own.is_same(other, default)
        })
    }
}

impl Tuple<String> {
    fn matches(&self, other: Tuple<&str>) -> bool {
        self.scheme.eq_ignore_ascii_case(other.scheme)
            && self.host.eq_ignore_ascii_case(other.host)
            && self.port == other.port
    }
}

const HTTPS: u16 = 443;

fn default_port(scheme: &str) -> Option<u16> {
    if scheme.eq_ignore_ascii_case("http") {
        Some(80)
    } else if scheme.eq_ignore_ascii_case("https") {
        Some(HTTPS)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn allows(policy: &OriginPolicy, origin: &str, host: &str) -> bool {
        policy.allows(origin.as_bytes(), Authority::parse(host).unwrap(), false)
    }

    /// S58 of the reliability table.
    #[test]
    fn a_list_is_exact() {
        let policy = OriginPolicy::List(vec!["https://good.com".parse().unwrap()]);
        for good in ["https://good.com", "https://good.com:443", "HTTPS://GOOD.com"] {
            assert!(allows(&policy, good, "good.com"), "{good}");
        }
        for bad in [
            "https://evil",
            "null",
            "https://good.com.evil",
            "http://good.com",
            "https://good.com:444",
            "https://good.co",
            "https://good.comm",
            "https://evil/good.com",
            "https://good.com/",
            "https://good.com@evil",
            "https://good.com#",
            "https://evilgood.com",
            "good.com",
            "://good.com",
            "https://",
            "https:good.com",
            "",
            "https://good.com evil",
            "https://good.com https://good.com",
            "wss://good.com",
            "https://good.com:",
            "https://good.com.",
        ] {
            // "https://good.com:" has an empty port: the default, so the same origin
            assert_eq!(allows(&policy, bad, "good.com"), bad == "https://good.com:", "{bad}");
        }
    }

    #[test]
    fn null_must_be_listed() {
        assert!(!allows(&OriginPolicy::SameHost, "null", "null"));
        assert!(!allows(&OriginPolicy::List(vec![]), "null", "h"));
        assert!(allows(&OriginPolicy::List(vec!["null".parse().unwrap()]), "null", "h"));
        assert!(!allows(&OriginPolicy::List(vec!["null".parse().unwrap()]), "x", "h"));
        assert!(allows(&OriginPolicy::Any, "null", "h"));
    }

    #[test]
    fn same_host_compares_host_and_port() {
        let table = [
            ("http://h", "h", true),
            ("https://h", "h", true),
            ("https://H", "h", true),
            ("http://h:80", "h", true),
            ("http://h", "h:80", true),
            ("https://h", "h:443", true),
            ("http://h:8080", "h:8080", true),
            ("https://[::1]:8443", "[::1]:8443", true),
            ("http://h", "h:443", false),
            ("https://h", "h:80", false),
            ("http://h:8080", "h", false),
            ("http://h", "h:8080", false),
            ("http://a.h", "h", false),
            ("http://h.a", "h", false),
            ("http://[::1]", "[::2]", false),
            ("file://h", "h", false),
            ("chrome-extension://h", "h", false),
            ("h", "h", false),
        ];
        for (origin, host, expected) in table {
            assert_eq!(allows(&OriginPolicy::SameHost, origin, host), expected, "{origin} {host}");
        }
    }

    #[test]
    fn other_schemes_can_be_listed() {
        let policy = OriginPolicy::List(vec!["chrome-extension://abc".parse().unwrap()]);
        assert!(allows(&policy, "chrome-extension://abc", "h"));
        assert!(!allows(&policy, "chrome-extension://abc:1", "h"));
    }

    #[test]
    fn origins_that_cannot_match_are_refused_when_listed() {
        for text in ["", "example.com", "https://a/b", "https://a b", "https://", "*"] {
            let origin = text.parse::<Origin>();
            assert!(matches!(origin, Err(ApiMisuse::InvalidOrigin(_))), "{text}: {origin:?}");
        }
    }
}
