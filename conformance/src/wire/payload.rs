//! What a frame or a message carries. Megabytes are described, and made only while their case runs.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// Bytes, or a pattern that is repeated up to a length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    Bytes(Cow<'static, [u8]>),
    Repeated { pattern: &'static [u8], length: usize },
}

impl Payload {
    pub(crate) fn repeated(pattern: &'static [u8], length: usize) -> Self {
        Self::Repeated { pattern, length }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Repeated { length, .. } => *length,
        }
    }

    pub(crate) fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Bytes(bytes) => Cow::Borrowed(bytes),
            Self::Repeated { pattern, length } => {
                Cow::Owned(pattern.iter().copied().cycle().take(*length).collect())
            }
        }
    }

    /// Whether these are the payload's bytes, without making them.
    pub(crate) fn matches(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Bytes(expected) => expected.as_ref() == bytes,
            Self::Repeated { pattern, length } => {
                bytes.len() == *length
                    && !pattern.is_empty()
                    && bytes.chunks(pattern.len()).all(|chunk| pattern.starts_with(chunk))
            }
        }
    }
}

impl From<&'static str> for Payload {
    fn from(text: &'static str) -> Self {
        Self::Bytes(Cow::Borrowed(text.as_bytes()))
    }
}

impl From<&'static [u8]> for Payload {
    fn from(bytes: &'static [u8]) -> Self {
        Self::Bytes(Cow::Borrowed(bytes))
    }
}

impl<const N: usize> From<&'static [u8; N]> for Payload {
    fn from(bytes: &'static [u8; N]) -> Self {
        Self::Bytes(Cow::Borrowed(bytes))
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(Cow::Owned(bytes))
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Self::Bytes(Cow::Owned(text.into_bytes()))
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => f.write_str(&shown(bytes, bytes.len())),
            Self::Repeated { pattern, length } => {
                write!(f, "{} repeated up to {length} bytes", shown(pattern, pattern.len()))
            }
        }
    }
}

/// How much of a payload people are shown.
pub(crate) const SHOWN: usize = 64;

/// The beginning of `length` bytes for people: text in quotes, anything else in hexadecimal.
pub(crate) fn shown(bytes: &[u8], length: usize) -> String {
    let head = bytes.get(..SHOWN).unwrap_or(bytes);
    let mut text = match std::str::from_utf8(head) {
        Ok(text) if !text.chars().any(char::is_control) => format!("{text:?}"),
        _ => head.iter().fold(String::from("0x"), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        }),
    };
    if length > head.len() {
        let _ = write!(text, "... ({length} bytes)");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_what_it_makes_and_nothing_else() {
        let payload = Payload::repeated(b"abc", 8);
        assert_eq!(payload.bytes().as_ref(), b"abcabcab");
        assert!(payload.matches(b"abcabcab"));
        for other in [&b"abcabca"[..], b"abcabcabc", b"abcabcac", b""] {
            assert!(!payload.matches(other));
        }
        assert!(Payload::repeated(b"x", 0).matches(b""));
    }

    #[test]
    fn payloads_are_shown_as_text_where_they_are_text() {
        assert_eq!(shown(b"Hello", 5), "\"Hello\"");
        assert_eq!(shown(b"\xff\x00", 2), "0xff00");
        assert_eq!(shown(&[b'x'; 4], 9), "\"xxxx\"... (9 bytes)");
    }
}
