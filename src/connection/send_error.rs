//! [`SendError`]: why a message was not sent.

use core::fmt;

use crate::{ApiMisuse, Message};

/// A message could not be sent; nothing was written.
#[derive(Clone, PartialEq, Eq)]
pub enum SendError<M = ()> {
    /// More than [`Config::output_hard_limit`](crate::Config::output_hard_limit) bytes would wait
    /// in the output: write some of them, then send this again.
    Full(M),
    /// It must not be sent now, or never.
    Misuse(ApiMisuse),
}

impl<M> From<ApiMisuse> for SendError<M> {
    fn from(misuse: ApiMisuse) -> Self {
        Self::Misuse(misuse)
    }
}

/// Forgets the message that was handed back, for a caller that does not try again.
impl<'m> From<SendError<Message<'m>>> for SendError {
    fn from(error: SendError<Message<'m>>) -> Self {
        match error {
            SendError::Full(_) => Self::Full(()),
            SendError::Misuse(misuse) => Self::Misuse(misuse),
        }
    }
}

/// Without the message: an `unwrap` should not print a megabyte, nor a log hold what was to be sent.
impl<M> fmt::Debug for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("Full(..)"),
            Self::Misuse(misuse) => f.debug_tuple("Misuse").field(misuse).finish(),
        }
    }
}

impl<M> fmt::Display for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("output is full (Config::output_hard_limit)"),
            Self::Misuse(misuse) => misuse.fmt(f),
        }
    }
}

impl<M> core::error::Error for SendError<M> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Full(_) => None,
            Self::Misuse(misuse) => Some(misuse),
        }
    }
}
