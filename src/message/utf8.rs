//! UTF-8 of text messages (RFC 6455 sections 5.6 and 8.1).
//!
//! A complete message is validated at once by [`whole`]; what arrives in pieces goes through
//! [`Utf8`], which keeps the at most three bytes of a character that a piece cut off. Both give
//! `&str` from safe code only.
//!
//! With the feature `simd` the check is `simdutf8`'s, which goes by the standard library below 64
//! bytes: measured against that library on text of mixed characters it is level at 16 bytes, and
//! takes 1/6 of the time at 125 bytes and 1/16 from 1 KiB on (ASCII: level, 1/2.5). The `basic`
//! flavour is a few per cent ahead of `compat`, and nobody needs the position that only `compat`
//! reports: an error fails the connection.

use crate::ProtocolError;

/// A validator for text in pieces, which may end anywhere, also within a character.
///
/// It fails in the piece that holds the first bad byte, wherever the pieces are cut. After an
/// error nothing more is to be pushed.
#[derive(Clone, Copy)]
pub(crate) struct Utf8 {
    /// The beginning of a character, which can still become a valid one.
    carry: [u8; 3],
    len: u8,
}

impl Utf8 {
    /// At the beginning of a message.
    pub(crate) const fn new() -> Self {
        Self { carry: [0; 3], len: 0 }
    }

    /// How many bytes the character that was cut off still needs, 0 if none was.
    #[inline]
    pub(crate) fn missing(&self) -> usize {
        match self.len {
            0 => 0,
            len => width(self.carry[0]).saturating_sub(len.into()),
        }
    }

    /// How many bytes of that character there are.
    #[inline]
    pub(crate) fn carried(&self) -> usize {
        self.len.into()
    }

    /// Takes the next piece of the text. Returns the character that was cut off before, if this
    /// piece completes it, and what follows it up to the last complete character.
    pub(crate) fn push<'a>(
        &mut self,
        piece: &'a [u8],
    ) -> Result<(Option<char>, &'a str), ProtocolError> {
        let (completed, rest) = self.complete(piece)?;
        if self.len > 0 {
            return Ok((None, ""));
        }
        let (text, tail) = split_tail(rest);
        let text = valid(text)?;
        self.carry(tail)?;
        Ok((completed, text))
    }

    /// Takes a piece that begins with a character ([`missing`](Self::missing) is 0) without
    /// giving its text: returns how many of its last bytes are a character cut off. The bytes
    /// before them are valid.
    pub(crate) fn carry_tail(&mut self, piece: &[u8]) -> Result<usize, ProtocolError> {
        debug_assert_eq!(self.len, 0, "the character cut off before was not completed");
        let (text, tail) = split_tail(piece);
        valid(text)?;
        self.carry(tail)?;
        Ok(tail.len())
    }

    /// The end of the message, which must be that of a character. The next message may follow.
    #[inline]
    pub(crate) fn finish(&mut self) -> Result<(), ProtocolError> {
        match core::mem::take(&mut self.len) {
            0 => Ok(()),
            _ => Err(ProtocolError::InvalidUtf8),
        }
    }

    /// Adds bytes to the character that was cut off, one by one: each must be a possible next
    /// one. Returns the character if it is complete, and the bytes after it.
    fn complete<'a>(&mut self, piece: &'a [u8]) -> Result<(Option<char>, &'a [u8]), ProtocolError> {
        let mut rest = piece;
        while self.len > 0 {
            let Some((&byte, after)) = rest.split_first() else { break };
            rest = after;
            let [a, b, c] = self.carry;
            let mut character = [a, b, c, 0];
            let have = usize::from(self.len);
            if let Some(next) = character.get_mut(have) {
                *next = byte;
            }
            match core::str::from_utf8(character.get(..=have).unwrap_or_default()) {
                Ok(text) => {
                    self.len = 0;
                    return Ok((text.chars().next(), rest));
                }
                Err(error) if error.error_len().is_some() => {
                    return Err(ProtocolError::InvalidUtf8);
                }
                Err(_) => {
                    let [a, b, c, _] = character;
                    self.carry = [a, b, c];
                    self.len = self.len.saturating_add(1);
                }
            }
        }
        Ok((None, rest))
    }

    /// Keeps what [`split_tail`] cut off, if some character begins with it.
    #[inline]
    fn carry(&mut self, tail: &[u8]) -> Result<(), ProtocolError> {
        if tail.is_empty() {
            return Ok(());
        }
        // E.g. E0 80 is bad at the second byte, however the character goes on (RFC 3629 section 4).
        match core::str::from_utf8(tail) {
            Err(error) if error.error_len().is_none() => {}
            _ => return Err(ProtocolError::InvalidUtf8),
        }
        self.len = 0;
        for (place, byte) in self.carry.iter_mut().zip(tail) {
            *place = *byte;
            self.len = self.len.saturating_add(1);
        }
        Ok(())
    }
}

