//! The wire as an async transport with a virtual clock, and as a stream of `futures-io`. Whoever
//! polls it does so again unasked.

use std::io::{self, ErrorKind, IoSlice, Read};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use websocket_proto::io::AsyncTransport;

use super::Shared;

fn poll<T>(result: io::Result<T>) -> Poll<io::Result<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Poll::Pending,
        result => Poll::Ready(result),
    }
}

/// A stream of `futures-io` keeps interruptions to itself.
fn poll_quietly<T>(result: io::Result<T>) -> Poll<io::Result<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::Interrupted => Poll::Pending,
        result => poll(result),
    }
}

impl AsyncTransport for Shared<'_> {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        poll(self.read(buffer))
    }

    fn poll_append(
        &mut self,
        _: &mut Context<'_>,
        buffer: &mut Vec<u8>,
        most: usize,
    ) -> Option<Poll<io::Result<usize>>> {
        let mut wire = self.get();
        wire.appends.then(|| {
            poll(wire.next_bytes(most).map(|bytes| {
                buffer.extend_from_slice(bytes);
                bytes.len()
            }))
        })
    }

    fn poll_write(
        &mut self,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        poll(self.get().take(slices.iter().map(|slice| &**slice)))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll(self.get().hand_on())
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll(self.get().end())
    }

    fn now(&self) -> Duration {
        self.get().now
    }

    fn poll_deadline(&mut self, _: &mut Context<'_>, deadline: Option<Duration>) -> Poll<()> {
        let mut wire = self.get();
        wire.called();
        wire.deadline = deadline;
        match deadline {
            Some(deadline) if wire.now >= deadline => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }
}

impl futures_io::AsyncRead for Shared<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        poll_quietly(self.read(buffer))
    }
}

impl futures_io::AsyncWrite for Shared<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        poll_quietly(self.get().take([bytes].into_iter()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll_quietly(self.get().hand_on())
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll_quietly(self.get().end())
    }
}
