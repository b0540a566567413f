//! Frames: RFC 6455 section 5. Layout, masking, and the rules that a single frame can break.

pub(crate) mod close;
pub(crate) mod control;
pub(crate) mod decoder;
pub(crate) mod header;
pub(crate) mod mask;
pub(crate) mod opcode;
pub(crate) mod rules;
pub(crate) mod whole;

pub use header::{Header, MAX_HEADER_LEN, Parsed};
pub use opcode::Opcode;
