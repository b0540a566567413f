//! [`Error`]: what an adapter's call can fail with.

use std::fmt;
use std::io;

use crate::handshake::HandshakeError;
use crate::{ApiMisuse, ProtocolError};

/// Why a call on an adapter failed: the transport, the peer, or the caller.
///
/// The normal end of a connection is not an error: a call that receives returns `Ok(None)`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The transport failed. Where a call that sends finds that out, what was read before is still
    /// delivered, but what the peer had sent and nobody has read may be lost.
    Io(io::Error),
    /// The peer broke the protocol, went past a limit, or was too slow. The Close frame that says
    /// so was written, if the transport let it.
    Protocol(ProtocolError),
    /// The opening handshake failed. A server's answer that says so was written.
    Handshake(HandshakeError),
    /// The application refused the request with this status; the response was written.
    Refused(u16),
    /// The caller asked for something that cannot be done; nothing was written.
    Misuse(ApiMisuse),
}

impl Error {
    /// Whether the call may be repeated: the stream is in non-blocking mode, or has a time limit
    /// of its own, and was not ready. Nothing was lost.
    #[must_use]
    pub fn is_would_block(&self) -> bool {
        use io::ErrorKind::{TimedOut, WouldBlock};
        matches!(self, Self::Io(error) if matches!(error.kind(), WouldBlock | TimedOut))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "transport: {error}"),
            Self::Protocol(error) => write!(f, "peer: {error}"),
            Self::Handshake(error) => write!(f, "opening handshake: {error}"),
            Self::Refused(status) => write!(f, "request refused with status {status}"),
            Self::Misuse(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Protocol(error) => Some(error),
            Self::Handshake(error) => Some(error),
            Self::Refused(_) => None,
            Self::Misuse(error) => Some(error),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ProtocolError> for Error {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

impl From<HandshakeError> for Error {
    fn from(error: HandshakeError) -> Self {
        Self::Handshake(error)
    }
}

impl From<ApiMisuse> for Error {
    fn from(misuse: ApiMisuse) -> Self {
        Self::Misuse(misuse)
    }
}
