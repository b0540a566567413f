//! Compression of messages to send (RFC 7692 section 7.2.1).

use alloc::boxed::Box;
use core::fmt;

use zlib_rs::{Deflate, DeflateFlush};

use super::pool::Params;
use super::sink::Sink;
use super::{TAIL, advanced, pool};

/// The most output that one call of the backend is given room for, in bytes.
const STEP: usize = 16 << 10;

/// The most bytes that `len` become, incompressible or not, with the tail of a flush.
pub(crate) const fn most_compressed(len: usize) -> usize {
    len.saturating_add(len / 8).saturating_add(64)
}

/// Compresses the messages of one direction.
pub(crate) struct Deflater {
    /// `None` until there is something to compress and, without takeover, between messages.
    state: Option<Box<Deflate>>,
    params: Params,
    context_takeover: bool,
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
        Some(Self { state: None, params, context_takeover })
    }

    /// Compresses a whole message, or the last piece of one, and appends what ends its payload: at
    /// least one byte.
    ///
    /// # Errors
    ///
    /// [`BackendFailed`].
    pub(crate) fn compress(
        &mut self,
        last: &[u8],
        out: &mut impl Sink,
    ) -> Result<(), BackendFailed> {
        if last.is_empty() {
            // 7.2.3.6: "a single 0x00 octet", the rest of that block. The backend has nothing to
            // flush here, and does not repeat a flush.
            out.room(1).fill(0x00);
            out.filled(1, 1);
            if !self.context_takeover {
                self.release();
            }
            return Ok(());
        }
        // 7.2.1: the flush appends "an empty DEFLATE block with no compression", whose last four
        // octets go. They are all in `out`: what was sent before ended in other blocks.
        // A full flush also forgets the window, which is cheaper than to reset the state.
        let takeover = self.context_takeover;
        let flush = if takeover { DeflateFlush::SyncFlush } else { DeflateFlush::FullFlush };
        self.run(last, flush, out)?;
        if !out.strip(&TAIL) {
            return Err(BackendFailed);
        }
        if !takeover && let Some(state) = self.state.take() {
            pool::give_forgetful_deflate(self.params, state);
        }
        Ok(())
    }

    /// Compresses a piece of a message, which goes on, and appends its payload: the receiver can
    /// inflate all of it, which costs some bytes a piece. Nothing comes of an empty one.
    ///
    /// # Errors
    ///
    /// [`BackendFailed`].
    pub(crate) fn push(&mut self, piece: &[u8], out: &mut impl Sink) -> Result<(), BackendFailed> {
        if piece.is_empty() { Ok(()) } else { self.run(piece, DeflateFlush::SyncFlush, out) }
    }

    /// Gives up the window, between two messages, and with it the memory. The next message
    /// compresses as well as the first one did. A receiver does not notice.
    pub(crate) fn release(&mut self) {
        if let Some(state) = self.state.take() {
            pool::give_deflate(self.params, state);
        }
    }

    /// Compresses all of `input`, at least one byte, and flushes as told.
    fn run(
        &mut self,
        mut input: &[u8],
        flush: DeflateFlush,
        out: &mut impl Sink,
    ) -> Result<(), BackendFailed> {
        let state = self.state.get_or_insert_with(|| pool::take_deflate(self.params));
        // Enough for the whole of a small message.
        let mut room = most_compressed(input.len()).clamp(256, STEP);
        loop {
            let (total_in, total_out) = (state.total_in(), state.total_out());
            let result = state.compress(input, out.room(room), flush);
            let written = advanced(total_out, state.total_out());
            let consumed = advanced(total_in, state.total_in());
            out.filled(written, room);
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
