//! [`ReuniteError`]: halves that do not fit.

use std::boxed::Box;
use std::fmt;

use super::{Receiver, Sender};

/// Two halves that do not belong together, from [`Sender::reunite`].
#[derive(Debug)]
pub struct ReuniteError<T>(Box<(Sender<T>, Receiver<T>)>);

impl<T> ReuniteError<T> {
    pub(super) fn new(sender: Sender<T>, receiver: Receiver<T>) -> Self {
        Self(Box::new((sender, receiver)))
    }

    /// Both of them, unchanged.
    #[must_use]
    pub fn into_halves(self) -> (Sender<T>, Receiver<T>) {
        *self.0
    }
}

impl<T> fmt::Display for ReuniteError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("halves are not of the same connection")
    }
}

impl<T: fmt::Debug> std::error::Error for ReuniteError<T> {}
