//! `connect` and `accept`: the opening handshake over blocking streams.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::string::String;

use super::WebSocket;
use super::line::{Came, Line};
use super::pump::{Pump, READS};
use super::transport::Transport;
use crate::deadlines::{DeadlineConfig, Deadlines};
use crate::handshake::{Accept, ClientRequest, Refusal, Request, Response, Server, Url};
use crate::io::driver::Driver;
use crate::io::error::Error;
use crate::io::link::{Io, Link};
use crate::io::opening::{self, Handshake, Opening};
use crate::io::options::{ClientOptions, ServerOptions};
use crate::io::window::Window;
use crate::{ApiMisuse, Connection, MaskKeys, Negotiated, Output};

/// Connects to a `ws://` URL, with default options. The handshake deadline bounds it all.
///
/// # Errors
///
/// [`Error::Io`]; [`Error::Handshake`] with the server's answer; [`Error::Misuse`] for a URL that
/// cannot be used: `wss://` needs a TLS stream, see [`client`].
pub fn connect(url: &str) -> Result<WebSocket<TcpStream>, Error> {
    let url: Url = url.parse()?;
    let mut options = ClientOptions::default();
    let begun = std::time::Instant::now();
    let stream = connect_tcp(&url, &options)?;
    // One deadline for both: what the transport took is not left for the handshake.
    let handshake = &mut options.deadlines.handshake;
    *handshake = handshake.map(|limit| limit.saturating_sub(begun.elapsed()));
    let (websocket, _) = client(stream, ClientRequest::from_url(&url), &options)?;
    Ok(websocket)
}

/// Opens a TCP connection to the host of a `ws://` URL, for [`client`].
///
/// # Errors
///
/// [`Error::Io`]; [`Error::Misuse`] for a `wss://` URL.
pub fn connect_tcp(url: &Url, options: &ClientOptions) -> Result<TcpStream, Error> {
    if url.is_secure() {
        return Err(ApiMisuse::SecureUrl.into());
    }
    let begun = std::time::Instant::now();
    let mut last = None;
    for address in (url.host(), url.port()).to_socket_addrs()? {
        let left = options.deadlines.handshake.map(|limit| limit.saturating_sub(begun.elapsed()));
        let connected = match left {
            Some(left) => {
                TcpStream::connect_timeout(&address, left.max(std::time::Duration::from_millis(1)))
            }
            None => TcpStream::connect(address),
        };
        match connected {
            Ok(stream) => {
                // A small message should not wait for the acknowledgement of the one before.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = Some(error),
        }
    }
    let none = || io::Error::new(io::ErrorKind::NotFound, "host has no address");
    Err(last.unwrap_or_else(none).into())
}

/// Opens a WebSocket connection as the client over any stream. Returns the server's response as
/// well.
///
/// # Errors
///
/// As [`connect`].
pub fn client<S: Transport>(
    stream: S,
    request: ClientRequest,
    options: &ClientOptions,
) -> Result<(WebSocket<S>, Response), Error> {
    let mut keys = MaskKeys::from_os()?;
    let mut output = Output::new();
    let handshake = request.start(keys.nonce(), &mut output)?;
    let mut line = Line::new(stream);
    let mut link = link(&line, &options.deadlines);
    link.output = output;
    let mut opening = Opening::new(handshake, link);
    let mut window = Window::default();
    let (negotiated, response) = open(&mut line, &mut window, &mut opening)?;
    let websocket = WebSocket::opened(line, window, opening.link, negotiated, |negotiated| {
        Connection::client(negotiated, options.config, keys)
    });
    Ok((websocket, response))
}

/// Accepts a WebSocket connection as the server, with default options.
///
/// # Errors
///
/// [`Error::Handshake`] for a request that cannot be accepted, after the answer was written.
pub fn accept<S: Transport>(stream: S) -> Result<WebSocket<S>, Error> {
    let options = ServerOptions::default();
    accept_with(stream, &options, |request| Ok(options.accept(request)))
}

/// Accepts a WebSocket connection as the server. `decide` looks at the request, which is valid
/// and from an allowed origin: it may add headers, choose a subprotocol, or refuse.
///
/// ```no_run
/// use std::net::TcpListener;
/// use websocket_proto::handshake::Refusal;
/// use websocket_proto::io::{ServerOptions, blocking};
///
/// let options = ServerOptions::default();
/// let (stream, _) = TcpListener::bind("127.0.0.1:9001")?.accept()?;
/// let websocket = blocking::accept_with(stream, &options, |request| {
///     if request.path() == "/chat" { Ok(options.accept(request)) } else { Err(Refusal::new(404)) }
/// })?;
/// # Ok::<(), websocket_proto::io::Error>(())
/// ```
///
/// # Errors
///
/// As [`accept`]; [`Error::Refused`] after the refusal was written; [`Error::Misuse`] for a
/// decision that cannot be sent: the client gets status 500.
pub fn accept_with<'o, S: Transport>(
    stream: S,
    options: &'o ServerOptions,
    decide: impl FnOnce(&Request) -> Result<Accept<'o>, Refusal<'o>>,
) -> Result<WebSocket<S>, Error> {
    let mut line = Line::new(stream);
    let link = link(&line, &options.deadlines);
    let mut opening = Opening::new(Server::new(options.handshake.clone()), link);
    let mut window = Window::default();
    let request = open(&mut line, &mut window, &mut opening)?;
    match opening.answer(&request, decide(&request)) {
        Ok(negotiated) => {
            while let Some(io) = opening.link.next_to_flush() {
                turn(&mut line, &mut window, &mut opening, io)?;
            }
            Ok(WebSocket::opened(line, window, opening.link, negotiated, |negotiated| {
                Connection::server(negotiated, options.config)
            }))
        }
        Err(error) => {
            opening.refuse(error);
            Err(match open(&mut line, &mut window, &mut opening) {
                Err(error) => error,
                Ok(_) => ApiMisuse::Closing.into(), // not reached: a refusal does not open
            })
        }
    }
}

