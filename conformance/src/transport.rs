//! The byte stream to the peer. One future moves both directions, because a peer may answer while it
//! is still being sent to, and neither side reads while it waits to write.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// How long bytes that are sent one by one lie apart: as long as it takes to wake a peer.
const BETWEEN_OCTETS: Duration = Duration::from_micros(20);

#[derive(Debug)]
pub(crate) struct Transport {
    stream: TcpStream,
    /// Each is one write.
    pending: VecDeque<Vec<u8>>,
    /// How much of the first is written.
    written: usize,
    scratch: Vec<u8>,
    /// The peer takes nothing more. It may still be read.
    broken: bool,
}

/// What one turn of the transport brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Bytes were appended.
    Read,
    Wrote,
    /// The peer will send nothing more.
    End,
    /// The connection was reset, or broke otherwise.
    Reset,
    /// The time was up.
    Late,
}

impl Transport {
    pub(crate) fn new(stream: TcpStream) -> Self {
        // Each write shall be a segment of its own: cases are about how bytes are cut.
        let _ = stream.set_nodelay(true);
        Self {
            stream,
            pending: VecDeque::new(),
            written: 0,
            scratch: vec![0; 1 << 16],
            broken: false,
        }
    }

    /// Queues one write.
    pub(crate) fn write(&mut self, bytes: Vec<u8>) {
        if !self.broken && !bytes.is_empty() {
            self.pending.push_back(bytes);
        }
    }

    pub(crate) fn is_flushed(&self) -> bool {
        self.pending.is_empty()
    }

    /// Reads into `into`, writes what is queued, or waits until `deadline`.
    pub(crate) async fn turn(&mut self, into: &mut Vec<u8>, deadline: Instant) -> Turn {
        let turn = timeout_at(deadline, poll_fn(|cx| self.poll_turn(cx, into))).await;
        if self.pending.front().is_some_and(|write| write.len() == 1) {
            // Else the peer finds many in one read. This thread has nothing else to do, and the
            // runtime's clock counts in milliseconds.
            thread::sleep(BETWEEN_OCTETS);
        }
        turn.unwrap_or(Turn::Late)
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<Turn> {
        let wrote = self.poll_write(cx).is_ready();
        let mut buffer = ReadBuf::new(&mut self.scratch);
        match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => Poll::Ready(Turn::End),
            Poll::Ready(Ok(())) => {
                into.extend_from_slice(buffer.filled());
                Poll::Ready(Turn::Read)
            }
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {
                Poll::Ready(Turn::Wrote)
            }
            Poll::Ready(Err(_)) => Poll::Ready(Turn::Reset),
            Poll::Pending if wrote => Poll::Ready(Turn::Wrote),
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(first) = self.pending.front() else { return Poll::Pending };
        let rest = first.get(self.written..).unwrap_or_default();
        match Pin::new(&mut self.stream).poll_write(cx, rest) {
            Poll::Ready(Ok(n)) => {
                self.written = self.written.saturating_add(n);
                if n >= rest.len() {
                    self.pending.pop_front();
                    self.written = 0;
                }
                Poll::Ready(())
            }
            Poll::Ready(Err(_)) => {
                // What it sent before it closed is still to be read.
                self.broken = true;
                self.pending.clear();
                self.written = 0;
                Poll::Ready(())
            }
            Poll::Pending => Poll::Pending,
        }
    }

    /// Writes what is queued, then says that nothing more comes, and waits for the peer to do so too:
    /// a socket that is closed with unread input is reset, and what was written last may be lost.
    pub(crate) async fn finish(mut self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let mut ignored = Vec::new();
        let mut finished = false;
        loop {
            if self.is_flushed() && !finished {
                finished = true;
                if timeout_at(deadline, self.stream.shutdown()).await.is_err() {
                    return;
                }
            }
            match self.turn(&mut ignored, deadline).await {
                Turn::Read => ignored.clear(),
                Turn::Wrote => {}
                Turn::End | Turn::Reset | Turn::Late => return,
            }
        }
    }
}
