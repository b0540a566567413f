//! Adapters: the loops between a [`Connection`](crate::Connection) and a transport.
//!
//! What to do next is decided in one place; an adapter only calls `read`, `write` and the clock.

#[cfg(any(feature = "tokio", feature = "futures-io"))]
mod asynchronous;
mod backlog;
pub mod blocking;
mod dial;
mod driver;
mod error;
#[cfg(feature = "futures-io")]
pub mod futures;
mod link;
mod opening;
mod options;
mod parts;
#[cfg(any(feature = "tokio", feature = "futures-io"))]
mod pool;
mod reply;
#[cfg(feature = "tokio")]
pub mod tokio;
mod window;

#[cfg(any(feature = "tokio", feature = "futures-io"))]
pub use asynchronous::{AsyncTransport, Receiver, ReuniteError, Sender, WebSocket};
pub use blocking::{NoDeadlines, TimeLimit, Timed, Transport};
pub use error::Error;
pub use options::{ClientOptions, ServerOptions};
pub use parts::Parts;
pub use reply::Reply;
