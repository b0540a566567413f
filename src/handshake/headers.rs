//! Pieces of header values: lists, tokens, quoted strings. Pure, and linear in the input.

use alloc::vec::Vec;

use crate::ApiMisuse;
use crate::brief::{self, Few};

/// Whether `bytes` is a token (RFC 9110 section 5.6.2).
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| is_token_byte(byte))
}

/// Whether `bytes` may be sent as a field value: visible characters, spaces and tabs within, and
/// bytes above 127 (RFC 9110 section 5.5).
pub(crate) fn is_field_value(bytes: &[u8]) -> bool {
    field_fault(bytes).is_none()
}

/// Where `bytes` has what no field value has.
pub(crate) fn field_fault(bytes: &[u8]) -> Option<usize> {
    let control = |byte: &u8| *byte != b'\t' && (*byte < 0x20 || *byte == 0x7f);
    if let Some(at) = bytes.iter().position(control) {
        return Some(at);
    }
    match bytes {
        [b' ' | b'\t', ..] => Some(0),
        [before @ .., b' ' | b'\t'] => Some(before.len()),
        _ => None,
    }
}

/// `bytes` without spaces and tabs at both ends.
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// The elements of a comma-separated list without quoted strings. Empty ones are left out: "A
/// recipient MUST parse and ignore a reasonable number of empty list elements" (RFC 9110 section
/// 5.6.1.2); the size of the head is what makes it reasonable.
pub(crate) fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(trim).filter(|element| !element.is_empty())
}

/// Whether a list has an element, compared as a whole and without regard to case.
pub(crate) fn list_has(value: &[u8], element: &[u8]) -> bool {
    // Most lists have one element.
    value.eq_ignore_ascii_case(element)
        || list(value).any(|other| other.eq_ignore_ascii_case(element))
}

/// Checks a header that the application adds to what the handshake sends.
pub(crate) fn check_extra(name: &str, value: &str) -> Result<(), ApiMisuse> {
    /// Set by the handshake itself, or able to change where the head ends.
    const RESERVED: [&str; 6] =
        ["Connection", "Content-Length", "Host", "Origin", "Transfer-Encoding", "Upgrade"];
    const PREFIX: &[u8] = b"sec-websocket-";

    if !is_token(name.as_bytes()) {
        return Err(ApiMisuse::InvalidHeaderName);
    }
    let prefix = name.as_bytes().get(..PREFIX.len()).unwrap_or_default();
    if prefix.eq_ignore_ascii_case(PREFIX)
        || RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name))
    {
        return Err(ApiMisuse::ReservedHeader);
    }
    if !is_field_value(value.as_bytes()) {
        return Err(ApiMisuse::InvalidHeaderValue);
    }
    Ok(())
}

/// Names of headers that an application gives, for `Debug`. One that cannot be sent may be a whole
/// line, with its value.
pub(crate) fn names<'a>(names: impl Iterator<Item = &'a str>) -> Few<brief::Text<'a>> {
    Few::of(names.map(|name| if is_token(name.as_bytes()) { brief::Text(name) } else { NOT_VALID }))
}

/// Stands in `Debug` for what cannot be sent: what is in it is unknown.
pub(crate) const NOT_VALID: brief::Text<'_> = brief::Text("(not valid)");

/// Appends one header line. The caller has checked both parts.
pub(crate) fn push_field(text: &mut Vec<u8>, name: &str, value: &str) {
    for part in [name, ": ", value, "\r\n"] {
        text.extend_from_slice(part.as_bytes());
    }
}

/// A value that is not of the grammar that its header requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadSyntax;

/// What stands behind the `=` of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value<'a> {
    /// With backslashes, without the quotes.
    raw: &'a [u8],
    quoted: bool,
}

impl<'a> Value<'a> {
    /// The bytes that are meant: "a recipient ... MUST handle a quoted-pair as if it were
    /// replaced by the octet following the backslash" (RFC 9110 section 5.6.4).
    pub(crate) fn bytes(self) -> impl Iterator<Item = u8> + 'a {
        let mut raw = self.raw.iter().copied();
        core::iter::from_fn(move || match raw.next() {
            Some(b'\\') if self.quoted => raw.next(),
            byte => byte,
        })
    }
}

