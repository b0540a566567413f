//! Messages: RFC 6455 sections 5.4 to 5.6.

pub(crate) mod utf8;
