//! The common case in one look: a data frame that lies whole in the input and breaks no rule.
//!
//! It decides nothing by itself. Whatever is unusual (a fault, a control frame, a compressed
//! message, a frame that is cut) is `None`, and goes the way of [`Decoder`](super::decoder::Decoder)
//! and [`Rules`], which say what it is.

use super::header::{FIN, LENGTH, LENGTH_16, LENGTH_64, MASK};
use super::opcode::Opcode;
use super::rules::Rules;

/// Where a frame's payload lies in the input, and what its header said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    /// The first byte of the header, without reserved bits.
    byte0: u8,
    pub(crate) header_len: usize,
    pub(crate) len: usize,
    /// Zeros without a mask.
    pub(crate) key: [u8; 4],
}

impl Whole {
    pub(crate) const fn fin(&self) -> bool {
        self.byte0 & FIN != 0
    }

    /// Where the frame ends in the input.
    pub(crate) const fn end(&self) -> usize {
        self.header_len.wrapping_add(self.len) // not beyond the input's end
    }

    pub(crate) const fn is_text(&self) -> bool {
        self.byte0 & !FIN == Opcode::Text as u8
    }
}

/// The frame at the front of `input`.
#[inline(always)]
pub(crate) fn frame(rules: &Rules, input: &[u8]) -> Option<Whole> {
    let (&[byte0, byte1], rest) = input.split_first_chunk()?;
    let opcode = byte0 & !FIN;
    // RSV1 to RSV3 are zero and the opcode is the one that is due (5.2, 5.4).
    let is_due = if rules.in_message {
        opcode == Opcode::Continuation as u8 && !rules.no_fragment_left
    } else {
        opcode == Opcode::Text as u8 || opcode == Opcode::Binary as u8
    };
    if !is_due || (byte1 & MASK != 0) != rules.masked || rules.compressed {
        return None;
    }
    // With the least length that is in its shortest form (5.2); empty frames have rules of their own.
    let (len, least, rest) = match byte1 & LENGTH {
        LENGTH_16 => {
            let (len, rest) = rest.split_first_chunk()?;
            (u64::from(u16::from_be_bytes(*len)), u64::from(LENGTH_16), rest)
        }
        LENGTH_64 => {
            let (len, rest) = rest.split_first_chunk()?;
            (u64::from_be_bytes(*len), 1 << 16, rest)
        }
        len => (u64::from(len), 1, rest),
    };
    let left = rules.limits.message.saturating_sub(rules.message_size);
    if len < least || len > left || len > rules.limits.frame {
        return None;
    }
    let (key, rest) = match rules.masked {
        true => rest.split_first_chunk().map(|(key, rest)| (*key, rest))?,
        false => ([0; 4], rest),
    };
    let len = usize::try_from(len).ok().filter(|len| *len <= rest.len())?;
    let header_len = input.len().saturating_sub(rest.len());
    Some(Whole { byte0, header_len, len, key })
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::frame::header::{Header, Parsed};
    use crate::frame::rules::Limits;

    fn rules(masked: bool, in_message: bool, no_fragment_left: bool) -> Rules {
        let limits = Limits { message: 70_000, frame: 66_000, fragments: 9, empty_fragments: 9 };
        Rules {
            masked,
            rsv1: true,
            in_message,
            compressed: false,
            no_fragment_left,
            no_empty_left: false,
            limits,
            message_size: if in_message { 60_000 } else { 0 },
        }
    }

    /// Every first and second byte, with lengths on both sides of every bound: what this accepts
    /// is what the parser reads and the rules let pass, and nothing that is usual is missed.
    #[test]
    fn agrees_with_parser_and_rules() {
        let lengths = [0, 1, 125, 126, 127, 9_999, 10_000, 10_001, 65_535, 65_536, 66_000, 66_001];
        let mut accepted = 0;
        for bits in 0..8_u8 {
            let rules = rules(bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
            for bytes in 0..=u16::MAX {
                let [byte0, byte1] = bytes.to_be_bytes();
                for length in lengths {
                    let input = input(byte0, byte1, length);
                    let whole = frame(&rules, &input);
                    let parsed = Header::parse(&input[..input.len().min(14)]);
                    let Some(whole) = whole else {
                        let usual = matches!(parsed, Ok(Parsed::Done { header, len })
                            if !header.opcode.is_control() && !header.rsv1
                                && header.payload_len > 0
                                && input.len() as u64 >= len as u64 + header.payload_len)
                            && rules.check(&input).is_ok();
                        assert!(!usual, "missed {byte0:#x} {byte1:#x} {length}");
                        continue;
                    };
                    accepted += 1;
                    let Ok(Parsed::Done { header, len }) = parsed else { panic!("no header") };
                    assert_eq!(rules.check(&input), Ok(()));
                    assert_eq!((whole.header_len, whole.len as u64), (len, header.payload_len));
                    assert_eq!(
                        (whole.fin(), whole.key),
                        (header.fin, header.mask.unwrap_or_default())
                    );
                    assert_eq!(whole.is_text(), header.opcode == Opcode::Text);
                    assert!(!header.opcode.is_control());
                    // One byte less, and it is not whole.
                    let end = whole.header_len + whole.len;
                    assert_eq!(frame(&rules, &input[..end - 1]), None);
                }
            }
        }
        assert!(accepted > 1000);
    }

    /// A header with these bytes, with `length` in its extended length if it has one, and payload.
    fn input(byte0: u8, byte1: u8, length: u64) -> Vec<u8> {
        static ZEROS: [u8; 66_100] = [0; 66_100];
        let mut input = Vec::from([byte0, byte1]);
        match byte1 & LENGTH {
            LENGTH_16 => input.extend_from_slice(&(length as u16).to_be_bytes()),
            LENGTH_64 => input.extend_from_slice(&length.to_be_bytes()),
            _ => {}
        }
        input.extend_from_slice(&[1, 2, 3, 4]);
        let payload = if byte1 & LENGTH < LENGTH_16 { 130 } else { length as usize + 8 };
        input.extend_from_slice(&ZEROS[..payload]);
        input
    }
}
