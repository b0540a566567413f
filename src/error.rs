//! Errors by blame: [`ProtocolError`] is the peer's, [`ApiMisuse`] is the caller's.

mod url;

use core::fmt;

pub use self::url::{UrlFault, UrlPart};
use crate::CloseCode;

/// The peer broke the protocol, or went past a limit.
///
/// The connection has failed (RFC 6455 section 7.1.7): a Close frame with
/// [`close_code`](Self::close_code) is in the output, later input is discarded, and every later
/// call returns the same error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A reserved bit is set without an extension that defines it (5.2). The first byte follows.
    ReservedBits(u8),
    /// A reserved opcode (5.2).
    ReservedOpcode(u8),
    /// A client's frame without a mask (5.1).
    Unmasked,
    /// A server's frame with a mask (5.1).
    Masked,
    /// A payload length that is not in its shortest form (5.2).
    LengthNotMinimal,
    /// A 64-bit payload length with the most significant bit set (5.2).
    LengthTopBit,
    /// A control frame without the FIN bit (5.5). Its opcode follows.
    FragmentedControl(u8),
    /// A control frame with a payload over 125 bytes (5.5). Its opcode follows.
    LongControl(u8),
    /// A continuation frame while no message is being continued (5.4).
    UnexpectedContinuation,
    /// A text or binary frame before the message in progress has ended (5.4).
    ExpectedContinuation,
    /// A Close frame with a payload of one byte (5.5.1).
    CloseBodyTooShort,
    /// A Close frame with a code that must not be sent (7.4).
    CloseCodeNotAllowed(u16),
    /// Text, or the reason of a Close frame, that is not UTF-8 (8.1).
    InvalidUtf8,
    /// A compressed message whose data, with the four octets that RFC 7692 section 7.2.2 appends,
    /// is not a sequence of whole DEFLATE blocks, or refers to bytes that are not in the window.
    CorruptDeflate,
    /// A compressed message in which a final DEFLATE block is followed by bytes that are not a
    /// DEFLATE block (RFC 7692 section 7.2.3.4).
    DataAfterFinalBlock,
    /// A frame with a payload over [`Config::max_frame_size`](crate::Config::max_frame_size).
    /// `seen` is a lower bound: the limit may be passed before the length is complete.
    FrameTooBig {
        /// The length that was seen, in bytes.
        seen: u64,
        /// The length that was allowed, in bytes.
        limit: u64,
    },
    /// A message over [`Config::max_message_size`](crate::Config::max_message_size). `seen` is a
    /// lower bound.
    MessageTooBig {
        /// The length that was seen, in bytes.
        seen: u64,
        /// The length that was allowed, in bytes.
        limit: u64,
    },
    /// A message that there is no memory for, although
    /// [`Config::max_message_size`](crate::Config::max_message_size) allows it.
    OutOfMemory {
        /// The length that memory was needed for, in bytes.
        seen: u64,
    },
    /// A message that is kept until it is whole, with more fragments than
    /// [`Config::max_fragments`](crate::Config::max_fragments).
    TooManyFragments {
        /// The number that was allowed.
        limit: u32,
    },
    /// More empty fragments in a row than
    /// [`Config::max_empty_fragments`](crate::Config::max_empty_fragments).
    TooManyEmptyFragments {
        /// The number that was allowed.
        limit: u32,
    },
    /// Our compressor failed, and what it had seen cannot be taken back. Nothing that is known
    /// causes it.
    CompressionFailed,
    /// Our own application removed bytes from the message that
    /// [`Connection::direct`](crate::Connection::direct) lent it, or appended more than it was
    /// told: what comes next on the wire is lost.
    DirectMisuse,
    /// The transport ended without a Close frame from the peer (7.1.5).
    UnexpectedEof,
    /// A message did not end before its deadline.
    MessageTimeout,
    /// A keepalive ping was not answered before its deadline.
    KeepaliveTimeout,
    /// The peer did not answer our Close frame, or did not end the transport after it, before the
    /// deadline (7.1.1).
    CloseTimeout,
    /// The peer took none of the bytes that waited before the deadline.
    WriteTimeout,
}

