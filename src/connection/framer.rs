//! [`Framer`]: payloads in, frames in the output. It knows nothing of what may be sent when.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::frame::header::{self, Header, MAX_HEADER_LEN};
use crate::frame::mask::{self, MaskKeys};
use crate::frame::opcode::Opcode;
use crate::message::Kind;
use crate::output::SMALL_HEADER;
#[cfg(feature = "deflate")]
use crate::output::Tail;
use crate::{Counters, Output};

/// From this many bytes up an owned payload is not copied into the output's buffer: the copy
/// costs more than the bookkeeping.
pub(super) const LARGE_OWNED: usize = 16 << 10;
/// A borrowed payload must be copied; from this many bytes up it gets memory of its own, which
/// is given back when it is sent.
const LARGE_BORROWED: usize = 64 << 10;

/// Encodes frames.
#[derive(Debug)]
pub(super) struct Framer {
    /// A client has keys: 5.3 "a client MUST mask all frames that it sends".
    keys: Option<MaskKeys>,
    pub(super) counters: Counters,
    /// In 32 bits, which is plenty, to keep an idle connection small.
    fragment_size: u32,
}

/// A data message, or a part of one that the application sends in pieces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) kind: Kind,
    /// RFC 7692 6: RSV1 is set on the first frame.
    pub(super) compressed: bool,
    /// Whether no frame of the message has been sent.
    pub(super) first: bool,
    /// Whether the message ends with it.
    pub(super) fin: bool,
}

impl Part {
    /// A whole message.
    pub(super) const fn whole(kind: Kind) -> Self {
        Self { kind, compressed: false, first: true, fin: true }
    }

    /// 5.4: the first fragment carries the opcode, the others "opcode 0"; the last has FIN.
    const fn head(self, first: bool, last: bool) -> Head {
        let opcode = match (first && self.first, self.kind) {
            (false, _) => Opcode::Continuation,
            (true, Kind::Text) => Opcode::Text,
            (true, Kind::Binary) => Opcode::Binary,
        };
        let rsv1 = self.compressed && first && self.first;
        Head { fin: last && self.fin, rsv1, opcode }
    }
}

/// The first byte of a frame.
#[derive(Clone, Copy, Debug)]
struct Head {
    fin: bool,
    rsv1: bool,
    opcode: Opcode,
}

/// An encoded header.
struct Encoded {
    bytes: [u8; MAX_HEADER_LEN],
    len: usize,
    mask: Option<[u8; 4]>,
}

impl Encoded {
    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&self.bytes)
    }
}

impl Framer {
    pub(super) fn new(keys: Option<MaskKeys>, fragment_size: usize) -> Self {
        let fragment_size = u32::try_from(fragment_size.max(1)).unwrap_or(u32::MAX);
        Self { keys, counters: Counters::default(), fragment_size }
    }

    pub(super) const fn is_client(&self) -> bool {
        self.keys.is_some()
    }

    /// The most bytes that a payload of `len` bytes takes with its headers.
    #[inline]
    pub(super) fn most_bytes(&self, len: usize) -> usize {
        let frames =
            if len <= self.fragment_size() { 1 } else { len.div_ceil(self.fragment_size()) };
        len.saturating_add(frames.saturating_mul(MAX_HEADER_LEN))
    }

    /// Encodes data, in as many frames as its size needs.
    #[inline]
    pub(super) fn data(&mut self, part: Part, payload: Cow<'_, [u8]>, output: &mut Output) {
        if part.fin {
            self.counters.count_message();
        }
        if payload.len() < LARGE_OWNED && payload.len() <= self.fragment_size() {
            self.frame(part.head(true, true), &payload, output);
        } else {
            self.large_data(part, payload, output);
        }
    }

