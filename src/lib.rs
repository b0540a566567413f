//! The WebSocket protocol.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod close_code;
mod config;
mod deadlines;
mod error;
mod frame;
mod message;
pub mod handshake;
mod negotiated;
mod output;

pub use close_code::CloseCode;
pub use config::{Config, Delivery};
pub use deadlines::{DeadlineConfig, Deadlines, Expired};
pub use error::{ApiMisuse, ProtocolError};
pub use frame::mask::MaskKeys;
#[cfg(feature = "deflate")]
pub use negotiated::DeflateParams;
pub use negotiated::Negotiated;
pub use output::Output;
