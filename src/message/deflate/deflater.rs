//! Compression of messages to send (RFC 7692 section 7.2.1).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use zlib_rs::{Deflate, DeflateFlush};

use super::pool::Params;
use super::{TAIL, advanced, pool};

/// The most output that one call of the backend is given room for, in bytes.
const STEP: usize = 16 << 10;

/// Compresses the messages of one direction.
pub(crate) struct Deflater {
    /// `None` until there is something to compress and, without takeover, between messages.
    state: Option<Box<Deflate>>,
    params: Params,
    context_takeover: bool,
    /// Whether bytes were pushed that no flush has followed.
    unflushed: bool,
}

/// The backend broke its own contract. The message cannot be sent, nor any after it: the window
/// is unknown. No input is known to cause it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BackendFailed;

impl Deflater {
    /// A deflater with a window of 2^`window_bits` bytes (9 to 15; 8 is more than the backend can
    /// do), a compression `level` from 0 (none) to 9, and a memory level from 1 to 9. Without
    /// `context_takeover`, each message can be inflated alone (7.1.1). Allocates nothing.
    ///
    /// `None` if a number is out of range.
    pub(crate) fn new(
        window_bits: u8,
        level: u8,
        mem_level: u8,
        context_takeover: bool,
    ) -> Option<Self> {
        let params = Params::new(window_bits, level, mem_level)?;
        Some(Self { state: None, params, context_takeover, unflushed: false })
    }

    /// Compresses a whole message and appends its payload to `out`.
    ///
    /// # Errors
    ///
    /// [`BackendFailed`].
    pub(crate) fn compress(
        &mut self,
        message: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), BackendFailed> {
        self.unflushed |= !message.is_empty();
        self.end(message, out)
    }

    /// Takes the next piece of a message and appends what the backend lets go of its payload:
    /// often nothing, and up to 64 KiB of input wait inside.
    ///
    /// # Errors
    ///
    /// [`BackendFailed`].
    pub(crate) fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), BackendFailed> {
        if piece.is_empty() {
            return Ok(());
        }
        self.unflushed = true;
        self.run(piece, DeflateFlush::NoFlush, out)
    }

    /// Appends all that waits inside, so that the receiver can inflate every byte pushed so far.
    /// The message goes on. Each flush costs some bytes.
    ///
    /// # Errors
    ///
    /// [`BackendFailed`].
    pub(crate) fn flush(&mut self, out: &mut Vec<u8>) -> Result<(), BackendFailed> {
        if !core::mem::take(&mut self.unflushed) {
            return Ok(());
        }
        self.run(&[], DeflateFlush::SyncFlush, out)
    }

    /// Ends the message, and appends the rest of its payload: at least one byte.
    ///
    /// # Errors
    ///
    /// [`BackendFailed`].
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BackendFailed> {
        self.end(&[], out)
    }

    /// Gives up the window, between two messages, and with it the memory. The next message
    /// compresses as well as the first one did. A receiver does not notice.
    pub(crate) fn release(&mut self) {
        debug_assert!(!self.unflushed, "within a message");
        if let Some(state) = self.state.take() {
            pool::give_deflate(self.params, state);
        }
    }

    fn end(&mut self, last: &[u8], out: &mut Vec<u8>) -> Result<(), BackendFailed> {
        if core::mem::take(&mut self.unflushed) {
            // 7.2.1: the flush appends "an empty DEFLATE block with no compression", whose last
            // four octets go. They are all in `out`: what was sent before ended in other blocks.
            // A full flush also forgets the window, which is cheaper than to reset the state.
            let takeover = self.context_takeover;
            let flush = if takeover { DeflateFlush::SyncFlush } else { DeflateFlush::FullFlush };
            self.run(last, flush, out)?;
            let body = out.strip_suffix(&TAIL).ok_or(BackendFailed)?.len();
            out.truncate(body);
            if !takeover && let Some(state) = self.state.take() {
                pool::give_forgetful_deflate(self.params, state);
            }
        } else {
            // 7.2.3.6: "a single 0x00 octet", the rest of that block. The backend has nothing to
            // flush here, and does not repeat a flush.
            out.push(0x00);
            if !self.context_takeover {
                self.release();
            }
        }
        Ok(())
    }

    /// Compresses all of `input`, and flushes as told.
    fn run(
        &mut self,
        mut input: &[u8],
        flush: DeflateFlush,
        out: &mut Vec<u8>,
    ) -> Result<(), BackendFailed> {
        let state = self.state.get_or_insert_with(|| pool::take_deflate(self.params));
        // Enough for the whole of a small message, incompressible or not, with its tail.
        let bound = input.len().saturating_add(input.len() / 8).saturating_add(64);
        let mut room = bound.clamp(256, STEP);
        loop {
            let start = out.len();
            out.resize(start.saturating_add(room), 0);
            let (total_in, total_out) = (state.total_in(), state.total_out());
            let result = state.compress(input, out.get_mut(start..).unwrap_or_default(), flush);
            let written = advanced(total_out, state.total_out());
            let consumed = advanced(total_in, state.total_in());
            out.truncate(start.saturating_add(written));
            input = input.get(consumed..).unwrap_or_default();
            result.map_err(|_| BackendFailed)?;
            // Room that is left says that nothing waits. (Room filled to the last byte by chance
            // makes one more empty block, which is as valid.)
            if written < room {
                if input.is_empty() {
                    return Ok(());
                }
                if consumed == 0 {
                    return Err(BackendFailed);
                }
            }
            room = room.saturating_mul(2).min(STEP);
        }
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater")
            .field("allocated", &self.state.is_some())
            .field("params", &self.params)
            .field("context_takeover", &self.context_takeover)
            .finish_non_exhaustive()
    }
}
