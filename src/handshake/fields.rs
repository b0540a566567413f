//! Header lines, taken apart: `field-line = field-name ":" OWS field-value OWS` (RFC 9112 section
//! 5), in the strict grammar: no folded lines, no space before a colon, each line with CR LF.
//!
//! A general parser of HTTP also looks for what a handshake must not have, and took twice as long.

use alloc::vec::Vec;

use super::error::HandshakeError;
use super::headers::{is_token_byte, trim};

/// A part of a head, by position: half the size of a slice, and no borrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

/// A header line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: Span,
    pub(super) value: Span,
}

impl Span {
    /// Heads are within a limit of 32 bits.
    pub(super) fn new(start: usize, len: usize) -> Self {
        let position = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: position(start), end: position(start.saturating_add(len)) }
    }

    pub(super) fn find(part: &[u8], whole: &[u8]) -> Option<Self> {
        let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
        let end = start.checked_add(part.len()).filter(|&end| end <= whole.len())?;
        Some(Self { start: u32::try_from(start).ok()?, end: u32::try_from(end).ok()? })
    }

    pub(super) fn of(self, whole: &[u8]) -> &[u8] {
        whole.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// Takes the header lines from position `at` apart, to the empty line that ends the head; also
/// returns the position behind it. `room` is how many lines are expected.
pub(super) fn fields(
    whole: &[u8],
    mut at: usize,
    room: usize,
) -> Result<(Vec<Field>, usize), HandshakeError> {
    const NAME: HandshakeError = HandshakeError::Malformed("header name is not a token");
    const VALUE: HandshakeError = HandshakeError::Malformed("header value has a control character");

    let mut fields = Vec::with_capacity(room);
    loop {
        let rest = whole.get(at..).unwrap_or_default();
        if let [b'\r', b'\n', ..] = rest {
            return Ok((fields, at.saturating_add(2)));
        }
        // RFC 9112 5.1: "No whitespace is allowed between the field name and colon." A line that
        // begins with a space is a folded one (5.2), and "A server ... MUST either reject" it.
        let len = rest.iter().take_while(|&&byte| is_token_byte(byte)).count();
        let Some((name, [b':', line @ ..])) = rest.split_at_checked(len) else { return Err(NAME) };
        if name.is_empty() {
            return Err(NAME);
        }
        let (value, line) = line.split_at_checked(find_control(line)).ok_or(VALUE)?;
        let [b'\r', b'\n', ..] = line else { return Err(VALUE) };
        let behind = whole.len().saturating_sub(line.len());
        // Most values have one space before them and none behind.
        let value = trim(value.strip_prefix(b" ").unwrap_or(value));
        let start = value.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
        let name = Span::new(at, name.len());
        fields.push(Field { name, value: Span::new(start, value.len()) });
        at = behind.saturating_add(2);
    }
}

/// The position of the first byte that a field value cannot have (RFC 9110 section 5.5): a control
/// character other than a tab. Eight bytes at a time; the length where there is none.
fn find_control(bytes: &[u8]) -> usize {
    const STEP: usize = size_of::<u64>();
    const LOW: u64 = u64::from_le_bytes([0x01; STEP]);
    const HIGH: u64 = u64::from_le_bytes([0x80; STEP]);
    const SPACES: u64 = u64::from_le_bytes([b' '; STEP]);
    const DELETES: u64 = u64::from_le_bytes([0x7f; STEP]);

    let is_control = |byte: &u8| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f;
    let mut rest = bytes;
    while let Some((chunk, tail)) = rest.split_first_chunk::<STEP>() {
        let word = u64::from_le_bytes(*chunk);
        let deletes = word ^ DELETES;
        let below = word.wrapping_sub(SPACES) & !word;
        let found = (below | (deletes.wrapping_sub(LOW) & !deletes)) & HIGH;
        // The lowest bit is of such a byte, or of a tab; what is above it may be of a borrow.
        if found != 0 {
            let at = found.trailing_zeros() as usize / STEP;
            if chunk.get(at) != Some(&b'\t') {
                return bytes.len().saturating_sub(rest.len()).saturating_add(at);
            }
            rest = rest.get(at.saturating_add(1)..).unwrap_or_default();
            continue;
        }
        rest = tail;
    }
    let at = rest.iter().position(is_control).unwrap_or(rest.len());
    bytes.len().saturating_sub(rest.len()).saturating_add(at)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;

    #[test]
    fn control_characters_are_found_at_every_position() {
        for len in 0..40 {
            for filler in [b'a', b'\t', b' ', 0x80, 0xff, b'~'] {
                let mut bytes = vec![filler; len];
                assert_eq!(find_control(&bytes), len);
                for at in (0..len).rev() {
                    for control in (0..0x20).filter(|byte| *byte != b'\t').chain([0x7f]) {
                        bytes[at] = control;
                        assert_eq!(find_control(&bytes), at, "{control} behind {filler}");
                    }
                }
            }
        }
    }

    /// Another reader of header lines, which lets a lone LF end a line.
    #[test]
    fn header_lines_are_those_of_httparse() {
        const BYTES: &[u8] = b"aZ-:: \t\r\n\r\n\0\x7f\x80\xff\x1f,(";
        let mut seed = 1_u64;
        let (mut good, mut bad) = (0, 0);
        for _ in 0..100_000 {
            let mut next = |count: usize| {
                seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                (seed >> 33) as usize % count
            };
            let mut lines = Vec::new();
            for _ in 0..next(4) {
                lines.extend_from_slice(b"A-Name: \tsome value with a length \t\r\n");
            }
            lines.extend_from_slice(b"b:\r\n\r\n");
            for _ in 0..next(3) {
                let at = next(lines.len());
                lines[at] = BYTES[next(BYTES.len())];
            }
            let mut room = [httparse::EMPTY_HEADER; 8];
            let theirs = match httparse::parse_headers(&lines, &mut room) {
                Ok(httparse::Status::Complete((end, headers))) => Some((end, headers)),
                _ => None,
            };
            let crlf = |end: usize| {
                (0..end).all(|at| lines[at] != b'\n' || at > 0 && lines[at - 1] == b'\r')
            };
            let theirs = theirs.filter(|(end, _)| crlf(*end)).map(|(end, headers)| {
                let pairs = headers.iter().map(|header| (header.name.as_bytes(), header.value));
                (end, pairs.collect::<Vec<_>>())
            });
            let ours = fields(&lines, 0, 0).ok().map(|(fields, end)| {
                let pair = |field: &Field| (field.name.of(&lines), field.value.of(&lines));
                (end, fields.iter().map(pair).collect::<Vec<_>>())
            });
            *if ours.is_some() { &mut good } else { &mut bad } += 1;
            assert_eq!(ours, theirs, "{:?}", lines.escape_ascii().to_string());
        }
        assert!(good > 10_000 && bad > 10_000, "{good} {bad}");
    }
}
