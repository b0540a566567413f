//! Messages out of frames: RFC 6455 sections 5.4 and 5.6.
//!
//! A message whose frames all lie in one input is lent: the payloads are unmasked in place and
//! the headers between them closed up.
//!
//! ```text
//! input  | header | payload 1 | header | payload 2 | header | payload 3 | next frame
//!                  `----------- the run ----------'
//! after  | header | payload 1 | payload 2 | payload 3 | (spent)         | next frame
//! ```
//!
//! What an input holds of an unfinished message is moved out when the input ends, into memory
//! that grows with the bytes that arrived.

#[cfg(feature = "deflate")]
mod compressed;
#[cfg(feature = "deflate")]
pub(crate) mod deflate;
mod direct;
pub(crate) mod utf8;
mod whole;

#[cfg(feature = "deflate")]
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use crate::frame::header::Header;
use crate::frame::mask;
use crate::frame::opcode::Opcode;
use crate::frame::rules::{Limits, Rules};
use crate::{Config, Delivery, ProtocolError};
use utf8::Utf8;
use whole::lend;

/// Text or binary (5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Binary,
}

/// One frame's payload, or the part of it that one input holds.
#[derive(Clone, Copy)]
pub(crate) struct Piece {
    /// Where it begins in the input.
    pub(crate) start: usize,
    pub(crate) len: usize,
    pub(crate) key: [u8; 4],
    /// Whether the frame ends with it.
    pub(crate) ends_frame: bool,
    /// Whether the message ends with it.
    pub(crate) ends_message: bool,
    /// Bytes of the message that come after it: without limit before the last frame, whose header
    /// tells.
    pub(crate) to_come: u64,
}

impl Piece {
    fn range(&self) -> Range<usize> {
        self.start..self.start.saturating_add(self.len)
    }

    /// How much of the message is known of, from here on.
    const fn known(&self) -> u64 {
        let to_come = if self.to_come == u64::MAX { 0 } else { self.to_come };
        to_come.saturating_add(self.len as u64)
    }
}

/// What became of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// `used` bytes were taken, and nothing can be delivered yet.
    More,
    /// The message, or a chunk of it, stands in the input where the run says.
    Lent,
    /// The message, or a chunk of it, waits in [`Assembler::take_text`] or
    /// [`Assembler::take_binary`].
    Owned,
}

/// What becomes of the payload of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is kept until the message is whole.
    Kept,
    /// It is delivered as it comes.
    Chunks,
    /// It is passed over.
    Dropped,
}

/// Puts messages together and holds them against the limits.
pub(crate) struct Assembler {
    rules: Rules,
    kind: Kind,
    fate: Fate,
    /// Whether a part of the message was moved out of its input.
    moved: bool,
    /// Whether the application may have appended to the message what is not looked at yet.
    direct: bool,
    fragments: u32,
    empty_fragments: u32,
    utf8: Utf8,
    /// The message in progress, if a part of it was moved; else memory that is kept for it.
    buffer: Buffer,
    /// Made when permessage-deflate was agreed.
    #[cfg(feature = "deflate")]
    inflater: Option<Box<deflate::Inflater>>,
}

enum Buffer {
    Text(String),
    Binary(Vec<u8>),
}

impl Assembler {
    pub(crate) fn new(masked: bool, config: &Config) -> Self {
        Self {
            rules: Rules {
                masked,
                rsv1: false,
                in_message: false,
                compressed: false,
                no_fragment_left: false,
                no_empty_left: false,
                limits: Limits {
                    message: config.max_message_size,
                    frame: config.max_frame_size,
                    fragments: config.max_fragments,
                    empty_fragments: config.max_empty_fragments,
                },
                message_size: 0,
            },
            kind: Kind::Binary,
            fate: match config.delivery {
                Delivery::Messages => Fate::Kept,
                Delivery::Chunks => Fate::Chunks,
            },
            moved: false,
            direct: false,
            fragments: 0,
            empty_fragments: 0,
            utf8: Utf8::new(),
            buffer: Buffer::Binary(Vec::new()),
            #[cfg(feature = "deflate")]
            inflater: None,
        }
    }

    /// What the next header is held against.
    #[inline]
    pub(crate) const fn rules(&self) -> &Rules {
        &self.rules
    }

    #[inline]
    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    #[inline]
    pub(crate) const fn delivers_chunks(&self) -> bool {
        matches!(self.fate, Fate::Chunks)
    }

