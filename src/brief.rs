//! What `Debug` shows of text and of lists: the beginning. Whoever wrote them, a log has little room.

use alloc::vec::Vec;
use core::fmt::{self, Write};

/// The beginning of a text, and how long it is if that is not all.
pub(crate) struct Brief<'a>(pub(crate) &'a str);

impl fmt::Debug for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// In bytes, as they are shown.
        const MOST: usize = 48;

        let mut left = MOST;
        f.write_char('"')?;
        for character in self.0.chars() {
            let escaped = character.escape_debug();
            let Some(rest) = left.checked_sub(escaped.clone().map(char::len_utf8).sum()) else {
                return write!(f, "\"... ({} bytes)", self.0.len());
            };
            left = rest;
            escaped.into_iter().try_for_each(|character| f.write_char(character))?;
        }
        f.write_char('"')
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