/// Validates a complete message.
#[inline]
pub(crate) fn whole(text: &mut [u8]) -> Result<&mut str, ProtocolError> {
    #[cfg(feature = "simd")]
    let text = simdutf8::basic::from_utf8_mut(text);
    #[cfg(not(feature = "simd"))]
    let text = core::str::from_utf8_mut(text);
    // 8.1: "MUST _Fail the WebSocket Connection_".
    text.map_err(|_| ProtocolError::InvalidUtf8)
}

#[inline]
fn valid(text: &[u8]) -> Result<&str, ProtocolError> {
    #[cfg(feature = "simd")]
    let text = simdutf8::basic::from_utf8(text);
    #[cfg(not(feature = "simd"))]
    let text = core::str::from_utf8(text);
    text.map_err(|_| ProtocolError::InvalidUtf8)
}

/// Cuts off a last character that announces more bytes than there are. Whether what is there is
/// valid is not looked at.
#[inline]
fn split_tail(piece: &[u8]) -> (&[u8], &[u8]) {
    for back in 1..=3 {
        let Some(at) = piece.len().checked_sub(back) else { break };
        let Some((text, tail)) = piece.split_at_checked(at) else { break };
        match tail.first() {
            // A continuation byte: the character begins before it.
            Some(0x80..=0xbf) => {}
            Some(&lead) if width(lead) > back => return (text, tail),
            _ => break,
        }
    }
    (piece, &[])
}

