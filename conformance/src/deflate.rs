//! permessage-deflate (RFC 7692): what is offered and accepted, and the two directions of it.

use std::fmt::Write as _;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::wire::decoder::Breach;

/// What a case offers to a server and accepts from a client. The first that fits is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Agreement {
    pub(crate) offers: Vec<Offer>,
    pub(crate) accepts: Vec<Accept>,
    /// The offer says nothing about the client's direction, and the case needs all of its window.
    pub(crate) client_keeps_context: bool,
}

/// What a client asks of the server's direction. For its own it always leaves the server the choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) server_no_context_takeover: bool,
    pub(crate) server_max_window_bits: Option<u8>,
}

/// What a server demands of the client's direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accept {
    pub(crate) client_no_context_takeover: bool,
    pub(crate) client_max_window_bits: Option<u8>,
}

/// What both sides agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    pub(crate) client: Direction,
    pub(crate) server: Direction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Direction {
    pub(crate) no_context_takeover: bool,
    pub(crate) window_bits: u8,
}

const WHOLE: Direction = Direction { no_context_takeover: false, window_bits: 15 };

impl Agreement {
    /// The value of the request's `Sec-WebSocket-Extensions`.
    pub(crate) fn offer(&self) -> String {
        let offers = self.offers.iter().map(|offer| {
            let mut text = String::from("permessage-deflate");
            if !self.client_keeps_context {
                text.push_str("; client_no_context_takeover; client_max_window_bits");
            }
            if offer.server_no_context_takeover {
                text.push_str("; server_no_context_takeover");
            }
            if let Some(bits) = offer.server_max_window_bits {
                let _ = write!(text, "; server_max_window_bits={bits}");
            }
            text
        });
        offers.collect::<Vec<_>>().join(", ")
    }

    /// One plain offer.
    pub(crate) fn plain() -> Self {
        Self {
            offers: vec![Offer::default()],
            accepts: vec![Accept::default()],
            client_keeps_context: true,
        }
    }

    /// Whether the case that wants this can run with what was agreed to.
    pub(crate) fn is_met_by(&self, agreed: Option<Agreed>) -> bool {
        agreed.is_some_and(|agreed| {
            !self.client_keeps_context || agreed.client == WHOLE && agreed.server == WHOLE
        })
    }

    /// The answer to a client's offers, and what it means; none where no offer fits.
    pub(crate) fn answer(&self, extensions: &[Extension]) -> Option<(String, Agreed)> {
        self.accepts.iter().find_map(|accept| {
            let mut offers = extensions.iter().filter(|e| e.name == "permessage-deflate");
            offers.find_map(|offer| accept.answer(offer))
        })
    }

    /// What a server's answer means, or what is wrong with it.
    pub(crate) fn answered(&self, extensions: &[Extension]) -> Result<Option<Agreed>, Breach> {
        let [extension] = extensions else {
            return match extensions {
                [] => Ok(None),
                _ => Err(invalid("the server accepted more than one extension".to_owned())),
            };
        };
        if extension.name != "permessage-deflate" {
            return Err(invalid(format!("the server accepted {}, not offered", extension.name)));
        }
        let agreed = parameters(extension, true).map_err(invalid)?;
        let narrow = |limit: u8| agreed.server.window_bits <= limit;
        let met = self.offers.iter().any(|offer| {
            offer.server_max_window_bits.is_none_or(narrow)
                && (!offer.server_no_context_takeover || agreed.server.no_context_takeover)
        });
        if met { Ok(Some(agreed)) } else { Err(invalid("the answer meets no offer".to_owned())) }
    }
}

impl Accept {
    fn answer(self, offer: &Extension) -> Option<(String, Agreed)> {
        let mut agreed = parameters(offer, false).ok()?;
        let named = |name: &str| offer.parameters.iter().any(|(parameter, _)| parameter == name);
        let mut text = String::from("permessage-deflate");
        if agreed.server.no_context_takeover {
            text.push_str("; server_no_context_takeover");
        }
        if named("server_max_window_bits") {
            let _ = write!(text, "; server_max_window_bits={}", agreed.server.window_bits);
        }
        // What the client offers for itself is a hint; the answer decides.
        agreed.client = WHOLE;
        if self.client_no_context_takeover {
            text.push_str("; client_no_context_takeover");
            agreed.client.no_context_takeover = true;
        }
        if let Some(bits) = self.client_max_window_bits {
            // RFC 7692 7.1.2.2: not in an answer to an offer without it.
            if !named("client_max_window_bits") {
                return None;
            }
            let _ = write!(text, "; client_max_window_bits={bits}");
            agreed.client.window_bits = bits;
        }
        Some((text, agreed))
    }
}

