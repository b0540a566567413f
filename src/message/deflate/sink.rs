//! Where compressed bytes go.

use alloc::vec::Vec;

/// Takes bytes behind those that it has.
pub(crate) trait Sink {
    /// `len` bytes of memory behind the end, to be filled from the front. What is in them has no
    /// meaning.
    fn room(&mut self, len: usize) -> &mut [u8];

    /// Of the last [`room`](Self::room), which had `len` bytes, the first `count` were filled: the
    /// end is behind them.
    fn filled(&mut self, count: usize, len: usize);

    /// Takes `tail` off the end. Whether it was there.
    fn strip(&mut self, tail: &[u8]) -> bool;
}

impl Sink for Vec<u8> {
    fn room(&mut self, len: usize) -> &mut [u8] {
        let start = self.len();
        self.resize(start.saturating_add(len), 0);
        self.get_mut(start..).unwrap_or_default()
    }

    fn filled(&mut self, count: usize, len: usize) {
        let start = self.len().saturating_sub(len);
        self.truncate(start.saturating_add(count));
    }

    fn strip(&mut self, tail: &[u8]) -> bool {
        let Some(body) = self.strip_suffix(tail).map(<[u8]>::len) else { return false };
        self.truncate(body);
        true
    }
}
