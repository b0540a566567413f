//! Adapters: the loops between a [`Connection`](crate::Connection) and a transport.
//!
//! What to do next is decided in one place; an adapter only calls `read`, `write` and the clock.

pub mod blocking;
mod driver;
mod error;
mod link;
mod opening;
mod options;
mod reply;
mod timer;
mod transport;
mod window;

pub use error::Error;
pub use options::{ClientOptions, ServerOptions};
pub use reply::Reply;
pub use transport::{NoDeadlines, Transport};