    /// Encodes a whole message in one frame, if it is small and the output has room for it without
    /// more memory; otherwise nothing is done.
    #[inline(always)]
    pub(super) fn small(&mut self, kind: Kind, payload: &[u8], output: &mut Output) -> bool {
        let len = payload.len();
        if len >= LARGE_OWNED || len > self.fragment_size() {
            return false;
        }
        let Some(room) = output.small_room(len) else { return false };
        let opcode = if kind == Kind::Text { Opcode::Text } else { Opcode::Binary };
        let frame_len = match &mut self.keys {
            Some(keys) => small_masked(opcode, payload, keys, room),
            None => {
                let (header_len, body) = small_header(opcode, len, None, room);
                body.copy_from_slice(payload);
                header_len.wrapping_add(len)
            }
        };
        output.filled(frame_len);
        self.counters.count_data_frame(len as u64);
        self.counters.count_message();
        true
    }

    /// Room for a frame with at most `most` bytes of payload, which are written where they wait.
    /// `None` if the payload has to be made elsewhere and become [`data`](Self::data).
    #[cfg(feature = "deflate")]
    pub(super) fn tail<'o>(&self, most: usize, output: &'o mut Output) -> Option<Tail<'o>> {
        if most > self.fragment_size() {
            return None;
        }
        // What most need. With another length the payload moves.
        let header = if self.is_client() { 8 } else { 4 };
        output.tail(header, most)
    }

    /// Encodes the frame that was written there.
    #[cfg(feature = "deflate")]
    pub(super) fn written(&mut self, part: Part, mut tail: Tail<'_>) {
        if part.fin {
            self.counters.count_message();
        }
        let header = self.header(part.head(true, true), tail.payload().len());
        if let Some(key) = header.mask {
            mask::apply(key, 0, tail.payload());
        }
        tail.finish(header.as_slice());
    }

    /// Encodes a whole message whose payload is shared. A server does not copy it.
    pub(super) fn shared(&mut self, part: Part, payload: &Bytes, output: &mut Output) {
        if !self.is_worth_sharing(payload.len()) || self.is_client() {
            if part.compressed || !self.small(part.kind, payload, output) {
                self.data(part, Cow::Borrowed(payload), output);
            }
            return;
        }
        self.counters.count_message();
        let mut rest = payload.clone();
        let mut first = true;
        while !rest.is_empty() {
            let piece = rest.split_to(self.fragment_size().min(rest.len()));
            let header = self.header(part.head(first, rest.is_empty()), piece.len());
            output.push_large(header.as_slice(), piece);
            first = false;
        }
    }

    /// A control frame: before large frames that wait, behind what is in the buffer.
    pub(super) fn control(&mut self, opcode: Opcode, payload: &[u8], output: &mut Output) {
        let header = self.header(Head { fin: true, rsv1: false, opcode }, payload.len());
        let room = output.control_room(header.len.saturating_add(payload.len()));
        fill(room, &header, payload);
    }

    /// A Close frame goes behind everything that waits: what was sent before is delivered before.
    pub(super) fn close(&mut self, body: &[u8], output: &mut Output) {
        self.frame(Head { fin: true, rsv1: false, opcode: Opcode::Close }, body, output);
    }

    /// Whether frames of a payload are queued without a copy: each costs an entry in the queue, so
    /// small ones are not.
    const fn is_worth_sharing(&self, len: usize) -> bool {
        len >= LARGE_OWNED && self.fragment_size() >= LARGE_OWNED
    }

    const fn fragment_size(&self) -> usize {
        self.fragment_size as usize
    }

    #[cold]
    fn large_data(&mut self, part: Part, payload: Cow<'_, [u8]>, output: &mut Output) {
        match payload {
            Cow::Owned(payload) if self.is_worth_sharing(payload.len()) => {
                self.owned_frames(part, payload, output);
            }
            payload => {
                let mut pieces = payload.chunks(self.fragment_size()).peekable();
                let mut first = true;
                while let Some(piece) = pieces.next() {
                    self.copied_frame(part.head(first, pieces.peek().is_none()), piece, output);
                    first = false;
                }
            }
        }
    }

    fn copied_frame(&mut self, head: Head, payload: &[u8], output: &mut Output) {
        if payload.len() < LARGE_BORROWED {
            return self.frame(head, payload, output);
        }
        let header = self.header(head, payload.len());
        let mut copy = Vec::with_capacity(payload.len());
        match header.mask {
            Some(key) => mask::extend(key, 0, payload, &mut copy),
            None => copy.extend_from_slice(payload),
        }
        output.push_large(header.as_slice(), Bytes::from(copy));
    }

    /// Frames of a payload that is ours: masked in place, if at all, and not copied.
    fn owned_frames(&mut self, part: Part, mut payload: Vec<u8>, output: &mut Output) {
        let size = self.fragment_size();
        let pieces = payload.chunks_mut(size);
        let mut headers = Vec::with_capacity(pieces.len());
        let last = pieces.len().saturating_sub(1);
        for (index, piece) in pieces.enumerate() {
            let header = self.header(part.head(index == 0, index == last), piece.len());
            if let Some(key) = header.mask {
                mask::apply(key, 0, piece);
            }
            headers.push(header);
        }
        let mut payload = Bytes::from(payload);
        for header in headers {
            let piece = payload.split_to(size.min(payload.len()));
            output.push_large(header.as_slice(), piece);
        }
    }

    /// Counts a frame, draws its key, and encodes its header. The payload is at hand and will not
    /// change: 10.3 "the payload data [...] MUST NOT be capable of being modified by the
    /// application" once the key is chosen.
    #[inline]
    fn header(&mut self, head: Head, len: usize) -> Encoded {
        let Head { fin, rsv1, opcode } = head;
        let payload_len = len as u64;
        if opcode.is_control() {
            self.counters.count_control_frame();
        } else {
            self.counters.count_data_frame(payload_len);
        }
        let mask = self.keys.as_mut().map(MaskKeys::next_key);
        let mut bytes = [0; MAX_HEADER_LEN];
        let len = Header { fin, rsv1, opcode, mask, payload_len }.encode(&mut bytes);
        Encoded { bytes, len, mask }
    }

    #[inline]
    fn frame(&mut self, head: Head, payload: &[u8], output: &mut Output) {
        let header = self.header(head, payload.len());
        let room = output.room(header.len.saturating_add(payload.len()));
        fill(room, &header, payload);
    }
}

