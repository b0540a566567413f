//! The layout of a frame header: RFC 6455 section 5.2. What a header *may* say is in
//! [`rules`](super::rules).
//!
//! ```text
//!  byte 0                byte 1                 bytes 2..           then
//! +-+-+-+-+-------+ +-+-------------+ +---------------------+ +---------------+
//! |F|R|R|R| opcode| |M| length      | | length, 16 or 64 bit| | masking key   |
//! |I|S|S|S|  (4)  | |A|  (7)        | | (if 126 or 127)     | | (if MASK)     |
//! |N|V|V|V|       | |S|             | |                     | |               |
//! | |1|2|3|       | |K|             | |                     | |               |
//! +-+-+-+-+-------+ +-+-------------+ +---------------------+ +---------------+
//! ```

use super::opcode::Opcode;

/// The longest header: two bytes, a 64-bit length, a masking key.
pub const MAX_HEADER_LEN: usize = 14;

pub(crate) const FIN: u8 = 0x80;
pub(crate) const RSV1: u8 = 0x40;
pub(crate) const RSV: u8 = 0x70;
pub(crate) const OPCODE: u8 = 0x0F;
pub(crate) const MASK: u8 = 0x80;
pub(crate) const LENGTH: u8 = 0x7F;
/// In the 7-bit length: a 16-bit length follows.
pub(crate) const LENGTH_16: u8 = 126;
/// In the 7-bit length: a 64-bit length follows.
pub(crate) const LENGTH_64: u8 = 127;

/// A frame header.
///
/// ```
/// use websocket_proto::frame::{Header, Opcode, Parsed};
///
/// // RFC 6455 section 5.7: a single-frame masked text message, "Hello".
/// let Ok(Parsed::Done { header, len }) = Header::parse(b"\x81\x85\x37\xfa\x21\x3d\x7f") else {
///     panic!("a whole header");
/// };
/// assert_eq!(len, 6);
/// assert_eq!(header.opcode, Opcode::Text);
/// assert_eq!(header.payload_len, 5);
/// assert_eq!(header.mask, Some([0x37, 0xfa, 0x21, 0x3d]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The last frame of a message.
    pub fin: bool,
    /// The reserved bit that permessage-deflate defines (RFC 7692 section 6): on the first frame
    /// of a compressed message.
    pub rsv1: bool,
    /// What the frame is.
    pub opcode: Opcode,
    /// The masking key, if the payload is masked.
    pub mask: Option<[u8; 4]>,
    /// The length of the payload in bytes.
    pub payload_len: u64,
}

/// The outcome of [`Header::parse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// The header is not complete: at least this many bytes are missing.
    Partial(usize),
    /// The header, and its length in bytes.
    Done {
        /// The header.
        header: Header,
        /// How many bytes it takes: 2 to 14.
        len: usize,
    },
}

impl Header {
    /// Reads the header at the front of `bytes`.
    ///
    /// Only the layout is read: whether the frame is allowed here depends on the role, on the
    /// extensions in use and on the frames before, and is decided by
    /// [`Connection`](crate::Connection).
    ///
    /// # Errors
    ///
    /// The reserved opcode, if there is one. RSV2 and RSV3 are not looked at.
    pub fn parse(bytes: &[u8]) -> Result<Parsed, u8> {
        let Some((&[byte0, byte1], rest)) = bytes.split_first_chunk() else {
            return Ok(Parsed::Partial(2_usize.saturating_sub(bytes.len())));
        };
        let opcode = Opcode::try_from(byte0 & OPCODE)?;
        let masked = byte1 & MASK != 0;
        let len = header_len(byte1);
        if bytes.len() < len {
            return Ok(Parsed::Partial(len.saturating_sub(bytes.len())));
        }
        let (payload_len, rest) = match byte1 & LENGTH {
            LENGTH_16 => match rest.split_first_chunk() {
                Some((&length, rest)) => (u64::from(u16::from_be_bytes(length)), rest),
                None => return Ok(Parsed::Partial(1)), // not reached: `len` bytes are there
            },
            LENGTH_64 => match rest.split_first_chunk() {
                Some((&length, rest)) => (u64::from_be_bytes(length), rest),
                None => return Ok(Parsed::Partial(1)), // likewise
            },
            length => (u64::from(length), rest),
        };
        let mask = if masked { rest.first_chunk().copied() } else { None };
        let header =
            Self { fin: byte0 & FIN != 0, rsv1: byte0 & RSV1 != 0, opcode, mask, payload_len };
        Ok(Parsed::Done { header, len })
    }

