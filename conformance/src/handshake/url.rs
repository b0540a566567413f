//! The address of the server under test.

use std::fmt;

/// A `ws:` URL (RFC 6455 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    /// As in the `Host` field: a port only where the URL has one.
    pub(crate) authority: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) target: String,
}

impl Url {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            |what: &str| Err(format!("{text:?} {what}; give it as ws://HOST[:PORT][/PATH]"));
        let Some((scheme, rest)) = text.split_once("://") else {
            return wrong("is no URL");
        };
        if !scheme.eq_ignore_ascii_case("ws") {
            return wrong(&format!("has scheme {scheme:?}"));
        }
        if text.bytes().any(|byte| byte <= b' ' || byte == 0x7f) || text.contains('#') {
            return wrong("has a space, a control character or a fragment");
        }
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        let port_at =
            authority.rfind(':').filter(|at| !authority.get(*at..).unwrap_or("").contains(']'));
        let (host, port) = match port_at {
            Some(at) => {
                let (host, port) = authority.split_at(at);
                (host, port.trim_start_matches(':').parse::<u16>().ok().filter(|port| *port > 0))
            }
            None => (authority, Some(80)),
        };
        let Some(port) = port else { return wrong("has no valid port") };
        if host.is_empty() || host.contains('@') {
            return wrong("has no valid host");
        }
        let target = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self {
            authority: authority.to_owned(),
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port,
            target,
        })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ws://{}{}", self.authority, self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for (text, host, port, target) in [
            ("ws://127.0.0.1:9001", "127.0.0.1", 9001, "/"),
            ("ws://example.com", "example.com", 80, "/"),
            ("WS://[::1]:80/a?b", "::1", 80, "/a?b"),
            ("ws://[::1]", "::1", 80, "/"),
            ("ws://h?q", "h", 80, "/?q"),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!((url.host.as_str(), url.port, url.target.as_str()), (host, port, target));
        }
        for wrong in
            ["", "h:9001", "http://h", "ws://", "ws://h:0", "ws://h:x", "ws://h/ x", "ws://h/#f"]
        {
            assert!(Url::parse(wrong).is_err(), "{wrong}");
        }
    }
}
