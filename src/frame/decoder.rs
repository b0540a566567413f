//! Where one frame ends and the next begins, whatever the chunking: RFC 6455 section 5.2.

use core::fmt;

use super::header::{Header, MAX_HEADER_LEN, Parsed, header_len};
use super::opcode::Opcode;
use super::rules::Rules;
use crate::ProtocolError;

/// A payload that is worth special care. The fuzzer's inputs are short.
pub(crate) const LARGE: usize = if cfg!(fuzzing) { 16 } else { 4 << 10 };

/// Reads headers, also in pieces, and counts the payload that follows.
pub(crate) struct Decoder(State);

enum State {
    /// A header comes next; its first `len` bytes are here.
    Header {
        head: [u8; MAX_HEADER_LEN],
        len: u8,
    },
    Payload(Frame),
}

/// The frame whose payload comes next, perhaps none of it.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    /// Bytes of payload that have not been used.
    pub(crate) remaining: u64,
    /// The masking key, rotated so that it fits the next byte of payload; zeros without a mask.
    pub(crate) key: [u8; 4],
    pub(crate) opcode: Opcode,
    pub(crate) fin: bool,
    /// Whether all of its payload is [`LARGE`].
    pub(crate) large: bool,
}

impl Decoder {
    pub(crate) const fn new() -> Self {
        Self(HEADER)
    }

    /// Whether a frame begins at the next byte.
    #[inline]
    pub(crate) const fn is_between_frames(&self) -> bool {
        matches!(self.0, State::Header { len: 0, .. })
    }

    /// Whether a data frame has begun; its first byte says which it is (5.2).
    pub(crate) const fn is_in_data(&self) -> bool {
        match &self.0 {
            State::Header { head: [byte0, ..], len } => *len > 0 && *byte0 & 0x8 == 0,
            State::Payload(frame) => !frame.opcode.is_control(),
        }
    }

    /// The frame in progress, if its header was read.
    #[inline]
    pub(crate) const fn frame(&self) -> Option<Frame> {
        match self.0 {
            State::Payload(frame) => Some(frame),
            State::Header { .. } => None,
        }
    }

    /// Reads the header at the front of `input`, or goes on with one that arrives in pieces.
    /// Returns it with the number of bytes taken, or `None` where all of `input` was taken and
    /// the header is not complete.
    #[inline]
    pub(crate) fn header(
        &mut self,
        input: &[u8],
        rules: &Rules,
    ) -> Result<Option<(Header, usize)>, ProtocolError> {
        if let State::Header { len: 0, .. } = self.0
            && let Ok(Parsed::Done { header, len }) = Header::parse(input)
        {
            rules.check(input.get(..len).unwrap_or(input))?;
            self.begin(&header);
            return Ok(Some((header, len)));
        }
        self.header_in_pieces(input, rules)
    }

    #[cold]
    fn header_in_pieces(
        &mut self,
        input: &[u8],
        rules: &Rules,
    ) -> Result<Option<(Header, usize)>, ProtocolError> {
        let State::Header { head, len } = &mut self.0 else { return Ok(None) };
        let mut taken = 0_usize;
        for &byte in input {
            let have = usize::from(*len);
            if let Some(slot) = head.get_mut(have) {
                *slot = byte;
            }
            *len = len.saturating_add(1);
            taken = taken.saturating_add(1);
            let head = head.get(..=have).unwrap_or(head);
            // A fault is decided here at the byte that proves it, so a header that was cut on its
            // way and one that was not fail alike.
            rules.check(head)?;
            let whole = head.get(1).is_some_and(|&byte1| head.len() == header_len(byte1));
            if whole && let Ok(Parsed::Done { header, .. }) = Header::parse(head) {
                self.begin(&header);
                return Ok(Some((header, taken)));
            }
        }
        Ok(None)
    }

    #[inline]
    fn begin(&mut self, header: &Header) {
        self.0 = State::Payload(Frame {
            remaining: header.payload_len,
            key: header.mask.unwrap_or_default(),
            opcode: header.opcode,
            fin: header.fin,
            large: header.payload_len >= LARGE as u64,
        });
    }

    /// `count` bytes of payload were used.
    #[inline]
    pub(crate) fn advance(&mut self, count: usize) {
        if let State::Payload(frame) = &mut self.0 {
            frame.remaining = frame.remaining.saturating_sub(count as u64);
            if frame.remaining == 0 {
                self.0 = HEADER;
            } else {
                frame.key.rotate_left(count % 4);
            }
        }
    }
}

/// Without the masking key, or a header that has one.
impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            State::Header { len, .. } => f.debug_struct("Header").field("len", len).finish(),
            State::Payload(frame) => f
                .debug_struct("Payload")
                .field("opcode", &frame.opcode)
                .field("fin", &frame.fin)
                .field("remaining", &frame.remaining)
                .finish(),
        }
    }
}

impl Frame {
    /// How many of the `available` bytes belong to the frame, and whether they end it.
    #[inline]
    pub(crate) fn payload(&self, available: usize) -> (usize, bool) {
        match usize::try_from(self.remaining) {
            Ok(remaining) if remaining <= available => (remaining, true),
            _ => (available, false),
        }
    }
}

/// Between two frames.
const HEADER: State = State::Header { head: [0; MAX_HEADER_LEN], len: 0 };
