//! From a name and a port to a TCP connection, RFC 8305 in spirit ("happy eyeballs"): the addresses
//! of a name are tried side by side, each with a head start before the next. The first that
//! connects is taken; an address that swallows packets costs its head start and no more.

pub(super) mod blocking;
mod failures;
#[cfg(test)]
mod tests;
#[cfg(feature = "tokio")]
pub(super) mod tokio;

use std::format;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use std::vec::Vec;

use failures::Failures;

use super::options::ClientOptions;
use crate::handshake::Url;

/// RFC 8305 section 5: "a fixed delay for how long to wait before starting the next connection
/// attempt. [...] the recommended value for a default delay is 250 milliseconds".
const HEAD_START: Duration = Duration::from_millis(250);

/// The options for the handshake after a dial that took so long. There is one deadline for both:
/// what the dial took is not left for the handshake.
fn rest_of(options: &ClientOptions, elapsed: Duration) -> ClientOptions {
    let mut options = options.clone();
    let handshake = &mut options.deadlines.handshake;
    *handshake = handshake.map(|limit| limit.saturating_sub(elapsed));
    options
}

/// The addresses in the order in which they are tried. The resolver has sorted them by preference
/// (RFC 6724); RFC 8305 section 4 asks for more: "the ordered list of addresses should be
/// interleaved by address family", so that a family without a way out costs one head start.
fn interleaved(addresses: impl IntoIterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut addresses = addresses.into_iter().peekable();
    let first = addresses.peek().is_some_and(SocketAddr::is_ipv6);
    let (preferred, other): (Vec<_>, Vec<_>) =
        addresses.partition(|address| address.is_ipv6() == first);
    let mut other = other.into_iter();
    let mut order = Vec::new();
    for address in preferred {
        order.push(address);
        order.extend(other.next());
    }
    order.extend(other);
    order
}

/// What a resolver said, with the name that it was asked for, and without an answer that is none.
fn looked_up(
    url: &Url,
    answer: io::Result<impl IntoIterator<Item = SocketAddr>>,
) -> io::Result<Vec<SocketAddr>> {
    let failed = |error: io::Error| {
        io::Error::new(error.kind(), format!("looking up {} failed: {error}", url.host()))
    };
    let addresses = interleaved(answer.map_err(failed)?);
    if addresses.is_empty() {
        let none = format!("{} has no address", url.host());
        return Err(io::Error::new(io::ErrorKind::NotFound, none));
    }
    Ok(addresses)
}
