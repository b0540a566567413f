//! WebSocket over blocking streams.
//!
//! ```no_run
//! use websocket_proto::io::blocking;
//!
//! let mut websocket = blocking::connect("ws://localhost:9001/chat")?;
//! websocket.send("Hello")?;
//! while let Some(message) = websocket.recv()? {
//!     println!("{message:?}");
//! }
//! # Ok::<(), websocket_proto::io::Error>(())
//! ```

mod limit;
mod line;
mod open;
mod pump;
mod timed;
mod transport;

use std::boxed::Box;
use std::io;

pub use limit::TimeLimit;
pub use open::{accept, accept_with, client, connect, connect_tcp, connect_with};
pub use timed::Timed;
pub use transport::{NoDeadlines, Transport};

use line::Line;
use pump::Pump;

use super::driver::Driver;
use super::error::Error;
use super::options::default_deadlines;
use super::parts::Parts;
use super::reply::Reply;
use super::window::Window;
use crate::connection::send::SendPath;
use crate::deadlines::{DeadlineConfig, Deadlines};
use crate::{ApiMisuse, CloseCode, Connection, Event, Message, Output, Prepared, SendError};

/// A WebSocket connection over a blocking stream.
///
/// One thread uses it at a time. Calls that send return when the bytes are with the transport.
/// Pings and the peer's Close are answered while a call receives, and each time a ping of ours is
/// due: a program that expects nothing should still call [`recv`](Self::recv) or
/// [`read`](Self::read) now and then.
///
/// If the stream is in non-blocking mode, or has a time limit of its own, a call may fail with
/// [`Error::is_would_block`]: nothing is lost, the next call goes on where it stopped. A time limit
/// that the program sets on the stream, also later, is kept beside the deadlines, and is there
/// again after [`into_parts`](Self::into_parts). After any other error every later call fails, but
/// what the peer sent before a call that sends failed is still received.
#[derive(Debug)]
pub struct WebSocket<S> {
    pump: Pump<S>,
    window: Window,
    subprotocol: Option<Box<str>>,
}

impl<S: Transport> WebSocket<S> {
    /// A connection whose opening handshake was done elsewhere, for example by an HTTP framework.
    /// `leftover` is what was read after it.
    #[must_use]
    pub fn from_parts(stream: S, connection: Connection, leftover: &[u8]) -> Self {
        let line = Line::new(stream);
        let mut link = open::link(&line, &default_deadlines());
        link.deadlines.opened(line.now());
        let pump = Pump { line, driver: Driver::new(connection, link) };
        Self { pump, window: Window::with_leftover(leftover), subprotocol: None }
    }

    /// The same with other deadlines, counted from now.
    #[must_use]
    pub fn with_deadlines(mut self, config: &DeadlineConfig) -> Self {
        let now = self.pump.line.now();
        let deadlines = &mut self.pump.driver.link.deadlines;
        *deadlines = Deadlines::new(config, now);
        deadlines.opened(now);
        self
    }

