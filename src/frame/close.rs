//! The body of a Close frame: RFC 6455 sections 5.5.1 and 7.4.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use crate::{ApiMisuse, CloseCode, ProtocolError, brief};

/// The longest reason: a control frame holds 125 bytes (5.5), two of them are the code.
pub(crate) const MAX_REASON: usize = 123;

/// What a Close frame said: a code and a reason.
///
/// One pointer wide, because it travels in events next to payloads and is seen once a connection.
///
/// ```
/// use websocket_proto::{CloseCode, CloseFrame};
///
/// let frame = CloseFrame::new(CloseCode::GOING_AWAY, "maintenance")?;
/// assert_eq!(frame.code(), CloseCode::GOING_AWAY);
/// assert_eq!(frame.reason(), "maintenance");
/// assert!(CloseFrame::new(CloseCode::ABNORMAL, "").is_err());
/// # Ok::<(), websocket_proto::ApiMisuse>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct CloseFrame(Box<(CloseCode, String)>);

impl CloseFrame {
    /// A Close frame's body. Of a reason over 123 bytes, which no frame holds, it takes the
    /// characters that fit.
    ///
    /// # Errors
    ///
    /// [`ApiMisuse::CloseCodeNotAllowed`] for a code that only reports.
    pub fn new(code: CloseCode, reason: &str) -> Result<Self, ApiMisuse> {
        check(code)?;
        Ok(Self(Box::new((code, cut_reason(reason).to_owned()))))
    }

    /// The status code.
    #[must_use]
    pub fn code(&self) -> CloseCode {
        self.0.0
    }

    /// The reason, at most 123 bytes. It is meant for people who debug, not for end users (5.5.1).
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0.1
    }
}

impl fmt::Debug for CloseFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloseFrame")
            .field("code", &self.code())
            .field("reason", &brief::Text(self.reason()))
            .finish()
    }
}

/// Whether a Close frame with this code may be sent.
pub(crate) fn check(code: CloseCode) -> Result<(), ApiMisuse> {
    if code.may_be_sent() { Ok(()) } else { Err(ApiMisuse::CloseCodeNotAllowed(code.get())) }
}

/// What a Close frame holds of a reason: whole characters, since 5.5.1 has it UTF-8. To close
/// matters more than to say all of why.
pub(crate) fn cut_reason(reason: &str) -> &str {
    brief::cut(reason, MAX_REASON)
}

/// Reads a whole body: `None` if it is empty.
pub(crate) fn parse(body: &[u8]) -> Result<Option<CloseFrame>, ProtocolError> {
    let Some((&code, reason)) = body.split_first_chunk() else {
        // 5.5.1: "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned
        // integer".
        return if body.is_empty() { Ok(None) } else { Err(ProtocolError::CloseBodyTooShort) };
    };
    let code = parse_code(code)?;
    // 8.1 holds for the reason too: 5.5.1 "UTF-8-encoded data".
    let reason = core::str::from_utf8(reason).map_err(|_| ProtocolError::InvalidUtf8)?;
    Ok(Some(CloseFrame(Box::new((code, reason.to_owned())))))
}

/// Whether the first bytes of a body prove that it cannot be right, whatever follows.
pub(crate) fn check_prefix(body: &[u8]) -> Result<(), ProtocolError> {
    let Some((&code, reason)) = body.split_first_chunk() else { return Ok(()) };
    parse_code(code)?;
    match core::str::from_utf8(reason) {
        // An unfinished character at the end may still be completed.
        Err(error) if error.error_len().is_some() => Err(ProtocolError::InvalidUtf8),
        _ => Ok(()),
    }
}

fn parse_code(code: [u8; 2]) -> Result<CloseCode, ProtocolError> {
    // 7.4.1, 7.4.2: the codes that must not stand in a Close frame.
    let code = u16::from_be_bytes(code);
    CloseCode::new(code).ok_or(ProtocolError::CloseCodeNotAllowed(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code() {
        for code in 0..=u16::MAX {
            let parsed = parse(&code.to_be_bytes());
            match CloseCode::new(code) {
                Some(code) => assert_eq!(parsed.unwrap().unwrap().code(), code),
                None => assert_eq!(parsed, Err(ProtocolError::CloseCodeNotAllowed(code))),
            }
        }
    }

    #[test]
    fn reasons() {
        assert_eq!(parse(b""), Ok(None));
        assert_eq!(parse(b"\x03"), Err(ProtocolError::CloseBodyTooShort));
        assert_eq!(parse(b"\x03\x00"), Err(ProtocolError::CloseCodeNotAllowed(0x300)));
        let frame = parse(b"\x03\xe8caf\xc3\xa9").unwrap().unwrap();
        assert_eq!(frame.reason(), "café");
        assert_eq!(parse(b"\x03\xe8caf\xc3"), Err(ProtocolError::InvalidUtf8));
    }

    #[test]
    fn a_prefix_fails_at_the_first_bad_byte() {
        for good in [&b""[..], b"\x03", b"\x03\xe8", b"\x03\xe8a", b"\x03\xe8\xc3"] {
            assert_eq!(check_prefix(good), Ok(()), "{good:?}");
        }
        assert_eq!(check_prefix(b"\x03\xec"), Err(ProtocolError::CloseCodeNotAllowed(1004)));
        assert_eq!(check_prefix(b"\x03\xe8\xff"), Err(ProtocolError::InvalidUtf8));
        assert_eq!(check_prefix(b"\x03\xe8\xc3\xc3"), Err(ProtocolError::InvalidUtf8));
    }

    #[test]
    fn a_reason_is_cut_at_a_character() {
        let reason =
            |reason: &str| CloseFrame::new(CloseCode::NORMAL, reason).unwrap().reason().to_owned();
        assert_eq!(reason(&"x".repeat(123)), "x".repeat(123));
        assert_eq!(reason(&"x".repeat(124)), "x".repeat(123));
        // Characters of three bytes each: 41 fit.
        assert_eq!(reason(&"\u{800}".repeat(42)), "\u{800}".repeat(41));
        assert_eq!(reason(&"x\u{800}".repeat(1000)), "x\u{800}".repeat(30) + "x");
    }
}
