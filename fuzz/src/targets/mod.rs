//! One function per target.

pub mod adapter;
#[cfg(feature = "futures-io")]
pub mod cancelled;
pub mod chunked;
pub mod client;
pub mod extension;
pub mod handshake;
pub mod header;
#[cfg(feature = "deflate")]
pub mod inflate;
pub mod mask;
pub mod request;
pub mod response;
pub mod server;
pub mod session;
pub mod url;
pub mod utf8;

/// What a target does with an input.
pub type Target = fn(&[u8]);

/// All targets by name.
pub const ALL: &[(&str, Target)] = &[
    ("adapter", adapter::run),
    #[cfg(feature = "futures-io")]
    ("cancelled", cancelled::run),
    ("chunked", chunked::run),
    ("client", client::run),
    ("extension", extension::run),
    ("handshake", handshake::run),
    ("header", header::run),
    #[cfg(feature = "deflate")]
    ("inflate", inflate::run),
    ("mask", mask::run),
    ("request", request::run),
    ("response", response::run),
    ("server", server::run),
    ("session", session::run),
    ("url", url::run),
    ("utf8", utf8::run),
];
