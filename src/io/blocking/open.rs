//! `connect` and `accept`: the opening handshake over blocking streams.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::string::String;

use super::{WebSocket, transfer};
use crate::deadlines::{DeadlineConfig, Deadlines};
use crate::handshake::{Accept, ClientRequest, Refusal, Request, Response, Server, Url};
use crate::io::driver::Driver;
use crate::io::error::Error;
use crate::io::link::{Io, Link};
use crate::io::opening::{self, Handshake, Opening};
use crate::io::options::{ClientOptions, ServerOptions};
use crate::io::timer::Timer;
use crate::io::transport::Transport;
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
    let timer = Timer::new();
    let stream = connect_tcp(&url, &options)?;
    // One deadline for both: what the transport took is not left for the handshake.
    let handshake = &mut options.deadlines.handshake;
    *handshake = handshake.map(|limit| limit.saturating_sub(timer.now()));
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
    let timer = Timer::new();
    let mut last = None;
    for address in (url.host(), url.port()).to_socket_addrs()? {
        let left = options.deadlines.handshake.map(|limit| limit.saturating_sub(timer.now()));
        let connected = match left {
            Some(left) => TcpStream::connect_timeout(&address, left.max(Timer::MINIMUM)),
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
    mut stream: S,
    request: ClientRequest,
    options: &ClientOptions,
) -> Result<(WebSocket<S>, Response), Error> {
    let mut keys = MaskKeys::from_os()?;
    let mut output = Output::new();
    let handshake = request.start(keys.nonce(), &mut output)?;
    let mut timer = Timer::new();
    let mut link = link(&mut stream, &options.deadlines, &timer);
    link.output = output;
    let mut opening = Opening::new(handshake, link);
    let mut window = Window::default();
    let (negotiated, response) = open(&mut stream, &mut timer, &mut window, &mut opening)?;
    let parts = (stream, timer, window, opening.link);
    let websocket = WebSocket::opened(parts, negotiated, |negotiated| {
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
    mut stream: S,
    options: &'o ServerOptions,
    decide: impl FnOnce(&Request) -> Result<Accept<'o>, Refusal<'o>>,
) -> Result<WebSocket<S>, Error> {
    let mut timer = Timer::new();
    let link = link(&mut stream, &options.deadlines, &timer);
    let mut opening = Opening::new(Server::new(options.handshake.clone()), link);
    let mut window = Window::default();
    let request = open(&mut stream, &mut timer, &mut window, &mut opening)?;
    match opening.answer(&request, decide(&request)) {
        Ok(negotiated) => {
            while let Some(io) = opening.link.next_to_flush() {
                turn(&mut stream, &mut timer, &mut window, &mut opening, io)?;
            }
            let parts = (stream, timer, window, opening.link);
            Ok(WebSocket::opened(parts, negotiated, |negotiated| {
                Connection::server(negotiated, options.config)
            }))
        }
        Err(error) => {
            opening.refuse(error);
            Err(match open(&mut stream, &mut timer, &mut window, &mut opening) {
                Err(error) => error,
                Ok(_) => ApiMisuse::Closing.into(), // not reached: a refusal does not open
            })
        }
    }
}

impl<S: Transport> WebSocket<S> {
    fn opened(
        parts: (S, Timer, Window, Link),
        negotiated: Negotiated,
        connection: impl FnOnce(Negotiated) -> Connection,
    ) -> Self {
        let subprotocol = negotiated.subprotocol.clone().map(String::into_boxed_str);
        let (stream, timer, window, mut link) = parts;
        link.deadlines.opened(timer.now());
        let driver = Driver::new(connection(negotiated), link);
        Self { stream, window, driver, timer, subprotocol }
    }
}

pub(super) fn link<S: Transport>(
    stream: &mut S,
    deadlines: &DeadlineConfig,
    timer: &Timer,
) -> Link {
    // A stream that cannot limit a read now will say so again when it matters.
    let lingers = stream.set_read_timeout(None).unwrap_or(false);
    Link::new(Deadlines::new(deadlines, timer.now()), lingers)
}

/// Runs an opening handshake until it has succeeded or failed.
fn open<S: Transport, H: Handshake>(
    stream: &mut S,
    timer: &mut Timer,
    window: &mut Window,
    opening: &mut Opening<H>,
) -> Result<H::Open, Error> {
    loop {
        match opening.step(Some(window)) {
            opening::Step::Open(open) => return Ok(open),
            opening::Step::Failed(error) => return Err(error),
            opening::Step::Io(io) => turn(stream, timer, window, opening, io)?,
        }
    }
}

fn turn<S: Transport, H: Handshake>(
    stream: &mut S,
    timer: &mut Timer,
    window: &mut Window,
    opening: &mut Opening<H>,
    io: Io,
) -> Result<(), Error> {
    opening.before_io(timer.now());
    let result = transfer(stream, timer, &mut opening.link, window, io);
    opening.after_io(timer.now());
    result
}
