//! [`ServerOptions`] and [`ClientOptions`]: what `accept` and `connect` go by.

use std::string::String;
use std::sync::Arc;
use std::vec::Vec;

use crate::handshake::{Accept, Request, ServerConfig};
use crate::{Config, DeadlineConfig};

/// What [`accept_with`](super::blocking::accept_with) goes by. One value serves all connections
/// of a server; the defaults are safe against hostile peers and hostile pages.
///
/// ```
/// use websocket_proto::handshake::{Origin, OriginPolicy, ServerConfig};
/// use websocket_proto::io::ServerOptions;
///
/// let mut handshake = ServerConfig::default();
/// handshake.origin = OriginPolicy::List(vec!["https://example.com".parse()?]);
/// let mut options = ServerOptions::default();
/// options.handshake = handshake.into();
/// options.subprotocols = vec!["chat".to_string()];
/// # Ok::<(), websocket_proto::ApiMisuse>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ServerOptions {
    /// What the opening handshake accepts.
    pub handshake: Arc<ServerConfig>,
    /// The subprotocols that are spoken, the preferred one first. The first that the client
    /// offers too is chosen, unless the application decides by itself.
    pub subprotocols: Vec<String>,
    /// Limits and policies of the connection.
    pub config: Config,
    /// Deadlines of the handshake and of the connection.
    pub deadlines: DeadlineConfig,
}

impl ServerOptions {
    /// Accepts with the first of [`subprotocols`](Self::subprotocols) that the client offers.
    #[must_use]
    pub fn accept(&self, request: &Request) -> Accept<'_> {
        let supported: Vec<&str> = self.subprotocols.iter().map(String::as_str).collect();
        Accept::new().subprotocol(request.select_subprotocol(&supported))
    }
}

/// What [`client`](super::blocking::client) goes by.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ClientOptions {
    /// Limits and policies of the connection.
    pub config: Config,
    /// Deadlines of the handshake and of the connection.
    pub deadlines: DeadlineConfig,
}