fn invalid(found: String) -> Breach {
    Breach::new(
        "RFC 7692 7.1",
        "A client MUST _Fail the WebSocket Connection_ if the peer server accepted an extension negotiation offer for this extension",
        found,
    )
}

/// The parameters of an offer or an answer (RFC 7692 7.1), with defaults for those that are missing.
fn parameters(extension: &Extension, answer: bool) -> Result<Agreed, String> {
    let mut agreed = Agreed { client: WHOLE, server: WHOLE };
    let mut seen: Vec<&str> = Vec::new();
    for (name, value) in &extension.parameters {
        if seen.contains(&name.as_str()) {
            return Err(format!("parameter {name} is there twice"));
        }
        seen.push(name);
        match (name.as_str(), value.as_deref()) {
            ("server_no_context_takeover", None) => agreed.server.no_context_takeover = true,
            ("client_no_context_takeover", None) => agreed.client.no_context_takeover = true,
            ("server_max_window_bits", Some(bits)) => {
                agreed.server.window_bits = window_bits(name, bits)?;
            }
            ("client_max_window_bits", Some(bits)) => {
                agreed.client.window_bits = window_bits(name, bits)?;
            }
            // A client's hint that it can do with less.
            ("client_max_window_bits", None) if !answer => {}
            _ => return Err(format!("parameter {name} with value {value:?}")),
        }
    }
    Ok(agreed)
}

fn window_bits(name: &str, value: &str) -> Result<u8, String> {
    match value.as_bytes() {
        [b'8' | b'9'] | [b'1', b'0'..=b'5'] => value.parse().map_err(|_| value.to_owned()),
        _ => Err(format!("parameter {name} with value {value:?}, not 8 to 15")),
    }
}

/// One element of a `Sec-WebSocket-Extensions` field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extension {
    pub(crate) name: String,
    pub(crate) parameters: Vec<(String, Option<String>)>,
}

impl Extension {
    /// The list of a field's value. No value that these extensions have contains a comma.
    pub(crate) fn list(value: &str) -> Vec<Self> {
        let elements = value.split(',').map(str::trim).filter(|element| !element.is_empty());
        elements.map(Self::parse).collect()
    }

    fn parse(element: &str) -> Self {
        let mut parts = element.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_owned();
        let parameters = parts
            .map(|part| match part.split_once('=') {
                Some((name, value)) => {
                    (name.trim().to_owned(), Some(value.trim().trim_matches('"').to_owned()))
                }
                None => (part.to_owned(), None),
            })
            .collect();
        Self { name, parameters }
    }
}

/// Compresses messages of one direction (RFC 7692 7.2.1).
#[derive(Debug)]
pub(crate) struct Compressor {
    engine: Compress,
    fresh: bool,
}

impl Compressor {
    pub(crate) fn new(direction: Direction) -> Self {
        // zlib cannot make a window of 2^8 for a raw stream; one of 2^9 in which messages are under
        // 2^8 bytes is as good. The level is low, because the peer is tested and not the ratio.
        let bits = direction.window_bits.max(9);
        Self {
            engine: Compress::new_with_window_bits(Compression::new(1), false, bits),
            fresh: direction.no_context_takeover,
        }
    }

    pub(crate) fn compress(&mut self, message: &[u8]) -> Vec<u8> {
        if self.fresh {
            self.engine.reset();
        }
        let mut output = Vec::with_capacity(message.len().saturating_add(64));
        let mut rest = message;
        loop {
            let before = self.engine.total_in();
            output.reserve(256);
            let done = self.engine.compress_vec(rest, &mut output, FlushCompress::Sync);
            let taken = self.engine.total_in().saturating_sub(before) as usize;
            rest = rest.get(taken..).unwrap_or_default();
            // Room that is left says that the flush is complete.
            if done.is_err() || rest.is_empty() && output.len() < output.capacity() {
                break;
            }
        }
        output.truncate(output.strip_suffix(&TAIL).map_or(output.len(), <[u8]>::len));
        output
    }
}

/// What a sender leaves out and a receiver puts back at the end of a message.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// No case makes a peer send a message as large.
const LARGEST: usize = 64 << 20;

/// Inflates messages of one direction (RFC 7692 7.2.2).
#[derive(Debug)]
pub(crate) struct Inflater {
    engine: Decompress,
    fresh: bool,
}

