//! Dialing for tokio. A future that is dropped drops the sockets of all attempts with it.

use std::boxed::Box;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec::Vec;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};

use super::{Failures, HEAD_START, looked_up, rest_of};
use crate::ApiMisuse;
use crate::handshake::{HandshakeError, Url};
use crate::io::error::Error;
use crate::io::options::ClientOptions;

/// Connects to the host of `url`. Also the options with what is left of the handshake deadline.
pub(in crate::io) async fn dial(
    url: &Url,
    options: &ClientOptions,
) -> Result<(TcpStream, ClientOptions), Error> {
    if url.is_secure() {
        return Err(ApiMisuse::SecureUrl.into());
    }
    let begin = Instant::now();
    let addresses = lookup_host((url.host(), url.port()));
    // Boxed: a task is as large as the largest thing it ever waits for.
    let dialing = Box::pin(dial_with(url, addresses, options.deadlines.handshake));
    Ok((dialing.await?, rest_of(options, begin.elapsed())))
}

/// The same with a look-up of any kind.
pub(super) async fn dial_with<A: IntoIterator<Item = SocketAddr>>(
    url: &Url,
    lookup: impl Future<Output = io::Result<A>>,
    limit: Option<Duration>,
) -> Result<TcpStream, Error> {
    let dialing = async {
        let addresses = looked_up(url, lookup.await)?;
        let stream = race(addresses, TcpStream::connect).await?;
        // A small message should not wait for the acknowledgement of the one before.
        stream.set_nodelay(true)?;
        Ok(stream)
    };
    match limit {
        Some(limit) => timeout(limit, dialing).await.map_err(|_| HandshakeError::Timeout)?,
        None => dialing.await,
    }
}

/// An attempt to connect that has not come to anything yet.
type Attempt<F> = (SocketAddr, Pin<Box<F>>);

/// Connects to the first address that lets it.
pub(super) async fn race<S, F: Future<Output = io::Result<S>>>(
    addresses: Vec<SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
) -> io::Result<S> {
    let mut waiting = addresses.into_iter();
    let mut running: Vec<Attempt<F>> = Vec::new();
    let mut failures = Failures::default();
    loop {
        // Here at the start, and whenever an attempt has failed or had its head start.
        running.extend(waiting.next().map(|address| (address, Box::pin(connect(address)))));
        let ended = poll_fn(|cx| poll_first(&mut running, cx));
        let ended = match waiting.len() {
            0 => Ok(ended.await),
            _ => timeout(HEAD_START, ended).await,
        };
        match ended {
            Ok(Some((_, Ok(stream)))) => return Ok(stream),
            Ok(Some((address, Err(error)))) => failures.push(address, error),
            Ok(None) => return Err(failures.into_error()),
            Err(_) => {} // the head start is over
        }
    }
}

/// The first attempt that has ended, which is taken out; `None` where there is none to wait for.
fn poll_first<S, F: Future<Output = io::Result<S>>>(
    running: &mut Vec<Attempt<F>>,
    cx: &mut Context<'_>,
) -> Poll<Option<(SocketAddr, io::Result<S>)>> {
    for (index, (address, attempt)) in running.iter_mut().enumerate() {
        if let Poll::Ready(result) = attempt.as_mut().poll(cx) {
            let address = *address;
            drop(running.swap_remove(index));
            return Poll::Ready(Some((address, result)));
        }
    }
    if running.is_empty() { Poll::Ready(None) } else { Poll::Pending }
}
