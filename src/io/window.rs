//! [`Window`]: bytes that were read and not yet used.

use alloc::vec::Vec;

/// Memory for one read. It is initialised once and not again, since a message is delivered from
/// it without being copied.
#[derive(Debug, Default)]
pub(crate) struct Window {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Window {
    /// The size of a read: where larger ones stop paying off.
    pub(crate) const SIZE: usize = 64 << 10;

    pub(crate) fn with_leftover(leftover: &[u8]) -> Self {
        Self { bytes: leftover.to_vec(), start: 0, end: leftover.len() }
    }

    pub(crate) fn unread(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Room for a read. Nothing unread is left in it when it is asked for: the connection keeps
    /// what it cannot use yet.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.bytes.len() < Self::SIZE {
            self.bytes.resize(Self::SIZE, 0);
        }
        self.start = 0;
        self.end = 0;
        &mut self.bytes
    }

    /// A read has put `count` bytes into the room.
    pub(crate) fn filled(&mut self, count: usize) {
        // A reader that claims more than there was room for has broken its contract; what it
        // claims beyond is not there.
        self.end = count.min(self.bytes.len());
    }

    /// The first `count` unread bytes.
    pub(crate) fn take(&mut self, count: usize) -> &mut [u8] {
        let start = self.start;
        self.start = start.saturating_add(count).min(self.end);
        self.bytes.get_mut(start..self.start).unwrap_or_default()
    }
}