    /// Whether data is passed over.
    #[inline]
    pub(crate) const fn drops_data(&self) -> bool {
        matches!(self.fate, Fate::Dropped)
    }

    /// Whether a message has begun and not ended.
    #[inline]
    pub(crate) const fn in_message(&self) -> bool {
        self.rules.in_message
    }

    /// The header of a data frame, which the rules have passed.
    #[inline]
    pub(crate) fn begin_frame(&mut self, header: &Header) {
        let rules = &mut self.rules;
        if header.opcode != Opcode::Continuation {
            self.kind = if header.opcode == Opcode::Text { Kind::Text } else { Kind::Binary };
            // RFC 7692 6: on the first frame, for the whole message. The rules let RSV1 through
            // only where it has this meaning.
            rules.compressed = header.rsv1;
        }
        self.count_fragment(header.payload_len);
    }

    /// Holds what follows to the limits.
    #[inline]
    fn count_fragment(&mut self, payload_len: u64) {
        let rules = &mut self.rules;
        rules.in_message = true;
        if !rules.compressed {
            // The rules have let it through: it is within the limit.
            rules.message_size = rules.message_size.wrapping_add(payload_len);
        }
        self.fragments = self.fragments.saturating_add(1);
        self.empty_fragments =
            if payload_len == 0 { self.empty_fragments.saturating_add(1) } else { 0 };
        // What is not kept may have any number: each costs what its bytes cost.
        rules.no_fragment_left =
            self.fate == Fate::Kept && self.fragments >= rules.limits.fragments;
        rules.no_empty_left = self.empty_fragments >= rules.limits.empty_fragments;
    }

    /// Takes a piece of payload. `run` is the part of the message that is lent so far.
    /// Returns also how many bytes of the piece were used: all, but for a chunk that has to end
    /// before.
    #[inline]
    pub(crate) fn payload(
        &mut self,
        input: &mut [u8],
        piece: Piece,
        run: &mut Range<usize>,
    ) -> Result<(Progress, usize), ProtocolError> {
        #[cfg(feature = "deflate")]
        if self.rules.compressed {
            return self.compressed(input, piece);
        }
        if self.delivers_chunks() {
            return self.chunk(input, piece, run);
        }
        if piece.ends_frame && !self.moved {
            lend(input, piece.range(), piece.key, run);
            if !piece.ends_message {
                return Ok((Progress::More, piece.len));
            }
            self.end_message();
            return Ok((Progress::Lent, piece.len));
        }
        self.settle(input, run)?;
        self.append(input, piece)?;
        if !piece.ends_message {
            return Ok((Progress::More, piece.len));
        }
        self.utf8.finish()?;
        self.end_message();
        Ok((Progress::Owned, piece.len))
    }

    /// Moves the lent part of an unfinished message out of the input, which ends or is about to
    /// be lent to a control frame. Text is validated on the way, so that a bad byte is reported
    /// before anything that came after it (8.1).
    #[inline]
    pub(crate) fn settle(
        &mut self,
        input: &mut [u8],
        run: &mut Range<usize>,
    ) -> Result<(), ProtocolError> {
        if Range::is_empty(run) {
            return Ok(());
        }
        let lent = input.get(core::mem::take(run)).unwrap_or_default();
        self.begin_buffer(lent.len() as u64);
        match &mut self.buffer {
            Buffer::Text(text) => append_text(text, &mut self.utf8, lent),
            Buffer::Binary(data) => {
                data.extend_from_slice(lent);
                Ok(())
            }
        }
    }

    /// The text that [`Progress::Owned`] announced.
    #[inline]
    pub(crate) fn take_text(&mut self) -> String {
        match core::mem::replace(&mut self.buffer, Buffer::Binary(Vec::new())) {
            Buffer::Text(text) => text,
            Buffer::Binary(_) => String::new(), // not reached: the kind is asked first
        }
    }

    /// The bytes that [`Progress::Owned`] announced.
    #[inline]
    pub(crate) fn take_binary(&mut self) -> Vec<u8> {
        match core::mem::replace(&mut self.buffer, Buffer::Binary(Vec::new())) {
            Buffer::Binary(data) => data,
            Buffer::Text(_) => Vec::new(), // likewise
        }
    }

    /// Whether there is a whole message, or a chunk, that was moved out of the input and not taken.
    pub(crate) fn has_untaken(&self) -> bool {
        !self.buffer.is_empty() && (self.delivers_chunks() || !self.in_message())
    }