impl Inflater {
    pub(crate) fn new(direction: Direction) -> Self {
        Self { engine: Decompress::new(false), fresh: direction.no_context_takeover }
    }

    pub(crate) fn inflate(&mut self, message: &[u8]) -> Result<Vec<u8>, Breach> {
        if self.fresh {
            self.engine.reset(false);
        }
        let mut output = Vec::with_capacity(message.len().saturating_mul(4).saturating_add(64));
        self.feed(message, &mut output)?;
        self.feed(&TAIL, &mut output)?;
        Ok(output)
    }

    fn feed(&mut self, mut input: &[u8], output: &mut Vec<u8>) -> Result<(), Breach> {
        loop {
            let before = self.engine.total_in();
            output.reserve(1 << 14);
            let status = self.engine.decompress_vec(input, output, FlushDecompress::Sync);
            let taken = self.engine.total_in().saturating_sub(before) as usize;
            input = input.get(taken..).unwrap_or_default();
            if output.len() > LARGEST {
                return Err(corrupt("the peer's message inflates without end"));
            }
            match status {
                Ok(Status::StreamEnd) => {
                    // A final block may end a message (RFC 7692 7.2.3.5); the next begins anew.
                    self.engine.reset(false);
                    return Ok(());
                }
                Ok(_) if input.is_empty() && output.len() < output.capacity() => return Ok(()),
                Ok(_) => {}
                Err(_) => return Err(corrupt("the peer's compressed message does not inflate")),
            }
        }
    }
}

fn corrupt(found: &'static str) -> Breach {
    Breach::new(
        "RFC 7692 7.2.1",
        "Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the payload of the message. Decompress the resulting data using DEFLATE",
        found,
    )
    .invalid_payload()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_compressed_inflates_with_and_without_takeover() {
        for window_bits in [8, 9, 15] {
            for no_context_takeover in [false, true] {
                let direction = Direction { no_context_takeover, window_bits };
                let (mut there, mut back) = (Compressor::new(direction), Inflater::new(direction));
                for length in [0_usize, 1, 5, 1000, 200_000, 5] {
                    let message: Vec<u8> =
                        b"Hello, ".iter().copied().cycle().take(length).collect();
                    let compressed = there.compress(&message);
                    assert_eq!(back.inflate(&compressed).unwrap(), message);
                }
            }
        }
        assert!(Inflater::new(WHOLE).inflate(&[0xff; 9]).is_err());
    }

    fn agreement() -> Agreement {
        Agreement {
            offers: vec![
                Offer { server_no_context_takeover: true, server_max_window_bits: Some(9) },
                Offer { server_max_window_bits: Some(12), ..Offer::default() },
            ],
            accepts: vec![
                Accept { client_max_window_bits: Some(9), client_no_context_takeover: true },
                Accept::default(),
            ],
            client_keeps_context: false,
        }
    }

    #[test]
    fn answers_of_servers() {
        let answered = |value: &str| agreement().answered(&Extension::list(value));
        assert_eq!(answered(""), Ok(None));
        let agreed =
            answered("permessage-deflate; server_max_window_bits=\"12\"").unwrap().unwrap();
        assert_eq!((agreed.server.window_bits, agreed.client), (12, WHOLE));
        for wrong in [
            "permessage-deflate",
            "permessage-deflate; server_max_window_bits=13",
            "permessage-deflate; server_max_window_bits=12; server_max_window_bits=12",
            "permessage-deflate; server_max_window_bits=012",
            "permessage-deflate; server_max_window_bits=12; unknown",
            "permessage-deflate; server_max_window_bits=12; client_max_window_bits",
            "permessage-deflate; server_max_window_bits=12, x",
            "x-webkit-deflate-frame",
        ] {
            assert!(answered(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn answers_to_clients() {
        let answer =
            |value: &str| agreement().answer(&Extension::list(value)).map(|(text, _)| text);
        assert_eq!(answer("foo, bar; baz"), None);
        assert_eq!(answer("permessage-deflate").as_deref(), Some("permessage-deflate"));
        assert_eq!(
            answer("permessage-deflate; client_max_window_bits").as_deref(),
            Some("permessage-deflate; client_no_context_takeover; client_max_window_bits=9")
        );
        assert_eq!(
            answer("permessage-deflate; nonsense, permessage-deflate; server_max_window_bits=10")
                .as_deref(),
            Some("permessage-deflate; server_max_window_bits=10")
        );
    }
}
