//! The sending half: messages and replies in, bytes out. It knows nothing of how input is read.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::receive::Counters;
use super::state::{Closing, State};
use crate::frame::close::MAX_REASON;
use crate::frame::control::{ControlPayload, MAX_CONTROL};
use crate::frame::header::{Header, MAX_HEADER_LEN};
use crate::frame::mask::{self, MaskKeys};
use crate::frame::opcode::Opcode;
use crate::message::Kind;
use crate::{ApiMisuse, CloseCode, CloseFrame, Config, Message, Output, ProtocolError};

/// From this many bytes up an owned payload is not copied into the output's buffer: the copy
/// costs more than the bookkeeping.
const LARGE_OWNED: usize = 16 << 10;
/// A borrowed payload must be copied; from this many bytes up it gets memory of its own, which
/// is given back when it is sent.
const LARGE_BORROWED: usize = 64 << 10;

/// A message could not be sent; nothing was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError<M = ()> {
    /// More than [`Config::output_hard_limit`](crate::Config::output_hard_limit) bytes would wait
    /// in the output: write some of them, then send this again.
    Full(M),
    /// It must not be sent now, or never.
    Misuse(ApiMisuse),
}

impl<M> From<ApiMisuse> for SendError<M> {
    fn from(misuse: ApiMisuse) -> Self {
        Self::Misuse(misuse)
    }
}

/// Forgets the message that was handed back, for a caller that does not try again.
impl<'m> From<SendError<Message<'m>>> for SendError {
    fn from(error: SendError<Message<'m>>) -> Self {
        match error {
            SendError::Full(_) => Self::Full(()),
            SendError::Misuse(misuse) => Self::Misuse(misuse),
        }
    }
}

impl<M> fmt::Display for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("output is full (Config::output_hard_limit)"),
            Self::Misuse(misuse) => misuse.fmt(f),
        }
    }
}

impl<M: fmt::Debug> core::error::Error for SendError<M> {}

/// A message that is encoded once and sent to many connections, without a copy of a large
/// payload.
///
/// ```
/// use websocket_proto::{Config, Connection, Message, Negotiated, Output, Prepared};
///
/// let news = Prepared::new(Message::text("to all of you"));
/// for _ in 0..3 {
///     let mut connection = Connection::server(Negotiated::default(), Config::default());
///     let mut output = Output::new();
///     connection.send_prepared(&news, &mut output)?;
///     assert_eq!(output.len(), 2 + 13);
/// }
/// # Ok::<(), websocket_proto::SendError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Prepared {
    kind: Kind,
    payload: Bytes,
}

impl Prepared {
    /// Prepares a message. A borrowed payload is copied, once.
    #[must_use]
    pub fn new(message: Message<'_>) -> Self {
        let (kind, payload) = parts(message);
        Self { kind, payload: Bytes::from(payload.into_owned()) }
    }

    /// Prepares a binary message whose payload is shared already.
    #[must_use]
    pub const fn binary(payload: Bytes) -> Self {
        Self { kind: Kind::Binary, payload }
    }
}

/// Encodes frames, and keeps the state of the closing handshake.
#[derive(Debug)]
pub(crate) struct SendPath {
    /// A client has keys: 5.3 "a client MUST mask all frames that it sends".
    keys: Option<MaskKeys>,
    pub(crate) closing: Closing,
    /// A message whose last fragment has not been sent.
    in_progress: Option<Kind>,
    /// The newest ping that the output had no room to answer.
    owed_pong: Option<ControlPayload>,
    /// The peer's Close frame.
    pub(crate) close_received: Option<CloseFrame>,
    /// The code of the failure, if the connection has failed.
    pub(crate) failed: Option<CloseCode>,
    auto_pong: bool,
    auto_close: bool,
    // In 32 bits, which is plenty for memory that waits, to keep an idle connection small.
    fragment_size: u32,
    soft_limit: u32,
    hard_limit: u32,
    pub(crate) counters: Counters,
}

impl SendPath {
    pub(crate) fn new(keys: Option<MaskKeys>, config: &Config) -> Self {
        Self {
            keys,
            closing: Closing::new(),
            in_progress: None,
            owed_pong: None,
            close_received: None,
            failed: None,
            auto_pong: config.auto_pong,
            auto_close: config.auto_close,
            fragment_size: clamp(config.fragment_size.max(1)),
            soft_limit: clamp(config.output_soft_limit),
            hard_limit: clamp(config.output_hard_limit),
            counters: Counters::default(),
        }
    }

    pub(crate) const fn is_client(&self) -> bool {
        self.keys.is_some()
    }

    pub(crate) const fn soft_limit(&self) -> usize {
        self.soft_limit as usize
    }

