//! [`ControlPayload`]: the payload of a control frame that has to be kept.

use alloc::boxed::Box;

/// 5.5: "All control frames MUST have a payload length of 125 bytes or less".
pub(crate) const MAX_CONTROL: usize = 125;

/// A control frame's payload, out of line: a connection keeps one now and then, and otherwise
/// pays for a pointer.
#[derive(Debug)]
pub(crate) struct ControlPayload(Box<(u8, [u8; MAX_CONTROL])>);

impl ControlPayload {
    /// An empty payload.
    pub(crate) fn new() -> Self {
        Self(Box::new((0, [0; MAX_CONTROL])))
    }

    /// Appends bytes, up to the 125 that the rules let through.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        let (len, payload) = &mut *self.0;
        for (slot, byte) in payload.iter_mut().skip(usize::from(*len)).zip(bytes) {
            *slot = *byte;
            *len = len.saturating_add(1);
        }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        let (len, payload) = &*self.0;
        payload.get(..usize::from(*len)).unwrap_or(payload)
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
    }
}
