//! [`Connection`]: one endpoint of an open WebSocket connection.

#[cfg(feature = "deflate")]
mod compress;
mod direct;
mod framer;
mod prepared;
pub(crate) mod receive;
pub(crate) mod send;
mod send_error;
mod small;
pub(crate) mod state;

use core::fmt;

use crate::{
    ApiMisuse, CloseCode, CloseFrame, Config, Counters, Event, MaskKeys, Message, Negotiated,
    Output, ProtocolError, brief,
};
pub use prepared::Prepared;
use receive::ReceivePath;
use send::SendPath;
pub use send_error::SendError;
pub use state::{Initiator, State};

/// One endpoint of a WebSocket connection, from the end of the opening handshake to the end of
/// the transport (RFC 6455 sections 5 to 7). It has no socket, no clock and no buffers of its own.
///
/// In one sentence: *after every call that took `output`, write all of `output`; call
/// [`receive`](Self::receive) until its input is used up; when
/// [`should_shutdown`](Self::should_shutdown) is true and `output` is empty, shut the transport
/// down.*
///
/// | | methods |
/// |---|---|
/// | inputs | [`receive`](Self::receive), [`receive_eof`](Self::receive_eof), [`output_lost`](Self::output_lost); for large messages [`direct`](Self::direct), [`recycle`](Self::recycle) |
/// | commands | [`send`](Self::send), [`send_fragment`](Self::send_fragment), [`send_prepared`](Self::send_prepared), [`ping`](Self::ping), [`pong`](Self::pong), [`close`](Self::close), [`reply_close`](Self::reply_close), [`discard_data`](Self::discard_data), [`fail`](Self::fail) |
/// | outputs | [`Output`], lent to each call; [`send_owed`](Self::send_owed) |
/// | getters | [`state`](Self::state), [`closed`](Self::closed), [`should_shutdown`](Self::should_shutdown), [`statistics`](Self::statistics), ... |
///
/// Pings and the peer's Close are answered by the connection itself; a peer that breaks the
/// protocol is sent a Close frame with the right code, and the error is returned, from then on by
/// every call.
///
/// ```
/// use websocket_proto::{Config, Connection, Event, Message, Negotiated, Output};
///
/// let mut server = Connection::server(Negotiated::default(), Config::default());
/// let mut output = Output::new();
///
/// // RFC 6455 section 5.7: a masked "Hello", and a masked Ping that says the same.
/// let mut bytes = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\
///                    \x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
/// let mut input = &mut bytes[..];
/// while let Some(event) = server.receive(&mut input, &mut output)? {
///     // The event borrows the input only, so it can be answered while it lives.
///     if let Event::Text(text) = event {
///         server.send(Message::text(text), &mut output).expect("open and not full");
///     }
/// }
/// assert_eq!(output.pending(), b"\x81\x05Hello\x8a\x05Hello");
/// # Ok::<(), websocket_proto::ProtocolError>(())
/// ```
#[derive(Debug)]
pub struct Connection {
    // An adapter that is split keeps the two halves apart.
    pub(crate) receive: ReceivePath,
    pub(crate) send: SendPath,
}

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closed<'a> {
    /// Whether both Close frames have passed (RFC 6455 section 7.1.4).
    pub clean: bool,
    /// Who began to close.
    pub initiator: Initiator,
    /// The code of the peer's Close frame; [`CloseCode::NO_STATUS`] if it had none. Where the
    /// peer sent none, the code that the connection failed with, or [`CloseCode::ABNORMAL`].
    pub code: CloseCode,
    /// The reason in the peer's Close frame; empty without one.
    pub reason: &'a str,
}

impl fmt::Debug for Closed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closed")
            .field("clean", &self.clean)
            .field("initiator", &self.initiator)
            .field("code", &self.code)
            .field("reason", &brief::Text(self.reason))
            .finish()
    }
}

/// What has passed over a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// What came from the peer.
    pub received: Counters,
    /// What was put into the output.
    pub sent: Counters,
}

impl Connection {
    /// The client's end. Its frames are masked with keys from `keys` (RFC 6455 section 5.3).
    #[must_use]
    pub fn client(negotiated: Negotiated, config: Config, keys: MaskKeys) -> Self {
        Self::new(negotiated, &config, Some(keys))
    }