    /// The subprotocol that was agreed (RFC 6455 section 1.9), if the handshake was done here.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// The connection: its state, how it ended, statistics.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.pump.driver.connection
    }

    /// The stream.
    #[must_use]
    pub fn stream(&self) -> &S {
        &self.pump.line.stream
    }

    /// Takes it apart. What was not flushed is lost. The stream has the time limits again that the
    /// program has set on it.
    #[must_use]
    pub fn into_parts(mut self) -> Parts<S> {
        let Pump { line, driver } = self.pump;
        Parts::new(line.into_stream(), driver, Some(&mut self.window))
    }

    /// The next event, lent from the read buffer, with a handle that queues answers while it
    /// lives; they are written before the next read. `None` is the end of the connection, after a
    /// closing handshake.
    ///
    /// # Errors
    ///
    /// [`Error::Protocol`] after the Close frame that says so was written; [`Error::Io`].
    pub fn read(&mut self) -> Result<Option<(Event<'_>, Reply<'_>)>, Error> {
        let Self { pump, window, .. } = self;
        if !pump.run(window)? {
            return Ok(None);
        }
        match pump.driver.event(window) {
            Ok(Some(event)) => Ok(Some((event, Reply::new(&mut pump.driver)))),
            Ok(None) => Ok(None), // not reached: one was found
            Err(error) => {
                // The window holds nothing more, but the compiler takes it to be lent. What is left
                // to do is to write the Close frame that says so.
                pump.run(&mut Window::default())?;
                Err(error.into()) // not reached: it has failed
            }
        }
    }

    /// The next message. Control frames are dealt with on the way. `None` is the end of the
    /// connection, after a closing handshake: [`Connection::closed`] tells of it.
    ///
    /// Messages only: with [`Delivery::Chunks`](crate::Delivery::Chunks) use [`read`](Self::read).
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn recv(&mut self) -> Result<Option<Message<'static>>, Error> {
        let Self { pump, window, .. } = self;
        pump.driver.check_delivers_messages()?;
        while pump.run(window)? {
            if let Some(message) = pump.driver.message(window) {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// Sends a message: when the call returns, its bytes are with the transport.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] where it must not be sent; [`Error::Io`]. On a stream that may not be ready
    /// ([`Error::is_would_block`]) use [`feed`](Self::feed) and [`flush`](Self::flush): which of the
    /// two has to be repeated is clear then.
    pub fn send<'m>(&mut self, message: impl Into<Message<'m>>) -> Result<(), Error> {
        self.feed(message)?;
        self.flush()
    }

    /// Queues a message. It is written by [`flush`](Self::flush), by the next call that receives,
    /// or when much waits.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn feed<'m>(&mut self, message: impl Into<Message<'m>>) -> Result<(), Error> {
        self.queue(message.into(), SendPath::send)
    }

    /// Sends a piece of a message, see [`Connection::send_fragment`].
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_fragment<'m>(
        &mut self,
        fragment: impl Into<Message<'m>>,
        fin: bool,
    ) -> Result<(), Error> {
        self.queue(fragment.into(), |path, fragment, output| {
            path.send_fragment(fragment, fin, output)
        })?;
        self.flush()
    }

    /// Sends a message that was prepared once for many connections.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_prepared(&mut self, prepared: &Prepared) -> Result<(), Error> {
        self.queue((), |path, (), output| path.send_prepared(prepared, output))?;
        self.flush()
    }

    /// Sends a Ping with up to 125 bytes of payload.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.queue((), |path, (), output| path.ping(payload, output))?;
        self.flush()
    }

    /// Sends a Close frame, and leaves the rest to the calls that receive: messages that the peer
    /// sent before its own Close are still delivered, then comes `None`.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] for a code that must not be sent, or if the connection is closing already;
    /// [`Error::Io`]. A reason over 123 bytes is cut at a character's boundary.
    pub fn send_close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        let driver = &mut self.pump.driver;
        driver.queue_close(Some((code, reason))).map_err(|misuse| driver.blame(misuse))?;
        self.flush()
    }

    /// Ends the connection: sends a Close frame if none was sent, drops what still arrives, and
    /// returns when the peer has closed too, or a deadline has passed. Then the end of the
    /// transport is waited for, for [`DeadlineConfig::linger`] at most, if it keeps deadlines.
    ///
    /// # Errors
    ///
    /// As [`send_close`](Self::send_close) and [`read`](Self::read); that the connection is closing
    /// already is not an error here. `Ok`: all that was queued has left, and our Close frame.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        let Self { pump, window, .. } = self;
        match pump.driver.queue_close(Some((code, reason))) {
            Ok(()) | Err(ApiMisuse::Closing) => {}
            Err(misuse) => return Err(misuse.into()),
        }
        pump.driver.connection.discard_data();
        let outcome = loop {
            match pump.run(window) {
                Ok(true) => drop(pump.driver.event(window)), // a failure stays with the connection
                Ok(false) => break pump.driver.check_closed(),
                Err(error) if error.is_would_block() => return Err(error),
                Err(error) => break Err(error),
            }
        };
        pump.linger(window)?;
        outcome
    }

    /// Writes what is queued.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; [`Error::Protocol`] if the peer took nothing before the write deadline.
    pub fn flush(&mut self) -> Result<(), Error> {
        let Self { pump, window, .. } = self;
        pump.write_until(window, |driver| driver.link.next_to_flush().is_none())
    }

    /// Waits for room and queues `item`, at once where there is room.
    fn queue<M>(
        &mut self,
        item: M,
        queue: impl Fn(&mut SendPath, M, &mut Output) -> Result<(), SendError<M>>,
    ) -> Result<(), Error> {
        let Self { pump, window, .. } = self;
        pump.write_until(window, |driver| !driver.is_over_soft_limit())?;
        let mut item = Some(item);
        while let Some(message) = item.take() {
            let Driver { connection, link } = &mut pump.driver;
            let was_empty = link.output.is_empty();
            let sent = queue(&mut connection.send, message, &mut link.output);
            match pump.driver.queued(sent, &mut item) {
                Some(result) => return result,
                None if was_empty => break, // not reached: one message fits into an empty output
                None => pump.write_until(window, |driver| driver.link.output.is_empty())?,
            }
        }
        Err(io::Error::from(io::ErrorKind::WouldBlock).into())
    }
}
