//! [`ControlPayload`]: the payload of a control frame that has to be kept.

use alloc::boxed::Box;
use core::fmt;

/// 5.5: "All control frames MUST have a payload length of 125 bytes or less".
pub(crate) const MAX_CONTROL: usize = 125;

/// A control frame's payload, out of line: a connection keeps one now and then, and otherwise
/// pays for a pointer.
pub(crate) struct ControlPayload(Box<(u8, [u8; MAX_CONTROL])>);

impl ControlPayload {
    /// An empty payload.
    pub(crate) fn new() -> Self {
        Self(Box::new((0, [0; MAX_CONTROL])))
    }

    /// Appends bytes, up to the 125 that the rules let through.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        let (len, payload) = &mut *self.0;
        let start = usize::from(*len);
        let end = start.saturating_add(bytes.len()).min(MAX_CONTROL);
        let room = payload.get_mut(start..end).unwrap_or_default();
        room.copy_from_slice(bytes.get(..room.len()).unwrap_or_default());
        #[expect(clippy::cast_possible_truncation, reason = "at most 125")]
        let end = end as u8;
        *len = end;
    }

    /// Keeps these bytes and not those before.
    pub(crate) fn replace(&mut self, bytes: &[u8]) {
        self.0.0 = 0;
        self.extend(bytes);
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        let (len, payload) = &*self.0;
        payload.get(..usize::from(*len)).unwrap_or(payload)
    }
}

/// Without the payload, which is the peer's.
impl fmt::Debug for ControlPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlPayload").field("len", &self.0.0).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_125_bytes() {
        let mut payload = ControlPayload::new();
        assert_eq!(payload.as_slice(), b"");
        payload.extend(&[1; 100]);
        payload.extend(&[2; 25]);
        assert_eq!(payload.as_slice(), [[1; 100].as_slice(), &[2; 25]].concat());
        payload.extend(&[3]);
        assert_eq!(payload.as_slice().len(), 125);
        payload.replace(&[4; 7]);
        assert_eq!(payload.as_slice(), [4; 7]);
        payload.replace(&[5; 126]);
        assert_eq!(payload.as_slice(), [5; 125]);
    }
}
