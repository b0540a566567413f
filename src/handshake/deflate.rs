//! Negotiation of permessage-deflate (RFC 7692 sections 5 and 7.1): offers and answers, no zlib.

use alloc::string::String;
use core::fmt::Write;

use super::extension::{Extension, extensions};
use crate::DeflateParams;

const NAME: &str = "permessage-deflate";
const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// The smallest window that our own compressor can keep to.
const MIN_OWN_BITS: u8 = 9;

/// What an endpoint asks of permessage-deflate (RFC 7692 section 7.1).
///
/// The defaults ask for nothing: windows of 32 KiB, kept from message to message, compress best.
/// Compression is in use only where both ends want it, and never unless it is put into
/// [`ServerConfig::deflate`](super::ServerConfig::deflate) or
/// [`ClientRequest::deflate`](super::ClientRequest::deflate).
///
/// ```
/// use websocket_proto::handshake::{DeflateConfig, ServerConfig};
///
/// let mut deflate = DeflateConfig::default();
/// deflate.server_no_context_takeover = true; // no compressor is kept between messages
/// let mut config = ServerConfig::default();
/// config.deflate = Some(deflate);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeflateConfig {
    /// The server forgets its window after each message (7.1.1.1). Default `false`.
    pub server_no_context_takeover: bool,
    /// The client forgets its window after each message (7.1.1.2). Default `false`. From a client
    /// it is a promise, from a server a demand.
    pub client_no_context_takeover: bool,
    /// The server's window is at most 2 to the power of this many bytes (7.1.2.1). 9 to 15, other
    /// values count as the nearest of these. Default 15.
    pub server_max_window_bits: u8,
    /// The client's window is at most 2 to the power of this many bytes (7.1.2.2). 9 to 15, other
    /// values count as the nearest of these. Default 15. A server can ask for it only where the
    /// client offered the parameter.
    pub client_max_window_bits: u8,
}

impl Default for DeflateConfig {
    fn default() -> Self {
        Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: 15,
            client_max_window_bits: 15,
        }
    }
}

/// The offer that a server took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    pub(crate) params: DeflateParams,
    /// An offer with this parameter is accepted "by including" it (7.1.2.1), be it 15.
    name_server_bits: bool,
}

/// Parameters as they stand in an offer or an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Params {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    /// `Some(None)`: without a value, which an offer may have.
    client_max_window_bits: Option<Option<u8>>,
}

impl DeflateConfig {
    /// The value that a client sends. `client_max_window_bits` is always in it: it costs the
    /// client nothing to let the server choose.
    pub(crate) fn offer(self) -> String {
        let this = self.clamped();
        Params {
            server_no_context_takeover: this.server_no_context_takeover,
            client_no_context_takeover: this.client_no_context_takeover,
            server_max_window_bits: Some(this.server_max_window_bits).filter(|&bits| bits < 15),
            client_max_window_bits: Some(
                Some(this.client_max_window_bits).filter(|&bits| bits < 15),
            ),
        }
        .to_text()
    }

