//! The grammar of `Sec-WebSocket-Extensions` (RFC 6455 section 9.1). What an extension means is
//! for others to say.
//!
//! ```text
//! extension-list = 1#extension
//! extension      = extension-token *( ";" extension-param )
//! extension-param = token [ "=" ( token | quoted-string ) ]
//! ```

use super::headers::{BadSyntax, Cursor, Value};

/// One element of the list. Its parameters are known to be of the grammar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extension<'a> {
    #[cfg_attr(not(any(feature = "deflate", test)), allow(dead_code))]
    pub(crate) name: &'a str,
    /// From the first `;`, or empty.
    #[cfg_attr(not(any(feature = "deflate", test)), allow(dead_code))]
    params: &'a [u8],
}

#[cfg(any(feature = "deflate", test))]
impl<'a> Extension<'a> {
    /// Names and values, in order, duplicates included.
    pub(crate) fn params(self) -> impl Iterator<Item = (&'a str, Option<Value<'a>>)> {
        let mut cursor = Cursor::new(self.params);
        // Parsed before: the end is the only thing that stops it.
        core::iter::from_fn(
            move || if cursor.separator(b';') { param(&mut cursor).ok() } else { None },
        )
    }
}

/// The extensions in one header value. After an error nothing more comes.
///
/// Empty elements between others are ignored (RFC 9110 section 5.6.1.2). A value of commas only is
/// an error, because there must be at least one element; an empty value is let pass, it can mean
/// nothing but "none".
pub(crate) fn extensions(value: &[u8]) -> impl Iterator<Item = Result<Extension<'_>, BadSyntax>> {
    let mut cursor = Cursor::new(value);
    let mut none_yet = true;
    core::iter::from_fn(move || {
        let mut commas = false;
        while cursor.separator(b',') {
            commas = true;
        }
        if cursor.is_empty() {
            let only_commas = core::mem::take(&mut none_yet) && commas;
            return only_commas.then_some(Err(BadSyntax));
        }
        none_yet = false;
        let extension = extension(&mut cursor);
        if extension.is_err() {
            cursor = Cursor::new(&[]);
        }
        Some(extension)
    })
}

fn extension<'a>(cursor: &mut Cursor<'a>) -> Result<Extension<'a>, BadSyntax> {
    let name = cursor.token()?;
    let start = cursor.rest();
    while cursor.separator(b';') {
        param(cursor)?;
    }
    let len = start.len().saturating_sub(cursor.rest().len());
    let params = start.get(..len).unwrap_or_default();
    match cursor.rest() {
        [] | [b',', ..] => Ok(Extension { name, params }),
        _ => Err(BadSyntax),
    }
}

fn param<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a str, Option<Value<'a>>), BadSyntax> {
    let name = cursor.token()?;
    let value = if cursor.separator(b'=') { Some(cursor.value()?) } else { None };
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec::Vec;
    use core::fmt::Write;

    use super::*;

    /// The list in one normal form, or `None` where it is not of the grammar.
    fn normal(value: &[u8]) -> Option<String> {
        let mut text = String::new();
        for extension in extensions(value) {
            let extension = extension.ok()?;
            write!(text, "[{}", extension.name).unwrap();
            for (name, value) in extension.params() {
                write!(text, ";{name}").unwrap();
                if let Some(value) = value {
                    let value = String::from_utf8(value.bytes().collect::<Vec<_>>()).unwrap();
                    write!(text, "={value}").unwrap();
                }
            }
            text.push(']');
        }
        Some(text)
    }

    #[test]
    fn grammar() {
        let table: [(&str, Option<&str>); 24] = [
            ("", Some("")),
            (" ", Some("")),
            (",", None),
            (" , ,", None),
            (",a,,", Some("[a]")),
            ("foo", Some("[foo]")),
            // the examples of RFC 6455 9.1
            ("foo, bar; baz=2", Some("[foo][bar;baz=2]")),
            (
                "mux; max-channels=4; flow-control, deflate-stream",
                Some("[mux;max-channels=4;flow-control][deflate-stream]"),
            ),
            ("private-extension", Some("[private-extension]")),
            ("a;b;b", Some("[a;b;b]")),
            (" a\t; b = \"1\\5\" ,, c ", Some("[a;b=15][c]")),
            ("a;b=\"x\",c", Some("[a;b=x][c]")),
            ("a;", None),
            ("a;,b", None),
            ("a; b=", None),
            ("a; b=,c", None),
            ("a b", None),
            ("a; b c", None),
            ("=", None),
            ("a; =b", None),
            ("a; b=\"", None),
            ("a; b=\"x\"y", None),
            ("a; b=\"x,y\"", None), // not a token once unquoted
            ("a, \"b\"", None),
        ];
        for (value, expected) in table {
            assert_eq!(normal(value.as_bytes()).as_deref(), expected, "{value:?}");
        }
    }

    #[test]
    fn an_error_ends_the_iteration() {
        let mut extensions = extensions(b"a;, b, c");
        assert!(extensions.next().unwrap().is_err());
        assert!(extensions.next().is_none());
    }
}
