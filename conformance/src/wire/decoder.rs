//! Frames out of bytes (RFC 6455 5.2). The decoder judges nothing that it can read: a report shows a
//! faulty frame as it came, and `rules` says what is wrong with it.

use std::borrow::Cow;

use super::frame::mask;

/// A rule that the peer broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Breach {
    pub(crate) section: &'static str,
    pub(crate) sentence: &'static str,
    pub(crate) found: Cow<'static, str>,
    /// The code with which the connection is failed.
    pub(crate) code: u16,
}

impl Breach {
    pub(crate) fn new(
        section: &'static str,
        sentence: &'static str,
        found: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { section, sentence, found: found.into(), code: 1002 }
    }

    pub(crate) fn invalid_payload(mut self) -> Self {
        self.code = 1007;
        self
    }
}

/// A frame as it came, its payload unmasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) fin: bool,
    pub(crate) rsv: u8,
    pub(crate) opcode: u8,
    pub(crate) masked: bool,
    /// Whether the length was said in as few bytes as can be.
    pub(crate) minimal: bool,
    pub(crate) payload: Vec<u8>,
}

/// No case makes a peer send as much: whoever declares more is not waited for.
const LONGEST: u64 = 64 << 20;

#[derive(Debug, Default)]
pub(crate) struct Decoder {
    buffer: Vec<u8>,
    taken: usize,
}

struct Header {
    first: u8,
    length: u64,
    minimal: bool,
    key: Option<[u8; 4]>,
    size: usize,
}

impl Decoder {
    /// Where the transport appends what it reads.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        // What was taken goes only when it is much: moving the rest for every small frame is slow.
        if self.taken == self.buffer.len() {
            self.buffer.clear();
            self.taken = 0;
        } else if self.taken >= 1 << 16 {
            self.buffer.drain(..self.taken);
            self.taken = 0;
        }
        &mut self.buffer
    }

    /// The next whole frame, if there is one.
    pub(crate) fn next(&mut self) -> Result<Option<Received>, Breach> {
        let waiting = self.buffer.get(self.taken..).unwrap_or_default();
        let Some(header) = header(waiting) else { return Ok(None) };
        if header.length > LONGEST {
            return Err(Breach::new(
                "RFC 6455 5.2",
                "the most significant bit MUST be 0",
                format!("the peer declared a frame of {} bytes", header.length),
            ));
        }
        let end = header.size.saturating_add(header.length as usize);
        let Some(payload) = waiting.get(header.size..end) else { return Ok(None) };
        let mut payload = payload.to_vec();
        if let Some(key) = header.key {
            mask(&mut payload, key);
        }
        self.taken = self.taken.saturating_add(end);
        Ok(Some(Received {
            fin: header.first & 0x80 != 0,
            rsv: header.first >> 4 & 7,
            opcode: header.first & 15,
            masked: header.key.is_some(),
            minimal: header.minimal,
            payload,
        }))
    }

    /// What came and is no whole frame yet.
    pub(crate) fn rest(&self) -> &[u8] {
        self.buffer.get(self.taken..).unwrap_or_default()
    }
}

fn header(bytes: &[u8]) -> Option<Header> {
    let (&[first, second], rest) = bytes.split_first_chunk::<2>()?;
    let (length, minimal, wide) = match second & 0x7f {
        126 => {
            let length = u64::from(u16::from_be_bytes(*rest.first_chunk()?));
            (length, length > 125, 2)
        }
        127 => {
            let length = u64::from_be_bytes(*rest.first_chunk()?);
            (length, length > 65_535, 8)
        }
        length => (u64::from(length), true, 0),
    };
    let key = match second & 0x80 {
        0 => None,
        _ => Some(*rest.get(wide..)?.first_chunk::<4>()?),
    };
    let size = 2_usize.saturating_add(wide).saturating_add(if key.is_some() { 4 } else { 0 });
    Some(Header { first, length, minimal, key, size })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame::{Frame, Length, Mask, binary, ping, text};
    use crate::wire::payload::Payload;

    fn decode(bytes: &[u8]) -> Vec<Received> {
        let mut decoder = Decoder::default();
        let mut frames = Vec::new();
        for byte in bytes {
            decoder.buffer().push(*byte);
            frames.extend(decoder.next().unwrap());
        }
        let mut whole = Decoder::default();
        whole.buffer().extend_from_slice(bytes);
        for frame in &frames {
            assert_eq!(whole.next().unwrap().as_ref(), Some(frame), "however it is cut");
        }
        assert_eq!(whole.next(), Ok(None));
        frames
    }

    /// Everything that the encoder can say comes back, right or wrong.
    #[test]
    fn decodes_what_was_encoded() {
        let lengths = [Length::Minimal, Length::In16, Length::In64];
        for (n, length) in [0_usize, 1, 125, 126, 65_535, 65_536]
            .into_iter()
            .flat_map(|n| lengths.map(|length| (n, length)))
            .filter(|&(n, length)| n < 65_536 || length != Length::In16)
        {
            for masking in [Mask::None, Mask::Always] {
                let sent =
                    binary(Payload::repeated(b"abc", n)).length(length).mask(masking).rsv(5).more();
                let mut decoder = Decoder::default();
                decoder.buffer().extend_from_slice(&sent.encode(true, [1, 2, 3, 4]));
                let got = decoder.next().unwrap().unwrap();
                assert_eq!((got.fin, got.rsv, got.opcode), (false, 5, 2));
                assert_eq!(got.masked, masking == Mask::Always);
                assert!(sent.payload.matches(&got.payload));
                let minimal = match n {
                    0..=125 => length == Length::Minimal,
                    126..=65_535 => length != Length::In64,
                    _ => true,
                };
                assert_eq!(got.minimal, minimal, "{n} in {length:?}");
            }
        }
    }

    #[test]
    fn frames_in_a_row_and_cut_anywhere() {
        let bytes: Vec<u8> = [text("Hello"), ping(""), text("x").rsv(7)]
            .iter()
            .flat_map(|frame: &Frame| frame.encode(true, [9, 8, 7, 6]))
            .collect();
        let frames = decode(&bytes);
        assert_eq!(frames.len(), 3);
        assert_eq!(frames[0].payload, b"Hello");
    }

    #[test]
    fn a_length_beyond_reason_is_not_waited_for() {
        for length in [1 << 63, u64::MAX, (64 << 20) + 1] {
            let mut decoder = Decoder::default();
            let frame = binary("").length(Length::Declared(length)).encode(false, [0; 4]);
            decoder.buffer().extend_from_slice(&frame);
            assert!(decoder.next().is_err());
        }
    }
}
