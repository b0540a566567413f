//! What a connection reports, and what it sends.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use crate::{CloseFrame, brief};

/// Something that happened on a connection.
///
/// It borrows from the input of [`Connection::receive`](crate::Connection::receive) only, so it
/// can be answered on the same connection while it lives. A payload is `Cow::Borrowed` where the
/// whole message lay in the input, and `Cow::Owned` where it arrived in several inputs.
///
/// `Debug` shows the first 64 bytes of a payload, and how long it is.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
// In words throughout, so that it is moved in words: were `last` beside the tag, it would be moved
// in odd parts, each of which waits for the stores of the move before.
#[repr(u64)]
pub enum Event<'i> {
    /// A whole text message.
    Text(Cow<'i, str>),
    /// A whole binary message.
    Binary(Cow<'i, [u8]>),
    /// A piece of a text message ([`Delivery::Chunks`](crate::Delivery::Chunks)).
    TextChunk {
        /// Whether the message ends here.
        last: bool,
        /// Whole characters; may be empty.
        text: Cow<'i, str>,
    },
    /// A piece of a binary message ([`Delivery::Chunks`](crate::Delivery::Chunks)).
    BinaryChunk {
        /// Whether the message ends here.
        last: bool,
        /// The bytes; may be empty.
        data: Cow<'i, [u8]>,
    },
    /// A Ping. The Pong is in the output already, unless
    /// [`Config::auto_pong`](crate::Config::auto_pong) is off.
    Ping(Cow<'i, [u8]>),
    /// A Pong, asked for or not.
    Pong(Cow<'i, [u8]>),
    /// The peer's Close frame, with its body if it has one. No event follows. Our own Close is in
    /// the output already, unless [`Config::auto_close`](crate::Config::auto_close) is off.
    Close(Option<CloseFrame>),
}

impl Event<'_> {
    /// The event without a borrow of the input: a lent payload is copied.
    #[must_use]
    pub fn into_owned(self) -> Event<'static> {
        match self {
            Self::Text(text) => Event::Text(Cow::Owned(text.into_owned())),
            Self::Binary(data) => Event::Binary(Cow::Owned(data.into_owned())),
            Self::TextChunk { text, last } => {
                Event::TextChunk { text: Cow::Owned(text.into_owned()), last }
            }
            Self::BinaryChunk { data, last } => {
                Event::BinaryChunk { data: Cow::Owned(data.into_owned()), last }
            }
            Self::Ping(data) => Event::Ping(Cow::Owned(data.into_owned())),
            Self::Pong(data) => Event::Pong(Cow::Owned(data.into_owned())),
            Self::Close(frame) => Event::Close(frame),
        }
    }
}

/// Bounded, whatever the peer sent: it may stand in a log.
impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.debug_tuple("Text").field(&brief::Text(text)).finish(),
            Self::Binary(data) => f.debug_tuple("Binary").field(&brief::Bytes(data)).finish(),
            Self::TextChunk { text, last } => f
                .debug_struct("TextChunk")
                .field("text", &brief::Text(text))
                .field("last", last)
                .finish(),
            Self::BinaryChunk { data, last } => f
                .debug_struct("BinaryChunk")
                .field("data", &brief::Bytes(data))
                .field("last", last)
                .finish(),
            Self::Ping(data) => f.debug_tuple("Ping").field(&brief::Bytes(data)).finish(),
            Self::Pong(data) => f.debug_tuple("Pong").field(&brief::Bytes(data)).finish(),
            Self::Close(frame) => f.debug_tuple("Close").field(frame).finish(),
        }
    }
}

/// A data message, borrowed or owned (RFC 6455 section 5.6).
///
/// `Debug` shows the first 64 bytes, and how long it is.
///
/// ```
/// use websocket_proto::Message;
///
/// let borrowed = Message::text("Hello");
/// let owned: Message<'static> = Message::from(String::from("Hello"));
/// assert_eq!(borrowed, owned);
/// assert_eq!(borrowed.as_bytes(), b"Hello");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum Message<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// Arbitrary bytes.
    Binary(Cow<'a, [u8]>),
}

impl<'a> Message<'a> {
    /// A text message.
    #[must_use]
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// A binary message.
    #[must_use]
    pub fn binary(data: impl Into<Cow<'a, [u8]>>) -> Self {
        Self::Binary(data.into())
    }

    /// The text, if it is a text message.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// The payload, of either kind.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(data) => data,
        }
    }

    /// The message without a borrow: a borrowed payload is copied.
    #[must_use]
    pub fn into_owned(self) -> Message<'static> {
        match self {
            Self::Text(text) => Message::Text(Cow::Owned(text.into_owned())),
            Self::Binary(data) => Message::Binary(Cow::Owned(data.into_owned())),
        }
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.debug_tuple("Text").field(&brief::Text(text)).finish(),
            Self::Binary(data) => f.debug_tuple("Binary").field(&brief::Bytes(data)).finish(),
        }
    }
}

impl<'a> From<&'a str> for Message<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Message<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'a> From<&'a [u8]> for Message<'a> {
    fn from(data: &'a [u8]) -> Self {
        Self::Binary(Cow::Borrowed(data))
    }
}

impl From<Vec<u8>> for Message<'_> {
    fn from(data: Vec<u8>) -> Self {
        Self::Binary(Cow::Owned(data))
    }
}

/// Not copied if nothing else holds the bytes. To send shared bytes to many, see
/// [`Prepared`](crate::Prepared).
impl From<Bytes> for Message<'_> {
    fn from(data: Bytes) -> Self {
        Self::Binary(Cow::Owned(data.into()))
    }
}

/// The message of an event that is a whole one; any other event is handed back.
impl<'a> TryFrom<Event<'a>> for Message<'a> {
    type Error = Event<'a>;

    fn try_from(event: Event<'a>) -> Result<Self, Event<'a>> {
        match event {
            Event::Text(text) => Ok(Self::Text(text)),
            Event::Binary(data) => Ok(Self::Binary(data)),
            other => Err(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each 96 bytes in what `receive` returns cost ten nanoseconds a message. In 32 bytes an event
    /// would have its tag within a payload's capacity, and be moved in odd parts (see above): that
    /// costs more than a word.
    #[test]
    fn sizes() {
        type Received<'i> = Result<Option<Event<'i>>, crate::ProtocolError>;
        assert!(size_of::<Event<'_>>() <= 40);
        assert!(size_of::<Received<'_>>() <= 40);
        assert!(size_of::<Message<'_>>() <= 32);
    }
}
