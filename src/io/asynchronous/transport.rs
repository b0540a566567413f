//! [`AsyncTransport`]: what the async adapters need of a stream and of a clock.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec::Vec;

/// An async byte stream with a clock.
///
/// `io::tokio::Tokio` and `io::futures::Futures` make one of
/// any stream of their kind; implement it for a runtime that has neither.
///
/// A call that returns `Pending` arranges for the task to be woken when it is worth another try,
/// as usual. Reads and writes may be pending at the same time, both for the same waker.
pub trait AsyncTransport {
    /// Reads some bytes into `buffer` and returns how many; 0 is the end of the stream.
    ///
    /// # Errors
    ///
    /// As the stream.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Appends up to `most` bytes, not 0, to `buffer`, which has room for them, and returns how
    /// many; 0 is the end of the stream. Called for the rest of a large message, which is then not
    /// copied. A call that fails or is pending has appended nothing.
    ///
    /// `None`, which is the default: the stream cannot, and [`poll_read`](Self::poll_read) is
    /// called. To fill the room with zeros and read over them costs as much as the copy.
    ///
    /// # Errors
    ///
    /// As the stream.
    fn poll_append(
        &mut self,
        _cx: &mut Context<'_>,
        _buffer: &mut Vec<u8>,
        _most: usize,
    ) -> Option<Poll<io::Result<usize>>> {
        None
    }

    /// Writes some of `slices`, at least from the first, and returns how many bytes it took.
    ///
    /// # Errors
    ///
    /// As the stream.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>>;

    /// Hands on what the stream itself has buffered.
    ///
    /// # Errors
    ///
    /// As the stream.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Ends the sending side; the receiving side stays open. For TLS: sends `close_notify`.
    ///
    /// # Errors
    ///
    /// As the stream.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// The time since any moment, always the same for this transport.
    fn now(&self) -> Duration;

    /// Is ready once [`now`](Self::now) has come to `deadline`. `None`: there is nothing to wait
    /// for, a timer may be given back.
    fn poll_deadline(&mut self, cx: &mut Context<'_>, deadline: Option<Duration>) -> Poll<()>;
}
