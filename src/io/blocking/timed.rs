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

#[cfg(test)]
mod tests {
    use std::io::ErrorKind::{self, Interrupted, TimedOut, WouldBlock};
    use std::time::Instant;
    use std::vec;
    use std::vec::Vec;

    use super::*;

    /// Fails so, the last first, and then works.
    struct Failing(Vec<ErrorKind>);

    impl Failing {
        fn turn(&mut self) -> io::Result<usize> {
            self.0.pop().map_or(Ok(1), |kind| Err(kind.into()))
        }
    }

    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            self.turn()
        }
    }

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            self.turn()
        }

        fn flush(&mut self) -> io::Result<()> {
            self.turn().map(drop)
        }
    }

    impl Transport for Failing {
        fn limit_reads(&mut self, _: &mut TimeLimit) -> io::Result<bool> {
            Ok(true)
        }

        fn limit_writes(&mut self, _: &mut TimeLimit) -> io::Result<bool> {
            Ok(true)
        }

        fn shutdown_write(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Signals are nothing to whoever reads or writes; a limit that has passed is told as one only
    /// if it was the deadline.
    #[test]
    fn what_a_socket_says_and_what_is_told() {
        let now = Some(Instant::now());
        for (deadline, fails, told) in [
            (None, vec![Interrupted, Interrupted], None),
            (None, vec![WouldBlock, Interrupted], Some(WouldBlock)),
            (now, vec![WouldBlock], Some(TimedOut)),
            (now, vec![TimedOut], Some(TimedOut)),
        ] {
            let mut limit = TimeLimit::default();
            limit.set_deadline(deadline);
            let new = || Timed::new(Failing(fails.clone()));
            let kind = |result: io::Result<usize>| result.err().map(|error| error.kind());
            let mut timed = new();
            assert!(timed.limit_reads(&mut limit).unwrap());
            assert_eq!(kind(timed.read(&mut [0])), told);
            let mut timed = new();
            assert!(timed.limit_writes(&mut limit).unwrap());
            assert_eq!(kind(timed.write(&[0])), told);
        }
    }
}
