//! Limits and policies of a connection, in one place.

/// Limits and policies of a [`Connection`](crate::Connection).
///
/// The defaults are safe against a hostile peer: each limit is one named field, and an error that
/// a limit causes names the field. Values are compared in `u64` before anything is allocated.
///
/// ```
/// use websocket_proto::Config;
///
/// let mut config = Config::default();
/// config.max_message_size = 16 << 20; // 16 MiB
/// config.max_frame_size = 16 << 20;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The largest message accepted, in bytes of payload over all its fragments, after
    /// decompression. A larger one fails the connection with 1009, and so does one that there is no
    /// memory for. Default 1 MiB.
    pub max_message_size: u64,
    /// The largest payload of one frame accepted, in bytes as received (compressed where
    /// compression is in use). A larger one fails the connection with 1009. Default 1 MiB.
    pub max_frame_size: u64,
    /// The most fragments one message may have, at least 1, where it is kept until it is whole
    /// ([`Delivery::Messages`]). One more fails the connection with 1008. Default 131,072.
    pub max_fragments: u32,
    /// The most fragments without payload that one message may have in a row, at least 1. One more
    /// fails the connection with 1008, however messages are delivered. Default 1,024.
    pub max_empty_fragments: u32,
    /// Bytes waiting in [`Output`](crate::Output) above which a pong is not appended at once:
    /// the newest ping only is remembered and answered when there is room again (RFC 6455 section
    /// 5.5.3). Large frames, which a pong overtakes, do not count for that. An adapter stops
    /// taking messages above it. More than 4 GiB - 1 counts as that. Default 64 KiB.
    pub output_soft_limit: usize,
    /// The most bytes that may wait in [`Output`](crate::Output). A message that would exceed it
    /// is handed back ([`SendError::Full`](crate::SendError)), unless nothing waits: one message
    /// always fits. More than 4 GiB - 1 counts as that. Default 1 MiB.
    pub output_hard_limit: usize,
    /// The largest payload of a frame sent, in bytes: a longer message goes out in fragments, so
    /// that a pong does not wait for all of it. 1 to 4 GiB - 1, other values count as the nearest.
    /// Default 256 KiB.
    pub fragment_size: usize,
    /// Messages sent below this size, in bytes, are not compressed: it would cost more than it
    /// saves. Default 256. (Whether any is compressed was agreed in the handshake.)
    #[cfg(feature = "deflate")]
    pub compression_threshold: usize,
    /// How hard to compress: 0 (not at all) to 9 (slowest); higher values count as 9. Default 1:
    /// for short messages with context takeover nearly as small as 6, and many times faster.
    #[cfg(feature = "deflate")]
    pub compression_level: u8,
    /// The memory of the compressor: 1 (least) to 9; with a window of 15 bits 261 to 484 KiB a
    /// connection that has sent a compressed message. Default 8.
    #[cfg(feature = "deflate")]
    pub compression_memory: u8,
    /// How messages are delivered. Default [`Delivery::Messages`].
    pub delivery: Delivery,
    /// Whether a ping is answered by the connection (RFC 6455 section 5.5.2). Default `true`.
    /// If not, the application answers each [`Event::Ping`](crate::Event::Ping) with
    /// [`Connection::pong`](crate::Connection::pong).
    pub auto_pong: bool,
    /// Whether the peer's Close is answered by the connection (RFC 6455 section 5.5.1). Default
    /// `true`. If not, the application may go on sending, and ends the connection with
    /// [`Connection::close`](crate::Connection::close).
    pub auto_close: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_message_size: 1 << 20,
            max_frame_size: 1 << 20,
            max_fragments: 131_072,
            max_empty_fragments: 1_024,
            output_soft_limit: 64 << 10,
            output_hard_limit: 1 << 20,
            fragment_size: 256 << 10,
            #[cfg(feature = "deflate")]
            compression_threshold: 256,
            #[cfg(feature = "deflate")]
            compression_level: 1,
            #[cfg(feature = "deflate")]
            compression_memory: 8,
            delivery: Delivery::Messages,
            auto_pong: true,
            auto_close: true,
        }
    }
}

/// How incoming messages are delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Whole messages: [`Event::Text`](crate::Event::Text) and
    /// [`Event::Binary`](crate::Event::Binary).
    #[default]
    Messages,
    /// Pieces as they arrive: [`Event::TextChunk`](crate::Event::TextChunk) and
    /// [`Event::BinaryChunk`](crate::Event::BinaryChunk). Nothing is kept but at most three bytes
    /// of an unfinished character, so `max_message_size` may be as large as one likes, and
    /// `max_fragments` does not count.
    ///
    /// Where the pieces end depends on how the bytes arrive. So does, in text that turns out not to
    /// be UTF-8, how much of what stands before the bad byte was delivered.
    Chunks,
}