impl ProtocolError {
    /// The status code that the failed connection reports (RFC 6455 section 7.4.1): the code of
    /// the Close frame that is sent, or [`CloseCode::ABNORMAL`] where none can be.
    #[must_use]
    pub const fn close_code(&self) -> CloseCode {
        match self {
            Self::ReservedBits(_)
            | Self::ReservedOpcode(_)
            | Self::Unmasked
            | Self::Masked
            | Self::LengthNotMinimal
            | Self::LengthTopBit
            | Self::FragmentedControl(_)
            | Self::LongControl(_)
            | Self::UnexpectedContinuation
            | Self::ExpectedContinuation
            | Self::CloseBodyTooShort
            | Self::CloseCodeNotAllowed(_) => CloseCode::PROTOCOL_ERROR,
            Self::InvalidUtf8 | Self::CorruptDeflate | Self::DataAfterFinalBlock => {
                CloseCode::INVALID_PAYLOAD
            }
            // 7.4.1: 1009 is for "a message that is too big for it to process".
            Self::FrameTooBig { .. } | Self::MessageTooBig { .. } | Self::OutOfMemory { .. } => {
                CloseCode::MESSAGE_TOO_BIG
            }
            Self::TooManyFragments { .. }
            | Self::TooManyEmptyFragments { .. }
            | Self::MessageTimeout => CloseCode::POLICY_VIOLATION,
            Self::CompressionFailed | Self::DirectMisuse | Self::KeepaliveTimeout => {
                CloseCode::INTERNAL_ERROR
            }
            // No Close frame can be sent any more, or nobody would read it.
            Self::UnexpectedEof | Self::CloseTimeout | Self::WriteTimeout => CloseCode::ABNORMAL,
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ReservedBits(byte) => {
                write!(f, "reserved bits set in frame byte {byte:#04x}, no extension defines them")
            }
            Self::ReservedOpcode(opcode) => write!(f, "reserved opcode {opcode:#x}"),
            Self::Unmasked => f.write_str("frame from the client is not masked"),
            Self::Masked => f.write_str("frame from the server is masked"),
            Self::LengthNotMinimal => f.write_str("payload length is not in its shortest form"),
            Self::LengthTopBit => f.write_str("payload length is 2^63 or more"),
            Self::FragmentedControl(opcode) => {
                write!(f, "control frame with opcode {opcode:#x} is fragmented")
            }
            Self::LongControl(opcode) => {
                write!(f, "control frame with opcode {opcode:#x} is over 125 bytes")
            }
            Self::UnexpectedContinuation => {
                f.write_str("continuation frame without a message to continue")
            }
            Self::ExpectedContinuation => {
                f.write_str("new message before the fragmented one has ended")
            }
            Self::CloseBodyTooShort => f.write_str("close frame with a payload of one byte"),
            Self::CloseCodeNotAllowed(code) => write!(f, "close code {code} must not be sent"),
            Self::InvalidUtf8 => f.write_str("text is not valid utf-8"),
            Self::CorruptDeflate => f.write_str("compressed message is not valid deflate data"),
            Self::DataAfterFinalBlock => {
                f.write_str("final deflate block is followed by bytes that are not a deflate block")
            }
            Self::FrameTooBig { seen, limit } => write!(
                f,
                "frame of at least {seen} bytes is over the limit of {limit} (Config::max_frame_size)"
            ),
            Self::MessageTooBig { seen, limit } => write!(
                f,
                "message of at least {seen} bytes is over the limit of {limit} (Config::max_message_size)"
            ),
            Self::OutOfMemory { seen } => write!(
                f,
                "no memory for a message of at least {seen} bytes (Config::max_message_size)"
            ),
            Self::TooManyFragments { limit } => {
                write!(f, "message has more than {limit} fragments (Config::max_fragments)")
            }
            Self::TooManyEmptyFragments { limit } => write!(
                f,
                "message has more than {limit} empty fragments in a row (Config::max_empty_fragments)"
            ),
            Self::CompressionFailed => f.write_str("compressor failed"),
            Self::DirectMisuse => f.write_str(
                "bytes were removed from a message, or more appended than Connection::direct allowed",
            ),
            Self::UnexpectedEof => f.write_str("transport ended without a close frame"),
            Self::MessageTimeout => f.write_str("message did not end before its deadline"),
            Self::KeepaliveTimeout => f.write_str("keepalive ping was not answered in time"),
            Self::CloseTimeout => f.write_str("close frame was not answered in time"),
            Self::WriteTimeout => f.write_str("peer took no bytes in time"),
        }
    }
}

impl core::error::Error for ProtocolError {}