    const fn fragment_size(&self) -> usize {
        self.fragment_size as usize
    }

    #[inline]
    pub(crate) fn send<'m>(
        &mut self,
        message: Message<'m>,
        output: &mut Output,
    ) -> Result<(), SendError<Message<'m>>> {
        self.may_begin()?;
        if self.is_full(message.as_bytes().len(), output) {
            return Err(SendError::Full(message));
        }
        let (kind, payload) = parts(message);
        self.message(kind, payload, output);
        Ok(())
    }

    pub(crate) fn send_prepared(
        &mut self,
        prepared: &Prepared,
        output: &mut Output,
    ) -> Result<(), SendError> {
        self.may_begin()?;
        if self.is_full(prepared.payload.len(), output) {
            return Err(SendError::Full(()));
        }
        if prepared.payload.len() < LARGE_OWNED || self.is_client() {
            self.message(prepared.kind, Cow::Borrowed(&prepared.payload), output);
        } else {
            self.counters.messages = self.counters.messages.wrapping_add(1);
            self.shared_frames(prepared.kind, prepared.payload.clone(), output);
        }
        Ok(())
    }

    pub(crate) fn send_fragment<'m>(
        &mut self,
        fragment: Message<'m>,
        fin: bool,
        output: &mut Output,
    ) -> Result<(), SendError<Message<'m>>> {
        if !self.closing.may_send() {
            return Err(ApiMisuse::Closing.into());
        }
        let kind = if fragment.as_text().is_some() { Kind::Text } else { Kind::Binary };
        // 5.4: all fragments are of the type that the first one's opcode says.
        let first = self.in_progress.is_none();
        if self.in_progress.is_some_and(|in_progress| in_progress != kind) {
            return Err(ApiMisuse::FragmentKind.into());
        }
        if self.is_full(fragment.as_bytes().len(), output) {
            return Err(SendError::Full(fragment));
        }
        let (kind, payload) = parts(fragment);
        self.in_progress = (!fin).then_some(kind);
        if fin {
            self.counters.messages = self.counters.messages.wrapping_add(1);
        }
        self.data(kind, first, fin, payload, output);
        Ok(())
    }

    pub(crate) fn ping(&mut self, payload: &[u8], output: &mut Output) -> Result<(), SendError> {
        self.control_of_application(Opcode::Ping, payload, output)
    }

    pub(crate) fn pong(&mut self, payload: &[u8], output: &mut Output) -> Result<(), SendError> {
        self.control_of_application(Opcode::Pong, payload, output)
    }

    /// Begins the closing handshake, or answers the peer's Close.
    pub(crate) fn close(
        &mut self,
        close: Option<(CloseCode, &str)>,
        output: &mut Output,
    ) -> Result<(), ApiMisuse> {
        if !self.closing.may_send() {
            return Err(ApiMisuse::Closing);
        }
        if let Some((code, reason)) = close {
            crate::frame::close::check(code, reason)?;
        }
        self.write_close(close, output);
        Ok(())
    }

    /// Answers the peer's Close with its code: 5.5.1 "When sending a Close frame in response, the
    /// endpoint typically echos the status code it received."
    pub(crate) fn reply_close(&mut self, output: &mut Output) -> Result<(), ApiMisuse> {
        if self.closing.state() != State::CloseReceived {
            return Err(ApiMisuse::Closing);
        }
        let code = self.close_received.as_ref().map(CloseFrame::code);
        self.close(code.map(|code| (code, "")), output)
    }

    /// A Ping has come: 5.5.2 "an endpoint MUST send a Pong frame in response, unless it already
    /// received a Close frame."
    #[inline]
    pub(crate) fn ping_received(&mut self, payload: &[u8], output: &mut Output) {
        if !self.auto_pong || !self.closing.may_send() {
            return;
        }
        if output.buffered() < self.soft_limit() {
            self.owed_pong = None;
            self.control(Opcode::Pong, payload, output);
        } else {
            // 5.5.3: "the endpoint MAY elect to send a Pong frame for only the most recently
            // processed Ping frame."
            self.owed_pong.insert(ControlPayload::new()).extend(payload);
        }
    }

    /// The peer's Close has come.
    pub(crate) fn close_received(&mut self, frame: Option<&CloseFrame>, output: &mut Output) {
        self.closing.close_received();
        self.close_received = frame.cloned();
        self.owed_pong = None;
        if self.auto_close && self.closing.state() == State::CloseReceived {
            // Cannot fail: the state was just looked at.
            let _ = self.reply_close(output);
        }
    }

    /// Fails the connection: 7.1.7 "the endpoint SHOULD send a Close frame with an appropriate
    /// status code".
    #[cold]
    pub(crate) fn fail(&mut self, error: ProtocolError, output: &mut Output) {
        let code = error.close_code();
        if self.closing.may_send() && code.may_be_sent() {
            self.write_close(Some((code, "")), output);
        }
        self.owed_pong = None;
        if self.closing.state() != State::Closed && self.failed.is_none() {
            self.failed = Some(code);
        }
        self.closing.failed(error);
    }

    /// Sends the pong that was held up, once there is room.
    #[inline]
    pub(crate) fn send_owed(&mut self, output: &mut Output) {
        if self.owed_pong.is_some() {
            self.send_owed_pong(output);
        }
    }

    #[cold]
    fn send_owed_pong(&mut self, output: &mut Output) {
        if output.buffered() < self.soft_limit()
            && let Some(payload) = self.owed_pong.take()
        {
            self.control(Opcode::Pong, payload.as_slice(), output);
        }
    }

    #[inline]
    fn may_begin(&self) -> Result<(), ApiMisuse> {
        if !self.closing.may_send() {
            return Err(ApiMisuse::Closing);
        }
        if self.in_progress.is_some() {
            return Err(ApiMisuse::MessageInProgress);
        }
        Ok(())
    }

    /// Whether `len` more bytes of payload are too many. One message always fits.
    #[inline]
    fn is_full(&self, len: usize, output: &Output) -> bool {
        let waiting = output.len();
        let sum = waiting.saturating_add(len).saturating_add(MAX_HEADER_LEN);
        waiting > 0 && sum > self.hard_limit as usize
    }

    #[inline]
    fn message(&mut self, kind: Kind, payload: Cow<'_, [u8]>, output: &mut Output) {
        self.counters.messages = self.counters.messages.wrapping_add(1);
        self.data(kind, true, true, payload, output);
    }

    /// A data message or a fragment of one, in as many frames as its size needs.
    #[inline]
    fn data(
        &mut self,
        kind: Kind,
        first: bool,
        fin: bool,
        payload: Cow<'_, [u8]>,
        output: &mut Output,
    ) {
        if payload.len() < LARGE_OWNED && payload.len() <= self.fragment_size() {
            self.frame(fin, opcode(kind, first), &payload, output);
        } else {
            self.large_data(kind, first, fin, payload, output);
        }
    }

    #[cold]
    fn large_data(
        &mut self,
        kind: Kind,
        first: bool,
        fin: bool,
        payload: Cow<'_, [u8]>,
        output: &mut Output,
    ) {
        match payload {
            Cow::Owned(payload) if payload.len() >= LARGE_OWNED => {
                self.owned_frames(kind, first, fin, payload, output);
            }
            payload => {
                let mut pieces = payload.chunks(self.fragment_size()).peekable();
                let mut first = first;
                while let Some(piece) = pieces.next() {
                    let fin = fin && pieces.peek().is_none();
                    self.copied_frame(fin, opcode(kind, first), piece, output);
                    first = false;
                }
            }
        }
    }

    fn copied_frame(&mut self, fin: bool, opcode: Opcode, payload: &[u8], output: &mut Output) {
        if payload.len() < LARGE_BORROWED {
            return self.frame(fin, opcode, payload, output);
        }
        let (header, len, mask) = self.header(fin, opcode, payload.len());
        let mut copy = Vec::with_capacity(payload.len());
        match mask {
            Some(key) => mask::extend(key, 0, payload, &mut copy),
            None => copy.extend_from_slice(payload),
        }
        output.push_large(header.get(..len).unwrap_or(&header), Bytes::from(copy));
    }

    /// Frames of a payload that is ours: masked in place, if at all, and not copied.
    fn owned_frames(
        &mut self,
        kind: Kind,
        first: bool,
        fin: bool,
        mut payload: Vec<u8>,
        output: &mut Output,
    ) {
        let size = self.fragment_size();
        let pieces = payload.chunks_mut(size);
        let mut headers = Vec::with_capacity(pieces.len());
        let last = pieces.len().saturating_sub(1);
        for (index, piece) in pieces.enumerate() {
            let opcode = opcode(kind, first && index == 0);
            let (header, len, mask) = self.header(fin && index == last, opcode, piece.len());
            if let Some(key) = mask {
                mask::apply(key, 0, piece);
            }
            headers.push((header, len));
        }
        let mut payload = Bytes::from(payload);
        for (header, len) in headers {
            let piece = payload.split_to(size.min(payload.len()));
            output.push_large(header.get(..len).unwrap_or(&header), piece);
        }
    }

    /// Frames of a payload that others hold too, so it cannot be masked: a server's.
    fn shared_frames(&mut self, kind: Kind, mut payload: Bytes, output: &mut Output) {
        let mut first = true;
        while !payload.is_empty() {
            let piece = payload.split_to(self.fragment_size().min(payload.len()));
            let (header, len, _) =
                self.header(payload.is_empty(), opcode(kind, first), piece.len());
            output.push_large(header.get(..len).unwrap_or(&header), piece);
            first = false;
        }
    }

    /// Counts a frame, draws its key, and encodes its header. The payload is at hand and will not
    /// change: 10.3 "the payload data [...] MUST NOT be capable of being modified by the
    /// application" once the key is chosen.
    #[inline]
    fn header(
        &mut self,
        fin: bool,
        opcode: Opcode,
        len: usize,
    ) -> ([u8; MAX_HEADER_LEN], usize, Option<[u8; 4]>) {
        self.counters.frames = self.counters.frames.wrapping_add(1);
        let payload_len = len as u64;
        if !opcode.is_control() {
            self.counters.payload_bytes = self.counters.payload_bytes.wrapping_add(payload_len);
        }
        let mask = self.keys.as_mut().map(MaskKeys::next_key);
        let mut bytes = [0; MAX_HEADER_LEN];
        let len = Header { fin, rsv1: false, opcode, mask, payload_len }.encode(&mut bytes);
        (bytes, len, mask)
    }

    #[inline]
    fn frame(&mut self, fin: bool, opcode: Opcode, payload: &[u8], output: &mut Output) {
        let (header, len, mask) = self.header(fin, opcode, payload.len());
        let room = output.room(len.saturating_add(payload.len()));
        fill(room, header.get(..len).unwrap_or(&header), mask, payload);
    }

    /// A control frame: before large frames that wait, behind what is in the buffer.
    fn control(&mut self, opcode: Opcode, payload: &[u8], output: &mut Output) {
        let (header, len, mask) = self.header(true, opcode, payload.len());
        let room = output.control_room(len.saturating_add(payload.len()));
        fill(room, header.get(..len).unwrap_or(&header), mask, payload);
    }

    fn control_of_application(
        &mut self,
        opcode: Opcode,
        payload: &[u8],
        output: &mut Output,
    ) -> Result<(), SendError> {
        if !self.closing.may_send() {
            return Err(ApiMisuse::Closing.into());
        }
        // 5.5: "All control frames MUST have a payload length of 125 bytes or less".
        if payload.len() > MAX_CONTROL {
            return Err(ApiMisuse::LongControl(payload.len()).into());
        }
        if self.is_full(payload.len(), output) {
            return Err(SendError::Full(()));
        }
        self.control(opcode, payload, output);
        Ok(())
    }

    /// A Close frame goes behind everything that waits: what was sent before is delivered before.
    fn write_close(&mut self, close: Option<(CloseCode, &str)>, output: &mut Output) {
        let mut body = [0; 2 + MAX_REASON];
        let mut len = 0;
        if let Some((code, reason)) = close {
            let [code_bytes @ .., _, _] = &mut [0; 4];
            *code_bytes = code.get().to_be_bytes();
            len = reason.len().saturating_add(2).min(body.len());
            let source = code_bytes.iter().chain(reason.as_bytes());
            body.iter_mut().zip(source).for_each(|(slot, byte)| *slot = *byte);
        }
        self.owed_pong = None;
        self.frame(true, Opcode::Close, body.get(..len).unwrap_or_default(), output);
        self.closing.close_sent();
    }
}

fn clamp(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

/// 5.4: the first fragment carries the opcode, "the remaining fragments [...] opcode 0".
#[inline]
const fn opcode(kind: Kind, first: bool) -> Opcode {
    match (first, kind) {
        (false, _) => Opcode::Continuation,
        (true, Kind::Text) => Opcode::Text,
        (true, Kind::Binary) => Opcode::Binary,
    }
}

#[inline]
fn parts(message: Message<'_>) -> (Kind, Cow<'_, [u8]>) {
    match message {
        Message::Text(Cow::Borrowed(text)) => (Kind::Text, Cow::Borrowed(text.as_bytes())),
        Message::Text(Cow::Owned(text)) => (Kind::Text, Cow::Owned(text.into_bytes())),
        Message::Binary(data) => (Kind::Binary, data),
    }
}

#[inline]
fn fill(room: &mut [u8], header: &[u8], mask: Option<[u8; 4]>, payload: &[u8]) {
    let Some((head, body)) = room.split_at_mut_checked(header.len()) else { return };
    head.copy_from_slice(header);
    match mask {
        Some(key) => mask::copy(key, 0, payload, body),
        None => body.copy_from_slice(payload),
    }
}
