//! Close status codes: RFC 6455 section 7.4 and the IANA registry.

use core::fmt;
use core::num::NonZeroU16;

/// The status code of a Close frame (RFC 6455 section 7.4).
///
/// [`CloseCode::new`] accepts exactly the codes that may stand in a Close frame. The constants
/// [`NO_STATUS`](Self::NO_STATUS) and [`ABNORMAL`](Self::ABNORMAL) exist for *reporting* how a
/// connection ended; they never travel, and every call that sends a Close frame refuses them.
///
/// ```
/// use websocket_proto::CloseCode;
///
/// assert_eq!(CloseCode::new(1000), Some(CloseCode::NORMAL));
/// assert_eq!(CloseCode::new(4001).map(u16::from), Some(4001));
/// assert_eq!(CloseCode::new(1006), None); // reserved for reporting, 7.4.1
/// assert_eq!(CloseCode::new(2999), None); // not assigned, 7.4.2
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(NonZeroU16);

impl CloseCode {
    /// 1000: the purpose of the connection has been fulfilled.
    pub const NORMAL: Self = Self::constant(1000);
    /// 1001: the endpoint is going away: a server shuts down, a page is left.
    pub const GOING_AWAY: Self = Self::constant(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self::constant(1002);
    /// 1003: a kind of data that the endpoint cannot accept.
    pub const UNSUPPORTED_DATA: Self = Self::constant(1003);
    /// 1005: reported where the peer's Close frame had no code. Never sent.
    pub const NO_STATUS: Self = Self::constant(1005);
    /// 1006: reported where the connection ended without a Close frame. Never sent.
    pub const ABNORMAL: Self = Self::constant(1006);
    /// 1007: payload data inconsistent with its type, for example text that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self::constant(1007);
    /// 1008: a message that violates the endpoint's policy.
    pub const POLICY_VIOLATION: Self = Self::constant(1008);
    /// 1009: a message too big to process.
    pub const MESSAGE_TOO_BIG: Self = Self::constant(1009);
    /// 1010: the server did not agree to an extension that the client needs.
    pub const MANDATORY_EXTENSION: Self = Self::constant(1010);
    /// 1011: the endpoint met a condition that keeps it from fulfilling the request.
    pub const INTERNAL_ERROR: Self = Self::constant(1011);
    /// 1012: the service is restarting (IANA registry).
    pub const SERVICE_RESTART: Self = Self::constant(1012);
    /// 1013: the service is overloaded, try again later (IANA registry).
    pub const TRY_AGAIN_LATER: Self = Self::constant(1013);
    /// 1014: a gateway received an invalid answer from its upstream (IANA registry).
    pub const BAD_GATEWAY: Self = Self::constant(1014);

    /// The code, if it may stand in a Close frame: 1000 to 1003, 1007 to 1014, 3000 to 4999.
    #[must_use]
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            // 7.4.1, and the IANA registry for 1012 to 1014. 1004 has no meaning yet; 1005, 1006
            // and 1015 "MUST NOT be set as a status code in a Close control frame".
            1000..=1003 | 1007..=1014
            // 7.4.2: registered by libraries and applications, and for private use.
            | 3000..=4999 => Some(Self::constant(code)),
            _ => None,
        }
    }

    /// Whether the code may stand in a Close frame. False for the codes that only report.
    #[must_use]
    pub const fn may_be_sent(self) -> bool {
        Self::new(self.0.get()).is_some()
    }

    /// The code as a number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }

    const fn constant(code: u16) -> Self {
        match NonZeroU16::new(code) {
            Some(code) => Self(code),
            // Not reached: every caller passes a constant or a code that was just matched.
            None => Self(NonZeroU16::MIN),
        }
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.get()
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseCode({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table written from RFC 6455 7.4 and the IANA registry, held against all 65,536 values.
    #[test]
    fn every_code() {
        let assigned = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014];
        for code in 0..=u16::MAX {
            let allowed = assigned.contains(&code) || (3000..5000).contains(&code);
            assert_eq!(CloseCode::new(code).is_some(), allowed, "{code}");
            assert_eq!(CloseCode::new(code).map(CloseCode::get), allowed.then_some(code));
        }
    }

    #[test]
    fn codes_that_only_report() {
        assert!(!CloseCode::NO_STATUS.may_be_sent());
        assert!(!CloseCode::ABNORMAL.may_be_sent());
        assert!(CloseCode::BAD_GATEWAY.may_be_sent());
    }
}
