//! The memory of messages that do not lie whole in one input: how it grows, how it is read into
//! directly, and how it is used again.

use alloc::collections::TryReserveError;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Assembler, Buffer, Fate, Kind};
use crate::ProtocolError;
use crate::frame::decoder::{Frame, LARGE};
use crate::frame::header::MAX_HEADER_LEN;
use crate::frame::mask;

/// A message is read into directly once so much of it has arrived, so that it may get memory for
/// as much again, or while so much is missing that there is memory for.
const LEAST: usize = LARGE;
/// The most bytes of masked payload in one direct read: they are unmasked afterwards, and should
/// still be in the nearest cache, which holds 32 KiB and more.
const PIECE: usize = 32 << 10;
/// The headers that came with a message, roughly, twice.
const HEADERS: usize = 2 * MAX_HEADER_LEN;
/// The largest buffer that is kept for the next message.
const MAX_RECYCLED: usize = 1 << 20;

impl Assembler {
    /// Whether [`direct`](Self::direct) was called and what was appended is not looked at yet.
    #[inline]
    pub(crate) const fn is_direct(&self) -> bool {
        self.direct
    }

    /// The memory of the message in progress, for its next bytes off the wire, and how many of
    /// them are missing in `frame` and have room. Text is not read directly: a `String` takes no
    /// bytes but through a check, which it has to pass once more if it was checked before.
    pub(crate) fn direct(&mut self, frame: &Frame) -> Option<(&mut Vec<u8>, usize)> {
        if !frame.large || !self.moved || self.fate != Fate::Kept || self.rules.compressed {
            return None;
        }
        let seen = self.seen(frame);
        let Buffer::Binary(data) = &mut self.buffer else { return None };
        // What is there beyond was appended after an earlier call, which was not completed.
        let before = data.len().checked_sub(seen)?;
        let missing = frame.remaining.saturating_sub(before as u64);
        let wanted = usize::try_from(missing).unwrap_or(usize::MAX);
        let room = data.capacity().saturating_sub(data.len());
        let kept = LEAST <= wanted && wanted <= room;
        if wanted == 0 || (seen < LEAST && !kept) {
            return None;
        }
        if room < wanted.min(LEAST) {
            let to_come = if frame.fin { missing } else { u64::MAX };
            // What there is no memory for, the next call of `receive` says.
            data.try_reserve_exact(room_for(data.len(), 0, to_come)).ok()?;
        }
        self.direct = true;
        let room = data.capacity().saturating_sub(data.len());
        let most = if frame.key == [0; 4] { usize::MAX } else { PIECE };
        Some((data, wanted.min(room).min(most)))
    }

    /// Unmasks what was appended to the message. Returns how many bytes of `frame` that is, and
    /// whether the message ends with them.
    pub(crate) fn take_direct(&mut self, frame: &Frame) -> Result<(usize, bool), ProtocolError> {
        let from = self.seen(frame);
        self.direct = false;
        let Buffer::Binary(data) = &mut self.buffer else { return Ok((0, false)) };
        let appended = data.len().checked_sub(from).ok_or(ProtocolError::DirectMisuse)?;
        if appended as u64 > frame.remaining {
            return Err(ProtocolError::DirectMisuse);
        }
        if frame.key != [0; 4] {
            mask::apply(frame.key, 0, data.get_mut(from..).unwrap_or_default());
        }
        let ends_message = frame.fin && appended as u64 == frame.remaining;
        if ends_message {
            self.end_message();
        }
        Ok((appended, ends_message))
    }

    /// How much of the message was looked at, where it was moved out of the input.
    fn seen(&self, frame: &Frame) -> usize {
        let seen = self.rules.message_size.saturating_sub(frame.remaining);
        usize::try_from(seen).unwrap_or(usize::MAX)
    }

    /// Keeps the memory for the next message that needs some, unless one does already.
    pub(crate) fn recycle(&mut self, mut spent: Vec<u8>) {
        if self.drops_data()
            || self.moved
            || !self.buffer.is_empty()
            || spent.capacity() > MAX_RECYCLED
        {
            return;
        }
        spent.clear();
        self.buffer = Buffer::Binary(spent);
    }

