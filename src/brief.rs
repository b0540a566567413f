//! What `Debug` shows of text, of bytes and of lists: how they begin, and how long they are. Whoever
//! wrote them, a log has little room.

use alloc::vec::Vec;
use core::fmt::{self, Write};

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
        let mut left = MOST; // as they are shown
        f.write_char('"')?;
        for character in self.0.chars() {
            let escaped = character.escape_debug();
            let Some(rest) = left.checked_sub(escaped.clone().map(char::len_utf8).sum()) else {
                return write!(f, "\".. ({} bytes)", self.0.len());
            };
            left = rest;
            escaped.into_iter().try_for_each(|character| f.write_char(character))?;
        }
        f.write_char('"')
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

/// The first of a list, and how many more there are.
pub(crate) struct Few<T> {
    first: Vec<T>,
    more: usize,
}

impl<T> Few<T> {
    pub(crate) fn of(items: impl IntoIterator<Item = T>) -> Self {
        const MOST: usize = 10;

        let mut items = items.into_iter();
        Self { first: items.by_ref().take(MOST).collect(), more: items.count() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Few<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        list.entries(&self.first);
        if self.more > 0 {
            list.entry(&format_args!("and {} more", self.more));
        }
        list.finish()
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
