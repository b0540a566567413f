//! What a request is for: the host, and the path and query there (RFC 9112 sections 3.2 and 3.3).

use super::error::HandshakeError;
use super::url::{Authority, sendable};

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Addressed<'h> {
    /// The host as it was written, with its port if there is one.
    pub(crate) host: &'h str,
    /// The same, taken apart.
    pub(crate) authority: Authority<'h>,
    /// Path and query. A target in absolute form may lack the path, or both.
    pub(crate) target: &'h str,
    /// The target names another host than the header. The header is then ignored, but not by
    /// everyone that has seen the request.
    pub(crate) disputed: bool,
}

impl<'h> Addressed<'h> {
    /// `header` is the value of `Host`.
    pub(crate) fn new(target: &'h str, header: &'h [u8]) -> Result<Self, HandshakeError> {
        const HOST: HandshakeError =
            HandshakeError::Malformed("host is not a name or address with an optional port");

        let header = core::str::from_utf8(header).map_err(|_| HOST)?;
        let authority = Authority::parse(header).map_err(|_| HOST)?;
        let to = match Absolute::parse(target) {
            None if target.starts_with('/') => {
                Self { host: header, authority, target, disputed: false }
            }
            None => return Err(HandshakeError::Malformed("request target is not a path")),
            // RFC 9112 3.2.2: "MUST ignore the received Host header field (if any) and instead
            // replace it with the host information of the request-target"
            Some(Absolute { port, host, target }) => {
                let named = Authority::parse(host).map_err(|_| HOST)?;
                let disputed = !named.is_same(authority, port);
                Self { host, authority: named, target, disputed }
            }
        };
        match sendable(to.target.as_bytes()) {
            Ok(()) => Ok(to),
            Err(_) => Err(HandshakeError::Malformed("request target is not a path")),
        }
    }
}

/// A target in absolute form: "a server MUST accept the absolute-form in requests" (RFC 9112 section
/// 3.2.2).
struct Absolute<'h> {
    /// That of the scheme.
    port: u16,
    host: &'h str,
    /// Begins with `/` or `?`, or is empty: RFC 3986 section 3.3 lets the path be empty behind an
    /// authority.
    target: &'h str,
}

impl<'h> Absolute<'h> {
    fn parse(target: &'h str) -> Option<Self> {
        const PORTS: [(&str, u16); 4] = [("http", 80), ("https", 443), ("ws", 80), ("wss", 443)];

        if target.starts_with('/') {
            return None; // in origin form, like nearly all
        }
        let (scheme, rest) = target.split_once("://")?;
        let (_, port) = PORTS.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(scheme))?;
        let (host, target) = rest.split_at_checked(rest.find(['/', '?']).unwrap_or(rest.len()))?;
        Some(Self { port, host, target })
    }
}