    /// From here on the message is owned. `expected` is how long it will be, as far as that is
    /// known: memory that is kept is not used for a message which is much smaller, or else a peer
    /// could make an application that keeps small messages keep the memory of large ones.
    pub(super) fn begin_buffer(&mut self, expected: u64) {
        if self.moved {
            return;
        }
        self.moved = true;
        let mut data = self.take_binary();
        if (data.capacity() / 4) as u64 > expected {
            data = Vec::new();
        }
        self.buffer = match self.kind {
            Kind::Text => Buffer::Text(String::from_utf8(data).unwrap_or_default()), // it is empty
            Kind::Binary => Buffer::Binary(data),
        };
    }
}

impl Buffer {
    /// Room for `len` more bytes, and for some of the `to_come` after them. A limit may be more than
    /// there is memory for, or than an address space of 32 bits can have.
    pub(super) fn make_room(&mut self, len: usize, to_come: u64) -> Result<(), ProtocolError> {
        let (have, capacity) = match self {
            Self::Text(text) => (text.len(), text.capacity()),
            Self::Binary(data) => (data.len(), data.capacity()),
        };
        let needed = have.saturating_add(len);
        if needed <= capacity {
            return Ok(());
        }
        let planned = self.try_reserve(room_for(have, len, to_come));
        planned
            .or_else(|_| self.try_reserve(len))
            .map_err(|_| ProtocolError::OutOfMemory { seen: needed as u64 })
    }

    fn try_reserve(&mut self, more: usize) -> Result<(), TryReserveError> {
        match self {
            Self::Text(text) => text.try_reserve_exact(more),
            Self::Binary(data) => data.try_reserve_exact(more),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(data) => data.len(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How much to reserve for `len` more bytes: room for the rest of the message too, but never for
/// more than twice what has arrived, headers included, so that memory follows what was received
/// and not what was declared (10.4).
///
/// Before the end is known it doubles, which keeps the work for many small fragments linear. Else
/// the steps are planned backwards: a half, a quarter, ... of the message, so that the last step
/// leads from a half to the whole and no step is in vain.
fn room_for(have: usize, len: usize, to_come: u64) -> usize {
    let arrived = have.saturating_add(len);
    if to_come == u64::MAX {
        return len.saturating_add(arrived);
    }
    let most = arrived.saturating_add(arrived).saturating_add(HEADERS);
    let to_come = usize::try_from(to_come).unwrap_or(usize::MAX);
    let mut step = arrived.saturating_add(to_come);
    while step > most {
        step = step.div_ceil(2); // more than a half of `most`, so enough for what has arrived
    }
    step.saturating_sub(have)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_planned_backwards() {
        for total in [1_usize, 100, 4_099, 65_537, 1 << 20, 1_000_003, usize::MAX] {
            for first in [1, 13, 4_096, 16_370, 65_522] {
                let first = first.min(total);
                let mut capacity = 0;
                let mut arrived = first;
                let mut steps = 0;
                while arrived < total.min(1 << 30) {
                    let to_come = (total - arrived) as u64;
                    let room = room_for(arrived, 0, to_come);
                    assert_eq!(room_for(arrived - 1, 1, to_come), room + 1);
                    assert!(room > 0, "{total} {first} {arrived}");
                    capacity = arrived + room;
                    assert!(capacity <= total.min(2 * arrived + 28), "{total} {first} {arrived}");
                    arrived = capacity;
                    steps += 1;
                }
                // No step is a small one, but the first.
                let doublings = (total.min(1 << 31) / first).ilog2();
                assert!(steps <= doublings + 2, "{total} {first}: {steps} steps");
                assert!(total > 1 << 30 || first == total || capacity == total);
            }
        }
        // Not known how long: doubled.
        assert_eq!(room_for(100, 50, u64::MAX), 200);
    }
}
