//! A conformance suite for WebSocket servers and clients in any language.
//!
//! The program `ws-conformance` runs it from the command line. From a test of a Rust project:
//!
//! ```no_run
//! let outcomes = websocket_conformance::server("127.0.0.1:9001").cases("6.*").run()?;
//! for outcome in &outcomes {
//!     assert!(!outcome.verdict.is_failure(), "{}: {}", outcome.id, outcome.verdict.why);
//! }
//! # Ok::<(), websocket_conformance::Error>(())
//! ```

mod case;
mod data;
mod deflate;
mod error;
mod exchange;
mod expectation;
mod handshake;
mod judge;
mod listener;
mod log;
mod random;
mod report;
mod runner;
mod sections;
mod selection;
mod session;
mod suite;
mod transport;
mod verdict;
mod wire;

/// The command line.
pub mod cli;

pub use case::Id;
pub use error::Error;
pub use suite::{ServerSuite, server};
pub use verdict::{Behavior, Closing, Outcome, Verdict};
