//! [`Transport`]: what the blocking adapter needs of a stream beside `Read` and `Write`.

use std::boxed::Box;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

use super::limit::TimeLimit;

/// A blocking byte stream with deadlines and an end for each direction.
///
/// Deadlines (handshake, close, keepalive, message, write) need a read or a write to end in time.
/// [`TcpStream`] and Unix streams can do that; any other stream goes into a [`NoDeadlines`], or
/// implements this trait.
///
/// A TLS stream reads from its socket several times for one read of its own, so a time limit of
/// the socket is no deadline: a peer that sends a byte in time, each time, would have as long as it
/// likes. With the socket in a [`Timed`](super::Timed), each read of it has only the time that is
/// left, and the calls are passed on:
///
/// ```
/// use std::io::{self, Read, Write};
/// use std::net::TcpStream;
/// use websocket_proto::io::{TimeLimit, Timed, Transport};
///
/// // Stands for `rustls::StreamOwned<rustls::ServerConnection, Timed<TcpStream>>`.
/// struct TlsStream {
///     sock: Timed<TcpStream>,
/// }
/// # impl Read for TlsStream {
/// #     fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> { self.sock.read(buffer) }
/// # }
/// # impl Write for TlsStream {
/// #     fn write(&mut self, bytes: &[u8]) -> io::Result<usize> { self.sock.write(bytes) }
/// #     fn flush(&mut self) -> io::Result<()> { self.sock.flush() }
/// # }
///
/// impl Transport for TlsStream {
///     fn limit_reads(&mut self, limit: &mut TimeLimit) -> io::Result<bool> {
///         self.sock.limit_reads(limit)
///     }
///
///     fn limit_writes(&mut self, limit: &mut TimeLimit) -> io::Result<bool> {
///         self.sock.limit_writes(limit)
///     }
///
///     fn shutdown_write(&mut self) -> io::Result<()> {
///         // self.conn.send_close_notify();
///         self.flush()
///     }
/// }
/// ```
pub trait Transport: Read + Write {
    /// Makes each later read end at [`limit.deadline()`](TimeLimit::deadline), with
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) or [`TimedOut`](io::ErrorKind::TimedOut), however
    /// many reads of something else it takes. Returns whether the stream can do so. Called before
    /// each read.
    ///
    /// # Errors
    ///
    /// As the stream.
    fn limit_reads(&mut self, limit: &mut TimeLimit) -> io::Result<bool>;

    /// The same for each later write and flush.
    ///
    /// # Errors
    ///
    /// As the stream.
    fn limit_writes(&mut self, limit: &mut TimeLimit) -> io::Result<bool>;

    /// Ends the sending side; the receiving side stays open. For TLS: send `close_notify`.
    ///
    /// # Errors
    ///
    /// As the stream.
    fn shutdown_write(&mut self) -> io::Result<()>;
}

macro_rules! socket {
    ($stream:ty) => {
        impl Transport for $stream {
            fn limit_reads(&mut self, limit: &mut TimeLimit) -> io::Result<bool> {
                limit.apply(|| self.read_timeout(), |limit| self.set_read_timeout(limit))?;
                Ok(true)
            }

            fn limit_writes(&mut self, limit: &mut TimeLimit) -> io::Result<bool> {
                limit.apply(|| self.write_timeout(), |limit| self.set_write_timeout(limit))?;
                Ok(true)
            }

            fn shutdown_write(&mut self) -> io::Result<()> {
                self.shutdown(Shutdown::Write)
            }
        }
    };
}

socket!(TcpStream);
#[cfg(unix)]
socket!(std::os::unix::net::UnixStream);

macro_rules! forwarded {
    ($stream:ty) => {
        impl<T: Transport + ?Sized> Transport for $stream {
            fn limit_reads(&mut self, limit: &mut TimeLimit) -> io::Result<bool> {
                T::limit_reads(self, limit)
            }

            fn limit_writes(&mut self, limit: &mut TimeLimit) -> io::Result<bool> {
                T::limit_writes(self, limit)
            }

            fn shutdown_write(&mut self) -> io::Result<()> {
                T::shutdown_write(self)
            }
        }
    };
}

forwarded!(&mut T);
forwarded!(Box<T>);

/// Any `Read + Write`, without deadlines: nothing bounds how long a peer may keep a call waiting,
/// and the end of the stream is not waited for after a closing handshake.
///
/// ```
/// use std::io::{self, Read, Write};
/// use websocket_proto::io::NoDeadlines;
/// use websocket_proto::io::blocking::WebSocket;
/// use websocket_proto::{Config, Connection, Negotiated};
///
/// # fn wrap<TlsStream: Read + Write>(tls: TlsStream) {
/// let connection = Connection::server(Negotiated::default(), Config::default());
/// let websocket = WebSocket::from_parts(NoDeadlines(tls), connection, &[]);
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct NoDeadlines<S>(pub S);

impl<S: Read> Read for NoDeadlines<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<S: Write> Write for NoDeadlines<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.0.write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<S: Read + Write> Transport for NoDeadlines<S> {
    fn limit_reads(&mut self, _: &mut TimeLimit) -> io::Result<bool> {
        Ok(false)
    }

    fn limit_writes(&mut self, _: &mut TimeLimit) -> io::Result<bool> {
        Ok(false)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }
}
