//! A second inflater, for tests: written from RFC 1951 for clarity, bit by bit and whole messages
//! only. It shares no code with the backend, and sees distances that the backend does not show.

use std::vec;
use std::vec::Vec;

/// What a message came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Inflated {
    pub(super) bytes: Vec<u8>,
    /// The largest distance of a match.
    pub(super) max_distance: usize,
    /// What later messages may refer to, with context takeover.
    pub(super) window: Vec<u8>,
}

/// Inflates the payload of a message (RFC 7692 section 7.2.2) after the bytes in `window`. `None`
/// if, with the four octets of the tail, it is not a sequence of blocks, or if they become content.
///
/// Three kinds of payload that lack their last octet, 0x00, are read as if they had it: an empty
/// one, one that still ends with the four octets, and one that ends with a final block.
pub(super) fn inflate(payload: &[u8], window: &[u8]) -> Option<Inflated> {
    const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
    if payload.is_empty() {
        return Some(Inflated { bytes: vec![], max_distance: 0, window: window.to_vec() });
    }
    let end = payload.len();
    // Not with 0x00 put behind it: that makes a final block of a `BFINAL` that is its last bit.
    if payload.ends_with(&TAIL) {
        return blocks(payload, end, window, false);
    }
    let data = [payload, &TAIL].concat();
    blocks(&data, end, window, false).or_else(|| blocks(payload, end, window, true))
}

/// All of `data` as blocks, without content that begins after its first `end` octets.
fn blocks(data: &[u8], end: usize, window: &[u8], must_be_final: bool) -> Option<Inflated> {
    let mut bits = Bits { data, at: 0 };
    let end = end * 8;
    let mut was_final = false;
    let mut out = Out { all: window.to_vec(), from: 0, max_distance: 0 };
    let start = out.all.len();
    while bits.at < data.len() * 8 {
        let last = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => stored(&mut bits, &mut out, end)?,
            1 => {
                let mut lengths = [8; 288];
                lengths[144..256].fill(9);
                lengths[256..280].fill(7);
                compressed(&mut bits, &mut out, end, &lengths, &[5; 32])?;
            }
            2 => {
                let (literals, distances) = code_lengths(&mut bits)?;
                compressed(&mut bits, &mut out, end, &literals, &distances)?;
            }
            _ => return None,
        }
        was_final = last;
        if last {
            bits.align();
            out.from = out.all.len();
        }
    }
    if must_be_final && !was_final {
        return None;
    }
    let keep = out.from.max(out.all.len().saturating_sub(32 << 10));
    Some(Inflated {
        bytes: out.all[start..].to_vec(),
        max_distance: out.max_distance,
        window: out.all[keep..].to_vec(),
    })
}

struct Out {
    all: Vec<u8>,
    /// Where the window begins at the earliest: the end of the last final block.
    from: usize,
    max_distance: usize,
}

struct Bits<'a> {
    data: &'a [u8],
    /// In bits.
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, n: usize) -> Option<usize> {
        let mut value = 0;
        for i in 0..n {
            let byte = *self.data.get(self.at / 8)?;
            value |= usize::from((byte >> (self.at % 8)) & 1) << i;
            self.at += 1;
        }
        Some(value)
    }

    fn align(&mut self) {
        self.at = self.at.next_multiple_of(8);
    }

    /// 3.2.2: reads a code of the canonical Huffman code with these lengths.
    fn symbol(&mut self, lengths: &[u8]) -> Option<usize> {
        let (mut code, mut first, mut below) = (0_usize, 0_usize, Vec::new());
        for length in 1..=15_u8 {
            code = (code << 1) | self.take(1)?;
            first <<= 1;
            below.clear();
            below.extend((0..lengths.len()).filter(|&s| lengths[s] == length));
            if code >= first && code - first < below.len() {
                return Some(below[code - first]);
            }
            first += below.len();
        }
        None
    }
}

/// 3.2.4.
fn stored(bits: &mut Bits<'_>, out: &mut Out, end: usize) -> Option<()> {
    bits.align();
    let len = bits.take(16)?;
    if bits.take(16)? != !len & 0xffff {
        return None;
    }
    for _ in 0..len {
        let byte = u8::try_from(bits.take(8)?).ok()?;
        if bits.at > end {
            return None;
        }
        out.all.push(byte);
    }
    Some(())
}

/// 3.2.5.
fn compressed(
    bits: &mut Bits<'_>,
    out: &mut Out,
    end: usize,
    literals: &[u8],
    distances: &[u8],
) -> Option<()> {
    loop {
        let symbol = bits.symbol(literals)?;
        match symbol {
            0..256 => {
                if bits.at > end {
                    return None;
                }
                out.all.push(u8::try_from(symbol).ok()?);
            }
            256 => return Some(()),
            257..=285 => {
                let (base, extra) = match symbol - 257 {
                    28 => (258, 0),
                    code @ 0..8 => (3 + code, 0),
                    code => (3 + ((4 + code % 4) << (code / 4 - 1)), code / 4 - 1),
                };
                let length = base + bits.take(extra)?;
                let code = bits.symbol(distances)?;
                let (base, extra) = match code {
                    0..4 => (1 + code, 0),
                    4..30 => (1 + ((2 + code % 2) << (code / 2 - 1)), code / 2 - 1),
                    _ => return None,
                };
                let distance = base + bits.take(extra)?;
                if distance > out.all.len() - out.from || bits.at > end {
                    return None;
                }
                out.max_distance = out.max_distance.max(distance);
                for _ in 0..length {
                    out.all.push(out.all[out.all.len() - distance]);
                }
            }
            _ => return None,
        }
    }
}

/// 3.2.7.
fn code_lengths(bits: &mut Bits<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let (literals, distances) = (257 + bits.take(5)?, 1 + bits.take(5)?);
    let codes = 4 + bits.take(4)?;
    if literals > 286 || distances > 30 {
        return None;
    }
    let mut of_lengths = [0_u8; 19];
    for &at in &ORDER[..codes] {
        of_lengths[at] = u8::try_from(bits.take(3)?).ok()?;
    }
    whole(&of_lengths, false)?;
    let mut lengths = Vec::new();
    while lengths.len() < literals + distances {
        let symbol = bits.symbol(&of_lengths)?;
        let (value, times) = match symbol {
            16 => (*lengths.last()?, 3 + bits.take(2)?),
            17 => (0, 3 + bits.take(3)?),
            18 => (0, 11 + bits.take(7)?),
            _ => (u8::try_from(symbol).ok()?, 1),
        };
        lengths.extend(std::iter::repeat_n(value, times));
    }
    if lengths.len() > literals + distances || lengths[256] == 0 {
        return None;
    }
    let distances = lengths.split_off(literals);
    whole(&lengths, true)?;
    whole(&distances, true)?;
    Some((lengths, distances))
}

/// Whether the lengths make a complete code. `single`: 3.2.7 allows a code of one bit with one
/// symbol, and none at all for distances.
fn whole(lengths: &[u8], single: bool) -> Option<()> {
    let used: Vec<_> = lengths.iter().filter(|&&length| length > 0).collect();
    let sum: usize = used.iter().map(|&&length| 1 << (15 - length)).sum();
    let complete = sum == 1 << 15;
    (complete || single && (used.is_empty() || used == [&1])).then_some(())
}
