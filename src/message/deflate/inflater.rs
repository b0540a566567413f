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
    /// How many more of this message's calls may stop at the end of a block.
    stops_left: u8,
    /// Octets consumed since the last point from which [`TAIL`] alone proves how the message
    /// ends, see [`ends_at_block`](Self::ends_at_block). Saturates.
    unproven: u8,
    /// Whether a last octet of 0x00, behind the end of a block, is left to
    /// [`finish`](Self::finish), which would have a call of the backend to make anyhow.
    zero_left: bool,
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
            stops_left: STOPS,
            unproven: 0,
            zero_left: false,
            #[cfg(test)]
            steps: 0,
        }
    }

    /// Inflates from the front of `input`, which is moved past what was consumed, and appends to
    /// `out` at most `max` bytes (at least 1) and never more of this message than `limit`. `last`:
    /// the message ends with this input. To say so costs nothing and makes [`finish`](Self::finish)
    /// cheaper.
    ///
    /// # Errors
    ///
    /// [`MessageTooBig`](ProtocolError::MessageTooBig) at the byte after the limit,
    /// [`CorruptDeflate`](ProtocolError::CorruptDeflate) or
    /// [`DataAfterFinalBlock`](ProtocolError::DataAfterFinalBlock) at the first bad one; if that is
    /// the last one of the message, perhaps not before [`finish`](Self::finish).
    pub(crate) fn inflate(
        &mut self,
        input: &mut &[u8],
        out: &mut Vec<u8>,
        max: usize,
        limit: u64,
        last: bool,
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
                self.probe(input, limit, last)?
            } else {
                let allowed = usize::try_from(allowed).unwrap_or(usize::MAX);
                let start = out.len();
                grow(out, room.min(left).min(allowed), allowed);
                let (written, result) =
                    self.step(input, out.get_mut(start..).unwrap_or_default(), last);
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
    fn probe(&mut self, input: &mut &[u8], limit: u64, last: bool) -> Result<usize, ProtocolError> {
        let (written, result) = self.step(input, &mut [0], last);
        if written > 0 {
            self.state = None;
            return Err(ProtocolError::MessageTooBig { seen: limit.saturating_add(1), limit });
        }
        result.map(|()| 0)
    }

    /// One call of the backend. The bytes it wrote are good even if it fails after them.
    #[inline]
    fn step(
        &mut self,
        input: &mut &[u8],
        room: &mut [u8],
        last: bool,
    ) -> (usize, Result<(), ProtocolError>) {
        let state = self.state.get_or_insert_with(pool::take_inflate);
        // Told to stop at the end of each block, the backend says more about where it stands, but
        // looks at the bits behind only when called again: `finish` does. A message of very many
        // blocks is not given a call for each.
        let stop = last && self.stops_left > 0;
        let flush = if stop { InflateFlush::Block } else { InflateFlush::NoFlush };
        let call = Call::new(state, input, room, flush);
        let (consumed, rest) = input.split_at_checked(call.consumed).unwrap_or_default();
        #[cfg(test)]
        {
            self.steps += 1;
        }
        self.last = last_four(self.last, consumed);
        // Nothing of this message was consumed: if a final block ends, it is that of the last one.
        let stale = self.at_end && consumed.is_empty() && !self.after_final;
        self.at_end &= consumed.is_empty();
        *input = rest;
        self.total = self.total.saturating_add(call.written as u64);
        self.full = call.written == room.len();
        self.unproven = match u8::try_from(call.consumed) {
            // Output comes from the content of a block, and the call went no further than its end.
            _ if stop && call.written > 0 => 0,
            Ok(consumed) if stop => self.unproven.saturating_add(consumed),
            _ => u8::MAX,
        };
        match call.result {
            // 7.2.1: "An endpoint MAY use both DEFLATE blocks with the "BFINAL" bit set to 0 and
            // DEFLATE blocks with the "BFINAL" bit set to 1": what follows is another block.
            Ok(Status::StreamEnd) => {
                state.reset(false);
                self.full = false;
                self.after_final |= !stale;
                self.at_end = true;
                self.unproven = 0;
            }
            Ok(Status::Ok | Status::BufError) if self.full || input.is_empty() => {}
            // The end of a block. Without progress it was in bits that had been consumed before:
            // the next call goes on.
            Ok(Status::Ok) if stop => {
                self.unproven = 0;
                self.stops_left = self.stops_left.saturating_sub(1);
                // How most messages end: with the header of an empty stored block.
                if *input == [0x00] {
                    *input = &[];
                    self.zero_left = true;
                    self.at_end = false;
                    self.last <<= 8;
                    self.unproven = 1;
                }
            }
            Ok(Status::BufError) if stop => self.stops_left = 0,
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
        let zero_first = complete || self.zero_left;
        let tail: &[u8] = if zero_first { &[0x00, a, b, c, d, 0] } else { &[a, b, c, d, 0] };
        // The backend does not tell where it stands, so the answer is in what it consumes. Told to
        // stop at the end of a block, it leaves the extra octet only if the one before ended one.
        let call = Call::new(state, tail, &mut [0], InflateFlush::Block);
        match call {
            Call { result: Ok(Status::Ok), consumed, written: 0 }
                if consumed.saturating_add(1) == tail.len() => {}
            // The last octet of the payload ended a final block.
            Call { result: Ok(Status::StreamEnd), consumed: 0, written: 0 } => {
                state.reset(false);
                return true;
            }
            Call { .. } => return false,
        }
        // The block that ended is a stored one, and so it ended with the octet, unless the four were
        // taken for the header of a block with dynamic codes. No such header that has an end fits
        // into their 32 bits and 15 before: more than an octet of it was consumed without output.
        if self.unproven <= 1 && !complete {
            // Tests look all the same; a benchmark is built as a test too.
            #[cfg(all(test, debug_assertions))]
            assert!(Self::nothing_left(state), "the shortcut is wrong");
            return true;
        }
        Self::nothing_left(state)
    }

    /// Whether the block that ended left nothing of its last octet behind. If it did, it is ones
    /// (the octet was 0xff), and no empty stored block can be read after them.
    fn nothing_left(state: &mut Inflate) -> bool {
        let [a, b, c, d] = TAIL;
        match Call::new(state, &[0x00, a, b, c, d], &mut [0], InflateFlush::NoFlush) {
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

/// How many calls for one message may stop at the end of a block: few messages have more, and one
/// of a hundred thousand empty blocks must not have as many calls.
pub(super) const STOPS: u8 = 4;

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

/// The last four octets of what ended with `last` once `more` has followed.
#[inline]
fn last_four(last: u32, more: &[u8]) -> u32 {
    match more.last_chunk() {
        Some(four) => u32::from_be_bytes(*four),
        None => more.iter().fold(last, |last, octet| (last << 8) | u32::from(*octet)),
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
