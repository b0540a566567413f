//! Measures `websocket-proto` against its neighbours and against the practical limit.

pub mod aims;
pub mod codec;
pub mod dial;
pub mod endtoend;
pub mod engine;
pub mod engines;
pub mod handshake;
#[cfg(target_arch = "x86_64")]
pub mod ideal_server;
pub mod latency;
pub mod load;
pub mod measure;
pub mod memory;
pub mod plot;
pub mod record;
pub mod servers;
pub mod wire;

/// Whether a name was asked for: it contains `only`, or one of several with `|` between.
pub fn selects(only: Option<&str>, name: &str) -> bool {
    only.is_none_or(|only| only.split('|').any(|part| name.contains(part)))
}
