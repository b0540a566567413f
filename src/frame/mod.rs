//! Frames: RFC 6455 section 5.

pub(crate) mod mask;
