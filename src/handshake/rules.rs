//! What the headers of a request must say (RFC 6455 section 4.2.1), and what answers its key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use super::error::HandshakeError;
use super::extension::extensions;
use super::head::Head;
use super::headers::{is_token, list, list_has};

pub(crate) const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

/// The headers that the handshake knows.
#[derive(Default)]
pub(crate) struct Known<'h> {
    pub(crate) host: Option<&'h [u8]>,
    pub(crate) key: Option<&'h [u8]>,
    pub(crate) version: Option<&'h [u8]>,
    pub(crate) origin: Option<&'h [u8]>,
    /// `websocket` is in `Upgrade`.
    upgrade: bool,
    /// `upgrade` is in `Connection`.
    connection: bool,
    /// A body is announced.
    body: bool,
}

impl<'h> Known<'h> {
    /// Fails for a header that is there twice, or is not of its grammar.
    pub(crate) fn collect(head: &'h Head) -> Result<Self, HandshakeError> {
        let mut known = Self::default();
        for (name, value) in head.raw_fields() {
            let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
            // To take the first of two is to disagree with whoever takes the last: 11.3.1 "MUST
            // NOT appear more than once", 11.3.5, and RFC 9112 3.2 for `Host`.
            let (single, twice) = if is("Host") {
                (&mut known.host, "two host headers")
            } else if is("Sec-WebSocket-Key") {
                (&mut known.key, "two sec-websocket-key headers")
            } else if is("Sec-WebSocket-Version") {
                (&mut known.version, "two sec-websocket-version headers")
            } else if is("Origin") {
                (&mut known.origin, "two origin headers")
            } else {
                known.other(name, value)?;
                continue;
            };
            if single.replace(value).is_some() {
                return Err(HandshakeError::Malformed(twice));
            }
        }
        Ok(known)
    }

    /// Headers that may be there several times: one list.
    fn other(&mut self, name: &[u8], value: &[u8]) -> Result<(), HandshakeError> {
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        if is("Upgrade") {
            self.upgrade |= list_has(value, b"websocket");
        } else if is("Connection") {
            self.connection |= list_has(value, b"upgrade");
        } else if is("Sec-WebSocket-Protocol") {
            if !list(value).all(is_token) {
                return Err(HandshakeError::Malformed("sec-websocket-protocol"));
            }
        } else if is(EXTENSIONS) {
            if extensions(value).any(|extension| extension.is_err()) {
                return Err(HandshakeError::Malformed("sec-websocket-extensions"));
            }
        } else if is("Transfer-Encoding") {
            self.body = true;
        } else if is("Content-Length") {
            self.body |= value != b"0";
        }
        Ok(())
    }

    /// The rules of 4.2.1, in the order that gives the most telling answer.
    pub(crate) fn check(&self) -> Result<(), HandshakeError> {
        use HandshakeError::Malformed;

        if self.host.is_none() {
            return Err(Malformed("no host header"));
        }
        if self.body {
            // The body would be taken for frames, or the frames for a body.
            return Err(Malformed("request with a body"));
        }
        if !self.upgrade {
            return Err(HandshakeError::UpgradeRequired);
        }
        if !self.connection {
            return Err(Malformed("no upgrade in the connection header"));
        }
        match self.version {
            None => return Err(Malformed("no sec-websocket-version header")),
            Some(b"13") => {}
            Some(_) => return Err(HandshakeError::Version),
        }
        // 4.2.1: "a base64-encoded value that, when decoded, is 16 bytes in length". Bits beyond
        // the 16 bytes must be zero (RFC 4648 section 3.5).
        let key = self.key.ok_or(Malformed("no sec-websocket-key header"))?;
        let mut nonce = [0; 18];
        if key.len() != 24 || STANDARD.decode_slice(key, &mut nonce) != Ok(16) {
            return Err(Malformed("sec-websocket-key is not 16 bytes in base64"));
        }
        Ok(())
    }
}

/// The value of `Sec-WebSocket-Accept` (4.2.2 step 5): SHA-1 here says "I speak WebSocket", it
/// protects nothing.
pub(crate) fn accept_key(key: &[u8]) -> [u8; 28] {
    let digest = Sha1::new()
        .chain_update(key)
        .chain_update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
        .finalize();
    let mut accept = [0; 28];
    // 20 bytes are 28 characters: it fits.
    let _ = STANDARD.encode_slice(digest, &mut accept);
    accept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6455 section 1.3.
    #[test]
    fn accept_key_of_the_rfc() {
        assert_eq!(&accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
