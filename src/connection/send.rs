//! The sending half: messages and replies in, frames out. It keeps the state of the closing
//! handshake, and knows nothing of how input is read.

use alloc::borrow::Cow;
use core::fmt;

#[cfg(feature = "deflate")]
use super::compress::Compressor;
use super::framer::{Framer, Part};
use super::prepared::Prepared;
use super::receive::Due;
use super::send_error::SendError;
use super::state::{Closing, State};
use crate::frame::close::{self, MAX_REASON};
use crate::frame::control::{ControlPayload, MAX_CONTROL};
use crate::frame::mask::MaskKeys;
use crate::frame::opcode::Opcode;
use crate::message::Kind;
#[cfg(feature = "deflate")]
use crate::message::deflate::BackendFailed;
use crate::{ApiMisuse, CloseCode, CloseFrame, Config, Counters, Message, Output, ProtocolError};

/// What may be sent, and what has to be.
pub(crate) struct SendPath {
    pub(super) framer: Framer,
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
    soft_limit: u32,
    hard_limit: u32,
    /// Made when permessage-deflate was agreed, if we can compress as was agreed.
    #[cfg(feature = "deflate")]
    pub(super) compressor: Option<Compressor>,
}

impl SendPath {
    pub(crate) fn new(keys: Option<MaskKeys>, config: &Config) -> Self {
        Self {
            framer: Framer::new(keys, config.fragment_size),
            closing: Closing::new(),
            in_progress: None,
            owed_pong: None,
            close_received: None,
            failed: None,
            auto_pong: config.auto_pong,
            auto_close: config.auto_close,
            soft_limit: clamp(config.output_soft_limit),
            hard_limit: clamp(config.output_hard_limit),
            #[cfg(feature = "deflate")]
            compressor: None,
        }
    }

    pub(crate) const fn is_client(&self) -> bool {
        self.framer.is_client()
    }

    const fn soft_limit(&self) -> usize {
        self.soft_limit as usize
    }

    pub(crate) const fn counters(&self) -> Counters {
        self.framer.counters
    }

    /// Whether more waits than the soft limit.
    #[inline]
    pub(crate) fn wants_write(&self, output: &Output) -> bool {
        output.len() > self.soft_limit()
    }

    /// Whether nothing more will be sent and the transport's sending side is to end: 7.1.1 lets
    /// the server do so first.
    pub(crate) const fn should_shutdown(&self) -> bool {
        match self.closing.state() {
            State::Closed => !self.is_client(),
            State::Failed => true,
            State::Open | State::CloseSent | State::CloseReceived => false,
        }
    }

