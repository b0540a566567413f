//! [`HandshakeError`]: the peer's opening handshake was not acceptable.

use alloc::boxed::Box;
use core::fmt;

use super::response::Response;

/// The peer broke the rules of the opening handshake, went past a limit, or refused.
///
/// On a server, [`Server::receive`](super::Server::receive) has put the HTTP response into the
/// output: the caller writes it and closes the transport. On a client nothing is sent: the caller
/// closes the transport.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeError {
    /// Not HTTP, or not a WebSocket handshake. What is wrong follows.
    Malformed(&'static str),
    /// The request line reaches
    /// [`HeadLimits::max_line_size`](super::HeadLimits::max_line_size) without an end.
    TargetTooLong {
        /// The size that was allowed, in bytes.
        limit: u32,
    },
    /// A line reaches [`HeadLimits::max_line_size`](super::HeadLimits::max_line_size) without an
    /// end.
    LineTooLong {
        /// The size that was allowed, in bytes.
        limit: u32,
    },
    /// The head reaches [`HeadLimits::max_head_size`](super::HeadLimits::max_head_size) without an
    /// end.
    HeadTooLarge {
        /// The size that was allowed, in bytes.
        limit: u32,
    },
    /// More headers than [`HeadLimits::max_headers`](super::HeadLimits::max_headers).
    TooManyHeaders {
        /// The number that was allowed.
        limit: u32,
    },
    /// The HTTP version is not 1.1 (RFC 6455 section 4.2.1).
    HttpVersion,
    /// The method is not GET (4.2.1).
    Method,
    /// No `Upgrade: websocket` (4.2.1): an ordinary HTTP request.
    UpgradeRequired,
    /// `Sec-WebSocket-Version` is not 13 (4.4).
    Version,
    /// The `Origin` is not among those allowed (4.2.2, 10.2): see
    /// [`ServerConfig::origin`](super::ServerConfig::origin).
    Origin,
    /// The handshake did not end before its deadline.
    Timeout,
    /// The transport ended before the handshake did.
    UnexpectedEof,
    /// A client received more interim responses than
    /// [`HeadLimits::max_interim_responses`](super::HeadLimits::max_interim_responses).
    TooManyInterimResponses {
        /// The number that was allowed.
        limit: u32,
    },
    /// The server answered a client with something other than 101, for example a redirect, which
    /// is never followed. The body, if any, has not been read.
    Refused(Box<Response>),
    /// The server answered a client with 101, but not as RFC 6455 section 4.1 requires.
    InvalidResponse {
        /// What is wrong.
        reason: &'static str,
        /// The status and headers that came.
        response: Box<Response>,
    },
}

impl HandshakeError {
    /// The HTTP status of the fault.
    ///
    /// On a server, the one that answers it. On a client, that of the response that refused, and
    /// where the response itself is at fault 502, as a gateway would report it.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) | Self::UnexpectedEof => 400,
            Self::Origin => 403,
            Self::Method => 405,
            Self::Timeout => 408,
            Self::TargetTooLong { .. } => 414,
            Self::UpgradeRequired | Self::Version => 426,
            Self::LineTooLong { .. } | Self::HeadTooLarge { .. } | Self::TooManyHeaders { .. } => {
                431
            }
            Self::TooManyInterimResponses { .. } | Self::InvalidResponse { .. } => 502,
            Self::HttpVersion => 505,
            Self::Refused(response) => response.status(),
        }
    }

    /// The headers that the answer of a server must have. Where `Connection` is not among them, it
    /// is `Connection: close`.
    ///
    /// A program inside an HTTP framework adds them to its own response.
    #[must_use]
    pub const fn headers(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            // RFC 9110 15.5.6: "The origin server MUST generate an Allow header field in a 405"
            Self::Method => &[("Allow", "GET")],
            // RFC 9110 15.5.22: "The server MUST send an Upgrade header field in a 426 response";
            // 4.4: "MUST abort the WebSocket handshake ... and instead send ... a
            // |Sec-WebSocket-Version| header field"; RFC 9110 7.8: "A sender of Upgrade MUST also
            // send an "Upgrade" connection option in the Connection header field"
            Self::UpgradeRequired | Self::Version => &[
                ("Connection", "close, Upgrade"),
                ("Upgrade", "websocket"),
                ("Sec-WebSocket-Version", "13"),
            ],
            _ => &[],
        }
    }

    /// The response that a client received, if the fault lies in one.
    ///
    /// For a redirect its `Location` header says where it leads; it is the caller's decision to
    /// go there.
    #[must_use]
    pub fn response(&self) -> Option<&Response> {
        match self {
            Self::Refused(response) | Self::InvalidResponse { response, .. } => Some(response),
            _ => None,
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(reason) => write!(f, "malformed handshake: {reason}"),
            Self::TargetTooLong { limit } => write!(
                f,
                "request line is over the limit of {limit} bytes (HeadLimits::max_line_size)"
            ),
            Self::LineTooLong { limit } => {
                write!(f, "line is over the limit of {limit} bytes (HeadLimits::max_line_size)")
            }
            Self::HeadTooLarge { limit } => {
                write!(f, "head is over the limit of {limit} bytes (HeadLimits::max_head_size)")
            }
            Self::TooManyHeaders { limit } => {
                write!(f, "more than {limit} headers (HeadLimits::max_headers)")
            }
            Self::HttpVersion => f.write_str("http version is not 1.1"),
            Self::Method => f.write_str("method is not GET"),
            Self::UpgradeRequired => f.write_str("request does not ask to upgrade to websocket"),
            Self::Version => f.write_str("websocket version is not 13"),
            Self::Origin => f.write_str("origin is not allowed (ServerConfig::origin)"),
            Self::Timeout => f.write_str("handshake did not end before its deadline"),
            Self::UnexpectedEof => f.write_str("transport ended before the handshake did"),
            Self::TooManyInterimResponses { limit } => {
                write!(f, "more than {limit} interim responses (HeadLimits::max_interim_responses)")
            }
            Self::Refused(response) => {
                write!(f, "server refused with http status {}", response.status())
            }
            Self::InvalidResponse { reason, .. } => write!(f, "invalid response: {reason}"),
        }
    }
}

impl core::error::Error for HandshakeError {}
