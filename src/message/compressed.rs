//! Compressed messages (RFC 7692 section 6): pieces of payload go through the inflater, what
//! comes out is collected or delivered like any other message.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::deflate::{Inflater, Progress as Inflated, room_for};
use super::utf8::Utf8;
use super::{Assembler, Buffer, Piece, Progress, append_text};
use crate::ProtocolError;
use crate::frame::mask;

/// The most bytes of a chunk, but for what the inflater holds at the end of a piece.
const CHUNK: usize = 16 << 10;
/// The most that is inflated of a text before it is validated: see [`largest_part`].
const PART: usize = 8 << 10;
const LARGE_PART: usize = 64 << 10;
/// Payload that is inflated to the stack.
const SHORT_INPUT: usize = 192;
const SHORT_PART: usize = 1024;
/// The most bytes of payload that are looked at for one chunk: what is left of them is masked
/// again for the next.
const CHUNK_INPUT: usize = 4 << 10;

impl Assembler {
    /// RSV1 has a meaning from now on (RFC 7692 section 6).
    pub(crate) fn agree_deflate(&mut self, context_takeover: bool) {
        self.rules.rsv1 = true;
        self.inflater = Some(Box::new(Inflater::new(context_takeover)));
    }

    /// Takes a piece of a compressed message, as [`payload`](Self::payload) does.
    pub(super) fn compressed(
        &mut self,
        input: &mut [u8],
        piece: Piece,
    ) -> Result<(Progress, usize), ProtocolError> {
        if self.delivers_chunks() {
            self.inflate_chunk(input, piece)
        } else {
            self.inflate_all(input, piece)
        }
    }

    fn inflate_all(
        &mut self,
        input: &mut [u8],
        piece: Piece,
    ) -> Result<(Progress, usize), ProtocolError> {
        let bytes = input.get_mut(piece.range()).unwrap_or_default();
        mask::apply(piece.key, 0, bytes);
        self.begin_buffer(0); // not known how long it will be
        self.inflate(&mut &*bytes, usize::MAX, piece.ends_message)?;
        if !piece.ends_message {
            return Ok((Progress::More, piece.len));
        }
        self.end_compressed()?;
        Ok((Progress::Owned, piece.len))
    }

    fn inflate_chunk(
        &mut self,
        input: &mut [u8],
        piece: Piece,
    ) -> Result<(Progress, usize), ProtocolError> {
        let all = input.get_mut(piece.range()).unwrap_or_default();
        let len = all.len().min(CHUNK_INPUT);
        let bytes = all.get_mut(..len).unwrap_or_default();
        mask::apply(piece.key, 0, bytes);
        self.moved = false; // each chunk has a buffer of its own
        self.begin_buffer(0);
        let mut rest: &[u8] = bytes;
        let last = piece.ends_message && len == piece.len;
        let mut inflated = self.inflate(&mut rest, CHUNK, last)?;
        // With the input used up, what the inflater still holds is little: nothing may wait in it
        // when the next header is read.
        while rest.is_empty() && inflated == Inflated::Full {
            inflated = self.inflate(&mut rest, CHUNK, last)?;
        }
        let used = len.saturating_sub(rest.len());
        if let Some(unused) = bytes.get_mut(used..) {
            mask::apply(piece.key, used, unused);
        }
        if piece.ends_message && used == piece.len {
            self.end_compressed()?;
        } else if self.buffer.is_empty() {
            return Ok((Progress::More, used));
        }
        Ok((Progress::Owned, used))
    }

    /// Appends up to `max` bytes to the buffer. The limit on the message counts them (8.1 of RFC
    /// 7692 leaves it to the receiver; 10.4 of RFC 6455 asks for it).
    fn inflate(
        &mut self,
        rest: &mut &[u8],
        max: usize,
        last: bool,
    ) -> Result<Inflated, ProtocolError> {
        let limit = self.rules.limits.message;
        let Some(inflater) = &mut self.inflater else { return Ok(Inflated::NeedInput) };
        match &mut self.buffer {
            Buffer::Binary(data) => inflater.inflate(rest, data, max, limit, last),
            Buffer::Text(text) => {
                inflate_text(inflater, rest, max, limit, last, text, &mut self.utf8)
            }
        }
    }