    /// Writes the header to the front of `buffer` and returns its length: the length of the
    /// payload takes its shortest form, as section 5.2 demands.
    ///
    /// ```
    /// use websocket_proto::frame::{Header, MAX_HEADER_LEN, Opcode};
    ///
    /// // RFC 6455 section 5.7: 256 bytes binary message in a single unmasked frame.
    /// let header =
    ///     Header { fin: true, rsv1: false, opcode: Opcode::Binary, mask: None, payload_len: 256 };
    /// let mut buffer = [0; MAX_HEADER_LEN];
    /// let len = header.encode(&mut buffer);
    /// assert_eq!(buffer[..len], [0x82, 0x7e, 0x01, 0x00]);
    /// ```
    pub fn encode(&self, buffer: &mut [u8; MAX_HEADER_LEN]) -> usize {
        let fin = if self.fin { FIN } else { 0 };
        let rsv1 = if self.rsv1 { RSV1 } else { 0 };
        let mask_bit = if self.mask.is_some() { MASK } else { 0 };
        let [byte0, byte1, rest @ ..] = buffer;
        *byte0 = fin | rsv1 | self.opcode as u8;
        let rest = match u16::try_from(self.payload_len) {
            Ok(len @ 0..=125) => {
                *byte1 = mask_bit | len.to_be_bytes()[1];
                &mut rest[..]
            }
            Ok(len) => {
                *byte1 = mask_bit | LENGTH_16;
                let [length @ .., _, _, _, _, _, _, _, _, _, _] = rest;
                *length = len.to_be_bytes();
                &mut rest[2..]
            }
            Err(_) => {
                *byte1 = mask_bit | LENGTH_64;
                let [length @ .., _, _, _, _] = rest;
                *length = self.payload_len.to_be_bytes();
                &mut rest[8..]
            }
        };
        if let (Some(key), Some(slot)) = (self.mask, rest.first_chunk_mut()) {
            *slot = key;
        }
        header_len(*byte1)
    }
}

/// The header of a data message of one small frame: its first bytes, and how many.
///
/// Computed as a number, and written in one store: a header that is written in parts and copied
/// then waits for them.
#[inline(always)]
pub(crate) fn small(opcode: Opcode, payload_len: u16, mask: Option<[u8; 4]>) -> ([u8; 8], usize) {
    let byte0 = u64::from(FIN | opcode as u8);
    let mask_bit = if mask.is_some() { MASK } else { 0 };
    let (bytes, len) = if payload_len < u16::from(LENGTH_16) {
        (byte0 | u64::from(payload_len | u16::from(mask_bit)) << 8, 2_u32)
    } else {
        let length = u64::from(payload_len.swap_bytes());
        (byte0 | u64::from(LENGTH_16 | mask_bit) << 8 | length << 16, 4)
    };
    let (bytes, len) = match mask {
        // `len` bytes are taken, so the key comes behind them.
        Some(key) if len == 2 => (bytes | u64::from(u32::from_le_bytes(key)) << 16, 6),
        Some(key) => (bytes | u64::from(u32::from_le_bytes(key)) << 32, 8),
        None => (bytes, len as usize),
    };
    (bytes.to_le_bytes(), len)
}

/// The length of a whole header, from its second byte.
pub(crate) const fn header_len(byte1: u8) -> usize {
    match (byte1 & LENGTH, byte1 & MASK) {
        (LENGTH_16, 0) => 4,
        (LENGTH_16, _) => 8,
        (LENGTH_64, 0) => 10,
        (LENGTH_64, _) => 14,
        (_, 0) => 2,
        (_, _) => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(payload_len: u64, mask: Option<[u8; 4]>) -> Header {
        Header { fin: true, rsv1: false, opcode: Opcode::Binary, mask, payload_len }
    }

    /// Encode, then parse every prefix: each says how much is missing, the whole is the same again.
    #[test]
    fn round_trip_at_every_split() {
        let opcodes = [0, 1, 2, 8, 9, 10].map(|value| Opcode::try_from(value).unwrap());
        for payload_len in [0, 1, 125, 126, 127, 255, 65_535, 65_536, 1 << 32, u64::MAX >> 1] {
            for mask in [None, Some([0, 0, 0, 0]), Some([1, 2, 3, 255])] {
                for bits in 0..4 {
                    for opcode in opcodes {
                        let (fin, rsv1) = (bits & 1 != 0, bits & 2 != 0);
                        let header = Header { fin, rsv1, opcode, ..header(payload_len, mask) };
                        let mut buffer = [0xEE; MAX_HEADER_LEN];
                        let len = header.encode(&mut buffer);
                        assert_eq!(Header::parse(&buffer), Ok(Parsed::Done { header, len }));
                        for cut in 0..len {
                            let Ok(Parsed::Partial(missing)) = Header::parse(&buffer[..cut]) else {
                                panic!("{header:?} is whole after {cut} of {len} bytes");
                            };
                            assert!(missing > 0 && missing <= len - cut);
                            assert!(cut < 2 || missing == len - cut);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn small_headers_are_those_of_encode() {
        for opcode in [Opcode::Text, Opcode::Binary] {
            for payload_len in 0..=u16::MAX {
                for mask in [None, Some([0, 0, 0, 0]), Some([1, 2, 3, 255])] {
                    let header = Header { opcode, ..header(payload_len.into(), mask) };
                    let mut expected = [0; MAX_HEADER_LEN];
                    let len = header.encode(&mut expected);
                    let (bytes, small_len) = small(opcode, payload_len, mask);
                    assert_eq!(bytes[..small_len], expected[..len], "{header:?}");
                }
            }
        }
    }

    #[test]
    fn lengths_take_their_shortest_form() {
        for (payload_len, bytes) in
            [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10), (u64::MAX >> 1, 10)]
        {
            let mut buffer = [0; MAX_HEADER_LEN];
            assert_eq!(header(payload_len, None).encode(&mut buffer), bytes);
            assert_eq!(header(payload_len, Some([1; 4])).encode(&mut buffer), bytes + 4);
        }
    }
}
