//! [`Output`]: the bytes that must be sent, contiguous where they are small, shared where they are large.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

#[cfg(feature = "deflate")]
mod tail;
#[cfg(feature = "deflate")]
pub(crate) use tail::Tail;

/// The longest header of a frame that is not large: two bytes, a 16-bit length, a masking key.
pub(crate) const SMALL_HEADER: usize = 8;

/// An empty output keeps memory for so many bytes; more is given back.
const KEEP: usize = 64 << 10;

/// The smallest growth of the contiguous part.
const MIN_GROWTH: usize = 256;

/// Bytes that must be written to the transport, in order.
///
/// The caller owns it and lends it to each call that may produce bytes. After such a call it
/// writes [`pending`](Self::pending) (or all of [`chunks`](Self::chunks) in one vectored write),
/// and reports what the transport took with [`advance`](Self::advance).
///
/// ```text
/// written first                                                     written last
/// [ rest of the large frame in flight ][ buffer: small frames ][ large frame ] [ large frame ] ...
///                                                             ^
///               a pong goes here: it waits for one large frame at most, and what is small
/// ```
///
/// ```
/// use websocket_proto::{Config, Connection, Message, Negotiated, Output};
///
/// let mut connection = Connection::server(Negotiated::default(), Config::default());
/// let mut output = Output::new();
/// connection.send(Message::text("Hello"), &mut output)?;
/// assert_eq!(output.pending(), b"\x81\x05Hello"); // RFC 6455 section 5.7
/// output.advance(7);
/// assert!(output.is_empty());
/// # Ok::<(), websocket_proto::SendError>(())
/// ```
///
/// `Debug` shows how much waits, and none of it.
#[derive(Default)]
pub struct Output {
    /// Initialised memory, so that room is never zeroed twice; `start..end` waits to be written.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes that were written, less those of control frames that have overtaken others: what is
    /// queued at the position `passed + n` has left once `passed` has come to it.
    passed: u64,
    /// Boxed, and absent most of the time: an idle connection should not pay for it.
    large: Option<Box<Large>>,
}

/// Large frames, and what was queued behind them.
#[derive(Default)]
struct Large {
    /// The entry whose bytes have begun to leave: it is finished before anything else.
    in_flight: Option<Entry>,
    waiting: VecDeque<Entry>,
    /// Bytes in all entries.
    len: usize,
}

/// Small frames and the header of a large one, then the large payload.
#[derive(Default)]
struct Entry {
    head: Vec<u8>,
    sent: usize,
    payload: Bytes,
}

impl Output {
    /// An empty output. It owns no memory until bytes are added.
    #[must_use]
    pub const fn new() -> Self {
        Self { buffer: Vec::new(), start: 0, end: 0, passed: 0, large: None }
    }