/// Reads tokens, quoted strings and what separates them from left to right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(value: &'a [u8]) -> Self {
        Self { rest: value }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn skip_spaces(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// Takes `byte` and the spaces around it, if it is next.
    pub(crate) fn separator(&mut self, byte: u8) -> bool {
        self.skip_spaces();
        match self.rest.split_first() {
            Some((&first, rest)) if first == byte => {
                self.rest = rest;
                self.skip_spaces();
                true
            }
            _ => false,
        }
    }

    pub(crate) fn token(&mut self) -> Result<&'a str, BadSyntax> {
        let len = self.rest.iter().take_while(|&&byte| is_token_byte(byte)).count();
        let (token, rest) = self.rest.split_at_checked(len).ok_or(BadSyntax)?;
        if token.is_empty() {
            return Err(BadSyntax);
        }
        self.rest = rest;
        core::str::from_utf8(token).map_err(|_| BadSyntax)
    }

    /// A token, or a quoted string that stands for one: "the value after quoted-string unescaping
    /// MUST conform to the 'token' ABNF" (RFC 6455 section 9.1).
    pub(crate) fn value(&mut self) -> Result<Value<'a>, BadSyntax> {
        let [b'"', inside @ ..] = self.rest else {
            return self.token().map(|token| Value { raw: token.as_bytes(), quoted: false });
        };
        let mut escaped = false;
        let end = inside.iter().position(|&byte| {
            let end = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            end
        });
        let (raw, rest) = inside.split_at_checked(end.ok_or(BadSyntax)?).ok_or(BadSyntax)?;
        self.rest = rest.split_first().ok_or(BadSyntax)?.1;
        let value = Value { raw, quoted: true };
        if raw.is_empty() || !value.bytes().all(is_token_byte) {
            return Err(BadSyntax);
        }
        Ok(value)
    }
}

pub(crate) fn is_token_byte(byte: u8) -> bool {
    TOKEN.get(usize::from(byte)).is_some_and(|&is| is)
}

/// `tchar` of RFC 9110 section 5.6.2. A table: one load a byte.
static TOKEN: [bool; 256] =
    table(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

/// Which bytes are among these.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler; a byte is below 256")]
pub(crate) const fn table(mut bytes: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    while let [byte, rest @ ..] = bytes {
        table[*byte as usize] = true;
        bytes = rest;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_its_bytes_and_no_others() {
        let table = table(b"a\x00\xff");
        for byte in 0..=255 {
            assert_eq!(table[usize::from(byte)], [b'a', 0, 255].contains(&byte), "{byte}");
        }
    }

    #[test]
    fn tokens_are_those_of_rfc_9110() {
        for byte in 0..=255_u8 {
            let delimiter = b"\"(),/:;<=>?@[\\]{}".contains(&byte);
            assert_eq!(is_token(&[byte]), byte.is_ascii_graphic() && !delimiter, "{byte:#x}");
        }
        assert!(is_token(b"permessage-deflate"));
        assert!(!is_token(b""));
        assert!(!is_token(b"a b"));
    }

    #[test]
    fn field_values_have_no_control_characters_and_no_space_at_the_ends() {
        for good in [&b""[..], b"a", b"a b\tc", b"\xe9", b"\"x\""] {
            assert!(is_field_value(good), "{good:?}");
        }
        for bad in [&b"a\rb"[..], b"a\nb", b"a\0b", b"\x7f", b" a", b"a ", b"a\t", b"\x1b"] {
            assert!(!is_field_value(bad), "{bad:?}");
        }
    }

    #[test]
    fn list_elements_are_compared_as_a_whole() {
        let table: [(&[u8], bool); 9] = [
            (b"Upgrade", true),
            (b"upgrade", true),
            (b"keep-alive, Upgrade", true),
            (b"keep-alive ,\tUPGRADE ,", true),
            (b",,upgrade", true),
            (b"notupgrade", false),
            (b"upgrade-insecure", false),
            (b"up grade", false),
            (b"", false),
        ];
        for (value, expected) in table {
            assert_eq!(list_has(value, b"upgrade"), expected, "{value:?}");
        }
    }

    #[test]
    fn extra_headers_are_checked() {
        assert_eq!(check_extra("X-A", "b c"), Ok(()));
        assert_eq!(check_extra("Set-Cookie", ""), Ok(()));
        for name in ["", "a b", "a:", "a\r\n", "\u{e9}"] {
            assert_eq!(check_extra(name, "x"), Err(ApiMisuse::InvalidHeaderName), "{name:?}");
        }
        for name in ["upgrade", "CONNECTION", "Sec-WebSocket-Foo", "content-length", "HOST"] {
            assert_eq!(check_extra(name, "x"), Err(ApiMisuse::ReservedHeader), "{name:?}");
        }
        for value in ["a\r\nX: y", "a\nb", "a\0", "\r", " a"] {
            assert_eq!(check_extra("a", value), Err(ApiMisuse::InvalidHeaderValue), "{value:?}");
        }
    }

    #[test]
    fn values() {
        let good: [(&[u8], &[u8], &[u8]); 6] = [
            (b"15", b"15", b""),
            (b"15; x", b"15", b"; x"),
            (b"\"15\"", b"15", b""),
            (b"\"1\\5\"x", b"15", b"x"),
            (b"\"\\a\\b\"", b"ab", b""),
            (b"a\"", b"a", b"\""),
        ];
        for (input, expected, rest) in good {
            let mut cursor = Cursor::new(input);
            let value = cursor.value().unwrap();
            assert_eq!(value.bytes().collect::<Vec<u8>>(), expected, "{input:?}");
            assert_eq!(cursor.rest(), rest, "{input:?}");
        }
        for bad in
            [&b""[..], b"\"", b"\"a", b"\"a\\\"", b"\"\"", b"\"a b\"", b"\"a\\\\\"", b"=", b" a"]
        {
            assert_eq!(Cursor::new(bad).value().map(|_| ()), Err(BadSyntax), "{bad:?}");
        }
    }
}
