//! [`Compressor`]: which messages are compressed, and how (RFC 7692 sections 6 and 7.2.1).

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;

use super::framer::{Framer, Part};
use super::prepared::Prepared;
use crate::message::deflate::{BackendFailed, Deflater, Sink, most_compressed};
use crate::output::Tail;
use crate::{Config, Output};

/// A deflater, and the policy that decides what goes through it. The decision is made before the
/// first byte of a message: what has entered the window cannot be sent any other way.
#[derive(Debug)]
pub(super) struct Compressor(Box<Inner>);

#[derive(Debug)]
struct Inner {
    deflater: Deflater,
    /// Messages below this size are sent as they are.
    threshold: usize,
    window_bits: u8,
    /// Whether the message that is sent in pieces has a frame: a piece may yield none.
    begun: bool,
}

impl Compressor {
    /// `None` where our deflater cannot keep to the agreed window (8 bits, RFC 7692 section
    /// 7.1.2): messages are then sent as they are, which is always allowed.
    pub(super) fn new(config: &Config, window_bits: u8, context_takeover: bool) -> Option<Self> {
        let level = config.compression_level.min(9);
        let memory = config.compression_memory.clamp(1, 9);
        let deflater = Deflater::new(window_bits, level, memory, context_takeover)?;
        let threshold = config.compression_threshold;
        Some(Self(Box::new(Inner { deflater, threshold, window_bits, begun: false })))
    }

    /// Whether a message of `len` bytes is compressed.
    pub(super) fn wants(&self, len: usize) -> bool {
        len >= self.0.threshold
    }

    /// Compresses a message, or a piece of one, and sends it: written where it waits, if the output
    /// has room for it there.
    pub(super) fn send(
        &mut self,
        part: Part,
        payload: &[u8],
        framer: &mut Framer,
        output: &mut Output,
    ) -> Result<(), BackendFailed> {
        if let Some(mut tail) = framer.tail(most_compressed(payload.len()), output) {
            if let Some(part) = self.compress(part, payload, &mut tail)? {
                framer.written(part, tail);
            }
            return Ok(());
        }
        let mut compressed = Vec::new();
        if let Some(part) = self.compress(part, payload, &mut compressed)? {
            framer.data(part, Cow::Owned(compressed), output);
        }
        Ok(())
    }

    /// Says what there is to send, if anything. Each piece of a message leaves at once: whoever
    /// sends pieces wants them to arrive.
    fn compress(
        &mut self,
        part: Part,
        payload: &[u8],
        out: &mut impl Sink,
    ) -> Result<Option<Part>, BackendFailed> {
        let Inner { deflater, begun, .. } = &mut *self.0;
        if part.fin {
            deflater.compress(payload, out)?;
        } else if payload.is_empty() {
            return Ok(None); // says nothing
        } else {
            deflater.push(payload, out)?;
        }
        let first = !*begun;
        *begun = !part.fin;
        Ok(Some(Part { compressed: true, first, ..part }))
    }

    /// The compressed form of a prepared message, if it has one for this window. Our own window
    /// did not see it: it is given up, so that no later message refers to bytes before it.
    pub(super) fn prepared<'p>(&mut self, prepared: &'p Prepared) -> Option<&'p Bytes> {
        let payload = prepared.compressed(self.0.window_bits)?;
        self.0.deflater.release();
        Some(payload)
    }
}

impl Sink for Tail<'_> {
    fn room(&mut self, len: usize) -> &mut [u8] {
        self.room(len)
    }

    fn filled(&mut self, count: usize, _: usize) {
        self.filled(count);
    }

    fn strip(&mut self, tail: &[u8]) -> bool {
        self.strip(tail)
    }
}
