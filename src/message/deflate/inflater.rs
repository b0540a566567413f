//! Decompression of received messages (RFC 7692 section 7.2.2).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use zlib_rs::{Inflate, InflateError, InflateFlush, Status};

use super::room::{grow, room_for};
use super::{TAIL, advanced, pool};
use crate::error::ProtocolError;

#[cfg(test)]
mod tests;

/// How often the inflating of one input may stop at the end of a block.
const STOPS: u8 = 4;
/// A last input longer than this has ends of blocks before its [`END`].
const LONG: usize = 8 << 10;
const END: usize = 64;

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
    /// Whether the last call was to stop at the end of a block, and wrote something. All that it
    /// wrote is then of one block, which is past its header or has ended.
    past_header: bool,
    /// Whether the message is known to have ended well.
    ended: bool,
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
            past_header: false,
            ended: false,
            #[cfg(test)]
            steps: 0,
        }
    }

    /// Inflates from the front of `input`, which is moved past what was consumed, and appends to
    /// `out` at most `max` bytes (at least 1) and never more of this message than `limit`. `last`:
    /// the message ends with this input. To say so is cheaper, and changes nothing else.
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
        last: bool,
    ) -> Result<Progress, ProtocolError> {
        let mut left = max;
        while self.full || !input.is_empty() {
            if left == 0 {
                return Ok(Progress::Full);
            }
            let allowed = self.allowed(limit);
            let start = out.len();
            let done = max.saturating_sub(left);
            let room = room_for(input.len(), done);
            let room = room.min(left).min(allowed);
            grow(out, room, allowed).map_err(|_| {
                let seen = start.saturating_add(room) as u64;
                ProtocolError::OutOfMemory { seen }
            })?;
            let place = out.get_mut(start..).unwrap_or_default();
            let (written, result) = self.fill(input, place, limit, last);
            out.truncate(start.saturating_add(written));
            result?;
            left = left.saturating_sub(written);
        }
        Ok(Progress::NeedInput)
    }

    /// The same into `room`, which may be empty only with the limit reached. Returns also how much
    /// of it was filled, before an error too.
    pub(crate) fn fill(
        &mut self,
        input: &mut &[u8],
        room: &mut [u8],
        limit: u64,
        last: bool,
    ) -> (usize, Result<Progress, ProtocolError>) {
        if last && input.len() > LONG {
            return self.fill_long(input, room, limit);
        }
        let mut written = 0_usize;
        let mut stops = if last { STOPS } else { 0 };
        while self.full || !input.is_empty() {
            let allowed = self.allowed(limit);
            let place = room.get_mut(written..).unwrap_or_default();
            if place.is_empty() && written > 0 {
                return (written, Ok(Progress::Full));
            }
            let most = place.len().min(allowed);
            let result = if allowed == 0 {
                self.probe(input, limit, stops > 0)
            } else {
                let place = place.get_mut(..most).unwrap_or_default();
                let (more, result) = self.step(input, place, stops > 0);
                written = written.saturating_add(more);
                result
            };
            match result {
                Ok(At::BlockEnd) => {
                    stops = stops.saturating_sub(1);
                    // How many messages end: with the rest of the header of an empty stored block.
                    // What may be left of `last` from the block before begins no literal: those of
                    // fixed codes have a one among their first three bits.
                    if *input == [0x00] && self.last & 0xf0 == 0 && self.ends_at_once(true) {
                        *input = &[];
                    }
                }
                Ok(At::Other) => {}
                Err(error) => return (written, Err(error)),
            }
        }
        if last && self.past_header {
            self.ends_at_once(false);
        }
        (written, Ok(Progress::NeedInput))
    }

    /// The same with the last and long piece of a message: only its end is searched for the end of a
    /// block, which would be one of many.
    #[inline(never)]
    fn fill_long(
        &mut self,
        input: &mut &[u8],
        room: &mut [u8],
        limit: u64,
    ) -> (usize, Result<Progress, ProtocolError>) {
        let (mut front, _) =
            input.split_at_checked(input.len().saturating_sub(END)).unwrap_or_default();
        let len = front.len();
        let (written, result) = self.fill(&mut front, room, limit, false);
        *input = input.get(len.saturating_sub(front.len())..).unwrap_or_default();
        if result != Ok(Progress::NeedInput) {
            return (written, result);
        }
        let rest = room.get_mut(written..).unwrap_or_default();
        let (more, result) = self.fill(input, rest, limit, true);
        (written.saturating_add(more), result)
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
        if !self.ended && !self.at_end && !self.ends_at_block() {
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

    /// How many more bytes of this message the limit allows.
    fn allowed(&self, limit: u64) -> usize {
        usize::try_from(limit.saturating_sub(self.total)).unwrap_or(usize::MAX)
    }

    /// With the limit reached: whether the input holds nothing more. One byte of output does not
    /// leave this function, so whichever comes first, that byte or a bad one, decides.
    fn probe(&mut self, input: &mut &[u8], limit: u64, stop: bool) -> Result<At, ProtocolError> {
        let (written, result) = self.step(input, &mut [0], stop);
        if written > 0 {
            self.state = None;
            return Err(ProtocolError::MessageTooBig { seen: limit.saturating_add(1), limit });
        }
        result
    }

    /// One call of the backend, which is to `stop` at the end of a block, or not. The bytes it wrote
    /// are good even if it fails after them.
    fn step(
        &mut self,
        input: &mut &[u8],
        room: &mut [u8],
        stop: bool,
    ) -> (usize, Result<At, ProtocolError>) {
        let state = self.state.get_or_insert_with(pool::take_inflate);
        let flush = if stop { InflateFlush::Block } else { InflateFlush::NoFlush };
        let call = Call::new(state, input, room, flush);
        #[cfg(test)]
        {
            self.steps += 1;
        }
        self.consumed(input, call.consumed);
        self.total = self.total.saturating_add(call.written as u64);
        self.full = call.written == room.len();
        self.past_header = stop && call.written > 0;
        let at = match call.result {
            Ok(Status::StreamEnd) => {
                self.block_was_final();
                At::Other
            }
            Ok(Status::Ok | Status::BufError) if self.full || input.is_empty() => At::Other,
            // With input and room left, there is no other reason to return, ...
            Ok(Status::Ok) => At::BlockEnd,
            // ... and no call would ever get further.
            Ok(_) | Err(_) => return (call.written, Err(self.corrupt())),
        };
        (call.written, Ok(at))
    }

    /// Moves `input` past what the backend consumed of it.
    fn consumed(&mut self, input: &mut &[u8], len: usize) {
        let (consumed, rest) = input.split_at_checked(len).unwrap_or_default();
        if let Some(last) = consumed.last_chunk() {
            self.last = u32::from_be_bytes(*last);
        } else {
            for octet in consumed {
                self.last = (self.last << 8) | u32::from(*octet);
            }
        }
        self.at_end &= consumed.is_empty();
        *input = rest;
    }

    /// 7.2.1: "An endpoint MAY use both DEFLATE blocks with the "BFINAL" bit set to 0 and DEFLATE
    /// blocks with the "BFINAL" bit set to 1": what follows is another block.
    fn block_was_final(&mut self) {
        if let Some(state) = &mut self.state {
            state.reset(false);
        }
        self.full = false;
        // Before the first octet of a message, the block is the last of the message before.
        if !self.at_end || self.after_final {
            self.after_final = true;
            self.at_end = true;
        }
    }

    /// 7.2.2: "Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the payload of the
    /// message", in the cheapest way, which needs one call of the backend. With `zero`, a last octet
    /// of 0x00 goes before them, which nothing was made of yet, and which can yield no output. Whether
    /// that octet was consumed; whether the message ended is in `ended`.
    ///
    /// The backend is known to be either within a block, past its header, or at the end of a block
    /// with at most seven bits in hand. Told to stop at the end of a block, it leaves the extra octet
    /// of these only if the one before ended a block, the first since. If nothing was written, that
    /// block is an empty stored one, and begins in the payload, since no other can end there:
    ///
    /// - Stored data that is not at its end yields output, and so does a match.
    /// - A Huffman block that was begun ends with one code of at most 15 bits: within two octets.
    /// - A block with fixed codes takes 10 bits if it is empty.
    /// - A block with dynamic codes takes at least 51: 3, 14 for the counts, 15 for the code length
    ///   codes, 16 for the lengths of the 256 literals, which are zero, and 3 for the rest. There are
    ///   no more than 7 + 8 + 32.
    /// - A stored block that begins behind the payload has a length of 0xff00.
    fn ends_at_once(&mut self, zero: bool) -> bool {
        // The four octets may have been left on, see `ends_at_block`.
        let Some(state) = self.state.as_mut().filter(|_| self.last != u32::from_be_bytes(TAIL))
        else {
            return false;
        };
        let [a, b, c, d] = TAIL;
        let with_zero = [0x00, a, b, c, d, 0];
        let tail = with_zero.get(usize::from(!zero)..).unwrap_or_default();
        let call = Call::new(state, tail, &mut [0], InflateFlush::Block);
        #[cfg(test)]
        {
            self.steps += 1;
        }
        self.past_header = false;
        if call.result == Ok(Status::Ok)
            && call.written == 0
            && call.consumed.saturating_add(1) == tail.len()
        {
            self.ended = true;
            return zero;
        }
        if call.result == Ok(Status::StreamEnd) {
            self.block_was_final(); // and nothing was consumed
            return false;
        }
        if call.consumed > usize::from(zero) || call.written > 0 || call.result.is_err() {
            // Something else than the end was made of the four octets.
            self.state = None;
            self.at_end = false;
            return zero;
        }
        let mut consumed = with_zero.get(..call.consumed).unwrap_or_default();
        self.consumed(&mut consumed, call.consumed);
        self.full = zero; // what the octet ended may be a final block: asks for it
        call.consumed > 0
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
        // A final block ended with the payload, where the backend stopped.
        if call.result == Ok(Status::StreamEnd) && call.consumed == 0 {
            state.reset(false);
            return true;
        }
        if !(whole && call.result == Ok(Status::Ok)) {
            return false;
        }
        // A block that ended within 0xff would leave ones behind: no empty stored block can be read
        // after them.
        let empty = Call::new(state, &[0x00, a, b, c, d], &mut [0], InflateFlush::NoFlush);
        match empty {
            Call { result: Ok(Status::Ok), consumed: 5, written: 0 } => true,
            // The four octets closed a final block. Where they were left on, such a block was not of
            // the payload: its first bit is the last one there, behind the code that ends another.
            Call { result: Ok(Status::StreamEnd), consumed: 0, written: 0 } => {
                state.reset(false);
                !complete
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

/// Where a call of the backend that did not fail has ended.
enum At {
    /// The end of a block, with input and room left.
    BlockEnd,
    Other,
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
