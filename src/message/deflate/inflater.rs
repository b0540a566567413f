//! Decompression of received messages (RFC 7692 section 7.2.2).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use zlib_rs::{Inflate, InflateError, InflateFlush, Status};

use super::{STEP, TAIL, advanced, pool};
use crate::error::ProtocolError;

/// Inflates the messages of one direction.
///
/// A final block (BFINAL = 1) ends its DEFLATE data and the window with it: further blocks, of
/// this message or, with context takeover, of the next, start with an empty window, as with zlib.
pub(crate) struct Inflater {
    /// `None` until there is something to inflate and, without takeover, between messages.
    state: Option<Box<Inflate>>,
    /// Inflated bytes of this message so far.
    total: u64,
    context_takeover: bool,
    /// The last four octets of payload; never [`TAIL`] if there were fewer.
    last: u32,
    /// Whether this message ends well if it ends here: it has no payload yet, or the last octet
    /// ended a final block.
    at_end: bool,
    /// Whether the last step filled its room, so that more output may wait in the backend.
    full: bool,
    /// Whether this message had a final block.
    after_final: bool,
    /// Calls of the backend so far: the work done, without a clock.
    #[cfg(test)]
    pub(super) steps: u64,
}

/// Why [`Inflater::inflate`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The input is used up and all that it stands for is in the output.
    NeedInput,
    /// As much as was asked for was appended: there may be more, even if the input is used up.
    Full,
}

impl Inflater {
    /// An inflater for a direction in which the sender keeps its window from one message to the
    /// next, or not (`..._no_context_takeover`, 7.1.1). Allocates nothing.
    ///
    /// The agreed window bits do not matter: a window of 32 KiB reads every stream.
    pub(crate) const fn new(context_takeover: bool) -> Self {
        Self {
            state: None,
            total: 0,
            context_takeover,
            last: u32::MAX,
            at_end: true,
            full: false,
            after_final: false,
            #[cfg(test)]
            steps: 0,
        }
    }

    /// Inflates from the front of `input`, which is moved past what was consumed, and appends to
    /// `out` at most `max` bytes (at least 1) and never more of this message than `limit`.
    ///
    /// # Errors
    ///
    /// [`MessageTooBig`](ProtocolError::MessageTooBig) at the byte after the limit,
    /// [`CorruptDeflate`](ProtocolError::CorruptDeflate) or
    /// [`DataAfterFinalBlock`](ProtocolError::DataAfterFinalBlock) at the first bad one.
    pub(crate) fn inflate(
        &mut self,
        input: &mut &[u8],
        out: &mut Vec<u8>,
        max: usize,
        limit: u64,
    ) -> Result<Progress, ProtocolError> {
        // Small, as room is zeroed before it is filled, but not so small that the backend leaves its
        // fast path, which wants some 300 bytes to spare.
        let mut room = input.len().saturating_mul(8).saturating_add(384).min(STEP);
        let mut left = max;
        while self.full || !input.is_empty() {
            if left == 0 {
                return Ok(Progress::Full);
            }
            let allowed = limit.saturating_sub(self.total);
            let written = if allowed == 0 {
                self.probe(input, limit)?
            } else {
                let allowed = usize::try_from(allowed).unwrap_or(usize::MAX);
                let start = out.len();
                grow(out, room.min(left).min(allowed), allowed);
                let result = self.step(input, out.get_mut(start..).unwrap_or_default());
                let (written, result) = result;
                out.truncate(start.saturating_add(written));
                result?;
                written
            };
            left = left.saturating_sub(written);
            room = room.saturating_mul(2).min(STEP);
        }
        Ok(Progress::NeedInput)
    }

    /// Ends the message, after [`inflate`](Self::inflate) returned [`Progress::NeedInput`] for its
    /// last piece. There are no further bytes.
    ///
    /// # Errors
    ///
    /// As [`inflate`](Self::inflate): the message stopped within a block.
    pub(crate) fn finish(&mut self) -> Result<(), ProtocolError> {
        debug_assert!(!self.full, "output waits");
        // 7.2.3.6 has an empty message as 0x00, and 7.2.3.4 puts 0x00 after a final block. Senders
        // are known to leave it out; there is no other way to read what they mean.
        if !self.at_end && !self.ends_at_block() {
            return Err(self.corrupt());
        }
        if !self.context_takeover
            && let Some(state) = self.state.take()
        {
            pool::give_inflate(state);
        }
        *self = Self { state: self.state.take(), ..Self::new(self.context_takeover) };
        Ok(())
    }

