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

mod open;

use std::boxed::Box;
use std::io::{self, IoSlice};

pub use open::{accept, accept_with, client, connect, connect_tcp, connect_with};

use super::driver::{Driver, Step};
use super::error::Error;
use super::link::{Io, Link};
use super::options::default_deadlines;
use super::parts::Parts;
use super::reply::Reply;
use super::timer::Timer;
use super::transport::Transport;
use super::window::Window;
use crate::deadlines::{DeadlineConfig, Deadlines};
use crate::{ApiMisuse, CloseCode, Connection, Event, Message, Prepared, SendError};

/// Pieces in one vectored write.
const SLICES: usize = 16;

/// A WebSocket connection over a blocking stream.
///
/// One thread uses it at a time. Calls that send return when the bytes are with the transport.
/// Pings and the peer's Close are answered while a call receives, so a program that expects
/// nothing should still call [`recv`](Self::recv) or [`read`](Self::read).
///
/// If the stream is in non-blocking mode, or has a time limit of its own, a call may fail with
/// [`Error::is_would_block`]: nothing is lost, the next call goes on where it stopped. After any
/// other error every later call fails, but for what was read before a call that sends failed: that
/// is still received.
#[derive(Debug)]
pub struct WebSocket<S> {
    stream: S,
    window: Window,
    driver: Driver,
    timer: Timer,
    subprotocol: Option<Box<str>>,
}

impl<S: Transport> WebSocket<S> {
    /// A connection whose opening handshake was done elsewhere, for example by an HTTP framework.
    /// `leftover` is what was read after it. Time limits that were set on the stream are replaced.
    #[must_use]
    pub fn from_parts(mut stream: S, connection: Connection, leftover: &[u8]) -> Self {
        let timer = Timer::new();
        let mut link = open::link(&mut stream, &default_deadlines(), &timer);
        link.deadlines.opened(timer.now());
        let driver = Driver::new(connection, link);
        let window = Window::with_leftover(leftover);
        Self { stream, window, driver, timer, subprotocol: None }
    }

    /// The same with other deadlines, counted from now.
    #[must_use]
    pub fn with_deadlines(mut self, config: &DeadlineConfig) -> Self {
        let now = self.timer.now();
        self.driver.link.deadlines = Deadlines::new(config, now);
        self.driver.link.deadlines.opened(now);
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
        &self.driver.connection
    }

    /// The stream.
    #[must_use]
    pub fn stream(&self) -> &S {
        &self.stream
    }

    /// Takes it apart. What was not flushed is lost.
    #[must_use]
    pub fn into_parts(mut self) -> Parts<S> {
        Parts::new(self.stream, self.driver, Some(&mut self.window))
    }