    /// The number of bytes that wait to be written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.buffered().saturating_add(self.large.as_ref().map_or(0, |large| large.len))
    }

    /// Whether nothing waits to be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start == self.end && self.large.is_none()
    }

    /// The next contiguous bytes to write. Empty only if [`is_empty`](Self::is_empty).
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        match &self.large {
            None => self.buffer.get(self.start..self.end).unwrap_or_default(),
            Some(_) => self.chunks().next().unwrap_or_default(),
        }
    }

    /// All bytes to write, in order, as non-empty pieces for a vectored write.
    pub fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        let large = self.large.as_deref();
        let in_flight = large.and_then(|large| large.in_flight.as_ref());
        let waiting = large.into_iter().flat_map(|large| &large.waiting);
        let buffer = self.buffer.get(self.start..self.end).unwrap_or_default();
        in_flight
            .into_iter()
            .flat_map(Entry::pieces)
            .chain([buffer])
            .chain(waiting.flat_map(Entry::pieces))
            .filter(|piece| !piece.is_empty())
    }

    /// Fills `slices` with the first pieces to write, and returns how many it set.
    ///
    /// ```
    /// use std::io::{IoSlice, Write};
    /// # use websocket_proto::Output;
    /// # fn write(output: &mut Output, transport: &mut impl Write) -> std::io::Result<()> {
    /// let mut slices = [IoSlice::new(&[]); 16];
    /// let count = output.io_slices(&mut slices);
    /// let written = transport.write_vectored(&slices[..count])?;
    /// output.advance(written);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "std")]
    #[inline]
    pub fn io_slices<'a>(&'a self, slices: &mut [std::io::IoSlice<'a>]) -> usize {
        match (&self.large, slices) {
            (None, []) => 0,
            (None, [first, ..]) => {
                *first = std::io::IoSlice::new(self.pending());
                usize::from(!first.is_empty())
            }
            (Some(_), slices) => self.all_io_slices(slices),
        }
    }

    #[cfg(feature = "std")]
    fn all_io_slices<'a>(&'a self, slices: &mut [std::io::IoSlice<'a>]) -> usize {
        slices
            .iter_mut()
            .zip(self.chunks())
            .map(|(slot, piece)| *slot = std::io::IoSlice::new(piece))
            .count()
    }

    /// Removes the first `count` bytes: the transport has taken them. More than
    /// [`len`](Self::len) removes all.
    #[inline]
    pub fn advance(&mut self, count: usize) {
        let buffered = self.buffered();
        if self.large.is_some() {
            let before = self.len();
            self.advance_large(count);
            self.pass(before.saturating_sub(self.len()));
        } else if count < buffered {
            self.start = self.start.saturating_add(count);
            self.pass(count);
        } else {
            self.pass(buffered);
            self.reset_buffer();
        }
    }

    #[inline]
    const fn pass(&mut self, count: usize) {
        self.passed = self.passed.wrapping_add(count as u64);
    }

    /// Where the control frames end that wait, as a position in all that ever leaves. Frames that
    /// overtake others later can make it seem later than it is, never earlier.
    #[cfg(feature = "std")]
    pub(crate) fn control_end(&self) -> u64 {
        let large = self.large.as_ref().and_then(|large| large.in_flight.as_ref());
        let in_flight = large.map_or(0, |entry| entry.pieces().map(<[u8]>::len).iter().sum());
        self.passed.wrapping_add(in_flight as u64).wrapping_add(self.buffered() as u64)
    }

    /// Whether all up to this position has left.
    #[cfg(feature = "std")]
    pub(crate) const fn has_passed(&self, position: u64) -> bool {
        // The upper half of the range is negative.
        self.passed.wrapping_sub(position) <= u64::MAX / 2
    }

    /// Drops what waits: it will never leave.
    #[cfg(feature = "std")]
    pub(crate) fn abandon(&mut self) {
        *self = Self { passed: self.passed, ..Self::new() };
    }

    #[cold]
    fn advance_large(&mut self, count: usize) {
        let rest = self.advance_in_flight(count);
        let buffered = self.buffered();
        if rest < buffered {
            self.start = self.start.saturating_add(rest);
            return;
        }
        self.reset_buffer();
        self.next_in_flight(rest.saturating_sub(buffered));
    }

    /// All of the contiguous part was written.
    #[inline]
    fn reset_buffer(&mut self) {
        self.start = 0;
        self.end = 0;
        if self.buffer.len() > KEEP + SMALL_HEADER {
            self.buffer = Vec::new();
        }
    }

    /// Gives the memory of an empty output back. Does nothing while bytes wait.
    pub fn release(&mut self) {
        if self.is_empty() {
            *self = Self { passed: self.passed, ..Self::new() };
        }
    }

    /// Whether it owns memory.
    #[cfg(any(feature = "tokio", feature = "futures-io"))]
    pub(crate) const fn has_memory(&self) -> bool {
        self.buffer.capacity() > 0
    }

    /// Memory for an output that owns none. What is in it does not matter.
    #[cfg(any(feature = "tokio", feature = "futures-io"))]
    pub(crate) fn adopt(&mut self, memory: Vec<u8>) {
        if !self.has_memory() {
            self.buffer = memory;
        }
    }

    /// The memory of an empty output.
    #[cfg(any(feature = "tokio", feature = "futures-io"))]
    pub(crate) fn take_memory(&mut self) -> Option<Vec<u8>> {
        (self.is_empty() && self.has_memory()).then(|| core::mem::take(&mut self.buffer))
    }

    /// Bytes in the contiguous part. Those of control frames are always there.
    pub(crate) const fn buffered(&self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Room for a control frame of `len` bytes, which the caller fills: before the large frames
    /// that have not begun, because "control frames MAY be injected in the middle of a fragmented
    /// message" (RFC 6455 section 5.4).
    pub(crate) fn control_room(&mut self, len: usize) -> &mut [u8] {
        if self.large.as_ref().is_some_and(|large| !large.waiting.is_empty()) {
            self.passed = self.passed.wrapping_sub(len as u64); // what is overtaken leaves later
        }
        self.reserve(len);
        let end = self.end.saturating_add(len);
        let start = core::mem::replace(&mut self.end, end);
        self.buffer.get_mut(start..end).unwrap_or_default()
    }

    /// The memory behind what waits, if it has room for a frame with `len` bytes of payload and
    /// comes next; `len` is that of a small one. The caller fills a part of it from the front, and
    /// calls [`filled`](Self::filled).
    #[inline(always)]
    pub(crate) fn small_room(&mut self, len: usize) -> Option<&mut [u8]> {
        if self.large.is_some() {
            return None;
        }
        let room = self.buffer.get_mut(self.end..)?;
        (room.len() >= len.wrapping_add(SMALL_HEADER)).then_some(room)
    }

    /// `count` bytes of [`small_room`](Self::small_room) wait now.
    #[inline(always)]
    pub(crate) const fn filled(&mut self, count: usize) {
        self.end = self.end.wrapping_add(count); // within the buffer
    }

    /// A frame whose length is not known before it is written, behind everything that waits: with
    /// room for a header of `header` bytes and a payload of `payload`. `None` if it would overtake
    /// large frames, or take more memory than is kept.
    #[cfg(feature = "deflate")]
    pub(crate) fn tail(&mut self, header: usize, payload: usize) -> Option<Tail<'_>> {
        let len = header.saturating_add(payload);
        if self.large.is_some() || len > KEEP {
            return None;
        }
        self.reserve(len);
        Some(Tail::new(&mut self.buffer, &mut self.end, header))
    }

    /// Room for `len` bytes behind everything that waits, which the caller fills.
    pub(crate) fn room(&mut self, len: usize) -> &mut [u8] {
        if self.large.is_none() {
            return self.control_room(len);
        }
        self.large.get_or_insert_default().room(len)
    }

    /// Queues a frame whose payload is not copied.
    pub(crate) fn push_large(&mut self, header: &[u8], payload: Bytes) {
        if self.is_empty() {
            // The usual case, without memory for a queue.
            let len = header.len().saturating_add(payload.len());
            let entry = Entry { head: header.to_vec(), sent: 0, payload };
            let large = Large { in_flight: Some(entry), len, ..Large::default() };
            self.large = Some(Box::new(large));
            return;
        }
        let large = self.large.get_or_insert_default();
        large.room(header.len()).copy_from_slice(header);
        large.len = large.len.saturating_add(payload.len());
        if let Some(entry) = large.waiting.back_mut() {
            entry.payload = payload;
        }
        if self.start == self.end {
            self.next_in_flight(0);
        }
    }

    /// Memory for `len` bytes behind what waits in the buffer.
    #[inline]
    fn reserve(&mut self, len: usize) {
        if self.end.saturating_add(len) > self.buffer.len() {
            self.grow(len);
        }
    }

    #[cold]
    fn grow(&mut self, len: usize) {
        // Move what waits to the front, then at least double. Unless much was freed there, doubling
        // comes first: a transport that takes little at a time must not have all moved each time.
        let freed_little = self.start < self.buffer.len() / 4;
        self.buffer.copy_within(self.start..self.end, 0);
        self.end = self.buffered();
        self.start = 0;
        let end = self.end.saturating_add(len);
        if freed_little || end > self.buffer.len() {
            // The next frame of this size is to have a `small_room`.
            let size = end.saturating_add(SMALL_HEADER);
            let size = size.max(self.buffer.len().saturating_mul(2)).max(MIN_GROWTH);
            self.buffer.resize(size, 0);
        }
    }

    /// Takes `count` bytes off the entry in flight; returns how many were beyond it.
    fn advance_in_flight(&mut self, count: usize) -> usize {
        let Some(large) = self.large.as_deref_mut() else { return count };
        let Some(entry) = &mut large.in_flight else { return count };
        let taken = entry.advance(count);
        large.len = large.len.saturating_sub(taken);
        if entry.is_empty() {
            large.in_flight = None;
        }
        count.saturating_sub(taken)
    }

    /// With the buffer empty, the first waiting entries are next: `count` bytes of them are gone.
    fn next_in_flight(&mut self, mut count: usize) {
        loop {
            let Some(large) = self.large.as_deref_mut() else { return };
            if large.in_flight.is_none() {
                large.in_flight = large.waiting.pop_front();
            }
            if large.in_flight.is_none() {
                self.large = None;
                return;
            }
            if count == 0 {
                return;
            }
            count = self.advance_in_flight(count);
        }
    }
}