    /// No data will be delivered any more: gives back what was kept for it, and keeps nothing from
    /// here on. The rules still hold.
    pub(crate) fn discard(&mut self) {
        self.fate = Fate::Dropped;
        self.rules.no_fragment_left = false;
        self.buffer = Buffer::Binary(Vec::new());
        self.direct = false;
        #[cfg(feature = "deflate")]
        {
            self.inflater = None;
        }
    }

    /// A message that was passed over has ended.
    pub(crate) fn end_dropped(&mut self) {
        self.end_message();
    }

    #[inline]
    fn end_message(&mut self) {
        self.rules.in_message = false;
        self.rules.compressed = false;
        self.rules.message_size = 0;
        self.rules.no_fragment_left = false;
        self.rules.no_empty_left = false;
        self.fragments = 0;
        self.empty_fragments = 0;
        self.moved = false;
    }

    /// Moves a piece out of the input.
    fn append(&mut self, input: &mut [u8], piece: Piece) -> Result<(), ProtocolError> {
        let Some(bytes) = input.get_mut(piece.range()) else { return Ok(()) };
        if bytes.is_empty() {
            return Ok(());
        }
        self.begin_buffer(piece.known());
        let len = bytes.len().saturating_add(self.utf8.carried());
        self.buffer.make_room(len, piece.to_come)?;
        match &mut self.buffer {
            Buffer::Text(text) => {
                mask::apply(piece.key, 0, bytes);
                append_text(text, &mut self.utf8, bytes)
            }
            Buffer::Binary(data) => {
                mask::extend(piece.key, 0, bytes, data);
                Ok(())
            }
        }
    }

    /// Delivers a piece as it is, but for text, which ends at the end of a character.
    fn chunk(
        &mut self,
        input: &mut [u8],
        piece: Piece,
        run: &mut Range<usize>,
    ) -> Result<(Progress, usize), ProtocolError> {
        *run = piece.range();
        if self.kind == Kind::Text {
            let missing = self.utf8.missing();
            if missing > 0 {
                return self.complete_character(input, piece, missing.min(piece.len), run);
            }
            let Some(bytes) = input.get_mut(piece.range()) else {
                return Ok((Progress::More, piece.len));
            };
            mask::apply(piece.key, 0, bytes);
            run.end = run.end.saturating_sub(self.utf8.carry_tail(bytes)?);
        } else {
            mask::apply(piece.key, 0, input.get_mut(piece.range()).unwrap_or_default());
        }
        if piece.ends_message {
            self.utf8.finish()?;
            self.end_message();
        } else if Range::is_empty(run) {
            return Ok((Progress::More, piece.len));
        }
        Ok((Progress::Lent, piece.len))
    }

    /// Text whose first bytes end a character that began in an earlier piece: that character is a
    /// chunk of its own.
    fn complete_character(
        &mut self,
        input: &mut [u8],
        piece: Piece,
        count: usize,
        run: &mut Range<usize>,
    ) -> Result<(Progress, usize), ProtocolError> {
        run.end = run.start.saturating_add(count);
        let Some(bytes) = input.get_mut(core::mem::take(run)) else {
            return Ok((Progress::More, piece.len));
        };
        mask::apply(piece.key, 0, bytes);
        let mut text = String::new();
        append_text(&mut text, &mut self.utf8, bytes)?;
        let ends_message = piece.ends_message && count == piece.len;
        if ends_message {
            self.utf8.finish()?;
            self.end_message();
        } else if text.is_empty() {
            return Ok((Progress::More, count));
        }
        self.buffer = Buffer::Text(text);
        Ok((Progress::Owned, count))
    }
}

/// Without the message, which is the application's to show.
impl fmt::Debug for Assembler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Assembler");
        shown
            .field("in_message", &self.rules.in_message)
            .field("kind", &self.kind)
            .field("fate", &self.fate)
            .field("message_size", &self.rules.message_size)
            .field("kept", &self.buffer.len());
        #[cfg(feature = "deflate")]
        shown.field("inflater", &self.inflater);
        shown.finish_non_exhaustive()
    }
}

fn append_text(text: &mut String, utf8: &mut Utf8, bytes: &[u8]) -> Result<(), ProtocolError> {
    let (character, rest) = utf8.push(bytes)?;
    text.extend(character);
    text.push_str(rest);
    Ok(())
}
