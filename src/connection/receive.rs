//! The receiving half: input in, events out. It knows nothing of what is sent.

mod control;
mod direct;
mod discard;

use alloc::borrow::Cow;
use core::fmt;
use core::mem;
use core::ops::Range;

use crate::frame::control::ControlPayload;
use crate::frame::decoder::{Decoder, Frame};
use crate::frame::mask;
use crate::message::{Assembler, Kind, Piece, Progress, utf8};
use crate::{CloseFrame, Config, Counters, Event, ProtocolError};

/// Decodes frames and assembles messages, until the peer closes or fails.
#[derive(Debug)]
pub(crate) struct ReceivePath {
    decoder: Decoder,
    assembler: Assembler,
    /// The first bytes of a control frame's payload whose rest has not arrived.
    control: Option<ControlPayload>,
    end: End,
    pub(crate) counters: Counters,
}

/// Whether input still means something.
enum End {
    No,
    /// 5.5.1, 1.4: after a Close frame "a peer discards any further data received". The frame is
    /// kept until the event is made.
    Closed(Option<CloseFrame>),
    /// 7.1.7: "MUST NOT continue to attempt to process data".
    Failed(ProtocolError),
}

/// What a step found. One byte: an enum with contents, returned through memory, costs more than
/// decoding a small frame does. Where the payload lies is written to a [`Found`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// All input was used.
    NeedInput,
    Text,
    Binary,
    TextChunk,
    BinaryChunk,
    Ping,
    Pong,
    Close,
    /// The peer broke the protocol, now or before.
    Failed,
}

/// Where a step left off, and where in the input it found what the signal says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) consumed: usize,
    payload: Range<usize>,
    /// The payload is not in the input but was moved out of it.
    owned: bool,
    /// A message ends with it.
    pub(crate) last: bool,
}