/// Lengths only. What waits are messages, and memory that was used before may hold those of others.
impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("len", &self.len())
            .field("buffered", &self.buffered())
            .field("capacity", &self.buffer.capacity())
            .finish_non_exhaustive()
    }
}

impl Large {
    fn room(&mut self, len: usize) -> &mut [u8] {
        self.len = self.len.saturating_add(len);
        if self.waiting.back().is_none_or(|entry| !entry.payload.is_empty()) {
            self.waiting.push_back(Entry::default());
        }
        match self.waiting.back_mut() {
            Some(entry) => {
                let start = entry.head.len();
                entry.head.resize(start.saturating_add(len), 0);
                entry.head.get_mut(start..).unwrap_or_default()
            }
            None => &mut [], // not reached: pushed above
        }
    }
}

impl Entry {
    fn pieces(&self) -> [&[u8]; 2] {
        [self.head.get(self.sent..).unwrap_or_default(), &self.payload]
    }

    fn is_empty(&self) -> bool {
        self.sent == self.head.len() && self.payload.is_empty()
    }

    /// Takes up to `count` bytes off the front; returns how many.
    fn advance(&mut self, count: usize) -> usize {
        let of_head = count.min(self.head.len().saturating_sub(self.sent));
        self.sent = self.sent.saturating_add(of_head);
        let of_payload = count.saturating_sub(of_head).min(self.payload.len());
        bytes::Buf::advance(&mut self.payload, of_payload);
        of_head.saturating_add(of_payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// A frame as a model: what it is, and its bytes.
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Frame {
        control: bool,
        bytes: Vec<u8>,
    }

    #[derive(Clone, Debug)]
    enum Step {
        Small(usize),
        InOneLook(usize),
        Control(usize),
        Large(usize),
        Advance(usize),
        Release,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (1..400_usize).prop_map(Step::Small),
            1 => (60_000..70_000_usize).prop_map(Step::Small),
            4 => (0..300_usize).prop_map(Step::InOneLook),
            4 => (2..131_usize).prop_map(Step::Control),
            3 => (0..3000_usize).prop_map(Step::Large),
            4 => (0..1000_usize).prop_map(Step::Advance),
            2 => (0..100_000_usize).prop_map(Step::Advance),
            1 => Just(Step::Advance(usize::MAX)),
            1 => Just(Step::Release),
        ]
    }

    /// Bytes that say which frame they are of.
    fn bytes(index: usize, len: usize) -> Vec<u8> {
        (0..len).map(|at| (index.wrapping_mul(31) ^ at) as u8).collect()
    }

    /// Looks at the same bytes in every way that there is.
    fn check(output: &Output, expected: &VecDeque<u8>) {
        assert_eq!(output.len(), expected.len());
        assert_eq!(output.is_empty(), expected.is_empty());
        assert_eq!(output.pending().is_empty(), expected.is_empty());
        let chunks: Vec<&[u8]> = output.chunks().collect();
        assert!(chunks.iter().all(|chunk| !chunk.is_empty()));
        assert_eq!(chunks.first().copied().unwrap_or_default(), output.pending());
        #[cfg(feature = "std")]
        {
            let mut slices = [std::io::IoSlice::new(&[]); 3];
            let count = output.io_slices(&mut slices);
            assert_eq!(count, chunks.len().min(3));
            assert!(slices[..count].iter().zip(&chunks).all(|(slice, chunk)| &slice[..] == *chunk));
        }
        assert!(chunks.concat().iter().eq(expected));
    }

    /// All bytes that were added, and in what order; control frames may overtake data.
    fn run(steps: &[Step]) {
        let mut output = Output::new();
        let mut written = Vec::new();
        let mut added: Vec<Frame> = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let before = output.chunks().collect::<Vec<_>>().concat();
            match *step {
                Step::Small(len) | Step::Control(len) => {
                    let control = matches!(step, Step::Control(_));
                    let bytes = bytes(index, len);
                    let room = if control { output.control_room(len) } else { output.room(len) };
                    assert_eq!(room.len(), len);
                    room.copy_from_slice(&bytes);
                    added.push(Frame { control, bytes });
                }
                Step::InOneLook(len) => {
                    let Some(room) = output.small_room(len) else { continue };
                    let bytes = bytes(index, 2 + 2 * (index % 4) + len);
                    room[..SMALL_HEADER].fill(0xEE); // a header is written in one store
                    room[..bytes.len()].copy_from_slice(&bytes);
                    output.filled(bytes.len());
                    added.push(Frame { control: false, bytes });
                }
                Step::Large(len) => {
                    let bytes = bytes(index, len + 14);
                    let (header, payload) = bytes.split_at(14);
                    output.push_large(header, Bytes::copy_from_slice(payload));
                    added.push(Frame { control: false, bytes });
                }
                Step::Advance(count) => {
                    let gone = count.min(before.len());
                    written.extend_from_slice(&before[..gone]);
                    output.advance(count);
                    check(&output, &before[gone..].iter().copied().collect());
                    continue;
                }
                Step::Release => {
                    output.release();
                    check(&output, &before.into());
                    continue;
                }
            }
            // The frame stands somewhere in what waits, whole; the rest is as it was.
            let frame = added.last().expect("just added");
            let after = output.chunks().collect::<Vec<_>>().concat();
            let common = before.iter().zip(&after).take_while(|(old, new)| old == new).count();
            let place = (0..=common).rev().find(|&place| {
                after[place..].starts_with(&frame.bytes)
                    && after[place + frame.bytes.len()..] == before[place..]
            });
            let place = place.expect("inserted whole");
            assert!(frame.control || place == before.len(), "data goes behind everything");
            check(&output, &after.into());
        }
        written.extend(output.chunks().collect::<Vec<_>>().concat());
        check_frames(&written, &added);
    }