impl<S: Transport> WebSocket<S> {
    fn opened(
        line: Line<S>,
        window: Window,
        mut link: Link,
        negotiated: Negotiated,
        connection: impl FnOnce(Negotiated) -> Connection,
    ) -> Self {
        let subprotocol = negotiated.subprotocol.clone().map(String::into_boxed_str);
        link.deadlines.opened(line.now());
        let pump = Pump { line, driver: Driver::new(connection(negotiated), link) };
        Self { pump, window, subprotocol }
    }
}

pub(super) fn link<S: Transport>(line: &Line<S>, deadlines: &DeadlineConfig) -> Link {
    Link::new(Deadlines::new(deadlines, line.now()))
}

/// Runs an opening handshake until it has succeeded or failed.
fn open<S: Transport, H: Handshake>(
    line: &mut Line<S>,
    window: &mut Window,
    opening: &mut Opening<H>,
) -> Result<H::Open, Error> {
    loop {
        match opening.step(Some(window)) {
            opening::Step::Open(open) => return Ok(open),
            opening::Step::Failed(error) => {
                drain(line, window, &mut opening.link);
                return Err(error);
            }
            opening::Step::Io(io) => turn(line, window, opening, io)?,
        }
    }
}

fn turn<S: Transport, H: Handshake>(
    line: &mut Line<S>,
    window: &mut Window,
    opening: &mut Opening<H>,
    io: Io,
) -> Result<(), Error> {
    opening.observe(line.now());
    let came: Result<Came, Error> = line.transfer(&mut opening.link, window, io);
    opening.tick(line.now());
    came.map(drop)
}

/// Reads and drops what has arrived behind a request that was refused, without waiting: were it
/// left unread, the system would reset the connection, and the answer might be lost with it.
fn drain<S: Transport>(line: &mut Line<S>, window: &mut Window, link: &mut Link) {
    for _ in 0..READS {
        window.take(usize::MAX);
        if !line.is_timed()
            || link.has_ended()
            || line.read_arrived(link, window, Window::SIZE).is_none()
        {
            return;
        }
    }
}