/// What the sending half has to learn of: there may be an answer due.
#[derive(Clone, Copy)]
pub(crate) enum Due<'a> {
    Ping(&'a [u8]),
    /// Perhaps the answer to an adapter's keepalive.
    #[cfg_attr(not(feature = "std"), expect(dead_code, reason = "for adapters"))]
    Pong(&'a [u8]),
    Close(Option<&'a CloseFrame>),
    /// The Close frame that says so.
    Failed(ProtocolError),
}

impl ReceivePath {
    pub(crate) fn new(masked: bool, config: &Config) -> Self {
        Self {
            decoder: Decoder::new(),
            assembler: Assembler::new(masked, config),
            control: None,
            end: End::No,
            counters: Counters::default(),
        }
    }

    /// permessage-deflate was agreed (RFC 7692): messages may come compressed.
    #[cfg(feature = "deflate")]
    pub(crate) fn agree_deflate(&mut self, context_takeover: bool) {
        self.assembler.agree_deflate(context_takeover);
    }

    /// Whether a message has begun and not ended.
    pub(crate) const fn in_message(&self) -> bool {
        self.assembler.in_message()
    }

    /// The message that has begun and not ended, by a number that no other message of the
    /// connection has: how many ended before it. `None` also once nothing will be delivered.
    #[cfg_attr(not(feature = "std"), allow(dead_code, reason = "for adapters"))]
    pub(crate) const fn message_in_progress(&self) -> Option<u64> {
        match self.end {
            End::No if self.in_message() || self.decoder.is_in_data() => {
                Some(self.counters.messages)
            }
            End::No | End::Closed(_) | End::Failed(_) => None,
        }
    }

    /// Whether messages are delivered in chunks ([`Delivery::Chunks`](crate::Delivery::Chunks)).
    #[cfg_attr(not(feature = "std"), allow(dead_code, reason = "for adapters"))]
    pub(crate) const fn delivers_chunks(&self) -> bool {
        self.assembler.delivers_chunks()
    }

    #[inline]
    const fn is_between_frames(&self) -> bool {
        matches!(self.end, End::No) && self.decoder.is_between_frames()
    }

    pub(crate) const fn error(&self) -> Option<ProtocolError> {
        match self.end {
            End::Failed(error) => Some(error),
            End::No | End::Closed(_) => None,
        }
    }

    /// Whether nothing that arrives means anything any more.
    #[cfg(feature = "std")]
    pub(crate) const fn is_done(&self) -> bool {
        matches!(self.end, End::Closed(_) | End::Failed(_))
    }

    /// Discards whatever arrives from now on, because of `error`. The first error stays.
    pub(crate) fn fail(&mut self, error: ProtocolError) -> ProtocolError {
        match self.end {
            End::Failed(first) => first,
            End::No | End::Closed(_) => {
                if let End::Closed(Some(frame)) = mem::replace(&mut self.end, End::Failed(error)) {
                    self.keep_close(&frame);
                }
                // Nothing more will be delivered: what was kept for it is given back. What was found
                // before still is.
                if !self.has_untaken() {
                    self.assembler.discard();
                    self.control = None;
                }
                error
            }
        }
    }

    /// Whether the payload of an event that was found, and not made yet, was moved out of the input.
    fn has_untaken(&self) -> bool {
        self.assembler.has_untaken() || (self.control.is_some() && self.decoder.is_between_frames())
    }

    /// The transport has ended.
    pub(crate) fn receive_eof(&mut self) -> Result<(), ProtocolError> {
        match self.end {
            End::Closed(_) => Ok(()),
            End::Failed(error) => Err(error),
            End::No => Err(self.fail(ProtocolError::UnexpectedEof)),
        }
    }

    /// Walks `input` up to the end of one event, and tells `answer` of what is due to it.
    #[inline(always)]
    pub(crate) fn receive<'i>(
        &mut self,
        input: &mut &'i mut [u8],
        answer: impl FnOnce(Due<'_>),
    ) -> Result<Option<Event<'i>>, ProtocolError> {
        // How every loop over an input ends.
        if input.is_empty() && self.is_between_frames() {
            return Ok(None);
        }
        let mut found = Found::default();
        let signal = self.step(input, &mut found);
        let (taken, rest) =
            mem::take(input).split_at_mut_checked(found.consumed).unwrap_or_default();
        let event = self.event(signal, &found, taken, answer);
        if event.is_ok() {
            *input = rest; // else dropped: the connection has failed
        }
        event
    }

    /// Finds the end of the next event in `input`. [`event`](Self::event) makes it, from the
    /// bytes that `found` says were consumed, and must be called before the next step.
    #[inline(never)]
    pub(crate) fn step(&mut self, input: &mut [u8], found: &mut Found) -> Signal {
        // The usual case: a message of one frame that lies whole in the input.
        if self.is_between_frames()
            && let Some(whole) = self.assembler.whole_message(input)
        {
            let payload = whole.header_len..whole.end();
            if self.assembler.rules().masked
                && let Some(bytes) = input.get_mut(payload.clone())
            {
                mask::apply(whole.key, 0, bytes);
            }
            self.counters.count_data_frame(whole.len as u64);
            *found = Found { consumed: payload.end, payload, owned: false, last: true };
            return if whole.is_text() { Signal::Text } else { Signal::Binary };
        }
        self.long_step(input, found)
    }

    /// The same for whatever is unusual.
    #[inline(never)]
    fn long_step(&mut self, input: &mut [u8], found: &mut Found) -> Signal {
        match self.end {
            End::No => match self.try_step(input, found) {
                Ok(signal) => signal,
                Err(error) => {
                    self.fail(error);
                    Signal::Failed
                }
            },
            End::Closed(_) => {
                found.consumed = input.len();
                Signal::NeedInput
            }
            End::Failed(_) => Signal::Failed,
        }
    }

    /// Makes the event that a step found, and tells `answer` of what is due to it.
    ///
    /// Compiled into its callers, and the event comes last: one that is moved through memory, in
    /// parts of other widths than it was written in, waits for the stores.
    #[inline(always)]
    pub(crate) fn event<'i>(
        &mut self,
        signal: Signal,
        found: &Found,
        taken: &'i mut [u8],
        answer: impl FnOnce(Due<'_>),
    ) -> Result<Option<Event<'i>>, ProtocolError> {
        let last = found.last;
        let error = match signal {
            Signal::NeedInput => return Ok(None),
            Signal::Binary => return Ok(Some(Event::Binary(self.binary(found, taken)))),
            Signal::BinaryChunk => {
                let data = self.binary(found, taken);
                return Ok(Some(Event::BinaryChunk { data, last }));
            }
            Signal::Text => match self.text(found, taken) {
                Ok(text) => return Ok(Some(Event::Text(text))),
                Err(error) => error,
            },
            Signal::TextChunk => match self.text(found, taken) {
                Ok(text) => return Ok(Some(Event::TextChunk { text, last })),
                Err(error) => error,
            },
            Signal::Ping => {
                let payload = self.control_payload(found, taken);
                answer(Due::Ping(&payload));
                return Ok(Some(Event::Ping(payload)));
            }
            Signal::Pong => {
                let payload = self.control_payload(found, taken);
                answer(Due::Pong(&payload));
                return Ok(Some(Event::Pong(payload)));
            }
            Signal::Close => {
                let frame = self.close_frame();
                answer(Due::Close(frame.as_ref()));
                return Ok(Some(Event::Close(frame)));
            }
            Signal::Failed => self.fail(ProtocolError::UnexpectedEof), // the first error stays
        };
        answer(Due::Failed(error));
        Err(error)
    }

    #[inline(always)]
    fn binary<'i>(&mut self, found: &Found, taken: &'i mut [u8]) -> Cow<'i, [u8]> {
        self.delivered(found.last);
        if found.owned {
            return Cow::Owned(self.assembler.take_binary());
        }
        Cow::Borrowed(taken.get(found.payload.clone()).unwrap_or_default())
    }

    #[inline(always)]
    fn text<'i>(
        &mut self,
        found: &Found,
        taken: &'i mut [u8],
    ) -> Result<Cow<'i, str>, ProtocolError> {
        let text = if found.owned {
            Cow::Owned(self.assembler.take_text())
        } else {
            // 8.1, in one pass over the message where nothing forced a look before.
            let bytes = taken.get_mut(found.payload.clone()).unwrap_or_default();
            match utf8::whole(bytes) {
                Ok(text) => Cow::Borrowed(text),
                Err(error) => return Err(self.fail(error)),
            }
        };
        self.delivered(found.last);
        Ok(text)
    }

    fn try_step(&mut self, input: &mut [u8], found: &mut Found) -> Result<Signal, ProtocolError> {
        if self.assembler.is_direct()
            && let Some(signal) = self.take_direct(found)?
        {
            return Ok(signal);
        }
        if self.assembler.drops_data() {
            return self.pass_over_data(input, found);
        }
        let mut position = 0;
        let mut run = 0..0;
        loop {
            if self.decoder.is_between_frames() {
                let (assembler, counters) = (&mut self.assembler, &mut self.counters);
                let done = assembler.whole_frames(input, &mut position, &mut run, counters)?;
                if done != Progress::More {
                    return Ok(self.found_data(done, position, run, found));
                }
            }
            let frame = match self.decoder.frame() {
                Some(frame) => frame,
                None => match self.next_frame(input, &mut position, &mut run)? {
                    Some(frame) => frame,
                    None => break,
                },
            };
            let (len, ends_frame) = frame.payload(input.len().saturating_sub(position));
            if frame.opcode.is_control() {
                // 5.4: control frames may stand between the fragments of a message. They are
                // delivered first, so the fragments before leave the input.
                self.assembler.settle(input, &mut run)?;
                found.payload = position..position.saturating_add(len);
                found.consumed = found.payload.end;
                return self.control(input, &frame, found, ends_frame);
            }
            let to_come = frame.remaining.saturating_sub(len as u64);
            let piece = Piece {
                start: position,
                len,
                key: frame.key,
                ends_frame,
                ends_message: ends_frame && frame.fin,
                to_come: if frame.fin { to_come } else { u64::MAX },
            };
            let (progress, used) = self.assembler.payload(input, piece, &mut run)?;
            self.decoder.advance(used);
            position = position.saturating_add(used);
            if progress != Progress::More {
                return Ok(self.found_data(progress, position, run, found));
            }
            if !ends_frame && used == len {
                break;
            }
        }
        self.assembler.settle(input, &mut run)?;
        found.consumed = input.len();
        Ok(Signal::NeedInput)
    }

    /// A message or a chunk of it ends at `consumed`.
    #[inline(always)]
    fn found_data(
        &self,
        progress: Progress,
        consumed: usize,
        payload: Range<usize>,
        found: &mut Found,
    ) -> Signal {
        let (owned, last) = (progress == Progress::Owned, !self.assembler.in_message());
        *found = Found { consumed, payload, owned, last };
        self.data_signal()
    }

    const fn data_signal(&self) -> Signal {
        match (self.assembler.kind(), self.assembler.delivers_chunks()) {
            (Kind::Text, false) => Signal::Text,
            (Kind::Binary, false) => Signal::Binary,
            (Kind::Text, true) => Signal::TextChunk,
            (Kind::Binary, true) => Signal::BinaryChunk,
        }
    }

    /// Reads a header at `position`; `None` where the input ends before it does.
    #[inline]
    fn next_frame(
        &mut self,
        input: &mut [u8],
        position: &mut usize,
        run: &mut Range<usize>,
    ) -> Result<Option<Frame>, ProtocolError> {
        let rest = input.get(*position..).unwrap_or_default();
        let (header, len) = match self.decoder.header(rest, self.assembler.rules()) {
            Ok(Some(read)) => read,
            Ok(None) => return Ok(None),
            Err(error) => {
                // A bad byte of text before the bad header was there first.
                self.assembler.settle(input, run)?;
                return Err(error);
            }
        };
        *position = position.saturating_add(len);
        if header.opcode.is_control() {
            self.counters.count_control_frame();
        } else {
            self.counters.count_data_frame(header.payload_len);
            self.assembler.begin_frame(&header);
        }
        Ok(self.decoder.frame())
    }

    /// Counts a message whose last piece is delivered, or passed over: text that has turned out not to be any
    /// counts nowhere, in whatever pieces it came.
    #[inline]
    const fn delivered(&mut self, last: bool) {
        if last {
            self.counters.count_message();
        }
    }
}

