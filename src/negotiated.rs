//! What the opening handshake decided: the only type that handshake and connection share.

use alloc::string::String;

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Negotiated {
    /// The subprotocol in use, if one was agreed (RFC 6455 section 1.9).
    pub subprotocol: Option<String>,
}