    fn end_compressed(&mut self) -> Result<(), ProtocolError> {
        if let Some(inflater) = &mut self.inflater {
            inflater.finish()?;
        }
        self.utf8.finish()?;
        self.end_message();
        Ok(())
    }
}

/// Text is inflated in parts, which are validated on their way to it: it has its exact size then,
/// and a short one needs no other memory.
fn inflate_text(
    inflater: &mut Inflater,
    rest: &mut &[u8],
    max: usize,
    limit: u64,
    last: bool,
    text: &mut String,
    utf8: &mut Utf8,
) -> Result<Inflated, ProtocolError> {
    let limit_len = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut long = Vec::new();
    let mut done = 0_usize;
    while done < max {
        let room = if rest.len() <= SHORT_INPUT && done <= SHORT_PART {
            SHORT_PART
        } else {
            room_for(rest.len(), done)
        };
        let len = room.min(largest_part(text.len(), limit_len)).min(max.saturating_sub(done));
        let mut short;
        let part = if len <= SHORT_PART {
            short = [0; SHORT_PART];
            short.get_mut(..len).unwrap_or_default()
        } else {
            if len != long.len() {
                long = zeros(len).ok_or(out_of_memory(text.len(), len))?;
            }
            &mut long[..]
        };
        let (len, inflated) = inflater.fill(rest, part, limit, last);
        let bytes = part.get(..len).unwrap_or_default();
        let more = len.saturating_add(utf8.carried());
        reserve(text, more, limit_len.saturating_sub(text.len()))?;
        // What came out before a fault is text all the same, and was there first.
        append_text(text, utf8, bytes)?;
        if inflated? == Inflated::NeedInput {
            return Ok(Inflated::NeedInput);
        }
        done = done.saturating_add(len);
    }
    Ok(Inflated::Full)
}

/// The most bytes of a text that wait to be validated: they are live next to it and to the inflater's
/// state. They can be more while the text, which may double next, has less than a quarter of its
/// limit: what a text repeats of itself is found faster in its part than in the window.
fn largest_part(text: usize, limit: usize) -> usize {
    if text < limit / 4 { (limit / 4).clamp(PART, LARGE_PART) } else { PART }
}

/// Room for `len` more bytes. It doubles, but never beyond what the limit still allows.
fn reserve(text: &mut String, len: usize, allowed: usize) -> Result<(), ProtocolError> {
    if text.capacity().saturating_sub(text.len()) >= len {
        return Ok(());
    }
    let doubled = text.try_reserve_exact(text.len().min(allowed).max(len));
    doubled.or_else(|_| text.try_reserve_exact(len)).map_err(|_| out_of_memory(text.len(), len))
}

fn zeros(len: usize) -> Option<Vec<u8>> {
    let mut zeros = Vec::new();
    zeros.try_reserve_exact(len).ok()?;
    zeros.resize(len, 0);
    Some(zeros)
}

const fn out_of_memory(have: usize, more: usize) -> ProtocolError {
    ProtocolError::OutOfMemory { seen: have.saturating_add(more) as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_waits_close_to_the_limit() {
        let cases = [
            // Text so far, limit, part.
            (0, 1 << 20, 64 << 10),
            ((256 << 10) - 1, 1 << 20, 64 << 10),
            (256 << 10, 1 << 20, 8 << 10),
            (1 << 20, 1 << 20, 8 << 10),
            (0, 80 << 10, 20 << 10),
            (20 << 10, 80 << 10, 8 << 10),
            (0, 100, 8 << 10),
            ((usize::MAX >> 2) - 1, usize::MAX, 64 << 10),
        ];
        for (text, limit, part) in cases {
            assert_eq!(largest_part(text, limit), part, "{text} of {limit}");
        }
    }
}
