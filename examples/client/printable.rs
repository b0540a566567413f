//! What a server says, as it is shown on a terminal: the server must not move the cursor, set the
//! title, or write over what others have said.

use std::fmt::Write;

/// `text` with the characters escaped, as Rust writes them, that a terminal acts upon instead of
/// showing them. Line feeds and tabs stay.
pub(crate) fn printable(text: &str) -> String {
    escape(text, |character| matches!(character, '\n' | '\t'))
}

/// The same for what must stay one line.
pub(crate) fn in_one_line(text: &str) -> String {
    escape(text, |_| false)
}

fn escape(text: &str, stays: impl Fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_obeyed(character) && !stays(character) {
            // Writing into a string does not fail.
            let _ = write!(escaped, "{}", character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// C0, DEL and C1, which terminals take as commands; and the characters that change the direction
/// of text ("Bidi_Control" in Unicode), by which a line may read as something else.
fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
