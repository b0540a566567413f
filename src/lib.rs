//! The WebSocket protocol (RFC 6455): a sans-IO core with thin adapters.
//!
//! [`Connection`] is the whole protocol of one endpoint: frames, messages, control replies, the
//! closing handshake. It has no socket, no clock and no buffers of its own: bytes go in, events
//! and bytes come out. [`handshake`] is the opening handshake in the same style, [`Deadlines`]
//! are what has to happen in time. The adapters in [`io`] run them over blocking and async streams.
//!
//! ```text
//!   transport ──bytes──► Connection::receive ──Event──► application
//!                               │ pong, close               │
//!   transport ◄──bytes── Output ◄───────────── Connection::send
//! ```
//!
//! # Where to begin
//!
//! - A program with threads: [`io::blocking`].
//! - A program with async tasks: `io::tokio`, or `io::futures` for any other runtime.
//! - An event loop, a simulator, a proxy, another runtime: [`Connection`] and [`handshake`].
//! - A program inside an HTTP framework: [`handshake::Request::from_parts`], then
//!   [`Connection::server`] over the upgraded stream.
//!
//! # What holds
//!
//! - *The caller owns the buffers.* A message that lies whole in the input is lent, not copied.
//!   What is kept of an unfinished one grows with the bytes received, never with those declared.
//! - *Input is always used up* to the end of one event, whatever the chunking.
//! - *Errors say who is to blame*: [`ProtocolError`] the peer, [`ApiMisuse`] the caller,
//!   [`handshake::HandshakeError`] the peer's request or response. A peer that breaks the protocol
//!   is sent the Close frame with the right code by the connection itself, and the error stays.
//! - *No panic* is reachable from the peer's bytes or from arguments, and there is no `unsafe`.
//! - *Randomness and time are arguments*: [`MaskKeys`] can be seeded, deadlines are asked with the
//!   time at hand. Tests are byte-exact.
//! - *Everything has a limit*, a field of [`Config`] or [`handshake::HeadLimits`] that the error
//!   names.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `std` | yes | [`io`], randomness from the operating system; without it the crate is `no_std` + `alloc` |
//! | `simd` | yes | vectors chosen at run time for masking and UTF-8; results are the same without |
//! | `deflate` | no | permessage-deflate (RFC 7692) |
//! | `tokio` | no | `io::tokio`: the async adapter over tokio's streams |
//! | `futures-io` | no | `io::futures`: the same over the streams of `futures-io` |
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

mod brief;
mod close_code;
mod config;
mod connection;
mod counters;
mod deadlines;
mod error;
mod event;
pub mod frame;
pub mod handshake;
#[cfg(feature = "std")]
pub mod io;
mod message;
mod negotiated;
mod output;

pub use close_code::CloseCode;
pub use config::{Config, Delivery};
pub use connection::{Closed, Connection, Initiator, Prepared, SendError, State, Statistics};
pub use counters::Counters;
pub use deadlines::{DeadlineConfig, Deadlines, Expired};
pub use error::{ApiMisuse, ProtocolError, UrlFault, UrlPart};
pub use event::{Event, Message};
pub use frame::close::CloseFrame;
pub use frame::mask::MaskKeys;
#[cfg(feature = "deflate")]
pub use negotiated::DeflateParams;
pub use negotiated::Negotiated;
pub use output::Output;

#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../README.md")]
struct Readme;
