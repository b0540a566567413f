//! [`Failures`]: what came of the addresses that could not be connected to.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::vec::Vec;

/// Each address that was tried, with its error, in the order in which they failed.
#[derive(Debug, Default)]
pub(super) struct Failures(Vec<(SocketAddr, io::Error)>);

impl Failures {
    pub(super) fn push(&mut self, address: SocketAddr, error: io::Error) {
        self.0.push((address, error));
    }

    /// One error for all: of the kind that helps most, with every address in its text.
    pub(super) fn into_error(self) -> io::Error {
        let kind = self.best().map_or(ErrorKind::NotFound, io::Error::kind);
        io::Error::new(kind, self)
    }

    /// The error that says most about the server. Where a host answers, or is on its way to, that
    /// there is no way to the addresses of the other family (no IPv6 here, say) is no news.
    fn best(&self) -> Option<&io::Error> {
        use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, TimedOut};
        let rank = |error: &&io::Error| match error.kind() {
            ConnectionRefused | ConnectionReset | ConnectionAborted => 0,
            TimedOut => 1,
            _ => 2,
        };
        self.0.iter().map(|(_, error)| error).min_by_key(rank)
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot connect")?;
        for (index, (address, error)) in self.0.iter().enumerate() {
            let separator = if index == 0 { ": " } else { "; " };
            write!(f, "{separator}{address}: {error}")?;
        }
        Ok(())
    }
}

impl Error for Failures {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.best().map(|error| error as _)
    }
}
