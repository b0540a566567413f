//! The opening handshake (RFC 6455 4), both roles, without the code of any library.

pub(crate) mod accepting;
pub(crate) mod case;
pub(crate) mod head;
pub(crate) mod opening;
pub(crate) mod url;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

/// What a server answers to a key (4.2.2 step 5.4).
pub(crate) fn accept(key: &str) -> String {
    let digest = Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    STANDARD.encode(digest.finalize())
}

#[cfg(test)]
mod tests {
    /// The example of RFC 6455 1.3.
    #[test]
    fn the_example_of_the_rfc() {
        assert_eq!(super::accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