    /// What was written is the frames, none cut, each kind in its order, data never before a
    /// control frame that was added earlier.
    fn check_frames(written: &[u8], added: &[Frame]) {
        let mut data: VecDeque<_> = added.iter().filter(|frame| !frame.control).collect();
        let mut control: VecDeque<_> = added.iter().filter(|frame| frame.control).collect();
        let mut rest = written;
        while !rest.is_empty() {
            let queue = [&mut data, &mut control].into_iter().find_map(|queue| {
                let frame = queue.front()?;
                rest = rest.strip_prefix(&frame.bytes[..])?;
                Some(queue)
            });
            queue.expect("a frame was cut, or is out of order").pop_front();
        }
        assert!(data.is_empty() && control.is_empty(), "something was lost");
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 200, failure_persistence: None, ..Default::default()
        })]

        #[test]
        fn bytes_in_are_bytes_out(steps in vec(step(), 0..40)) {
            run(&steps);
        }
    }

    /// Or it would take the long way every time.
    #[test]
    fn a_frame_leaves_room_for_the_next_of_its_size() {
        for (header, len) in [(2, 125), (6, 125), (4, 1_000), (8, 1_000), (4, 16_000), (8, 60_000)]
        {
            let mut output = Output::new();
            output.room(header + len).fill(1);
            output.advance(header + len);
            assert!(output.small_room(len).is_some(), "{header} {len}");
        }
    }

    /// The header is written in one store of more bytes than it has: there is room for these too.
    #[test]
    fn small_room_is_for_the_widest_header() {
        let mut output = Output::new();
        assert_eq!(output.small_room(0), None, "there is no memory");
        output.room(1).fill(1);
        let free = output.buffer.len() - output.end;
        assert_eq!(output.small_room(free - SMALL_HEADER).map(|room| room.len()), Some(free));
        assert_eq!(output.small_room(free - SMALL_HEADER + 1), None);
        output.push_large(&[2; 2], Bytes::from_static(&[2; 3]));
        assert_eq!(output.small_room(0), None, "it would overtake");
    }

    /// A control frame waits for the large frame that is in flight, and for no other.
    #[test]
    fn control_frames_overtake_large_ones() {
        let mut output = Output::new();
        for byte in [1, 2, 3] {
            output.push_large(&[byte; 2], Bytes::from(std::vec![byte; 3]));
        }
        output.room(1).fill(4);
        output.control_room(1).fill(9);
        assert_eq!(
            output.chunks().collect::<Vec<_>>().concat(),
            b"\x01\x01\x01\x01\x01\x09\x02\x02\x02\x02\x02\x03\x03\x03\x03\x03\x04"
        );
        output.advance(7);
        output.control_room(1).fill(8);
        assert_eq!(
            output.chunks().collect::<Vec<_>>().concat(),
            b"\x02\x02\x02\x02\x08\x03\x03\x03\x03\x03\x04"
        );
    }

    #[test]
    fn memory_is_given_back() {
        let mut output = Output::new();
        assert_eq!(output.buffer.capacity(), 0);
        output.room(KEEP + 1).fill(1);
        output.advance(KEEP);
        assert!(!output.buffer.is_empty());
        output.advance(1);
        assert_eq!(output.buffer.capacity(), 0, "more than is kept");
        output.room(KEEP).fill(1);
        output.release();
        assert_eq!(output.len(), KEEP, "nothing is lost");
        output.advance(KEEP);
        assert!(output.buffer.capacity() > 0, "kept for the next bytes");
        output.release();
        assert_eq!(output.buffer.capacity(), 0);
        output.push_large(&[1; 2], Bytes::from_static(&[2; 100]));
        output.advance(102);
        assert!(output.large.is_none() && output.buffer.capacity() == 0);
    }

    /// The adapters lend memory to outputs that have none, and take it from those that are empty.
    #[cfg(any(feature = "tokio", feature = "futures-io"))]
    #[test]
    fn memory_is_lent() {
        let mut output = Output::new();
        assert!(!output.has_memory() && output.take_memory().is_none());
        let memory = std::vec![7; 100];
        let address = memory.as_ptr();
        output.adopt(memory);
        assert!(output.has_memory() && output.is_empty(), "what is in it does not matter");
        output.adopt(std::vec![8; 200]);
        output.room(3).fill(1);
        assert_eq!(output.pending().as_ptr(), address, "the first one is used");
        assert_eq!(output.take_memory(), None, "it is in use");
        output.advance(3);
        let memory = output.take_memory().expect("it is empty");
        assert_eq!((memory.as_ptr(), output.has_memory()), (address, false));
    }

    /// A transport that takes a little each time: what waits is not moved each time.
    #[test]
    fn a_slow_transport_costs_linear_work() {
        const WAITING: usize = 10_000;
        let mut output = Output::new();
        output.room(WAITING).fill(1);
        let (mut moved, mut added) = (0, 0);
        for _ in 0..10_000 {
            output.advance(10);
            let (start, capacity) = (output.start, output.buffer.len());
            output.room(10).fill(1);
            added += 10;
            if output.start < start || output.buffer.len() != capacity {
                moved += output.len();
            }
        }
        assert!(moved <= 4 * added, "{moved} bytes were moved for {added}");
        assert!(output.buffer.len() <= 4 * WAITING, "{} bytes", output.buffer.len());
    }
}