/// How many bytes a character has that begins with `lead` (RFC 3629 section 3). Bytes that begin
/// none count as complete, so that they are found at once.
#[inline]
const fn width(lead: u8) -> usize {
    match lead {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::*;

    /// What the pieces give, or the error; checks `missing` on the way.
    fn push_all(pieces: &[&[u8]]) -> Result<String, ProtocolError> {
        let mut utf8 = Utf8::new();
        let mut out = String::new();
        let mut pushed = 0;
        for piece in pieces {
            let (completed, text) = utf8.push(piece)?;
            out.extend(completed);
            out.push_str(text);
            pushed += piece.len();
            assert_eq!(out.len() + usize::from(utf8.len), pushed, "each byte is given or carried");
            assert_eq!(utf8.missing() == 0, utf8.len == 0);
        }
        utf8.finish()?;
        Ok(out)
    }

    /// The index of the first byte with which no UTF-8 text begins, as the standard library sees
    /// it: `None` if the text is valid or only cut off.
    fn first_bad(bytes: &[u8]) -> Option<usize> {
        (0..bytes.len()).find(|&i| {
            core::str::from_utf8(&bytes[..=i]).is_err_and(|error| error.error_len().is_some())
        })
    }

    /// Holds all ways to validate `bytes` against the standard library.
    fn check(bytes: &[u8]) {
        let expected = core::str::from_utf8(bytes).ok();
        assert_eq!(whole(&mut bytes.to_vec()).ok().as_deref(), expected, "{bytes:x?}");
        for split in 0..=bytes.len() {
            let (a, b) = bytes.split_at(split);
            let pushed = push_all(&[a, b]);
            assert_eq!(pushed.as_deref().ok(), expected, "{bytes:x?} split at {split}");
        }

        let mut utf8 = Utf8::new();
        let failed = bytes.iter().position(|byte| utf8.push(&[*byte]).is_err());
        assert_eq!(failed, first_bad(bytes), "{bytes:x?} byte by byte");
        if failed.is_none() {
            assert_eq!(utf8.finish().is_ok(), expected.is_some(), "{bytes:x?} at its end");
        }
        // As one piece: an error that its own bytes prove does not wait for the next piece.
        assert_eq!(Utf8::new().push(bytes).is_err(), first_bad(bytes).is_some(), "{bytes:x?}");

        let mut utf8 = Utf8::new();
        match utf8.carry_tail(bytes) {
            Err(_) => assert!(first_bad(bytes).is_some(), "{bytes:x?}"),
            Ok(cut) => {
                assert_eq!(first_bad(bytes), None, "{bytes:x?}");
                assert!(core::str::from_utf8(&bytes[..bytes.len() - cut]).is_ok(), "{bytes:x?}");
                assert_eq!(cut, usize::from(utf8.len));
            }
        }
    }

    #[test]
    fn every_scalar_at_every_split() {
        for scalar in '\0'..=char::MAX {
            let mut buffer = [0; 4];
            let bytes = scalar.encode_utf8(&mut buffer).as_bytes();
            for split in 0..=bytes.len() {
                let (a, b) = bytes.split_at(split);
                let mut utf8 = Utf8::new();
                let (before, first) = utf8.push(a).unwrap();
                assert_eq!(before, None);
                let cut = 0 < split && split < bytes.len();
                assert_eq!(utf8.missing(), if cut { b.len() } else { 0 });
                let (completed, second) = utf8.push(b).unwrap();
                assert_eq!(completed, cut.then_some(scalar));
                let lent = [first, second].concat();
                assert_eq!(lent.chars().next(), (!cut).then_some(scalar));
                utf8.finish().unwrap();
            }
        }
    }

    #[test]
    fn every_string_of_up_to_two_bytes() {
        check(&[]);
        for a in 0..=255 {
            check(&[a]);
            for b in 0..=255 {
                check(&[a, b]);
            }
        }
    }

    /// All 2^24 strings of three bytes, whole and cut, against the standard library. Cuts after a
    /// complete character are left out: nothing is carried there, so that what follows is one of
    /// the shorter strings above.
    #[test]
    fn every_string_of_three_bytes() {
        let state = |bytes: &[u8]| {
            let mut utf8 = Utf8::new();
            utf8.push(bytes).map(|_| utf8)
        };
        let end = |state: Result<Utf8, ProtocolError>, rest: &[u8]| {
            state.is_ok_and(|mut utf8| utf8.push(rest).is_ok() && utf8.finish().is_ok())
        };
        for a in 0..=255_u8 {
            let after_a = state(&[a]);
            let carried_a = after_a.is_ok_and(|utf8| utf8.len > 0);
            for b in 0..=255_u8 {
                let after_ab = state(&[a, b]);
                let after_a_b = after_a.and_then(|mut utf8| utf8.push(&[b]).map(|_| utf8));
                let carried_b = after_ab.is_ok_and(|utf8| utf8.len > 0);
                for c in 0..=255_u8 {
                    let bytes = [a, b, c];
                    let expected = core::str::from_utf8(&bytes).is_ok();
                    let mut same = whole(&mut bytes.clone()).is_ok() == expected
                        && end(Ok(Utf8::new()), &bytes) == expected;
                    if carried_a {
                        same &= end(after_a, &[b, c]) == expected;
                    }
                    if carried_b {
                        same &= end(after_ab, &[c]) == expected && end(after_a_b, &[c]) == expected;
                    }
                    assert!(same, "{bytes:x?}: expected valid: {expected}");
                }
            }
        }
    }

    /// Where each byte of a character is at the edge of, in, or out of what is allowed there.
    #[test]
    fn strings_of_four_bytes_at_the_edges() {
        const NEXT: [u8; 12] =
            [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xe0, 0xff];
        for lead in 0xf0..=0xf7 {
            // The second byte decides about F0 and F4, so it takes all values.
            for b in 0..=255 {
                for c in NEXT {
                    for d in NEXT {
                        check(&[lead, b, c, d]);
                    }
                }
            }
        }
        // A whole character, or none, before and after the edges of shorter ones.
        for lead in [0x41, 0x80, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf4, 0xf5] {
            for b in NEXT {
                for c in NEXT {
                    for d in [0x41, 0x80, 0xbf, 0xc3, 0xe2, 0xf0, 0xff] {
                        check(&[lead, b, c, d]);
                        check(&[0xce, 0xba, lead, b, c, d]);
                    }
                }
            }
        }
    }

    #[test]
    fn long_text_at_every_split() {
        let text: String = "κόσμε \u{1f600} plain words, 漢字 \u{10ffff}\u{800}".repeat(4);
        let bytes = text.as_bytes();
        for split in 0..=bytes.len() {
            let (a, b) = bytes.split_at(split);
            assert_eq!(push_all(&[a, b]).unwrap(), text);
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(push_all(&single).unwrap(), text);
        // One bad byte in any place, in text long enough for vectors.
        for bad in 0..bytes.len() {
            let mut broken = bytes.to_vec();
            broken[bad] = 0xff;
            assert!(whole(&mut broken.clone()).is_err());
            for piece in [1, 7, 64, 200] {
                let mut utf8 = Utf8::new();
                let failed = broken.chunks(piece).position(|chunk| utf8.push(chunk).is_err());
                assert_eq!(failed, Some(bad / piece), "byte {bad} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn empty_pieces_change_nothing() {
        assert_eq!(push_all(&[&[], &[0xe2], &[], &[0x82], &[], &[0xac], &[]]).unwrap(), "€");
    }

    #[test]
    fn the_next_message_begins_afresh() {
        let mut utf8 = Utf8::new();
        utf8.push(&[0xe2, 0x82]).unwrap();
        assert_eq!(utf8.missing(), 1);
        assert_eq!(utf8.finish(), Err(ProtocolError::InvalidUtf8));
        assert_eq!(utf8.missing(), 0);
        assert_eq!(utf8.push(b"ok").unwrap(), (None, "ok"));
        assert_eq!(utf8.finish(), Ok(()));
    }

    #[test]
    fn it_takes_four_bytes() {
        assert_eq!(size_of::<Utf8>(), 4);
    }
}