/// Without the reason of the peer's Close.
impl fmt::Debug for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No => f.write_str("No"),
            Self::Closed(_) => f.write_str("Closed"),
            Self::Failed(error) => f.debug_tuple("Failed").field(error).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Delivery;
    use std::vec::Vec;

    fn client(delivery: Delivery) -> ReceivePath {
        ReceivePath::new(false, &Config { delivery, ..Config::default() })
    }

    /// What is in progress after each byte.
    fn in_progress(path: &mut ReceivePath, bytes: &[u8]) -> Vec<Option<u64>> {
        let each = bytes.iter().map(|byte| {
            let mut byte = [*byte];
            let _ = path.receive(&mut &mut byte[..], |_| {});
            path.message_in_progress()
        });
        each.collect()
    }

    #[test]
    fn each_message_has_a_number_of_its_own() {
        for delivery in [Delivery::Messages, Delivery::Chunks] {
            let mut path = client(delivery);
            assert_eq!(path.delivers_chunks(), delivery == Delivery::Chunks);
            let bytes = b"\x81\x02hi\x02\x01x\x89\x01p\x80\x01y\x81\x00\x82\x01z";
            let (a, b, c) = (Some(0), Some(1), Some(3));
            let expected = [
                &[a, a, a, None][..],
                &[b, b, b],       // the first fragment
                &[b, b, b],       // a ping
                &[b, b, None],    // the last fragment
                &[Some(2), None], // an empty message
                &[c, c, None],
            ];
            assert_eq!(in_progress(&mut path, bytes), expected.concat(), "{delivery:?}");
            // Whole in the input, and the next one begun.
            let mut bytes = *b"\x81\x01x\x81\x02y";
            let mut input = &mut bytes[..];
            while let Ok(Some(_)) = path.receive(&mut input, |_| {}) {}
            assert_eq!(path.message_in_progress(), Some(5), "{delivery:?}");
        }
    }

    /// A message that is dropped has its number too.
    #[test]
    fn a_dropped_message_has_a_number() {
        for delivery in [Delivery::Messages, Delivery::Chunks] {
            let mut path = client(delivery);
            in_progress(&mut path, b"\x81\x01x\x02\x02y");
            assert_eq!(path.message_in_progress(), Some(1));
            path.discard_data();
            assert!(!path.delivers_chunks());
            let (b, c) = (Some(1), Some(2));
            let expected = [b, b, b, None, c, c, None, Some(3), None];
            let seen = in_progress(&mut path, b"y\x80\x01\xFF\x81\x01\xFF\x82\x00");
            assert_eq!(seen, expected, "{delivery:?}");
            assert_eq!(path.counters.messages, 4);
        }
    }

    #[test]
    fn nothing_is_in_progress_after_the_end() {
        for delivery in [Delivery::Messages, Delivery::Chunks] {
            for end in [&b"\xFF"[..], b"\x80\x01\xFF", b"\x88\x00"] {
                let mut path = client(delivery);
                in_progress(&mut path, b"\x01\x01x");
                assert_eq!(path.message_in_progress(), Some(0));
                assert_eq!(in_progress(&mut path, end).last(), Some(&None), "{end:?}");
            }
            let mut path = client(delivery);
            in_progress(&mut path, b"\x01\x01x");
            assert!(path.receive_eof().is_err());
            assert_eq!(path.message_in_progress(), None);
        }
    }
}
