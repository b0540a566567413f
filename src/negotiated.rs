//! What the opening handshake decided: the only type that handshake and connection share.

use alloc::string::String;
use core::fmt;

use crate::brief;

/// The result of an opening handshake: what [`Connection`](crate::Connection) needs to know of it.
///
/// The application (or an adapter) carries it from the handshake to the connection, so the two
/// never import each other. A connection that was upgraded elsewhere, by an HTTP framework or
/// over HTTP/2, starts from [`Negotiated::default`] or from the values that were agreed there.
///
/// ```
/// use websocket_proto::{Config, Connection, Negotiated};
///
/// let connection = Connection::server(Negotiated::default(), Config::default());
/// # let _ = connection;
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Negotiated {
    /// The subprotocol in use, if one was agreed (RFC 6455 section 1.9).
    pub subprotocol: Option<String>,
    /// The parameters of permessage-deflate, if it was agreed (RFC 7692).
    #[cfg(feature = "deflate")]
    pub deflate: Option<DeflateParams>,
}

impl fmt::Debug for Negotiated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Negotiated");
        shown.field("subprotocol", &self.subprotocol.as_deref().map(brief::Text));
        #[cfg(feature = "deflate")]
        shown.field("deflate", &self.deflate);
        shown.finish()
    }
}

/// What both ends agreed on for permessage-deflate (RFC 7692 section 7.1).
#[cfg(feature = "deflate")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateParams {
    /// The server compresses each message on its own (7.1.1.1).
    pub server_no_context_takeover: bool,
    /// The client compresses each message on its own (7.1.1.2).
    pub client_no_context_takeover: bool,
    /// The server's window is at most 2 to the power of this many bytes (7.1.2.1). 8 to 15; a
    /// server of ours never agrees to 8.
    pub server_max_window_bits: u8,
    /// The client's window is at most 2 to the power of this many bytes (7.1.2.2). 8 to 15. Our
    /// compressor cannot keep to 8, which a server may demand: a client then sends its messages
    /// uncompressed, as it may do with any message (6).
    pub client_max_window_bits: u8,
}

#[cfg(feature = "deflate")]
impl Default for DeflateParams {
    /// Windows of 32 KiB, kept from message to message: what `permessage-deflate` means without
    /// parameters.
    fn default() -> Self {
        Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: 15,
            client_max_window_bits: 15,
        }
    }
}