/// The caller asked for something that the protocol, or the state of the connection, forbids.
///
/// Nothing was written and nothing changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApiMisuse {
    /// A Close frame was sent, or the connection has failed: nothing may follow (5.5.1).
    Closing,
    /// A control frame with a payload over 125 bytes (5.5). The length follows.
    LongControl(usize),
    /// A close code that must not be sent (7.4).
    CloseCodeNotAllowed(u16),
    /// A message, or its first fragment, while the fragments of another are being sent (5.4).
    MessageInProgress,
    /// An answer to a Close frame of the peer where none has come (5.5.1).
    NoCloseReceived,
    /// A call that takes whole messages on a connection that delivers them in pieces
    /// ([`Delivery::Chunks`](crate::Delivery::Chunks)): take them with `read`. Nothing was dropped.
    ChunksDelivered,
    /// A piece of text sent as a continuation of a binary message, or the reverse (5.4).
    FragmentKind,
    /// A request target that is not a path in origin form (RFC 9112 section 3.2).
    InvalidTarget(UrlFault),
    /// A host that is not a host name or an address with an optional port (RFC 9110 section 7.2).
    InvalidHost(UrlFault),
    /// An origin that is not of the form `scheme://host[:port]` (RFC 6454 section 6.2).
    InvalidOrigin(UrlFault),
    /// A header name that is not a token (RFC 9110 section 5.1).
    InvalidHeaderName,
    /// A header value with CR, LF, NUL or another control character, or with a space at an end
    /// (RFC 9110 section 5.5).
    InvalidHeaderValue,
    /// A header that the handshake itself sets, or that must not stand there.
    ReservedHeader,
    /// A subprotocol that is not a token, or is listed twice (RFC 6455 section 4.1).
    InvalidSubprotocol,
    /// The chosen subprotocol is not among those that the client offered (4.2.2).
    SubprotocolNotOffered,
    /// A status that cannot refuse a request: not from 300 to 599.
    InvalidStatus(u16),
    /// A second answer to one [`Request`](crate::handshake::Request), or an answer to a clone of
    /// it: the peer would take the second one for what the first one announced, frames or nothing.
    AlreadyAnswered,
    /// A `wss://` URL where no TLS is at hand: make the TLS stream, then open over it.
    SecureUrl,
    /// A URL that is not of the form `ws://host[:port][/path][?query]` (section 3).
    InvalidUrl(UrlFault),
}

impl fmt::Display for ApiMisuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Closing => f.write_str("the connection is closing, nothing more can be sent"),
            Self::LongControl(len) => {
                write!(f, "control payload of {len} bytes, at most 125 are allowed")
            }
            Self::CloseCodeNotAllowed(code) => write!(
                f,
                "close code {code} must not be sent, allowed are 1000-1003, 1007-1014 and 3000-4999"
            ),
            Self::MessageInProgress => f.write_str("a fragmented message has not been finished"),
            Self::NoCloseReceived => f.write_str("the peer has sent no close frame to answer"),
            Self::ChunksDelivered => f.write_str(
                "messages are delivered in chunks (Config::delivery), which `read` takes",
            ),
            Self::FragmentKind => {
                f.write_str("fragment is not of the kind of the message in progress")
            }
            Self::InvalidTarget(fault) => {
                write!(f, "request target is not a path with an optional query: {fault}")
            }
            Self::InvalidHost(fault) => {
                write!(f, "host is not a name or address with an optional port: {fault}")
            }
            Self::InvalidOrigin(fault) => {
                write!(f, "origin is not of the form scheme://host[:port]: {fault}")
            }
            Self::InvalidHeaderName => {
                f.write_str("header name is not a token: letters, digits, and !#$%&'*+-.^_`|~")
            }
            Self::InvalidHeaderValue => {
                f.write_str("header value has a control character, or a space at an end")
            }
            Self::ReservedHeader => f.write_str(
                "header is set by the handshake itself, as are connection, content-length, host, \
                 origin, transfer-encoding, upgrade and sec-websocket-*",
            ),
            Self::InvalidSubprotocol => {
                f.write_str("subprotocol is not a token, or is listed twice")
            }
            Self::SubprotocolNotOffered => f.write_str("subprotocol was not offered by the client"),
            Self::InvalidStatus(status) => {
                write!(f, "status {status} cannot refuse a request, use 300 to 599")
            }
            Self::AlreadyAnswered => {
                f.write_str("request was answered already, or is a clone, which cannot be answered")
            }
            Self::SecureUrl => f.write_str("url is wss://, which needs a tls stream"),
            Self::InvalidUrl(fault) => write!(
                f,
                "url is not of the form ws://host[:port][/path][?query], or wss://: {fault}"
            ),
        }
    }
}

impl core::error::Error for ApiMisuse {}
