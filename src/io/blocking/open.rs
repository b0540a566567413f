//! `connect` and `accept`: the opening handshake over blocking streams.

use std::net::TcpStream;
use std::string::String;

use super::WebSocket;
use super::line::{Came, Line};
use super::pump::{Pump, READS};
use super::transport::Transport;
use crate::deadlines::{DeadlineConfig, Deadlines};
use crate::handshake::{Accept, ClientRequest, Refusal, Request, Response, Server, Url};
use crate::io::dial;
use crate::io::driver::Driver;
use crate::io::error::Error;
use crate::io::link::{Io, Link};
use crate::io::opening::{self, Handshake, Opening};
use crate::io::options::{ClientOptions, ServerOptions};
use crate::io::window::Window;
use crate::{ApiMisuse, Connection, MaskKeys, Negotiated, Output};

/// Connects to a `ws://` URL, with default options. See [`connect_with`].
///
/// # Errors
///
/// As [`connect_with`].
pub fn connect(url: &str) -> Result<WebSocket<TcpStream>, Error> {
    let url: Url = url.parse()?;
    let request = ClientRequest::from_url(&url);
    Ok(connect_with(&url, request, &ClientOptions::default())?.0)
}

/// Connects to the host of a `ws://` URL with a request of one's own. Returns the server's
/// response as well.
///
/// The handshake deadline bounds it all: looking the name up, connecting as [`connect_tcp`] does,
/// and the handshake.
///
/// ```no_run
/// use std::time::Duration;
/// use websocket_proto::handshake::{ClientRequest, Url};
/// use websocket_proto::io::{ClientOptions, blocking};
///
/// let url: Url = "ws://localhost:9001/chat".parse()?;
/// let request = ClientRequest::from_url(&url).subprotocol("chat");
/// let mut options = ClientOptions::default();
/// options.deadlines.handshake = Some(Duration::from_secs(5));
/// let (mut websocket, response) = blocking::connect_with(&url, request, &options)?;
/// # Ok::<(), websocket_proto::io::Error>(())
/// ```
///
/// # Errors
///
/// - [`Error::Io`]: the name has no address, or none of its addresses could be connected to. The
///   error names each, and has the kind of the one that says most about the server.
/// - [`Error::Handshake`]: with the server's answer, or
///   [`Timeout`](crate::handshake::HandshakeError::Timeout) once the deadline has passed, whatever
///   was going on.
/// - [`Error::Misuse`]: a URL that cannot be used (`wss://` needs a TLS stream, see [`client`]), or
///   a request that cannot be sent.
pub fn connect_with(
    url: &Url,
    request: ClientRequest,
    options: &ClientOptions,
) -> Result<(WebSocket<TcpStream>, Response), Error> {
    let (stream, options) = dial::blocking::dial(url, options)?;
    client(stream, request, &options)
}

/// Opens a TCP connection to the host of a `ws://` URL, for [`client`].
///
/// The addresses of the host are tried side by side (RFC 8305): the next one begins when one has
/// failed, or has not connected within 250 ms; the first that connects is taken. The handshake
/// deadline bounds looking the name up and connecting; with `None` only the operating system does.
///
/// Neither can be interrupted, so they run in threads where they may have to be left behind. Such
/// a thread lives on until the resolver answers, or until the attempt ends (at the deadline at the
/// latest, or when the operating system gives up), and drops what it has got.
///
/// # Errors
///
/// As [`connect_with`].
pub fn connect_tcp(url: &Url, options: &ClientOptions) -> Result<TcpStream, Error> {
    Ok(dial::blocking::dial(url, options)?.0)
}

/// Opens a WebSocket connection as the client over any stream. Returns the server's response as
/// well.
///
/// # Errors
///
/// As [`connect_with`].
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
