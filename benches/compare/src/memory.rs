//! A transport in memory: endless input in reads of at most 64 KiB, output that is copied away.

use std::io::{self, IoSlice, Read, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use futures_util::io as futures_io;
use tokio::io as tokio_io;

use crate::wire::Wire;

/// What one read returns at most, and how much memory the output is copied into.
pub const READ: usize = 64 << 10;

/// Reads repeat a [`Wire`] for ever. Writes are copied once, as a kernel copies them.
pub struct Memory {
    pub wire: Arc<Wire>,
    read: usize,
    ring: Box<[u8]>,
    written: usize,
    record: Option<Record>,
}

/// Everything written, for a check before the timing.
pub type Record = Arc<Mutex<Vec<u8>>>;

impl Memory {
    pub fn new(wire: Arc<Wire>, record: Option<Record>) -> Self {
        Self { wire, read: 0, ring: vec![0; READ].into(), written: 0, record }
    }

    fn next(&mut self, room: usize) -> &[u8] {
        let start = self.read;
        let end = self.wire.bytes.len().min(start + room.min(READ));
        self.read = if end == self.wire.bytes.len() { 0 } else { end };
        &self.wire.bytes[start..end]
    }

    fn take(&mut self, mut bytes: &[u8]) {
        if let Some(record) = &self.record {
            record.lock().expect("one thread").extend_from_slice(bytes);
        }
        while !bytes.is_empty() {
            let room = &mut self.ring[self.written..];
            let len = room.len().min(bytes.len());
            room[..len].copy_from_slice(&bytes[..len]);
            self.written = (self.written + len) % READ;
            bytes = &bytes[len..];
        }
        std::hint::black_box(&mut self.ring);
    }

    fn take_all(&mut self, slices: &[IoSlice<'_>]) -> usize {
        slices.iter().for_each(|slice| self.take(slice));
        slices.iter().map(|slice| slice.len()).sum()
    }
}

impl Read for Memory {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.next(buffer.len());
        buffer[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.take(bytes);
        Ok(bytes.len())
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(self.take_all(slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl tokio_io::AsyncRead for Memory {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut tokio_io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = buffer.remaining();
        buffer.put_slice(self.next(room));
        Poll::Ready(Ok(()))
    }
}

impl tokio_io::AsyncWrite for Memory {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write(bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl futures_io::AsyncRead for Memory {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.read(buffer))
    }
}

impl futures_io::AsyncWrite for Memory {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write(bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write_vectored(slices))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Runs a future that never waits, which is all there is over [`Memory`]: no runtime is needed.
pub fn now<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("memory is always ready"),
    }
}
