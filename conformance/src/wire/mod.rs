//! Frames on the wire, by an encoder and a decoder of the suite's own: what judges a peer must not be
//! code that is under test anywhere.

pub(crate) mod close;
pub(crate) mod decoder;
pub(crate) mod frame;
pub(crate) mod opcode;
pub(crate) mod payload;
pub(crate) mod rules;
