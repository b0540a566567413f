//! Frames in and out, by hand.

use std::arch::x86_64::*;

use crate::engine::Kind;
use crate::memory::READ;

/// The receiving side: bytes in, messages lent.
///
/// ```text
/// spent | message so far, closed up | spent headers | frame in progress | room
///       ^ message                   ^ joined        ^ frame    unmasked ^ ^ end
/// ```
pub struct Parser {
    buffer: Vec<u8>,
    message: usize,
    joined: usize,
    frame: usize,
    /// Bytes of the frame in progress that are unmasked already, while they were in the cache.
    unmasked: usize,
    end: usize,
    /// Bytes that the frame in progress lacks, if it is a large one: no more is read then, so that
    /// the next message begins at the front again and nothing is moved.
    missing: usize,
    kind: Kind,
}

impl Default for Parser {
    fn default() -> Self {
        let kind = Kind::Binary;
        let buffer = vec![0; 4 * READ];
        Self { buffer, message: 0, joined: 0, frame: 0, unmasked: 0, end: 0, missing: 0, kind }
    }
}

impl Parser {
    /// Where the next read goes. Call [`filled`](Self::filled) with what it brought.
    pub fn room(&mut self) -> &mut [u8] {
        if self.message == self.end {
            (self.message, self.joined, self.frame, self.end) = (0, 0, 0, 0);
        }
        let wanted = if self.missing > 0 { self.missing } else { READ };
        if self.buffer.len() - self.end < wanted {
            self.make_room(wanted);
        }
        let end = if self.missing > 0 { self.end + wanted } else { self.buffer.len() };
        &mut self.buffer[self.end..end]
    }

    #[cold]
    fn make_room(&mut self, wanted: usize) {
        self.buffer.copy_within(self.message..self.end, 0);
        self.joined -= self.message;
        self.frame -= self.message;
        self.end -= self.message;
        self.message = 0;
        if self.buffer.len() - self.end < wanted {
            let len = (self.end + wanted).max(2 * self.buffer.len());
            self.buffer.resize(len, 0);
        }
    }

    /// Whether no unfinished message is inside, so that another connection may use it.
    pub fn is_empty(&self) -> bool {
        self.message == self.end
    }

    pub fn filled(&mut self, count: usize) {
        self.end += count;
    }

    /// The next message, or `None` until there is more input.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(super) fn next(&mut self) -> Option<(Kind, &mut [u8])> {
        loop {
            let input = self.buffer.get(self.frame..self.end)?;
            let (&[byte0, byte1], rest) = input.split_first_chunk()?;
            let (len, length_bytes) = match byte1 & 0x7F {
                126 => (u16::from_be_bytes(*rest.first_chunk()?) as usize, 2),
                127 => (u64::from_be_bytes(*rest.first_chunk()?) as usize, 8),
                len => (len as usize, 0),
            };
            let masked = byte1 & 0x80 != 0;
            let header = 2 + length_bytes + if masked { 4 } else { 0 };
            let key = if masked { *rest.get(length_bytes..)?.first_chunk()? } else { [0; 4] };
            let key = u32::from_ne_bytes(key);
            if input.len() < header {
                return None;
            }
            let arrived = (input.len() - header).min(len);
            let start = self.frame + header;
            if masked {
                let from = self.unmasked;
                let key = key.rotate_right(8 * (from as u32 & 3));
                mask(&mut self.buffer[start + from..start + arrived], key);
                self.unmasked = arrived;
            }
            if arrived < len {
                self.missing = if len >= READ { len - arrived } else { 0 };
                return None;
            }
            self.missing = 0;
            self.unmasked = 0;
            self.frame = start + len;
            if byte0 & 0xF != 0 {
                self.kind = if byte0 & 0xF == 1 { Kind::Text } else { Kind::Binary };
                self.message = start;
                self.joined = start + len;
            } else {
                self.buffer.copy_within(start..start + len, self.joined);
                self.joined += len;
            }
            if byte0 & 0x80 != 0 {
                let range = self.message..self.joined;
                self.message = self.frame;
                self.joined = self.frame;
                let payload = &mut self.buffer[range];
                if self.kind == Kind::Text {
                    simdutf8::basic::from_utf8(payload).expect("a good peer");
                }
                return Some((self.kind, payload));
            }
        }
    }
}