    /// A server's choice: the first offer that can be met, in the client's order of preference
    /// (5). An offer that cannot is declined, and never a reason to fail.
    pub(crate) fn choose<'a>(self, offers: impl Iterator<Item = Extension<'a>>) -> Option<Agreed> {
        offers
            .filter(|offer| offer.name == NAME)
            .filter_map(Params::parse)
            .find_map(|offer| self.clamped().meet(offer))
    }

    fn meet(self, offer: Params) -> Option<Agreed> {
        let offered = offer.server_max_window_bits;
        let server_max_window_bits = offered.unwrap_or(15).min(self.server_max_window_bits);
        if server_max_window_bits < MIN_OWN_BITS {
            // A window of 256 bytes is valid, but no zlib can keep to it when compressing.
            return None;
        }
        let client_max_window_bits = match offer.client_max_window_bits {
            Some(hint) => hint.unwrap_or(15).min(self.client_max_window_bits),
            // 7.1.2.2: without the parameter in the offer, "the server MUST NOT include" it
            None => 15,
        };
        let params = DeflateParams {
            server_no_context_takeover: self.server_no_context_takeover
                || offer.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover
                || offer.client_no_context_takeover,
            server_max_window_bits,
            client_max_window_bits,
        };
        Some(Agreed { params, name_server_bits: offered.is_some() })
    }

    /// A client's check of the value that came: everything in it must follow from the offer. The
    /// error says what does not.
    pub(crate) fn check(self, answer: Extension<'_>) -> Result<DeflateParams, &'static str> {
        let this = self.clamped();
        if answer.name != NAME {
            return Err("extension was not offered");
        }
        let answer = Params::parse(answer).ok_or("permessage-deflate parameters are invalid")?;
        // 7.1.1.1: "A server accepts ... by including the "server_no_context_takeover" extension
        // parameter"; without it, the server has accepted something that was not offered.
        if this.server_no_context_takeover && !answer.server_no_context_takeover {
            return Err("server_no_context_takeover was asked for and is missing");
        }
        let server_max_window_bits = answer.server_max_window_bits.unwrap_or(15);
        if server_max_window_bits > this.server_max_window_bits {
            return Err("server_max_window_bits is larger than offered");
        }
        let client_max_window_bits = match answer.client_max_window_bits {
            None => this.client_max_window_bits,
            // 7.1.2.2: the value is optional in an offer only
            Some(None) => return Err("client_max_window_bits has no value"),
            Some(Some(bits)) if bits > this.client_max_window_bits => {
                return Err("client_max_window_bits is larger than offered");
            }
            Some(Some(bits)) => bits,
        };
        Ok(DeflateParams {
            server_no_context_takeover: answer.server_no_context_takeover,
            client_no_context_takeover: this.client_no_context_takeover
                || answer.client_no_context_takeover,
            server_max_window_bits,
            client_max_window_bits,
        })
    }

    fn clamped(self) -> Self {
        Self {
            server_max_window_bits: self.server_max_window_bits.clamp(MIN_OWN_BITS, 15),
            client_max_window_bits: self.client_max_window_bits.clamp(MIN_OWN_BITS, 15),
            ..self
        }
    }
}

impl Agreed {
    /// The value that a server answers.
    pub(crate) fn answer(self) -> String {
        let params = self.params;
        Params {
            server_no_context_takeover: params.server_no_context_takeover,
            client_no_context_takeover: params.client_no_context_takeover,
            server_max_window_bits: Some(params.server_max_window_bits)
                .filter(|&bits| bits < 15 || self.name_server_bits),
            client_max_window_bits: Some(params.client_max_window_bits)
                .filter(|&bits| bits < 15)
                .map(Some),
        }
        .to_text()
    }
}

impl Params {
    /// `None`: an unknown parameter, one that is there twice, or a value that is not allowed
    /// (7.1): the offer is declined, the answer fails the connection.
    fn parse(extension: Extension<'_>) -> Option<Self> {
        let mut params = Self::default();
        for (name, value) in extension.params() {
            let bits = value.map(|value| window_bits(value.bytes()));
            let fresh = match (name, bits) {
                (SERVER_NO_CONTEXT_TAKEOVER, None) => {
                    !core::mem::replace(&mut params.server_no_context_takeover, true)
                }
                (CLIENT_NO_CONTEXT_TAKEOVER, None) => {
                    !core::mem::replace(&mut params.client_no_context_takeover, true)
                }
                (SERVER_MAX_WINDOW_BITS, Some(bits)) => {
                    params.server_max_window_bits.replace(bits?).is_none()
                }
                (CLIENT_MAX_WINDOW_BITS, None) => {
                    params.client_max_window_bits.replace(None).is_none()
                }
                (CLIENT_MAX_WINDOW_BITS, Some(bits)) => {
                    params.client_max_window_bits.replace(Some(bits?)).is_none()
                }
                _ => false,
            };
            if !fresh {
                return None;
            }
        }
        Some(params)
    }

    fn to_text(self) -> String {
        let mut text = String::from(NAME);
        let mut push = |name: &str, value: Option<u8>| {
            // Writing to a `String` does not fail.
            let _ = match value {
                Some(bits) => write!(text, "; {name}={bits}"),
                None => write!(text, "; {name}"),
            };
        };
        if self.server_no_context_takeover {
            push(SERVER_NO_CONTEXT_TAKEOVER, None);
        }
        if self.client_no_context_takeover {
            push(CLIENT_NO_CONTEXT_TAKEOVER, None);
        }
        if self.server_max_window_bits.is_some() {
            push(SERVER_MAX_WINDOW_BITS, self.server_max_window_bits);
        }
        if let Some(bits) = self.client_max_window_bits {
            push(CLIENT_MAX_WINDOW_BITS, bits);
        }
        text
    }
}

