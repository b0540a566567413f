//! A [`Script`]: a stream that gives a prepared input, keeps what is written, and misbehaves at
//! one operation, or is not ready at any. It is a blocking stream and an async one of both kinds,
//! so that one test can be held against all adapters.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex};

use websocket_proto::io::{TimeLimit, Transport};

/// What goes wrong at one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Only one byte is read or written.
    Short,
    /// Not ready, once.
    WouldBlock,
    /// A signal came between, once.
    Interrupted,
    /// A read finds the end, a write takes nothing; so do all after it.
    Zero,
    /// The connection is reset, for good.
    Reset,
    /// The peer is gone: reads find the end, writes fail, for good.
    Eof,
    /// Any other error, for good.
    Error,
}

pub const FAULTS: [Fault; 7] = [
    Fault::Short,
    Fault::WouldBlock,
    Fault::Interrupted,
    Fault::Zero,
    Fault::Reset,
    Fault::Eof,
    Fault::Error,
];

impl Fault {
    /// Whether everything works again after it.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Short | Self::WouldBlock | Self::Interrupted)
    }
}

/// The stream; its clones look at the same.
#[derive(Clone, Debug)]
pub struct Script(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    input: Vec<u8>,
    written: Vec<u8>,
    /// Bytes given or taken at once.
    step: usize,
    /// Whether the input is followed by silence and not by the end.
    open_ended: bool,
    /// Whether each operation is not ready before it is done.
    hesitates: bool,
    hesitated: bool,
    /// Operations so far: reads, writes, flushes, the end.
    operations: usize,
    fault: Option<(usize, Fault)>,
    /// A fault that stays.
    broken: Option<Fault>,
    shut: bool,
    /// Bytes that went into memory which was not initialised: not a window, but a message's own.
    appended: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Read,
    Write,
    Flush,
    Shutdown,
}

impl Script {
    /// Gives `input`, then the end, `step` bytes at a time.
    pub fn new(input: &[u8], step: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            input: input.to_vec(),
            written: Vec::new(),
            step,
            open_ended: false,
            hesitates: false,
            hesitated: false,
            operations: 0,
            fault: None,
            broken: None,
            shut: false,
            appended: 0,
        })))
    }

    /// After the input there is silence.
    pub fn open_ended(self) -> Self {
        self.with(|state| state.open_ended = true);
        self
    }

    /// Not ready before each operation.
    pub fn hesitant(self) -> Self {
        self.with(|state| state.hesitates = true);
        self
    }

    /// Goes wrong at one operation, counted from 0.
    pub fn with_fault(self, operation: usize, fault: Fault) -> Self {
        self.with(|state| state.fault = Some((operation, fault)));
        self
    }

    /// More input, behind what is left of it.
    pub fn push(&self, input: &[u8]) {
        self.with(|state| state.input.extend_from_slice(input));
    }

    pub fn written(&self) -> Vec<u8> {
        self.with(|state| state.written.clone())
    }

    pub fn operations(&self) -> usize {
        self.with(|state| state.operations)
    }

    pub fn is_shut(&self) -> bool {
        self.with(|state| state.shut)
    }

    /// Bytes that were read straight into a message.
    pub fn appended(&self) -> usize {
        self.with(|state| state.appended)
    }

    /// How many handles there are, the adapter's included.
    pub fn handles(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.0.lock().unwrap())
    }

    fn read_some(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.with(|state| {
            if state.open_ended && state.input.is_empty() {
                return Err(ErrorKind::WouldBlock.into());
            }
            let step = match state.begin(Operation::Read)? {
                Some(step) => step.min(state.input.len()).min(buffer.len()),
                None => return Ok(0),
            };
            for (slot, byte) in buffer.iter_mut().zip(state.input.drain(..step)) {
                *slot = byte;
            }
            Ok(step)
        })
    }

    fn write_some(&self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|state| {
            let step = match state.begin(Operation::Write)? {
                Some(step) => step.min(bytes.len()),
                None => return Ok(0),
            };
            assert!(!state.shut, "written after the end");
            state.written.extend_from_slice(&bytes[..step]);
            Ok(step)
        })
    }

    fn end(&self, operation: Operation) -> io::Result<()> {
        self.with(|state| {
            state.begin(operation)?;
            state.shut |= operation == Operation::Shutdown;
            Ok(())
        })
    }
}