/// XORs `data` with the key; the first byte of `data` with the lowest byte of it.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn mask(data: &mut [u8], key: u32) {
    let len = data.len();
    let at = data.as_mut_ptr();
    // The vectors at the end overlap those before: they are loaded before anything is stored.
    let tail_key = |width: usize| key.rotate_right(8 * ((len - width) as u32 & 3));
    // SAFETY: every access lies within `len` bytes of `at`, as the branch conditions say.
    unsafe {
        if len >= 32 {
            let last = at.add(len - 32).cast::<__m256i>();
            let tail = _mm256_xor_si256(
                _mm256_loadu_si256(last),
                _mm256_set1_epi32(tail_key(32).cast_signed()),
            );
            let key = _mm256_set1_epi32(key.cast_signed());
            let mut offset = 0;
            while offset + 128 < len {
                for part in 0..4 {
                    let vector = at.add(offset + 32 * part).cast::<__m256i>();
                    _mm256_storeu_si256(vector, _mm256_xor_si256(_mm256_loadu_si256(vector), key));
                }
                offset += 128;
            }
            while offset + 32 < len {
                let vector = at.add(offset).cast::<__m256i>();
                _mm256_storeu_si256(vector, _mm256_xor_si256(_mm256_loadu_si256(vector), key));
                offset += 32;
            }
            _mm256_storeu_si256(last, tail);
        } else if len >= 16 {
            let (first, last) = (at.cast::<__m128i>(), at.add(len - 16).cast::<__m128i>());
            let tail_key = _mm_set1_epi32(tail_key(16).cast_signed());
            let tail = _mm_xor_si128(_mm_loadu_si128(last), tail_key);
            let key = _mm_set1_epi32(key.cast_signed());
            _mm_storeu_si128(first, _mm_xor_si128(_mm_loadu_si128(first), key));
            _mm_storeu_si128(last, tail);
        } else if len >= 4 {
            let mut offset = 0;
            let last = at.add(len - 4).cast::<u32>();
            let tail = last.read_unaligned() ^ tail_key(4);
            while offset + 4 < len {
                let word = at.add(offset).cast::<u32>();
                word.write_unaligned(word.read_unaligned() ^ key);
                offset += 4;
            }
            last.write_unaligned(tail);
        } else {
            for (byte, key) in data.iter_mut().zip(key.to_ne_bytes()) {
                *byte ^= key;
            }
        }
    }
}

/// Writes a header for a payload of `len` bytes; returns its length.
#[inline]
pub(super) fn header(opcode: u8, key: Option<u32>, len: usize, out: &mut [u8; 14]) -> usize {
    let bit = if key.is_some() { 0x80 } else { 0 };
    out[0] = 0x80 | opcode;
    let end = match len {
        ..126 => {
            out[1] = bit | len as u8;
            2
        }
        126..0x1_0000 => {
            out[1] = bit | 126;
            out[2..4].copy_from_slice(&(len as u16).to_be_bytes());
            4
        }
        _ => {
            out[1] = bit | 127;
            out[2..10].copy_from_slice(&(len as u64).to_be_bytes());
            10
        }
    };
    let Some(key) = key else { return end };
    out[end..end + 4].copy_from_slice(&key.to_ne_bytes());
    end + 4
}

/// Answers every message in the parser, behind what `output` holds: for an echo server.
pub fn echo(parser: &mut Parser, output: &mut Vec<u8>) {
    assert!(possible(), "the ideal needs AVX2");
    // SAFETY: AVX2 is there.
    unsafe { echo_all(parser, output) }
}

#[target_feature(enable = "avx2")]
fn echo_all(parser: &mut Parser, output: &mut Vec<u8>) {
    while let Some((kind, payload)) = parser.next() {
        let mut head = [0; 14];
        let head_len = header(kind.opcode(), None, payload.len(), &mut head);
        output.extend_from_slice(&head[..head_len]);
        output.extend_from_slice(payload);
    }
}

pub fn possible() -> bool {
    is_x86_feature_detected!("avx2")
}