    /// The server's end.
    #[must_use]
    pub fn server(negotiated: Negotiated, config: Config) -> Self {
        Self::new(negotiated, &config, None)
    }

    #[cfg_attr(not(feature = "deflate"), expect(unused_variables, reason = "for extensions"))]
    fn new(negotiated: Negotiated, config: &Config, keys: Option<MaskKeys>) -> Self {
        // 5.1: what a client sends is masked, so a server receives masked frames.
        #[cfg_attr(not(feature = "deflate"), expect(unused_mut, reason = "for extensions"))]
        let mut receive = ReceivePath::new(keys.is_none(), config);
        #[cfg_attr(not(feature = "deflate"), expect(unused_mut, reason = "for extensions"))]
        let mut send = SendPath::new(keys, config);
        #[cfg(feature = "deflate")]
        if let Some(params) = negotiated.deflate {
            // RFC 7692 7.1: each parameter is about the messages that one side sends.
            let client = (!params.client_no_context_takeover, params.client_max_window_bits);
            let server = (!params.server_no_context_takeover, params.server_max_window_bits);
            let (own, peer) = if send.is_client() { (client, server) } else { (server, client) };
            send.compressor = compress::Compressor::new(config, own.1, own.0);
            receive.agree_deflate(peer.0);
        }
        Self { receive, send }
    }

    // ---- getters

    /// How far the closing handshake has come.
    #[must_use]
    pub const fn state(&self) -> State {
        self.send.closing.state()
    }