/// "a decimal integer value without leading zeroes between 8 to 15, inclusive" (7.1.2.1).
fn window_bits(digits: impl Iterator<Item = u8>) -> Option<u8> {
    let mut value = 0_u8;
    for digit in digits {
        // No value in range begins with a digit 0.
        if !digit.is_ascii_digit() || (value == 0 && digit == b'0') {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(digit.saturating_sub(b'0'))?;
    }
    Some(value).filter(|bits| (8..=15).contains(bits))
}

/// The extensions in several header values, which are one list. `None` after the first that is not
/// of the grammar.
pub(crate) fn all_of<'a>(
    values: impl Iterator<Item = &'a [u8]>,
) -> impl Iterator<Item = Extension<'a>> {
    values.flat_map(extensions).map_while(Result::ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> impl Iterator<Item = Extension<'_>> {
        all_of([text.as_bytes()].into_iter())
    }

    fn config(server_nct: bool, client_nct: bool, server: u8, client: u8) -> DeflateConfig {
        DeflateConfig {
            server_no_context_takeover: server_nct,
            client_no_context_takeover: client_nct,
            server_max_window_bits: server,
            client_max_window_bits: client,
        }
    }

    fn params(server_nct: bool, client_nct: bool, server: u8, client: u8) -> DeflateParams {
        DeflateParams {
            server_no_context_takeover: server_nct,
            client_no_context_takeover: client_nct,
            server_max_window_bits: server,
            client_max_window_bits: client,
        }
    }

    #[test]
    fn window_bits_are_8_to_15_without_leading_zero() {
        for text in [
            "",
            "0",
            "1",
            "7",
            "08",
            "015",
            "16",
            "20",
            "80",
            "88",
            "100",
            "150",
            "256",
            "1e",
            "+9",
            "-9",
            "99999999999999999999",
        ] {
            assert_eq!(window_bits(text.bytes()), None, "{text}");
        }
        for bits in 8..=15_u8 {
            assert_eq!(window_bits(alloc::format!("{bits}").bytes()), Some(bits));
        }
    }

    #[test]
    fn a_server_answers_each_offer() {
        let plain = DeflateConfig::default();
        let tight = config(true, true, 10, 11);
        let table = [
            (plain, "permessage-deflate", Some("")),
            (plain, "permessage-deflate; client_max_window_bits", Some("")),
            (plain, "permessage-deflate; client_max_window_bits=15", Some("")),
            (
                plain,
                "permessage-deflate; client_max_window_bits=10",
                Some("; client_max_window_bits=10"),
            ),
            (
                plain,
                "permessage-deflate; client_max_window_bits=8",
                Some("; client_max_window_bits=8"),
            ),
            (
                plain,
                "permessage-deflate; server_max_window_bits=15",
                Some("; server_max_window_bits=15"),
            ),
            (
                plain,
                "permessage-deflate; server_max_window_bits=\"9\"",
                Some("; server_max_window_bits=9"),
            ),
            (
                plain,
                "permessage-deflate; server_no_context_takeover",
                Some("; server_no_context_takeover"),
            ),
            (
                plain,
                "permessage-deflate; client_no_context_takeover",
                Some("; client_no_context_takeover"),
            ),
            (
                tight,
                "permessage-deflate",
                Some(
                    "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10",
                ),
            ),
            (
                tight,
                "permessage-deflate; client_max_window_bits; server_max_window_bits=12",
                Some(
                    "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11",
                ),
            ),
            (
                tight,
                "permessage-deflate; client_max_window_bits=9; server_max_window_bits=9",
                Some(
                    "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=9",
                ),
            ),
            // declined
            (plain, "permessage-deflate; server_max_window_bits=8", None),
            (plain, "permessage-deflate; server_max_window_bits", None),
            (plain, "permessage-deflate; server_max_window_bits=7", None),
            (plain, "permessage-deflate; server_max_window_bits=16", None),
            (plain, "permessage-deflate; server_max_window_bits=08", None),
            (plain, "permessage-deflate; client_max_window_bits=99999999999999999999", None),
            (plain, "permessage-deflate; server_no_context_takeover=1", None),
            (
                plain,
                "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
                None,
            ),
            (plain, "permessage-deflate; client_max_window_bits; client_max_window_bits=9", None),
            (plain, "permessage-deflate; foo", None),
            (plain, "x-webkit-deflate-frame", None),
            (plain, "Permessage-Deflate", None), // tokens of extensions are not folded
            (plain, "", None),
            // the next offer is tried
            (
                plain,
                "x, permessage-deflate; foo, permessage-deflate; server_max_window_bits=9",
                Some("; server_max_window_bits=9"),
            ),
            (plain, "permessage-deflate; server_max_window_bits=8, permessage-deflate", Some("")),
            (plain, "permessage-deflate, permessage-deflate; server_max_window_bits=9", Some("")),
        ];
        for (config, offer, expected) in table {
            let answer = config.choose(list(offer)).map(Agreed::answer);
            let expected = expected.map(|tail| alloc::format!("permessage-deflate{tail}"));
            assert_eq!(answer, expected, "{offer}");
        }
    }

    #[test]
    fn a_client_checks_the_answer_against_its_offer() {
        let plain = DeflateConfig::default();
        let tight = config(true, true, 10, 11);
        assert_eq!(plain.offer(), "permessage-deflate; client_max_window_bits");
        assert_eq!(
            tight.offer(),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
             server_max_window_bits=10; client_max_window_bits=11"
        );
        let good = [
            (plain, "permessage-deflate", params(false, false, 15, 15)),
            (plain, "permessage-deflate; server_no_context_takeover", params(true, false, 15, 15)),
            (plain, "permessage-deflate; client_no_context_takeover", params(false, true, 15, 15)),
            (plain, "permessage-deflate; server_max_window_bits=8", params(false, false, 8, 15)),
            (plain, "permessage-deflate; client_max_window_bits=8", params(false, false, 15, 8)),
            (
                tight,
                "permessage-deflate; server_no_context_takeover; server_max_window_bits=\"10\"",
                params(true, true, 10, 11),
            ),
            (
                tight,
                "permessage-deflate; server_no_context_takeover; server_max_window_bits=9; client_max_window_bits=9",
                params(true, true, 9, 9),
            ),
        ];
        for (config, answer, expected) in good {
            assert_eq!(config.check(list(answer).next().unwrap()), Ok(expected), "{answer}");
        }
        let bad = [
            (plain, "x-foo"),
            (plain, "permessage-deflate; foo"),
            (plain, "permessage-deflate; server_max_window_bits"),
            (plain, "permessage-deflate; server_max_window_bits=7"),
            (plain, "permessage-deflate; server_max_window_bits=1000"),
            (plain, "permessage-deflate; client_max_window_bits"),
            (plain, "permessage-deflate; server_no_context_takeover; server_no_context_takeover"),
            (plain, "permessage-deflate; client_no_context_takeover=1"),
            (tight, "permessage-deflate; server_max_window_bits=10"),
            (tight, "permessage-deflate; server_no_context_takeover"),
            (tight, "permessage-deflate; server_no_context_takeover; server_max_window_bits=11"),
            (
                tight,
                "permessage-deflate; server_no_context_takeover; server_max_window_bits=10; client_max_window_bits=12",
            ),
        ];
        for (config, answer) in bad {
            assert!(config.check(list(answer).next().unwrap()).is_err(), "{answer}");
        }
    }

    /// What any server of ours answers to any client of ours, both understand alike.
    #[test]
    fn both_ends_agree() {
        let bits = [0, 9, 12, 15, 255];
        let configs = || {
            bits.into_iter().flat_map(move |server| {
                bits.into_iter().flat_map(move |client| {
                    [(false, false), (true, false), (false, true), (true, true)]
                        .map(|(s, c)| config(s, c, server, client))
                })
            })
        };
        for client in configs() {
            for server in configs() {
                let offer = client.offer();
                let agreed = server.choose(list(&offer)).unwrap();
                let answer = agreed.answer();
                assert_eq!(
                    client.check(list(&answer).next().unwrap()),
                    Ok(agreed.params),
                    "{offer} -> {answer}"
                );
            }
        }
    }
}