    /// The next event, lent from the read buffer, with a handle that queues answers while it
    /// lives; they are written before the next read. `None` is the end of the connection, after a
    /// closing handshake.
    ///
    /// # Errors
    ///
    /// [`Error::Protocol`] after the Close frame that says so was written; [`Error::Io`].
    pub fn read(&mut self) -> Result<Option<(Event<'_>, Reply<'_>)>, Error> {
        if !self.pump()? {
            return Ok(None);
        }
        let Self { stream, window, driver, timer, .. } = self;
        match driver.event(window) {
            Ok(Some(event)) => Ok(Some((event, Reply::new(driver)))),
            Ok(None) => Ok(None), // not reached: the step has found one
            Err(error) => {
                // The window is spent. What is left to do is to say so, and to leave.
                let mut window = Window::default();
                while let Step::Io(io) = driver.step(&mut window) {
                    run(stream, timer, driver, &mut window, io)?;
                }
                Err(error.into())
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
        while let Some((event, _)) = self.read()? {
            if let Ok(message) = Message::try_from(event) {
                return Ok(Some(message.into_owned()));
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
        self.make_room()?;
        let sent = self.driver.connection.send(message.into(), &mut self.driver.link.output);
        self.again_if_full(sent, |driver, message| {
            driver.connection.send(message, &mut driver.link.output)
        })
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
        self.make_room()?;
        let Driver { connection, link, .. } = &mut self.driver;
        let sent = connection.send_fragment(fragment.into(), fin, &mut link.output);
        self.again_if_full(sent, |driver, fragment| {
            driver.connection.send_fragment(fragment, fin, &mut driver.link.output)
        })?;
        self.flush()
    }

    /// Sends a message that was prepared once for many connections.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_prepared(&mut self, prepared: &Prepared) -> Result<(), Error> {
        self.make_room()?;
        let sent = self.driver.connection.send_prepared(prepared, &mut self.driver.link.output);
        self.again_if_full(sent, |driver, ()| {
            driver.connection.send_prepared(prepared, &mut driver.link.output)
        })?;
        self.flush()
    }

    /// Sends a Ping with up to 125 bytes of payload.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.make_room()?;
        let sent = self.driver.connection.ping(payload, &mut self.driver.link.output);
        self.again_if_full(sent, |driver, ()| {
            driver.connection.ping(payload, &mut driver.link.output)
        })?;
        self.flush()
    }

    /// Sends a Close frame, and leaves the rest to the calls that receive: messages that the peer
    /// sent before its own Close are still delivered, then comes `None`.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] for a code or a reason that must not be sent, or if the connection is
    /// closing already; [`Error::Io`].
    pub fn send_close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.driver.connection.close(code, reason, &mut self.driver.link.output)?;
        self.flush()
    }

    /// Ends the connection: sends a Close frame if none was sent, drops what still arrives, and
    /// returns when the peer has closed too, or the close deadline has passed.
    ///
    /// # Errors
    ///
    /// As [`send_close`](Self::send_close) and [`read`](Self::read). That the connection is closing
    /// already is not an error here.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        match self.send_close(code, reason) {
            Ok(()) | Err(Error::Misuse(ApiMisuse::Closing)) => {}
            Err(error) => return Err(error),
        }
        while self.read()?.is_some() {}
        Ok(())
    }

    /// Writes what is queued.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; [`Error::Protocol`] if the peer took nothing before the write deadline.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.write_until(|driver| driver.link.next_to_flush().is_none())
    }

    /// Writes before more is queued, where much waits.
    fn make_room(&mut self) -> Result<(), Error> {
        self.driver.check_writable()?;
        self.write_until(|driver| !driver.connection.wants_write(&driver.link.output))
    }

    fn again_if_full<M>(
        &mut self,
        sent: Result<(), SendError<M>>,
        again: impl FnOnce(&mut Driver, M) -> Result<(), SendError<M>>,
    ) -> Result<(), Error> {
        let result = match sent {
            Err(SendError::Full(message)) => {
                self.write_until(|driver| driver.link.output.is_empty())?;
                again(&mut self.driver, message)
            }
            sent => sent,
        };
        match result {
            Ok(()) => Ok(()),
            Err(SendError::Misuse(misuse)) => Err(misuse.into()),
            // Not reached: one message fits into an empty output.
            Err(SendError::Full(_)) => Err(io::Error::from(io::ErrorKind::WouldBlock).into()),
        }
    }

    fn write_until(&mut self, done: impl Fn(&Driver) -> bool) -> Result<(), Error> {
        while !done(&self.driver) {
            let Self { stream, window, driver, timer, .. } = self;
            match driver.link.next_to_flush() {
                Some(io) => run(stream, timer, driver, window, io)?,
                None => return driver.check_writable(),
            }
        }
        self.driver.check_writable()
    }

    /// Runs until there is an event (`true`), or the connection is over (`false`).
    fn pump(&mut self) -> Result<bool, Error> {
        let Self { stream, window, driver, timer, .. } = self;
        loop {
            match driver.step(window) {
                Step::Event => return Ok(true),
                Step::Closed => return driver.outcome().map(|()| false),
                Step::Io(io) => run(stream, timer, driver, window, io)?,
            }
        }
    }
}

fn run<S: Transport>(
    stream: &mut S,
    timer: &mut Timer,
    driver: &mut Driver,
    window: &mut Window,
    io: Io,
) -> Result<(), Error> {
    driver.before_io(window, timer.now());
    let result = transfer(stream, timer, &mut driver.link, window, io);
    driver.after_io(timer.now());
    result
}

/// Does what a step asks of the transport. Fails only where the stream is not ready and no
/// deadline of ours made it say so.
fn transfer<S: Transport>(
    stream: &mut S,
    timer: &mut Timer,
    link: &mut Link,
    window: &mut Window,
    io: Io,
) -> Result<(), Error> {
    let deadline = link.deadlines.next_deadline();
    match io {
        Io::Read => {
            let limited = timer.limit_reads(stream, deadline)?;
            if let Some(result) = timer.ready(stream.read(window.room()), &limited)? {
                window.filled(link.read(result, timer.now()));
            }
        }
        Io::Write => {
            let limited = timer.limit_writes(stream, deadline)?;
            let mut slices = [IoSlice::new(&[]); SLICES];
            let count = link.output.io_slices(&mut slices);
            let written = match slices.get(..count).unwrap_or_default() {
                [piece] => stream.write(piece), // the cheaper call
                pieces => stream.write_vectored(pieces),
            };
            if let Some(result) = timer.ready(written, &limited)? {
                link.written(result, timer.now());
            }
        }
        Io::Flush => {
            let limited = timer.limit_writes(stream, deadline)?;
            if let Some(result) = timer.ready(stream.flush(), &limited)? {
                link.flushed(result);
            }
        }
        Io::Shutdown => {
            // A transport that is gone already is shut, too.
            let _ = stream.shutdown_write();
            link.shut();
        }
    }
    Ok(())
}
