//! Frames that lie whole in the input, which most do: taken in one look each, without the state
//! that a frame in pieces needs.

use core::ops::Range;

use super::{Assembler, Fate, Kind, Piece, Progress};
use crate::frame::mask;
use crate::frame::whole::{self, Whole};
use crate::{Counters, ProtocolError};

impl Assembler {
    /// The message at the front of the input, if it is one frame that lies whole in it and there is
    /// nothing unusual about it.
    #[inline(always)]
    pub(crate) fn whole_message(&self, input: &[u8]) -> Option<Whole> {
        if self.fate != Fate::Kept || self.rules.in_message {
            return None;
        }
        whole::frame(&self.rules, input).filter(Whole::fin)
    }

    /// Takes data frames that lie whole in the input, from `position` on, as long as there is
    /// nothing unusual. Of a message that was moved, their payloads are appended; else they are
    /// lent, at `run`.
    #[inline(always)]
    pub(crate) fn whole_frames(
        &mut self,
        input: &mut [u8],
        position: &mut usize,
        run: &mut Range<usize>,
        counters: &mut Counters,
    ) -> Result<Progress, ProtocolError> {
        if self.fate != Fate::Kept {
            return Ok(Progress::More);
        }
        loop {
            let rest = input.get(*position..).unwrap_or_default();
            let Some(whole) = whole::frame(&self.rules, rest) else { return Ok(Progress::More) };
            counters.count_data_frame(whole.len as u64);
            // Neither sum is beyond the end of the input.
            let start = position.wrapping_add(whole.header_len);
            *position = start.wrapping_add(whole.len);
            if !self.rules.in_message {
                self.kind = if whole.is_text() { Kind::Text } else { Kind::Binary };
            }
            if self.moved {
                self.append_whole(input, start, &whole)?;
            } else {
                lend(input, start..*position, whole.key, run);
            }
            if whole.fin() {
                let progress = if self.moved { Progress::Owned } else { Progress::Lent };
                self.utf8.finish()?; // of lent text, nothing went through it
                self.end_message();
                return Ok(progress);
            }
            self.count_fragment(whole.len as u64);
        }
    }

    /// Moves a whole frame's payload out of the input.
    fn append_whole(
        &mut self,
        input: &mut [u8],
        start: usize,
        whole: &Whole,
    ) -> Result<(), ProtocolError> {
        let piece = Piece {
            start,
            len: whole.len,
            key: whole.key,
            ends_frame: true,
            ends_message: whole.fin(),
            to_come: if whole.fin() { 0 } else { u64::MAX },
        };
        self.append(input, piece)
    }
}

/// Unmasks a frame's payload in place, right behind the run.
#[inline(always)]
pub(super) fn lend(input: &mut [u8], payload: Range<usize>, key: [u8; 4], run: &mut Range<usize>) {
    let place = if run.start == run.end {
        *run = payload.clone();
        payload
    } else {
        // Moving first and unmasking then, both in the nearest cache, beats one checked pass.
        let start = run.end;
        // Before the end of the payload, which lies behind it.
        run.end = start.wrapping_add(payload.len());
        input.copy_within(payload, start);
        start..run.end
    };
    // Without a mask (a server's frame) there is nothing to do.
    if key != [0; 4]
        && let Some(bytes) = input.get_mut(place)
    {
        mask::apply(key, 0, bytes);
    }
}
