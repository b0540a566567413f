//! The body of a Close frame (RFC 6455 5.5.1, 7.4).

use super::decoder::Breach;

/// The code and the reason, or what is wrong with them.
pub(crate) fn parse(body: &[u8]) -> Result<(Option<u16>, String), Breach> {
    let Some((code, reason)) = body.split_first_chunk::<2>() else {
        return match body {
            [] => Ok((None, String::new())),
            _ => Err(Breach::new(
                "RFC 6455 5.5.1",
                "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer",
                "the peer's Close frame has a body of one byte",
            )),
        };
    };
    let code = u16::from_be_bytes(*code);
    if !may_be_sent(code) {
        return Err(Breach::new(
            "RFC 6455 7.4",
            "Endpoints MAY use the following pre-defined status codes when sending a Close frame",
            format!("the peer's Close frame has code {code}"),
        ));
    }
    match std::str::from_utf8(reason) {
        Ok(reason) => Ok((Some(code), reason.to_owned())),
        Err(_) => Err(Breach::new(
            "RFC 6455 5.5.1",
            "Following the 2-byte integer, the body MAY contain UTF-8-encoded data",
            "the reason in the peer's Close frame is not UTF-8",
        )
        .invalid_payload()),
    }
}

/// 1012 to 1014 came into IANA's registry after the RFC; 1004 to 1006 and 1015 are never on the wire.
fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        assert_eq!(parse(b"").unwrap(), (None, String::new()));
        assert_eq!(parse(b"\x03\xe8bye").unwrap(), (Some(1000), "bye".into()));
        assert!(parse(b"\x03").is_err());
        assert!(parse(b"\x03\xe8\xff").is_err());
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535_u16] {
            assert!(parse(&code.to_be_bytes()).is_err(), "{code}");
        }
    }
}