    /// How the connection ended, once it has: both Close frames have passed, or it has failed.
    #[must_use]
    pub fn closed(&self) -> Option<Closed<'_>> {
        let clean = match self.state() {
            State::Closed if self.send.closing.is_clean() => true,
            State::Failed => false,
            State::Closed | State::Open | State::CloseSent | State::CloseReceived => return None,
        };
        let frame = self.send.close_received.as_ref();
        let code = match frame {
            Some(frame) => frame.code(),
            // A failure that was not preceded by the peer's Close, even an empty one.
            None => self.send.failed.unwrap_or(CloseCode::NO_STATUS),
        };
        let reason = frame.map_or("", CloseFrame::reason);
        Some(Closed { clean, initiator: self.send.closing.initiator(), code, reason })
    }

    /// The peer's Close frame, if it has come and has a body.
    #[must_use]
    pub const fn close_received(&self) -> Option<&CloseFrame> {
        self.send.close_received.as_ref()
    }

    /// The error that the connection has failed with, if it has.
    #[must_use]
    pub const fn error(&self) -> Option<ProtocolError> {
        self.receive.error()
    }

    /// Whether nothing more will be sent: once `output` is empty, shut down the sending side of
    /// the transport, and read until its end or for as long as the close deadline allows.
    ///
    /// A client whose connection ended cleanly leaves that to the server (RFC 6455 section 7.1.1).
    #[must_use]
    pub const fn should_shutdown(&self) -> bool {
        self.send.should_shutdown()
    }

    /// Whether a message of the peer has begun and not ended.
    #[must_use]
    pub const fn in_message(&self) -> bool {
        self.receive.in_message()
    }

    /// What has passed over the connection so far.
    #[must_use]
    pub const fn statistics(&self) -> Statistics {
        Statistics { received: self.receive.counters, sent: self.send.counters() }
    }

    // ---- inputs

    /// Takes bytes from the peer: walks `input` up to the end of one event and returns it, or
    /// uses up all of `input` and returns `None`. The payload is unmasked in place.
    ///
    /// Replies that are due (a Pong, a Close) are appended to `output`.
    ///
    /// # Errors
    ///
    /// The peer broke the protocol: the connection has failed, a Close frame is in `output`, the
    /// rest of `input` is dropped. Every later call returns the same error.
    #[inline(always)]
    pub fn receive<'i>(
        &mut self,
        input: &mut &'i mut [u8],
        output: &mut Output,
    ) -> Result<Option<Event<'i>>, ProtocolError> {
        self.send.send_owed(output);
        let Self { receive, send } = self;
        receive.receive(input, |due| send.answer(due, output))
    }

    /// The transport has ended: the peer sends nothing more.
    ///
    /// # Errors
    ///
    /// [`ProtocolError::UnexpectedEof`] where the peer has sent no Close frame before, or the
    /// error that the connection has failed with.
    pub fn receive_eof(&mut self) -> Result<(), ProtocolError> {
        let result = self.receive.receive_eof();
        if let Err(error) = result {
            // Nothing is written: the code of this error cannot be sent.
            self.send.fail(error, &mut Output::new());
        }
        result
    }

    /// Bytes of the output will never leave: the transport is broken, or the peer took nothing
    /// before a deadline. A closing handshake whose Close was among them was not a clean end
    /// ([`Closed::clean`]). Nothing else changes; [`fail`](Self::fail) a connection that is open.
    pub const fn output_lost(&mut self) {
        self.send.closing.output_lost();
    }

    // ---- commands

    /// Sends a message. It goes out in fragments where it is longer than
    /// [`Config::fragment_size`](crate::Config::fragment_size). An owned large payload is not
    /// copied.
    ///
    /// # Errors
    ///
    /// [`SendError::Full`] hands the message back; [`ApiMisuse::Closing`],
    /// [`ApiMisuse::MessageInProgress`].
    #[inline(always)]
    pub fn send<'m>(
        &mut self,
        message: Message<'m>,
        output: &mut Output,
    ) -> Result<(), SendError<Message<'m>>> {
        self.send.send(message, output)
    }

    /// Sends a message without compressing it, where [`send`](Self::send) may: for text that mixes
    /// a secret with what an attacker may choose, whose length must not tell (RFC 7692 section 8).
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_uncompressed<'m>(
        &mut self,
        message: Message<'m>,
        output: &mut Output,
    ) -> Result<(), SendError<Message<'m>>> {
        self.send.send_uncompressed(message, output)
    }

    /// Sends a message in pieces, for example one whose length is not known yet (section 5.4):
    /// the first call begins it, the one with `fin` ends it. All pieces are of one kind.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Message, Negotiated, Output};
    ///
    /// let mut server = Connection::server(Negotiated::default(), Config::default());
    /// let mut output = Output::new();
    /// server.send_fragment(Message::text("Hel"), false, &mut output)?;
    /// server.send_fragment(Message::text("lo"), true, &mut output)?;
    /// assert_eq!(output.pending(), b"\x01\x03Hel\x80\x02lo"); // RFC 6455 section 5.7
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SendError::Full`] hands the piece back; [`ApiMisuse::Closing`],
    /// [`ApiMisuse::FragmentKind`].
    pub fn send_fragment<'m>(
        &mut self,
        fragment: Message<'m>,
        fin: bool,
        output: &mut Output,
    ) -> Result<(), SendError<Message<'m>>> {
        self.send.send_fragment(fragment, fin, output)
    }

    /// Sends a message that was prepared once for many connections.
    ///
    /// # Errors
    ///
    /// [`SendError::Full`]; [`ApiMisuse::Closing`], [`ApiMisuse::MessageInProgress`].
    pub fn send_prepared(
        &mut self,
        prepared: &Prepared,
        output: &mut Output,
    ) -> Result<(), SendError> {
        self.send.send_prepared(prepared, output)
    }

    /// Sends a Ping with up to 125 bytes of payload (section 5.5.2). It may stand between the
    /// fragments of a message.
    ///
    /// # Errors
    ///
    /// [`SendError::Full`]; [`ApiMisuse::LongControl`], [`ApiMisuse::Closing`].
    pub fn ping(&mut self, payload: &[u8], output: &mut Output) -> Result<(), SendError> {
        self.send.ping(payload, output)
    }

    /// Sends a Pong with up to 125 bytes of payload (section 5.5.3): an answer, where
    /// [`Config::auto_pong`](crate::Config::auto_pong) is off, or a sign of life.
    ///
    /// # Errors
    ///
    /// As [`ping`](Self::ping).
    pub fn pong(&mut self, payload: &[u8], output: &mut Output) -> Result<(), SendError> {
        self.send.pong(payload, output)
    }

    /// Begins the closing handshake, or answers the peer's Close where
    /// [`Config::auto_close`](crate::Config::auto_close) is off (section 5.5.1). The frame goes
    /// behind everything sent before; nothing can be sent after it.
    ///
    /// A frame has room for a reason of 123 bytes (5.5): a longer one is cut at the end of a
    /// character.
    ///
    /// # Errors
    ///
    /// [`ApiMisuse::CloseCodeNotAllowed`], [`ApiMisuse::Closing`].
    pub fn close(
        &mut self,
        code: CloseCode,
        reason: &str,
        output: &mut Output,
    ) -> Result<(), ApiMisuse> {
        self.send.close(Some((code, reason)), output)
    }

    /// Passes over the peer's messages from now on: the one on its way, and those after it. For
    /// who closes and waits for nothing but the end (1.4: "a peer discards any further data
    /// received"); without it, messages still arrive after [`close`](Self::close), until the peer's
    /// Close does.
    ///
    /// No data event follows and no memory is kept, whatever was received of a message. Frames are
    /// held against the rules of frames and their limits as before, and control frames are reported
    /// and answered, the peer's Close above all (5.5.1). What is in a message is not looked at.
    ///
    /// ```
    /// use websocket_proto::{CloseCode, Config, Connection, Event, Negotiated, Output, State};
    ///
    /// # let keys = websocket_proto::MaskKeys::from_seed([0; 32]);
    /// let mut client = Connection::client(Negotiated::default(), Config::default(), keys);
    /// let mut output = Output::new();
    /// client.close(CloseCode::NORMAL, "enough", &mut output)?;
    /// client.discard_data();
    ///
    /// let mut bytes = *b"\x82\x04more\x88\x00";
    /// assert_eq!(client.receive(&mut &mut bytes[..], &mut output)?, Some(Event::Close(None)));
    /// assert_eq!(client.state(), State::Closed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn discard_data(&mut self) {
        self.receive.discard_data();
    }

    /// Answers the peer's Close with the code that it carries, or with none if it has none, where
    /// [`Config::auto_close`](crate::Config::auto_close) is off.
    ///
    /// # Errors
    ///
    /// [`ApiMisuse::NoCloseReceived`]; [`ApiMisuse::Closing`] if it was answered already.
    pub fn reply_close(&mut self, output: &mut Output) -> Result<(), ApiMisuse> {
        self.send.reply_close(output)
    }

    /// Fails the connection (section 7.1.7) for a reason that the connection cannot see, such as
    /// a deadline: a Close frame is appended, input is discarded from now on. Returns the error
    /// that stays: an earlier one, if there is one. A connection that has ended cleanly stays so.
    pub fn fail(&mut self, error: ProtocolError, output: &mut Output) -> ProtocolError {
        if self.state() == State::Closed {
            return error;
        }
        self.send.fail(error, output);
        self.receive.fail(error)
    }

    // ---- outputs

    /// Appends a Pong that was held back because more than
    /// [`Config::output_soft_limit`](crate::Config::output_soft_limit) bytes waited. Call it when
    /// bytes were written; [`receive`](Self::receive) does the same.
    #[inline]
    pub fn send_owed(&mut self, output: &mut Output) {
        self.send.send_owed(output);
    }

    /// Whether more waits in `output` than
    /// [`Config::output_soft_limit`](crate::Config::output_soft_limit): write before sending more.
    #[must_use]
    pub fn wants_write(&self, output: &Output) -> bool {
        self.send.wants_write(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An idle connection costs its state only.
    #[test]
    fn size() {
        assert!(size_of::<Connection>() <= 256, "{}", size_of::<Connection>());
        assert!(size_of::<ReceivePath>() <= 256, "{}", size_of::<ReceivePath>());
    }

    /// A message counts when it is delivered, in whatever pieces it came.
    #[test]
    fn bad_text_is_not_counted() {
        for cut in 0..4 {
            // Cut off, not wrong: only the end shows it.
            let mut bytes = *b"\x81\x02\xE2\x82";
            let (head, tail) = bytes.split_at_mut(cut);
            let keys = MaskKeys::from_seed([7; 32]);
            let mut client = Connection::client(Negotiated::default(), Config::default(), keys);
            let mut output = Output::new();
            assert_eq!(client.receive(&mut &mut *head, &mut output), Ok(None));
            let result = client.receive(&mut &mut *tail, &mut output);
            assert_eq!(result, Err(ProtocolError::InvalidUtf8), "cut at {cut}");
            assert_eq!(client.statistics().received.messages, 0, "cut at {cut}");
        }
    }
}