    #[inline(never)]
    pub(super) fn send_any<'m>(
        &mut self,
        message: Message<'m>,
        output: &mut Output,
    ) -> Result<(), SendError<Message<'m>>> {
        #[cfg(feature = "deflate")]
        if let Some(compressor) = &self.compressor
            && compressor.wants(message.as_bytes().len())
        {
            let len = message.as_bytes().len();
            let (kind, payload) = parts(self.admit(message, len, output)?);
            return self.compress(Part::whole(kind), &payload, output).map_err(SendError::from);
        }
        self.send_uncompressed(message, output)
    }

    pub(crate) fn send_uncompressed<'m>(
        &mut self,
        message: Message<'m>,
        output: &mut Output,
    ) -> Result<(), SendError<Message<'m>>> {
        let len = message.as_bytes().len();
        let (kind, payload) = parts(self.admit(message, len, output)?);
        self.framer.data(Part::whole(kind), payload, output);
        Ok(())
    }

    /// Sends a message, or a piece of one, compressed.
    #[cfg(feature = "deflate")]
    fn compress(
        &mut self,
        part: Part,
        payload: &[u8],
        output: &mut Output,
    ) -> Result<(), ApiMisuse> {
        let sent = match &mut self.compressor {
            Some(compressor) => compressor.send(part, payload, &mut self.framer, output),
            None => return Err(ApiMisuse::Closing), // not reached: the callers have looked
        };
        sent.map_err(|BackendFailed| self.cannot_compress(output))
    }

    /// The same whatever waits: for a sink, which has asked for room and cannot hand a message
    /// back.
    #[cfg(any(feature = "tokio", feature = "futures-io"))]
    pub(crate) fn send_beyond(
        &mut self,
        message: Message<'_>,
        output: &mut Output,
    ) -> Result<(), ApiMisuse> {
        let hard_limit = core::mem::replace(&mut self.hard_limit, NO_LIMIT);
        let sent = self.send(message, output);
        self.hard_limit = hard_limit;
        match sent {
            Err(SendError::Misuse(misuse)) => Err(misuse),
            Ok(()) | Err(SendError::Full(_)) => Ok(()), // never full without a limit
        }
    }

    pub(crate) fn send_prepared(
        &mut self,
        prepared: &Prepared,
        output: &mut Output,
    ) -> Result<(), SendError> {
        self.admit((), prepared.payload().len(), output)?;
        let part = Part::whole(prepared.kind());
        #[cfg(feature = "deflate")]
        if let Some(compressor) = &mut self.compressor
            && let Some(payload) = compressor.prepared(prepared)
        {
            self.framer.shared(Part { compressed: true, ..part }, payload, output);
            return Ok(());
        }
        self.framer.shared(part, prepared.payload(), output);
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
        if self.in_progress.is_some_and(|in_progress| in_progress != kind) {
            return Err(ApiMisuse::FragmentKind.into());
        }
        if self.is_full(fragment.as_bytes().len(), output) {
            return Err(SendError::Full(fragment));
        }
        let (_, payload) = parts(fragment);
        let part = Part { kind, compressed: false, first: self.in_progress.is_none(), fin };
        self.in_progress = (!fin).then_some(kind);
        #[cfg(feature = "deflate")]
        if self.compressor.is_some() {
            return self.compress(part, &payload, output).map_err(SendError::from);
        }
        self.framer.data(part, payload, output);
        Ok(())
    }

    pub(crate) fn ping(&mut self, payload: &[u8], output: &mut Output) -> Result<(), SendError> {
        self.control_of_application(Opcode::Ping, payload, output)
    }

    pub(crate) fn pong(&mut self, payload: &[u8], output: &mut Output) -> Result<(), SendError> {
        self.control_of_application(Opcode::Pong, payload, output)
    }

    /// Appends a Ping whatever waits: an adapter's sign of life must not be held up by the messages
    /// that make it necessary. `false` where nothing may be sent any more.
    #[cfg_attr(not(feature = "std"), allow(dead_code, reason = "for adapters"))]
    pub(crate) fn keepalive_ping(&mut self, payload: &[u8], output: &mut Output) -> bool {
        // 5.5: "All control frames MUST have a payload length of 125 bytes or less".
        if !self.closing.may_send() || payload.len() > MAX_CONTROL {
            return false;
        }
        self.framer.control(Opcode::Ping, payload, output);
        true
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
        if let Some((code, _)) = close {
            close::check(code)?;
        }
        // 5.5.2: a ping is answered unless the peer's Close has come; after ours it cannot be.
        if let Some(payload) = self.owed_pong.take() {
            self.framer.control(Opcode::Pong, payload.as_slice(), output);
        }
        self.write_close(close, output);
        Ok(())
    }

    /// Answers the peer's Close with its code: 5.5.1 "When sending a Close frame in response, the
    /// endpoint typically echos the status code it received."
    pub(crate) fn reply_close(&mut self, output: &mut Output) -> Result<(), ApiMisuse> {
        match self.closing.state() {
            State::CloseReceived => {}
            State::Open => return Err(ApiMisuse::NoCloseReceived),
            State::CloseSent | State::Closed | State::Failed => return Err(ApiMisuse::Closing),
        }
        let code = self.close_received.as_ref().map(CloseFrame::code);
        self.close(code.map(|code| (code, "")), output)
    }

    /// Something was received: sends what is due to it.
    pub(crate) fn answer(&mut self, due: Due<'_>, output: &mut Output) {
        match due {
            Due::Ping(payload) => self.ping_received(payload, output),
            Due::Pong(_) => {}
            Due::Close(frame) => self.close_received(frame, output),
            Due::Failed(error) => self.fail(error, output),
        }
    }

    /// Whether a Ping that comes is answered here, and needs nobody else.
    #[cfg(feature = "std")]
    pub(crate) const fn answers_pings(&self) -> bool {
        self.auto_pong
    }

    /// A Ping has come: 5.5.2 "an endpoint MUST send a Pong frame in response, unless it already
    /// received a Close frame."
    fn ping_received(&mut self, payload: &[u8], output: &mut Output) {
        if !self.auto_pong || !self.closing.may_send() {
            return;
        }
        if output.buffered() <= self.soft_limit() {
            self.owed_pong = None;
            self.framer.control(Opcode::Pong, payload, output);
        } else {
            // 5.5.3: "the endpoint MAY elect to send a Pong frame for only the most recently
            // processed Ping frame."
            self.owed_pong.get_or_insert_with(ControlPayload::new).replace(payload);
        }
    }

    /// The peer's Close has come.
    fn close_received(&mut self, frame: Option<&CloseFrame>, output: &mut Output) {
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
        let says_so = self.closing.may_send() && code.may_be_sent();
        self.owed_pong = None;
        // 7.1.5: the code is that of the peer's Close, once it has come, even one without a code.
        if matches!(self.closing.state(), State::Open | State::CloseSent) && self.failed.is_none() {
            self.failed = Some(code);
        }
        // Before the Close frame: what has failed does not end cleanly, not even if the peer's
        // Close has come.
        self.closing.failed(error);
        self.release_compressor();
        if says_so {
            self.write_close(Some((code, "")), output);
        }
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
        if output.buffered() <= self.soft_limit()
            && let Some(payload) = self.owed_pong.take()
        {
            self.framer.control(Opcode::Pong, payload.as_slice(), output);
        }
    }

    /// Whether a message with `len` bytes of payload may begin now; else it is handed back.
    #[inline]
    pub(super) fn admit<M>(
        &self,
        message: M,
        len: usize,
        output: &Output,
    ) -> Result<M, SendError<M>> {
        if !self.closing.may_send() {
            return Err(ApiMisuse::Closing.into());
        }
        if self.in_progress.is_some() {
            return Err(ApiMisuse::MessageInProgress.into());
        }
        if self.is_full(len, output) {
            return Err(SendError::Full(message));
        }
        Ok(message)
    }

    /// Whether `len` more bytes of payload are too many. One message always fits.
    #[inline]
    fn is_full(&self, len: usize, output: &Output) -> bool {
        !output.is_empty()
            && self.hard_limit != NO_LIMIT
            && output.len().saturating_add(self.framer.most_bytes(len)) > self.hard_limit as usize
    }

    /// The window of the compressor is unknown, so nothing can be sent after this.
    #[cfg(feature = "deflate")]
    #[cold]
    fn cannot_compress(&mut self, output: &mut Output) -> ApiMisuse {
        self.fail(ProtocolError::CompressionFailed, output);
        ApiMisuse::Closing
    }

    /// Nothing can be compressed any more: its memory is not kept until the peer has closed too.
    fn release_compressor(&mut self) {
        #[cfg(feature = "deflate")]
        {
            self.compressor = None;
        }
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
        self.framer.control(opcode, payload, output);
        Ok(())
    }

    fn write_close(&mut self, close: Option<(CloseCode, &str)>, output: &mut Output) {
        let mut body = [0; 2 + MAX_REASON];
        let mut len = 0;
        if let Some((code, reason)) = close {
            let (code, reason) = (code.get().to_be_bytes(), close::cut_reason(reason));
            let source = code.iter().chain(reason.as_bytes());
            body.iter_mut().zip(source).for_each(|(slot, byte)| *slot = *byte);
            len = reason.len().saturating_add(2).min(body.len());
        }
        self.framer.close(body.get(..len).unwrap_or_default(), output);
        self.closing.close_sent();
        self.release_compressor();
    }
}