impl State {
    /// How many bytes may pass; `None`: the end.
    fn begin(&mut self, operation: Operation) -> io::Result<Option<usize>> {
        if self.hesitates {
            self.hesitated = !self.hesitated;
            if self.hesitated {
                return Err(ErrorKind::WouldBlock.into());
            }
        }
        let number = self.operations;
        self.operations += 1;
        let fault = self.fault.filter(|(at, _)| *at == number).map(|(_, fault)| fault);
        if let Some(fault) = fault.filter(|fault| !fault.is_transient()) {
            self.broken = Some(fault);
        }
        let gone = if operation == Operation::Read { Ok(None) } else { Ok(Some(self.step)) };
        match self.broken.or(fault) {
            None => Ok(Some(self.step)),
            Some(Fault::Short) => Ok(Some(1)),
            Some(Fault::WouldBlock) => Err(ErrorKind::WouldBlock.into()),
            Some(Fault::Interrupted) => Err(ErrorKind::Interrupted.into()),
            Some(Fault::Zero) => Ok(None),
            Some(Fault::Reset) => Err(ErrorKind::ConnectionReset.into()),
            Some(Fault::Eof) if operation == Operation::Read => gone,
            Some(Fault::Eof) => Err(ErrorKind::BrokenPipe.into()),
            Some(Fault::Error) => Err(io::Error::other("scripted")),
        }
    }
}

impl Read for Script {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_some(buffer)
    }
}

impl Write for Script {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_some(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.end(Operation::Flush)
    }
}

impl Transport for Script {
    fn limit_reads(&mut self, _: &mut TimeLimit) -> io::Result<bool> {
        Ok(true)
    }

    fn limit_writes(&mut self, _: &mut TimeLimit) -> io::Result<bool> {
        Ok(true)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.end(Operation::Shutdown)
    }
}

#[cfg(any(feature = "tokio", feature = "futures-io"))]
mod asynchronous {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use super::{ErrorKind, Operation, Script};

    /// Not ready is `Pending`, and the task may try again at once.
    fn poll<R>(cx: &Context<'_>, result: io::Result<R>) -> Poll<io::Result<R>> {
        match result {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            result => Poll::Ready(result),
        }
    }

    #[cfg(feature = "tokio")]
    impl tokio::io::AsyncRead for Script {
        fn poll_read(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffer: &mut tokio::io::ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let fresh = buffer.initialized().is_empty();
            let read = self.read_some(buffer.initialize_unfilled());
            if let (true, Ok(count)) = (fresh, &read) {
                self.with(|state| state.appended += count);
            }
            poll(cx, read.map(|count| buffer.advance(count)))
        }
    }

    #[cfg(feature = "tokio")]
    impl tokio::io::AsyncWrite for Script {
        fn poll_write(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            poll(cx, self.write_some(bytes))
        }

        fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            poll(cx, self.end(Operation::Flush))
        }

        fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            poll(cx, self.end(Operation::Shutdown))
        }
    }

    #[cfg(feature = "futures-io")]
    impl futures_util::AsyncRead for Script {
        fn poll_read(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffer: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            poll(cx, self.read_some(buffer))
        }
    }

    #[cfg(feature = "futures-io")]
    impl futures_util::AsyncWrite for Script {
        fn poll_write(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            poll(cx, self.write_some(bytes))
        }

        fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            poll(cx, self.end(Operation::Flush))
        }

        fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            poll(cx, self.end(Operation::Shutdown))
        }
    }
}
