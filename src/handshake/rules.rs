//! What the headers of a request must say (RFC 6455 section 4.2.1), and what answers its key.

use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::{Engine, alphabet};
use sha1::block_api::compress;

use super::error::HandshakeError;
use super::extension::extensions;
use super::head::Head;
use super::headers::{is_token, list, list_has};

pub(crate) const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

/// 16 bytes in base64.
pub(crate) const KEY_LEN: usize = 24;

/// Keys as clients send them. RFC 4648 section 3.5 lets a decoder refuse bits beyond the last byte;
/// the key that RFC 6455 section 4.1 prints, `AQIDBAUGBwgJCgsMDQ4PEC==`, has such bits.
const KEYS: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

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
            known.add(name, value)?;
        }
        Ok(known)
    }

    /// The length of a name says what it can be: most headers of a browser are none of these.
    fn add(&mut self, name: &[u8], value: &'h [u8]) -> Result<(), HandshakeError> {
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        // To take the first of two is to disagree with whoever takes the last: 11.3.1 "MUST
        // NOT appear more than once", 11.3.5, and RFC 9112 3.2 for `Host`.
        let (single, twice) = match name.len() {
            4 if is("Host") => (&mut self.host, "two host headers"),
            6 if is("Origin") => (&mut self.origin, "two origin headers"),
            17 if is("Sec-WebSocket-Key") => (&mut self.key, "two sec-websocket-key headers"),
            21 if is("Sec-WebSocket-Version") => {
                (&mut self.version, "two sec-websocket-version headers")
            }
            7 | 10 | 14 | 17 | 22 | 24 => return self.list(name, value),
            _ => return Ok(()),
        };
        match single.replace(value) {
            Some(_) => Err(HandshakeError::Malformed(twice)),
            None => Ok(()),
        }
    }

    /// Headers that may be there several times: one list.
    fn list(&mut self, name: &[u8], value: &[u8]) -> Result<(), HandshakeError> {
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        match name.len() {
            7 if is("Upgrade") => self.upgrade |= list_has(value, b"websocket"),
            10 if is("Connection") => self.connection |= list_has(value, b"upgrade"),
            22 if is("Sec-WebSocket-Protocol") && !list(value).all(is_token) => {
                return Err(HandshakeError::Malformed("sec-websocket-protocol"));
            }
            24 if is(EXTENSIONS) && extensions(value).any(|extension| extension.is_err()) => {
                return Err(HandshakeError::Malformed("sec-websocket-extensions"));
            }
            17 if is("Transfer-Encoding") => self.body = true,
            14 if is("Content-Length") => self.body |= value != b"0",
            _ => {}
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
        // 4.2.1: "a base64-encoded value that, when decoded, is 16 bytes in length"
        let key = self.key.ok_or(Malformed("no sec-websocket-key header"))?;
        let mut nonce = [0; 18];
        if key.len() != KEY_LEN || KEYS.decode_slice(key, &mut nonce) != Ok(16) {
            return Err(Malformed("sec-websocket-key is not 16 bytes in base64"));
        }
        Ok(())
    }
}

/// The value of `Sec-WebSocket-Accept` (4.2.2 step 5): SHA-1 here says "I speak WebSocket", it
/// protects nothing.
///
/// The text has 60 bytes whatever the key, so its two blocks (FIPS 180-4 section 5.1.1) are laid
/// out beforehand: the general way takes half as long again.
pub(crate) fn accept_key(key: &[u8; KEY_LEN]) -> [u8; 28] {
    /// Room for the key, the GUID of RFC 6455 section 1.3, one bit that is set.
    const TEXT: [u8; 64] =
        *b"************************258EAFA5-E914-47DA-95CA-C5AB0DC85B11\x80\0\0\0";
    /// Zeros, and the length of the text in bits.
    const LENGTH: [u8; 64] = {
        let mut block = [0; 64];
        [block[62], block[63]] = 480_u16.to_be_bytes();
        block
    };

    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let mut text = TEXT;
    if let Some(place) = text.first_chunk_mut() {
        *place = *key;
    }
    compress(&mut state, &[text, LENGTH]);
    let mut digest = [0; 20];
    digest.as_chunks_mut().0.iter_mut().zip(state).for_each(|(to, word)| *to = word.to_be_bytes());
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
