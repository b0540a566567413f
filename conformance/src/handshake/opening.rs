//! The suite as a client: a request, and what the answer must be (RFC 6455 4.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::time::Instant;

use super::accept;
use super::head::Head;
use super::url::Url;
use crate::deflate::{Agreed, Agreement, Extension};
use crate::log::Log;
use crate::random::Random;
use crate::transport::Transport;

/// What came of the opening handshake.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Who is on the other side.
    pub(crate) agent: String,
    pub(crate) deflate: Option<Agreed>,
}

/// Sends the request and judges the answer. Bytes behind it are left in `buffer`.
pub(crate) async fn open(
    transport: &mut Transport,
    buffer: &mut Vec<u8>,
    url: &Url,
    deflate: Option<&Agreement>,
    log: &mut Log,
    deadline: Instant,
) -> Result<Opened, String> {
    let mut random = Random::fresh();
    let key = STANDARD.encode([random.next().to_ne_bytes(), random.next().to_ne_bytes()].concat());
    let request = request(url, &key, deflate);
    log.note(format!("request: {}", request.trim_end().replace("\r\n", " | ")));
    transport.write(request.into_bytes());
    let head = Head::read(transport, buffer, deadline).await?;
    log.note(format!("answer: {}", head.line()));
    judge(&head, &key)?;
    let extensions: Vec<Extension> =
        head.all("sec-websocket-extensions").flat_map(Extension::list).collect();
    let deflate = match deflate {
        Some(agreement) => {
            agreement.answered(&extensions).map_err(|breach| breach.found.into_owned())?
        }
        None if extensions.is_empty() => None,
        None => return Err("the server accepted an extension that was not offered".to_owned()),
    };
    let agent = head.one("server").filter(|agent| !agent.is_empty()).unwrap_or("UnknownServer");
    Ok(Opened { agent: agent.to_owned(), deflate })
}

fn request(url: &Url, key: &str, deflate: Option<&Agreement>) -> String {
    let mut request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: ws-conformance/{}\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n",
        url.target,
        url.authority,
        env!("CARGO_PKG_VERSION")
    );
    if let Some(agreement) = deflate {
        request.push_str(&format!("Sec-WebSocket-Extensions: {}\r\n", agreement.offer()));
    }
    request.push_str("\r\n");
    request
}

/// The list after "If the status code received from the server is not 101" in 4.1.
fn judge(head: &Head, key: &str) -> Result<(), String> {
    let mut start = head.start.splitn(3, ' ');
    if start.next() != Some("HTTP/1.1") || start.next() != Some("101") {
        return Err(format!("the server answered {:?}, not with status 101", head.start));
    }
    if !head.one("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket")) {
        return Err("the answer has no field Upgrade with value websocket".to_owned());
    }
    if !head.lists("connection", "upgrade") {
        return Err("the answer has no field Connection with the element Upgrade".to_owned());
    }
    if head.one("sec-websocket-accept") != Some(accept(key).as_str()) {
        return Err(
            "the answer has not the one Sec-WebSocket-Accept that the key asks for".to_owned()
        );
    }
    if head.all("sec-websocket-protocol").next().is_some() {
        return Err("the server chose a subprotocol where none was offered".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(fields: &str) -> Head {
        let fields = fields.lines().filter_map(|line| line.split_once(": "));
        Head {
            start: "HTTP/1.1 101 Switching Protocols".into(),
            fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        }
    }

    #[test]
    fn answers() {
        let key = "dGhlIHNhbXBsZSBub25jZQ==";
        let good = "upgrade: WebSocket\nconnection: keep-alive, upgrade\n\
                    sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        judge(&head(good), key).unwrap();
        for (from, to) in [
            ("WebSocket", "h2c"),
            (", upgrade", ""),
            ("xOo=", "xoo="),
            ("upgrade: W", "sec-websocket-protocol: x\nupgrade: W"),
        ] {
            assert!(judge(&head(&good.replace(from, to)), key).is_err(), "{to}");
        }
        let mut other = head(good);
        other.start = "HTTP/1.1 200 OK".into();
        assert!(judge(&other, key).is_err());
    }
}