    /// With the limit reached: whether the input holds nothing more. One byte of output does not
    /// leave this function, so whichever comes first, that byte or a bad one, decides.
    fn probe(&mut self, input: &mut &[u8], limit: u64) -> Result<usize, ProtocolError> {
        let (written, result) = self.step(input, &mut [0]);
        if written > 0 {
            self.state = None;
            return Err(ProtocolError::MessageTooBig { seen: limit.saturating_add(1), limit });
        }
        result.map(|()| 0)
    }

    /// One call of the backend. The bytes it wrote are good even if it fails after them.
    fn step(&mut self, input: &mut &[u8], room: &mut [u8]) -> (usize, Result<(), ProtocolError>) {
        let state = self.state.get_or_insert_with(pool::take_inflate);
        let call = Call::new(state, input, room, InflateFlush::NoFlush);
        let (consumed, rest) = input.split_at_checked(call.consumed).unwrap_or_default();
        #[cfg(test)]
        {
            self.steps += 1;
        }
        for octet in consumed.iter().skip(consumed.len().saturating_sub(4)) {
            self.last = (self.last << 8) | u32::from(*octet);
        }
        self.at_end &= consumed.is_empty();
        *input = rest;
        self.total = self.total.saturating_add(call.written as u64);
        self.full = call.written == room.len();
        match call.result {
            // 7.2.1: "An endpoint MAY use both DEFLATE blocks with the "BFINAL" bit set to 0 and
            // DEFLATE blocks with the "BFINAL" bit set to 1": what follows is another block.
            Ok(Status::StreamEnd) => {
                state.reset(false);
                self.full = false;
                self.after_final = true;
                self.at_end = true;
            }
            Ok(Status::Ok | Status::BufError) if self.full || input.is_empty() => {}
            // The backend left both input and room: no call would ever get further.
            Ok(_) | Err(_) => return (call.written, Err(self.corrupt())),
        }
        (call.written, Ok(()))
    }

    /// 7.2.2: "Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the payload of the
    /// message." Whether the data then ends with the end of a block, without any of the four
    /// having turned into content.
    fn ends_at_block(&mut self) -> bool {
        let Some(state) = &mut self.state else { return false };
        let [a, b, c, d] = TAIL;
        // A sender that did not remove the four octets is understood, as if 0x00 had followed them.
        // No other message ends so: its last octet has the upper bit of "BTYPE", which is zero.
        let complete = self.last == u32::from_be_bytes(TAIL);
        let tail: &[u8] = if complete { &[0x00, a, b, c, d, 0] } else { &[a, b, c, d, 0] };
        // The backend does not tell where it stands, so the answer is in what it consumes. Told to
        // stop at the end of a block, it leaves the extra octet only if the one before ended one.
        let call = Call::new(state, tail, &mut [0], InflateFlush::Block);
        let whole = call.written == 0 && call.consumed.saturating_add(1) == tail.len();
        if !(whole && call.result == Ok(Status::Ok)) {
            return false;
        }
        // A block that ended within 0xff would leave ones behind: no empty stored block can be read
        // after them.
        let empty = Call::new(state, &[0x00, a, b, c, d], &mut [0], InflateFlush::NoFlush);
        match empty {
            Call { result: Ok(Status::Ok), consumed: 5, written: 0 } => true,
            // The four octets closed a final block.
            Call { result: Ok(Status::StreamEnd), consumed: 0, written: 0 } => {
                state.reset(false);
                true
            }
            Call { .. } => false,
        }
    }

    /// The error for data that cannot be inflated. The state is of no use any more.
    fn corrupt(&mut self) -> ProtocolError {
        self.state = None;
        if self.after_final {
            ProtocolError::DataAfterFinalBlock
        } else {
            ProtocolError::CorruptDeflate
        }
    }
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater")
            .field("allocated", &self.state.is_some())
            .field("total", &self.total)
            .field("context_takeover", &self.context_takeover)
            .finish_non_exhaustive()
    }
}

/// What one call of the backend did.
struct Call {
    result: Result<Status, InflateError>,
    consumed: usize,
    written: usize,
}

impl Call {
    fn new(state: &mut Inflate, input: &[u8], room: &mut [u8], flush: InflateFlush) -> Self {
        let (total_in, total_out) = (state.total_in(), state.total_out());
        let result = state.decompress(input, room, flush);
        Self {
            result,
            consumed: advanced(total_in, state.total_in()),
            written: advanced(total_out, state.total_out()),
        }
    }
}

/// Appends `room` zeros. Capacity doubles, but never beyond what the limit still allows: a message
/// of exactly the limit wastes nothing.
fn grow(out: &mut Vec<u8>, room: usize, allowed: usize) {
    if out.capacity().saturating_sub(out.len()) < room {
        out.reserve_exact(out.len().min(allowed).max(room));
    }
    out.resize(out.len().saturating_add(room), 0);
}