/// Writes a small frame of a client, and returns its length. Not compiled into its caller, where a
/// server would save the registers for it too.
#[inline(never)]
fn small_masked(opcode: Opcode, payload: &[u8], keys: &mut MaskKeys, room: &mut [u8]) -> usize {
    let key = keys.next_key();
    let (header_len, body) = small_header(opcode, payload.len(), Some(key), room);
    mask::copy(key, 0, payload, body);
    header_len.wrapping_add(payload.len())
}

/// Writes the header of a small frame in one store, and returns its length and the room for `len`
/// bytes of payload behind it.
#[inline(always)]
fn small_header(
    opcode: Opcode,
    len: usize,
    key: Option<[u8; 4]>,
    room: &mut [u8],
) -> (usize, &mut [u8]) {
    #[expect(clippy::cast_possible_truncation, reason = "it is small")]
    let (header, header_len) = header::small(opcode, len as u16, key);
    if let Some(place) = room.first_chunk_mut::<SMALL_HEADER>() {
        *place = header;
    }
    let end = header_len.wrapping_add(len);
    (header_len, room.get_mut(header_len..end).unwrap_or_default())
}

#[inline]
fn fill(room: &mut [u8], header: &Encoded, payload: &[u8]) {
    let Some((head, body)) = room.split_at_mut_checked(header.len) else { return };
    head.copy_from_slice(header.as_slice());
    match header.mask {
        Some(key) => mask::copy(key, 0, payload, body),
        None => body.copy_from_slice(payload),
    }
}
