//! The suite as a server: a request, and what a client must have sent (RFC 6455 4.2.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::accept;
use super::head::Head;
use crate::deflate::{Agreed, Agreement, Extension};

/// A request that may be accepted.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    query: Vec<(String, String)>,
    key: String,
    extensions: Vec<Extension>,
}

impl Request {
    pub(crate) fn parse(head: &Head) -> Result<Self, String> {
        let target = match head.start.split(' ').collect::<Vec<_>>().as_slice() {
            ["GET", target, "HTTP/1.1"] => (*target).to_owned(),
            _ => return Err(format!("{:?} is no GET request of HTTP/1.1", head.start)),
        };
        if head.one("host").is_none() {
            return Err("the request has not one field Host".to_owned());
        }
        if !head.lists("upgrade", "websocket") || !head.lists("connection", "upgrade") {
            return Err("the request does not ask for an upgrade to websocket".to_owned());
        }
        if head.one("sec-websocket-version") != Some("13") {
            return Err("the request has not Sec-WebSocket-Version 13".to_owned());
        }
        let key = head.one("sec-websocket-key").unwrap_or_default();
        if STANDARD.decode(key).map_or(0, |nonce| nonce.len()) != 16 {
            return Err("the request has not one Sec-WebSocket-Key of 16 bytes".to_owned());
        }
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        Ok(Self {
            path: path.to_owned(),
            query: query.split('&').filter_map(pair).collect(),
            key: key.to_owned(),
            extensions: head.all("sec-websocket-extensions").flat_map(Extension::list).collect(),
        })
    }

    /// A parameter of the query.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The answer, and the extension that it agrees to.
    pub(crate) fn answer(&self, deflate: Option<&Agreement>) -> (String, Option<Agreed>) {
        let agreed = deflate.and_then(|agreement| agreement.answer(&self.extensions));
        let extension = match &agreed {
            Some((extension, _)) => format!("Sec-WebSocket-Extensions: {extension}\r\n"),
            None => String::new(),
        };
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nServer: ws-conformance/{}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n{extension}\r\n",
            env!("CARGO_PKG_VERSION"),
            accept(&self.key)
        );
        (answer, agreed.map(|(_, agreed)| agreed))
    }
}

fn pair(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    Some((decoded(name), decoded(value)))
}

/// Percent-decoding, with `+` for a space as forms have it.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.first_chunk::<2>().and_then(|hex| std::str::from_utf8(hex).ok());
        match (first, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(first),
        }
        rest = tail;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_of_a_query() {
        for (text, expected) in [("a%20b+c", "a b c"), ("%", "%"), ("%zz", "%zz"), ("%C3%A4", "ä")]
        {
            assert_eq!(decoded(text), expected);
        }
    }
}
