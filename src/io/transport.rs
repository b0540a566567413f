//! [`Transport`]: what the blocking adapter needs of a stream beside `Read` and `Write`.

use std::boxed::Box;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// A blocking byte stream with time limits and an end for each direction.
///
/// Deadlines (handshake, close, keepalive, message, write) need a read or a write to end in time.
/// [`TcpStream`] and Unix streams can do that; any other stream goes into a [`NoDeadlines`], or
/// implements this trait, for example by passing the calls on to the socket under a TLS stream.
pub trait Transport: Read + Write {
    /// Ends each later read with [`WouldBlock`](io::ErrorKind::WouldBlock) or
    /// [`TimedOut`](io::ErrorKind::TimedOut) after this time, which is not zero; `None` lets it
    /// wait. Returns whether the stream can do so.
    ///
    /// # Errors
    ///
    /// As the stream.
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<bool>;

    /// The same for each later write.
    ///
    /// # Errors
    ///
    /// As the stream.
    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<bool>;

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
            fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<bool> {
                <$stream>::set_read_timeout(self, timeout).map(|()| true)
            }

            fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<bool> {
                <$stream>::set_write_timeout(self, timeout).map(|()| true)
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

impl<T: Transport + ?Sized> Transport for &mut T {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<bool> {
        T::set_read_timeout(self, timeout)
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<bool> {
        T::set_write_timeout(self, timeout)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        T::shutdown_write(self)
    }
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<bool> {
        T::set_read_timeout(self, timeout)
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<bool> {
        T::set_write_timeout(self, timeout)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        T::shutdown_write(self)
    }
}

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
    fn set_read_timeout(&mut self, _: Option<Duration>) -> io::Result<bool> {
        Ok(false)
    }

    fn set_write_timeout(&mut self, _: Option<Duration>) -> io::Result<bool> {
        Ok(false)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }
}