/// Without the payloads of others: the peer's ping, the reason of its Close.
impl fmt::Debug for SendPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SendPath");
        shown
            .field("client", &self.is_client())
            .field("state", &self.closing.state())
            .field("initiator", &self.closing.initiator())
            .field("in_progress", &self.in_progress)
            .field("owes_pong", &self.owed_pong.is_some())
            .field("peer_closed_with", &self.close_received.as_ref().map(CloseFrame::code))
            .field("failed", &self.failed)
            .field("counters", &self.counters());
        #[cfg(feature = "deflate")]
        shown.field("compressor", &self.compressor);
        shown.finish_non_exhaustive()
    }
}

/// A limit that is this large, or larger, is none.
const NO_LIMIT: u32 = u32::MAX;

fn clamp(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(NO_LIMIT)
}

#[inline]
pub(super) fn parts(message: Message<'_>) -> (Kind, Cow<'_, [u8]>) {
    match message {
        Message::Text(Cow::Borrowed(text)) => (Kind::Text, Cow::Borrowed(text.as_bytes())),
        Message::Text(Cow::Owned(text)) => (Kind::Text, Cow::Owned(text.into_bytes())),
        Message::Binary(data) => (Kind::Binary, data),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    fn server(config: &Config) -> SendPath {
        SendPath::new(None, config)
    }

    #[test]
    fn a_keepalive_ping_is_never_full() {
        let config = Config { output_hard_limit: 10, ..Config::default() };
        let (mut path, mut output) = (server(&config), Output::new());
        path.send(Message::binary(vec![7; 1 << 20]), &mut output).expect("one always fits");
        assert_eq!(path.ping(b"p", &mut output), Err(SendError::Full(())));
        let before = output.len();
        assert!(path.keepalive_ping(b"p", &mut output));
        assert_eq!(output.len(), before + 3);
        assert!(!path.keepalive_ping(&[0; 126], &mut output), "no frame has that");
    }

    #[test]
    fn no_keepalive_ping_after_the_end() {
        let ends: [fn(&mut SendPath, &mut Output); 2] = [
            |path, output| path.close(None, output).expect("open"),
            |path, output| path.fail(ProtocolError::MessageTimeout, output),
        ];
        for end in ends {
            let (mut path, mut output) = (server(&Config::default()), Output::new());
            end(&mut path, &mut output);
            let before = output.len();
            assert!(!path.keepalive_ping(b"p", &mut output));
            assert_eq!(output.len(), before);
        }
        // 5.5.1: after the peer's Close, and before ours, there is still something to say.
        let config = Config { auto_close: false, ..Config::default() };
        let (mut path, mut output) = (server(&config), Output::new());
        path.answer(Due::Close(None), &mut output);
        assert!(path.keepalive_ping(b"p", &mut output));
    }
}
