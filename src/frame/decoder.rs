//! Where one frame ends and the next begins, whatever the chunking: RFC 6455 section 5.2.

use super::header::{Header, MAX_HEADER_LEN, Parsed, header_len};
use super::opcode::Opcode;
use super::rules::Rules;
use crate::ProtocolError;

/// Reads headers, also in pieces, and counts the payload that follows.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// The first bytes of a header whose rest has not arrived.
    head: [u8; MAX_HEADER_LEN],
    head_len: u8,
    /// Whether a header was read and its frame has not ended.
    in_frame: bool,
    fin: bool,
    opcode: Opcode,
    /// The masking key, rotated so that it fits the next byte of payload; zeros without a mask.
    key: [u8; 4],
    /// Bytes of payload that have not been seen.
    remaining: u64,
}

impl Decoder {
    pub(crate) const fn new() -> Self {
        Self {
            head: [0; MAX_HEADER_LEN],
            head_len: 0,
            in_frame: false,
            fin: false,
            opcode: Opcode::Continuation,
            key: [0; 4],
            remaining: 0,
        }
    }

    /// Whether payload comes next, perhaps none of it; otherwise a header does.
    #[inline]
    pub(crate) const fn in_frame(&self) -> bool {
        self.in_frame
    }

    #[inline]
    pub(crate) const fn fin(&self) -> bool {
        self.fin
    }

    #[inline]
    pub(crate) const fn opcode(&self) -> Opcode {
        self.opcode
    }

    #[inline]
    pub(crate) const fn key(&self) -> [u8; 4] {
        self.key
    }

    #[inline]
    pub(crate) const fn remaining(&self) -> u64 {
        self.remaining
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
        if self.head_len == 0
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
        let mut taken = 0_usize;
        for &byte in input {
            let have = usize::from(self.head_len);
            if let Some(slot) = self.head.get_mut(have) {
                *slot = byte;
            }
            self.head_len = self.head_len.saturating_add(1);
            taken = taken.saturating_add(1);
            let head = self.head.get(..=have).unwrap_or(&self.head);
            // A fault is decided here at the byte that proves it, so a header that was cut on its
            // way and one that was not fail alike.
            rules.check(head)?;
            let whole = head.get(1).is_some_and(|&byte1| head.len() == header_len(byte1));
            if whole && let Ok(Parsed::Done { header, .. }) = Header::parse(head) {
                self.head_len = 0;
                self.begin(&header);
                return Ok(Some((header, taken)));
            }
        }
        Ok(None)
    }

    #[inline]
    fn begin(&mut self, header: &Header) {
        self.in_frame = true;
        self.fin = header.fin;
        self.opcode = header.opcode;
        self.key = header.mask.unwrap_or_default();
        self.remaining = header.payload_len;
    }

    /// How many of the `available` bytes belong to the frame, and whether they end it.
    #[inline]
    pub(crate) fn payload(&self, available: usize) -> (usize, bool) {
        match usize::try_from(self.remaining) {
            Ok(remaining) if remaining <= available => (remaining, true),
            _ => (available, false),
        }
    }

    /// `count` bytes of payload were used.
    #[inline]
    pub(crate) fn advance(&mut self, count: usize) {
        self.remaining = self.remaining.saturating_sub(count as u64);
        self.key.rotate_left(count % 4);
        if self.remaining == 0 {
            self.in_frame = false;
        }
    }
}
