//! [`Prepared`]: a message that is made once and sent to many connections.

#[cfg(feature = "deflate")]
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::send::parts;
use crate::Message;
use crate::message::Kind;
#[cfg(feature = "deflate")]
use crate::message::deflate::Deflater;

/// A message that is made once, compressed once, and sent to many connections: a large payload
/// is shared between them and not copied.
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
///
/// `Debug` shows its length, and nothing of it.
#[derive(Clone)]
pub struct Prepared {
    kind: Kind,
    payload: Bytes,
    /// Compressed forms, each with the window bits that it needs.
    #[cfg(feature = "deflate")]
    compressed: Vec<(u8, Bytes)>,
}

impl Prepared {
    /// Prepares a message. A borrowed payload is copied, once.
    #[must_use]
    pub fn new(message: Message<'_>) -> Self {
        let (kind, payload) = parts(message);
        Self::from_parts(kind, Bytes::from(payload.into_owned()))
    }

    /// Prepares a binary message whose payload is shared already.
    #[must_use]
    pub const fn binary(payload: Bytes) -> Self {
        Self::from_parts(Kind::Binary, payload)
    }

    /// Compresses the message, for connections that have agreed on permessage-deflate with a
    /// window of at least 2 to the power of `window_bits` (9 to 15) bytes for our side; call it
    /// again for a smaller one. Others are sent it as it is. `level` goes from 0 to 9.
    ///
    /// It is compressed on its own, so it does not gain from messages before it, nor do those that
    /// follow on the same connection gain from the ones before it.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn compress(mut self, window_bits: u8, level: u8) -> Self {
        let window_bits = window_bits.clamp(9, 15);
        let Some(mut deflater) = Deflater::new(window_bits, level.min(9), 8, false) else {
            return self; // not reached: the numbers are in range
        };
        let mut compressed = Vec::new();
        if deflater.compress(&self.payload, &mut compressed).is_ok() {
            self.compressed.push((window_bits, Bytes::from(compressed)));
        }
        self
    }

    const fn from_parts(kind: Kind, payload: Bytes) -> Self {
        Self {
            kind,
            payload,
            #[cfg(feature = "deflate")]
            compressed: Vec::new(),
        }
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) const fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// The form with the largest window up to this one.
    #[cfg(feature = "deflate")]
    pub(super) fn compressed(&self, window_bits: u8) -> Option<&Bytes> {
        let fitting = self.compressed.iter().filter(|(bits, _)| *bits <= window_bits);
        fitting.max_by_key(|(bits, _)| *bits).map(|(_, payload)| payload)
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("kind", &self.kind)
            .field("len", &self.payload.len())
            .finish_non_exhaustive()
    }
}
