//! [`Tail`]: a frame that is written where it waits, before its header is known.

use alloc::vec::Vec;
use core::ops::Range;

/// The end of an output, where a frame's payload is written first and its header then. Nothing of
/// it waits until [`finish`](Self::finish).
pub(crate) struct Tail<'o> {
    buffer: &'o mut Vec<u8>,
    end: &'o mut usize,
    /// The payload so far: behind the end, and behind room for a header.
    payload: Range<usize>,
}

impl<'o> Tail<'o> {
    /// At `end` of the initialised `buffer`, with `header` bytes left for the header.
    pub(super) const fn new(buffer: &'o mut Vec<u8>, end: &'o mut usize, header: usize) -> Self {
        let start = end.saturating_add(header);
        Self { buffer, end, payload: start..start }
    }

    /// `len` bytes behind the payload, to be filled from the front.
    pub(crate) fn room(&mut self, len: usize) -> &mut [u8] {
        let end = self.payload.end.saturating_add(len);
        if end > self.buffer.len() {
            self.buffer.resize(end, 0);
        }
        self.buffer.get_mut(self.payload.end..end).unwrap_or_default()
    }

    /// The first `count` bytes of the [`room`](Self::room) belong to the payload.
    pub(crate) const fn filled(&mut self, count: usize) {
        self.payload.end = self.payload.end.saturating_add(count);
    }

    pub(crate) fn payload(&mut self) -> &mut [u8] {
        self.buffer.get_mut(self.payload.clone()).unwrap_or_default()
    }

    /// Takes `tail` off the payload's end. Whether it was there.
    pub(crate) fn strip(&mut self, tail: &[u8]) -> bool {
        let found = self.payload().ends_with(tail);
        if found {
            self.payload.end = self.payload.end.saturating_sub(tail.len());
        }
        found
    }

    /// The frame waits now. Its payload is moved if the header has another length than was left
    /// for it.
    pub(crate) fn finish(self, header: &[u8]) {
        let start = self.end.saturating_add(header.len());
        let end = start.saturating_add(self.payload.len());
        if start != self.payload.start {
            if end > self.buffer.len() {
                self.buffer.resize(end, 0);
            }
            self.buffer.copy_within(self.payload, start);
        }
        if let Some(place) = self.buffer.get_mut(*self.end..start) {
            place.copy_from_slice(header);
        }
        *self.end = end;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{KEEP, Output};
    use bytes::Bytes;
    use std::vec::Vec;

    fn waiting(output: &Output) -> Vec<u8> {
        output.chunks().collect::<Vec<_>>().concat()
    }

    /// Whatever was left for the header and announced, and wherever the frame begins.
    #[test]
    fn header_and_payload_stand_behind_what_waits() {
        for before in [0, 1, 255, 256, 5_000] {
            for sent in [0, before / 2, before] {
                for (left, header) in [(4, 4), (4, 2), (8, 6), (2, 4), (2, 14), (14, 2)] {
                    for (announced, len) in [(0, 0), (64, 3), (64, 700), (254, 254), (3_000, 3_000)]
                    {
                        let mut output = Output::new();
                        output.room(before).fill(1);
                        output.advance(sent);
                        let mut tail = output.tail(left, announced).expect("nothing large waits");
                        for piece in [len / 3, len - len / 3] {
                            tail.room(piece).fill(3);
                            tail.filled(piece);
                        }
                        assert_eq!(tail.payload().len(), len);
                        tail.payload().iter_mut().for_each(|byte| *byte += 1);
                        tail.finish(&[2; 14][..header]);
                        output.room(1).fill(5);
                        let parts = [(1, before - sent), (2, header), (4, len), (5, 1)];
                        let expected: Vec<_> =
                            parts.iter().flat_map(|&(byte, len)| std::vec![byte; len]).collect();
                        assert_eq!(waiting(&output), expected, "{before} {sent} {left} {header}");
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_waits_that_was_not_finished() {
        let mut output = Output::new();
        output.room(3).fill(1);
        let mut tail = output.tail(4, 100).expect("nothing large waits");
        tail.room(50).fill(9);
        tail.filled(50);
        assert!(!tail.strip(&[8, 9]) && tail.strip(&[9; 2]) && tail.payload().len() == 48);
        assert_eq!(waiting(&output), [1; 3]);
    }

    /// A transport that takes a little at a time: what it has taken makes room.
    #[test]
    fn memory_does_not_grow_with_what_was_sent() {
        let mut output = Output::new();
        output.room(1_000).fill(1);
        for _ in 0..10_000 {
            output.advance(14);
            let mut tail = output.tail(4, 10).expect("nothing large waits");
            tail.room(10).fill(2);
            tail.filled(10);
            tail.finish(&[3; 4]);
        }
        assert_eq!(output.len(), 1_000);
        assert!(output.buffer.len() <= 4_000, "{} bytes", output.buffer.len());
    }

    #[test]
    fn large_frames_and_memory_that_is_not_kept() {
        let mut output = Output::new();
        assert!(output.tail(4, KEEP - 3).is_none());
        assert!(output.tail(4, KEEP - 4).is_some());
        output.push_large(&[1; 2], Bytes::from_static(&[2; 3]));
        assert!(output.tail(4, 1).is_none(), "it would overtake");
    }
}
