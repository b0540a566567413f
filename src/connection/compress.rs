//! [`Compressor`]: which messages are compressed, and how (RFC 7692 sections 6 and 7.2.1).

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;

use super::framer::Part;
use super::prepared::Prepared;
use crate::Config;
use crate::message::deflate::{BackendFailed, Deflater};

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

    pub(super) fn message(&mut self, payload: &[u8]) -> Result<Vec<u8>, BackendFailed> {
        let mut compressed = Vec::new();
        self.0.deflater.compress(payload, &mut compressed)?;
        Ok(compressed)
    }

    /// A piece of a message that is sent in fragments: what to send of it, if anything. Each
    /// leaves at once: whoever sends pieces wants them to arrive.
    pub(super) fn piece(
        &mut self,
        payload: &[u8],
        part: Part,
    ) -> Result<Option<(Part, Vec<u8>)>, BackendFailed> {
        let Inner { deflater, begun, .. } = &mut *self.0;
        let mut compressed = Vec::new();
        deflater.push(payload, &mut compressed)?;
        if part.fin {
            deflater.finish(&mut compressed)?;
        } else {
            deflater.flush(&mut compressed)?;
        }
        if compressed.is_empty() {
            return Ok(None); // an empty piece says nothing
        }
        let first = !*begun;
        *begun = !part.fin;
        Ok(Some((Part { compressed: true, first, ..part }, compressed)))
    }

    /// The compressed form of a prepared message, if it has one for this window. Our own window
    /// did not see it: it is given up, so that no later message refers to bytes before it.
    pub(super) fn prepared<'p>(&mut self, prepared: &'p Prepared) -> Option<&'p Bytes> {
        let payload = prepared.compressed(self.0.window_bits)?;
        self.0.deflater.release();
        Some(payload)
    }
}
