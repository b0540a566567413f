//! What a request is for: the host, and the path and query there (RFC 9112 sections 3.2 and 3.3).

use super::error::HandshakeError;
use super::url::{Authority, is_sendable};

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Addressed<'h> {
    /// The host as it was written, with its port if there is one.
    pub(crate) host: &'h str,
    /// The same, taken apart.
    pub(crate) authority: Authority<'h>,
    /// Path and query. A target in absolute form may lack the path, or both.
    pub(crate) target: &'h str,
}

impl<'h> Addressed<'h> {
    /// `header` is the value of `Host`.
    pub(crate) fn new(target: &'h str, header: &'h [u8]) -> Result<Self, HandshakeError> {
        const HOST: HandshakeError = HandshakeError::Malformed("host");

        let header = core::str::from_utf8(header).map_err(|_| HOST)?;
        let authority = Authority::parse(header).ok_or(HOST)?;
        let (host, authority, target) = match absolute(target) {
            None if target.starts_with('/') => (header, authority, target),
            None => return Err(HandshakeError::Malformed("request target is not a path")),
            // RFC 9112 3.2.2: "MUST ignore the received Host header field (if any) and instead
            // replace it with the host information of the request-target"
            Some((named, rest)) => (named, Authority::parse(named).ok_or(HOST)?, rest),
        };
        if !is_sendable(target.as_bytes()) {
            return Err(HandshakeError::Malformed("request target is not a path"));
        }
        Ok(Self { host, authority, target })
    }
}

/// Takes the authority off a target in absolute form: "a server MUST accept the absolute-form in
/// requests" (RFC 9112 section 3.2.2), and prefer its host to the header's. What follows begins
/// with `/` or `?`, or is empty: RFC 3986 section 3.3 lets the path be empty behind an authority.
fn absolute(target: &str) -> Option<(&str, &str)> {
    if target.starts_with('/') {
        return None; // in origin form, like nearly all
    }
    let (scheme, rest) = target.split_once("://")?;
    ["http", "https", "ws", "wss"].iter().find(|known| known.eq_ignore_ascii_case(scheme))?;
    rest.split_at_checked(rest.find(['/', '?']).unwrap_or(rest.len()))
}
