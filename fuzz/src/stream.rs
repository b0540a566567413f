//! [`Faulty`]: a stream that follows a script, for adapters of any kind.

use std::io::{self, ErrorKind, Read, Write};

use websocket_proto::io::Error;

use super::script::Script;

/// What a call on the stream does. An async stream can follow it as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// At most so many bytes pass, at least one.
    Some(usize),
    /// For an async stream: pending, and woken at once.
    WouldBlock,
    Interrupted,
    /// The end of the stream, or a write that takes nothing.
    Zero,
    Reset,
}

impl Step {
    /// Most steps let bytes pass, so that a script gets somewhere; at its end all do.
    pub fn next(script: &mut Script<'_>) -> Self {
        match script.byte() {
            0 => Self::Some(usize::MAX),
            len @ 1..200 => Self::Some(len.into()),
            200..230 => Self::WouldBlock,
            230..250 => Self::Interrupted,
            250..253 => Self::Zero,
            253.. => Self::Reset,
        }
    }

    fn io(self) -> io::Result<usize> {
        match self {
            Self::Some(len) => Ok(len),
            Self::WouldBlock => Err(ErrorKind::WouldBlock.into()),
            Self::Interrupted => Err(ErrorKind::Interrupted.into()),
            Self::Zero => Ok(0),
            Self::Reset => Err(ErrorKind::ConnectionReset.into()),
        }
    }
}

/// A stream that brings `input` and keeps what is written.
#[derive(Debug)]
pub struct Faulty<'a> {
    pub script: Script<'a>,
    pub input: &'a [u8],
    pub written: Vec<u8>,
    /// How often it was called.
    pub calls: usize,
    /// The first call that broke the stream, as opposed to one that can be repeated.
    pub broken: bool,
}

impl<'a> Faulty<'a> {
    pub fn new(script: Script<'a>, input: &'a [u8]) -> Self {
        Self { script, input, written: Vec::new(), calls: 0, broken: false }
    }

    fn step(&mut self) -> io::Result<usize> {
        self.calls += 1;
        let step = if self.broken { Step::Reset } else { Step::next(&mut self.script) };
        self.broken |= matches!(step, Step::Reset | Step::Zero);
        step.io()
    }
}

impl Read for Faulty<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.step()?.min(buffer.len()).min(self.input.len());
        buffer[..len].copy_from_slice(self.input.split_off(..len).unwrap_or_default());
        Ok(len)
    }
}

impl Write for Faulty<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = self.step()?.min(bytes.len());
        self.written.extend_from_slice(&bytes[..len]);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.step().map(|_| ())
    }
}

/// An error of an adapter is for ever. But what was read before a call that sends failed is still
/// received.
#[derive(Debug, Default)]
pub struct Over {
    any: bool,
    reading: bool,
}

impl Over {
    /// Looks at what a call returned that reads, or sends.
    pub fn check(&mut self, reads: bool, result: Result<(), Error>) {
        match result {
            Err(error) if error.is_would_block() => assert!(!self.any, "{error} after the end"),
            Err(Error::Misuse(_)) => {}
            Err(_) => {
                self.any = true;
                self.reading |= reads;
            }
            Ok(()) if reads => assert!(!self.reading, "read after an error"),
            Ok(()) => assert!(!self.any, "sent after an error"),
        }
    }
}

/// As a stream for an async adapter. Whoever polls it does so again unasked.
#[cfg(feature = "futures-io")]
mod asynchronous {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use super::{ErrorKind, Faulty, Read, Write};

    fn poll<T>(result: io::Result<T>) -> Poll<io::Result<T>> {
        match result {
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                Poll::Pending
            }
            result => Poll::Ready(result),
        }
    }

    impl futures_io::AsyncRead for Faulty<'_> {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            poll(self.read(buffer))
        }
    }

    impl futures_io::AsyncWrite for Faulty<'_> {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            poll(self.write(bytes))
        }

        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            poll(self.flush())
        }

        fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.poll_flush(context)
        }
    }
}
