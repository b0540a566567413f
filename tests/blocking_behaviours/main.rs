//! The blocking adapter over real sockets whose peer is slow, silent, busy or gone, by the ids of
//! the behaviours. `tests/adapter_simulation/cases` has the same for the async adapters.
//!
//! Real time passes here: what has to come at a deadline is held against a generous range, and what
//! has to come at once against deadlines that are far away.
#![cfg(feature = "std")]
#![allow(unreachable_pub, reason = "a test has no users outside")]

#[path = "../common/mod.rs"]
mod common;

mod broken;
mod ends;
mod keepalive;
mod limits;
mod peer;
mod printing;
mod transports;

use std::time::Duration;

use websocket_proto::io::ServerOptions;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A ping after each time of silence, and as long for its answer.
fn keeping_alive(time: Duration) -> ServerOptions {
    let mut options = ServerOptions::default();
    options.deadlines.ping_interval = Some(time);
    options.deadlines.pong_wait = Some(time);
    options
}
