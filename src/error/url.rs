//! [`UrlFault`]: which part of a URL cannot be used.

use core::fmt;

/// Which part of a URL, a host, a request target or an origin cannot be used, and where.
///
/// Nothing of the text is in it but one byte that must not stand where it does, and not even that
/// where it could be of a password: it can be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UrlFault {
    /// The part that is at fault.
    pub part: UrlPart,
    /// Where the fault begins, in bytes from the start of the text that was given.
    pub at: u32,
    /// The byte there that is not allowed. `None` where a byte alone is not what is wrong, and
    /// for any text with an `@`, which may have a password before it.
    pub seen: Option<u8>,
}

/// A part of a URL (RFC 3986 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlPart {
    /// What stands before `://`, or `://` itself.
    Scheme,
    /// `user:password@`, which none may have (RFC 9110 section 4.2.4).
    UserInfo,
    /// The name or address.
    Host,
    /// What stands behind the colon: not a number up to 65535.
    Port,
    /// The path.
    Path,
    /// What stands behind `?`.
    Query,
    /// `#` and what stands behind it, which none may have (RFC 6455 section 3).
    Fragment,
}

impl UrlFault {
    pub(crate) fn new(text: &str, part: UrlPart, at: usize) -> Self {
        let by_byte = matches!(part, UrlPart::Host | UrlPart::Path | UrlPart::Query);
        let seen = text.as_bytes().get(at).copied();
        Self {
            part,
            at: u32::try_from(at).unwrap_or(u32::MAX),
            seen: seen.filter(|_| by_byte && !text.contains('@')),
        }
    }
}

impl fmt::Display for UrlFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, at, seen } = *self;
        let (name, allowed) = match part {
            UrlPart::Scheme => return f.write_str("its scheme is missing, or not allowed"),
            UrlPart::UserInfo => {
                return f.write_str("it has a user or password (see ClientRequest::basic_auth)");
            }
            UrlPart::Fragment => return write!(f, "it has a fragment, at byte {at}"),
            UrlPart::Host => ("host", "a name or address in ascii, ipv6 in brackets"),
            UrlPart::Port => ("port", "a number up to 65535"),
            UrlPart::Path => ("path", "/ and visible ascii, all else percent-encoded"),
            UrlPart::Query => ("query", "visible ascii, all else percent-encoded"),
        };
        write!(f, "its {name} is wrong at byte {at}")?;
        match seen {
            None => {}
            Some(byte @ b' '..=b'~') => write!(f, " ({:?})", char::from(byte))?,
            Some(byte) => write!(f, " ({byte:#04x})")?,
        }
        write!(f, ", allowed is {allowed}")
    }
}
