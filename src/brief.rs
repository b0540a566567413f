//! What `Debug` shows of a payload: how it begins, and how long it is.

use core::fmt;

/// The most bytes that are shown.
const MOST: usize = 64;

/// The longest beginning of `text` with at most `most` bytes that ends with a character.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}

/// A text, escaped.
pub(crate) struct Text<'a>(pub(crate) &'a str);

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", cut(self.0, MOST))?;
        rest(f, self.0.len())
    }
}

/// Bytes, as a literal would have them.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl fmt::Debug for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.get(..MOST).unwrap_or(self.0);
        write!(f, "b\"{}\"", shown.escape_ascii())?;
        rest(f, self.0.len())
    }
}

fn rest(f: &mut fmt::Formatter<'_>, len: usize) -> fmt::Result {
    if len > MOST { write!(f, ".. ({len} bytes)") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn cut_at_a_character() {
        let text = "a\u{e4}\u{20ac}\u{10348}";
        for (most, expected) in
            [(0, 0), (1, 1), (2, 1), (3, 3), (5, 3), (6, 6), (9, 6), (10, 10), (99, 10)]
        {
            assert_eq!(cut(text, most), &text[..expected], "{most}");
        }
    }

    #[test]
    fn short_is_shown_whole() {
        assert_eq!(format!("{:?}", Text("a\"\n\u{e4}")), "\"a\\\"\\n\u{e4}\"");
        assert_eq!(format!("{:?}", Bytes(b"a\"\n\xFF")), r#"b"a\"\n\xff""#);
        let text = "x".repeat(64);
        assert_eq!(format!("{:?}", Text(&text)), format!("\"{text}\""));
        assert_eq!(format!("{:?}", Bytes(text.as_bytes())), format!("b\"{text}\""));
    }

    #[test]
    fn long_is_cut() {
        let text = format!("x{}", "\u{e4}".repeat(32));
        let begins = format!("\"x{}\".. (65 bytes)", "\u{e4}".repeat(31));
        assert_eq!(format!("{:?}", Text(&text)), begins);
        let shown = format!("{:?}", Bytes(&[0; 65]));
        assert_eq!(shown, format!("b\"{}\".. (65 bytes)", r"\x00".repeat(64)));
    }
}
