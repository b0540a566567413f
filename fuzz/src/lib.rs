//! What the fuzz targets do, as plain functions over bytes: `fuzz_targets` hands them to
//! libFuzzer, and `tests/corpus.rs` of the library replays seeds and finds through them on any
//! toolchain. So nothing in here may need the fuzzer.
//!
//! Input is read from the front by a [`script::Script`]: a few bytes that choose, then bytes as
//! they travel. That keeps seeds readable, which `arbitrary`, reading lengths from the end, does
//! not.

#[path = "../../tests/common/mod.rs"]
pub mod common;
pub mod ledger;
pub mod model;
#[cfg(feature = "deflate")]
#[allow(dead_code, reason = "the library's own tests use the rest")]
#[path = "../../src/message/deflate/reference.rs"]
mod reference;
pub mod script;
pub mod seeds;
pub mod setup;
pub mod stream;
pub mod targets;
