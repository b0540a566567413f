//! [`Counters`]: what was received, or sent.

/// What was received, or sent. The numbers wrap around.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Frames, control frames too.
    pub frames: u64,
    /// Data messages, counted when they end.
    pub messages: u64,
    /// Bytes of payload in data frames, counted when a header has come or gone, as they travel:
    /// compressed where compression is in use.
    pub payload_bytes: u64,
}

impl Counters {
    #[inline]
    pub(crate) const fn count_data_frame(&mut self, payload_len: u64) {
        self.frames = self.frames.wrapping_add(1);
        self.payload_bytes = self.payload_bytes.wrapping_add(payload_len);
    }

    #[inline]
    pub(crate) const fn count_control_frame(&mut self) {
        self.frames = self.frames.wrapping_add(1);
    }

    #[inline]
    pub(crate) const fn count_message(&mut self) {
        self.messages = self.messages.wrapping_add(1);
    }
}
