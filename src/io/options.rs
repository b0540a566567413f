//! [`ServerOptions`] and [`ClientOptions`]: what `accept` and `connect` go by.

use std::string::String;
use std::sync::Arc;
#[cfg(any(feature = "tokio", feature = "futures-io"))]
use std::sync::LazyLock;
use std::time::Duration;
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
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerOptions {
    /// What the opening handshake accepts.
    pub handshake: Arc<ServerConfig>,
    /// The subprotocols that are spoken, the preferred one first. The first that the client
    /// offers too is chosen, unless the application decides by itself.
    pub subprotocols: Vec<String>,
    /// Limits and policies of the connection.
    pub config: Config,
    /// Deadlines of the handshake and of the connection. Default [`DeadlineConfig::default`] with
    /// a ping every 20 s, and 20 s to answer it.
    pub deadlines: DeadlineConfig,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            handshake: Arc::default(),
            subprotocols: Vec::new(),
            config: Config::default(),
            deadlines: default_deadlines(),
        }
    }
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self { config: Config::default(), deadlines: default_deadlines() }
    }
}

/// For `accept` without options: a task has better use for the room.
#[cfg(any(feature = "tokio", feature = "futures-io"))]
pub(super) static DEFAULT_OPTIONS: LazyLock<ServerOptions> = LazyLock::new(ServerOptions::default);

/// An adapter has a clock, so it can keep a connection alive, and notice that it is dead. Proxies
/// cut connections that were idle for 30 s or more.
pub(super) fn default_deadlines() -> DeadlineConfig {
    DeadlineConfig { ping_interval: Some(Duration::from_secs(20)), ..DeadlineConfig::default() }
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
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientOptions {
    /// Limits and policies of the connection.
    pub config: Config,
    /// Deadlines of the handshake and of the connection. Default [`DeadlineConfig::default`] with
    /// a ping every 20 s, and 20 s to answer it.
    pub deadlines: DeadlineConfig,
}
