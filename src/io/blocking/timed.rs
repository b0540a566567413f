//! [`Timed`]: a socket that keeps a deadline over several reads and writes.

use std::io::{self, IoSlice, Read, Write};

use super::limit::{Called, TimeLimit};
use super::transport::Transport;

/// A socket whose reads and writes all end at one deadline, for a stream over it that needs several
/// of them for one of its own, such as TLS: each has the time that is left.
///
/// The deadline is that of the last [`limit_reads`](Transport::limit_reads) or
/// [`limit_writes`](Transport::limit_writes), for both directions: a TLS stream may have to write
/// before it can read. See [`Transport`] for an example.
#[derive(Debug)]
pub struct Timed<S> {
    socket: S,
    reads: TimeLimit,
    writes: TimeLimit,
}

impl<S: Transport> Timed<S> {
    /// Without a deadline so far.
    #[must_use]
    pub fn new(socket: S) -> Self {
        Self { socket, reads: TimeLimit::default(), writes: TimeLimit::default() }
    }

    /// The socket.
    #[must_use]
    pub const fn get_ref(&self) -> &S {
        &self.socket
    }

    /// The socket, with the time limits that it had.
    ///
    /// # Errors
    ///
    /// As the socket.
    pub fn into_inner(mut self) -> io::Result<S> {
        self.reads.release();
        self.writes.release();
        self.socket.limit_reads(&mut self.reads)?;
        self.socket.limit_writes(&mut self.writes)?;
        Ok(self.socket)
    }

    const fn limit(&mut self, limit: &TimeLimit) {
        self.reads.set_deadline(limit.deadline());
        self.writes.set_deadline(limit.deadline());
    }

    fn write_with(
        &mut self,
        mut write: impl FnMut(&mut S) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            self.socket.limit_writes(&mut self.writes)?;
            match self.writes.called(write(&mut self.socket)) {
                Called::Done(result) => return result,
                Called::Again => {}
                Called::TimedOut => return Err(io::ErrorKind::TimedOut.into()),
                Called::NotReady(error) => return Err(error),
            }
        }
    }
}

impl<S: Transport> Read for Timed<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.socket.limit_reads(&mut self.reads)?;
            match self.reads.called(self.socket.read(buffer)) {
                Called::Done(result) => return result,
                Called::Again => {}
                Called::TimedOut => return Err(io::ErrorKind::TimedOut.into()),
                Called::NotReady(error) => return Err(error),
            }
        }
    }
}

impl<S: Transport> Write for Timed<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_with(|socket| socket.write(bytes))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.write_with(|socket| socket.write_vectored(slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

impl<S: Transport> Transport for Timed<S> {
    fn limit_reads(&mut self, limit: &mut TimeLimit) -> io::Result<bool> {
        self.limit(limit);
        Ok(true)
    }

    fn limit_writes(&mut self, limit: &mut TimeLimit) -> io::Result<bool> {
        self.limit(limit);
        Ok(true)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.socket.shutdown_write()
    }
}
