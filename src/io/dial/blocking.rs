//! Dialing for blocking programs.
//!
//! Neither a look-up nor a connection attempt can be interrupted, so each that may have to be left
//! behind runs in a thread of its own, which ends by itself. The simpler design, attempts one after
//! the other with a slice of the time each, does not keep the promise: a server that is farther
//! away than its slice would never be reached, and without a deadline there is nothing to slice.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::string::{String, ToString};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::Builder;
use std::time::{Duration, Instant};
use std::vec::Vec;

use super::{Failures, HEAD_START, looked_up, rest_of};
use crate::ApiMisuse;
use crate::handshake::{HandshakeError, Url};
use crate::io::error::Error;
use crate::io::options::ClientOptions;

/// Connects to the host of `url`. Also the options with what is left of the handshake deadline.
pub(in crate::io) fn dial(
    url: &Url,
    options: &ClientOptions,
) -> Result<(TcpStream, ClientOptions), Error> {
    if url.is_secure() {
        return Err(ApiMisuse::SecureUrl.into());
    }
    let begin = Instant::now();
    let stream = dial_with(url, resolve, options.deadlines.handshake)?;
    Ok((stream, rest_of(options, begin.elapsed())))
}

/// The resolver of the operating system.
fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok((host, port).to_socket_addrs()?.collect())
}

/// The same with a resolver of any kind.
pub(super) fn dial_with(
    url: &Url,
    resolve: impl FnOnce(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + 'static,
    limit: Option<Duration>,
) -> Result<TcpStream, Error> {
    // A deadline that no clock will show is none.
    let deadline = Deadline(limit.and_then(|limit| Instant::now().checked_add(limit)));
    let stream = race(look_up(url, resolve, deadline)?, connect, deadline)?;
    // A small message should not wait for the acknowledgement of the one before.
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn connect(address: SocketAddr, left: Option<Duration>) -> io::Result<TcpStream> {
    match left {
        Some(left) => TcpStream::connect_timeout(&address, left),
        None => TcpStream::connect(address),
    }
}

/// When all must be done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(pub(super) Option<Instant>);

impl Deadline {
    /// What is left, which is not zero; `None` if there is no deadline.
    ///
    /// # Errors
    ///
    /// The deadline has passed.
    fn left(self) -> Result<Option<Duration>, HandshakeError> {
        let left = self.0.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) { Err(HandshakeError::Timeout) } else { Ok(left) }
    }
}

/// The addresses, in the order in which to try them. A resolver that does not answer in time is
/// left to itself.
fn look_up(
    url: &Url,
    resolve: impl FnOnce(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + 'static,
    deadline: Deadline,
) -> Result<Vec<SocketAddr>, Error> {
    if let Ok(address) = url.host().parse::<IpAddr>() {
        return Ok([SocketAddr::new(address, url.port())].into());
    }
    let (host, port) = (String::from(url.host()), url.port());
    let Some(left) = deadline.left()? else { return Ok(looked_up(url, resolve(&host, port))?) };
    let (sender, answer) = mpsc::channel();
    Builder::new().name("ws-lookup".to_string()).spawn(move || {
        // Where the caller has gone, nobody needs the answer.
        let _ = sender.send(resolve(&host, port));
    })?;
    let answer = match answer.recv_timeout(left) {
        Ok(answer) => answer,
        Err(RecvTimeoutError::Timeout) => return Err(HandshakeError::Timeout.into()),
        Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("the resolver panicked")),
    };
    Ok(looked_up(url, answer)?)
}

/// What came of an attempt to connect.
type Ended<S> = (SocketAddr, io::Result<S>);

/// Connects to the first address that lets it. Attempts that are left behind end by themselves, at
/// the deadline at the latest; what they open is dropped.
pub(super) fn race<S: Send + 'static>(
    addresses: Vec<SocketAddr>,
    connect: impl Fn(SocketAddr, Option<Duration>) -> io::Result<S> + Clone + Send + 'static,
    deadline: Deadline,
) -> Result<S, Error> {
    let mut failures = Failures::default();
    // Most names, and each literal address: there is nothing to race with.
    if let [address] = *addresses {
        return connect(address, deadline.left()?).or_else(|error| {
            deadline.left()?;
            failures.push(address, error);
            Err(failures.into_error().into())
        });
    }
    let mut waiting = addresses.into_iter();
    let (sender, ended) = mpsc::channel();
    let mut sender = Some(sender);
    loop {
        let left = deadline.left()?;
        // Here at the start, and whenever an attempt has failed or had its head start.
        if let (Some(address), Some(sender)) = (waiting.next(), &sender) {
            let connect = connect.clone();
            start(sender, address, move || connect(address, left));
        }
        if waiting.len() == 0 {
            sender = None; // the attempts hold the others: the last that ends disconnects
        }
        let head_start = sender.as_ref().map(|_| HEAD_START);
        match receive(&ended, [left, head_start].into_iter().flatten().min()) {
            Ok((_, Ok(stream))) => return Ok(stream),
            Ok((address, Err(error))) => failures.push(address, error),
            Err(RecvTimeoutError::Timeout) => {} // the head start is over, or all time is
            Err(RecvTimeoutError::Disconnected) => return Err(failures.into_error().into()),
        }
    }
}

fn start<S: Send + 'static>(
    sender: &Sender<Ended<S>>,
    address: SocketAddr,
    connect: impl FnOnce() -> io::Result<S> + Send + 'static,
) {
    let ended = sender.clone();
    let thread = Builder::new().name("ws-connect".to_string()).spawn(move || {
        // Where the caller has gone, what was opened goes, too.
        let _ = ended.send((address, connect()));
    });
    if let Err(error) = thread {
        let _ = sender.send((address, Err(error)));
    }
}

fn receive<T>(receiver: &Receiver<T>, patience: Option<Duration>) -> Result<T, RecvTimeoutError> {
    match patience {
        Some(patience) => receiver.recv_timeout(patience),
        None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
    }
}
