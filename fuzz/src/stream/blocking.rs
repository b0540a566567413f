//! The wire as a blocking stream. It never waits: where it has a time limit that has not passed, it
//! ends as a stream in non-blocking mode does.

use std::io::{self, IoSlice, Read, Write};

use websocket_proto::io::{TimeLimit, Transport};

use super::Shared;

impl Shared<'_> {
    fn limited(&self, limit: &mut TimeLimit) -> io::Result<bool> {
        let timed = self.get().timed;
        if timed {
            let set = |limit| {
                self.get().limit = limit;
                Ok(())
            };
            limit.apply(|| Ok(self.get().limit), set)?;
        }
        Ok(timed)
    }
}

impl Read for Shared<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.get().next_bytes(buffer.len()).map(|bytes| {
            buffer[..bytes.len()].copy_from_slice(bytes);
            bytes.len()
        })
    }
}

impl Write for Shared<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.get().take([bytes].into_iter())
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.get().take(slices.iter().map(|slice| &**slice))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.get().hand_on()
    }
}

impl Transport for Shared<'_> {
    fn limit_reads(&mut self, limit: &mut TimeLimit) -> io::Result<bool> {
        self.limited(limit)
    }

    fn limit_writes(&mut self, limit: &mut TimeLimit) -> io::Result<bool> {
        self.limited(limit)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.get().end()
    }
}
