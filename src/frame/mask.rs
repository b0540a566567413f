//! Masking (RFC 6455 section 5.3), and the keys for it.
//!
//! Payloads up to [`SMALL`] bytes are masked in line, in vectors that every target has and that
//! overlap at the end, so that no loop over single bytes is left, and below 32 bytes no loop at
//! all: run-time dispatch costs about as much as masking 100 bytes. Beyond, `fearless_simd` picks the processor's vectors: at 16 KiB
//! in place this takes half the time of a plain `u64` loop (AVX-512). 32 bytes a step is the widest
//! that the compiler turns into vectors for every instruction set: at 64 it was 6 times slower.
//!
//! Long payloads are stored from the start of a cache line on. Behind a header they begin anywhere,
//! and then every second vector would lie across two lines: 16 KiB took 167 ns so, and take 81.
//!
//! Appending avoids the zero-fill of a `resize`: an iterator that yields arrays is written in
//! place, level with `extend_from_slice` alone at 1 MiB and 1.6 times faster than filling first.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// The longest payload that is masked without run-time dispatch and wherever it lies.
const SMALL: usize = 256;
/// What the processor loads and stores at once. Where lines are longer, little is lost.
const LINE: usize = 64;
/// Up to here, zeroing and overwriting is cheaper than two passes for body and tail.
const SMALL_APPEND: usize = 128;

/// The source of mask keys: a cryptographic generator that the connection owns (RFC 6455 section
/// 10.3).
///
/// A server cannot be attacked through bytes that a script chose if the script cannot predict the
/// keys, so each connection needs a seed of its own that nobody else knows. There is no `Clone`:
/// two copies would give the same keys. The same holds for both sides of a `fork`.
///
/// It takes the size of a pointer. No type of the random number crates shows, so that their
/// versions are not part of this crate's interface.
///
/// ```
/// use websocket_proto::MaskKeys;
///
/// // For tests and runs that must be repeatable:
/// let mut keys = MaskKeys::from_seed([7; 32]);
/// let mut same = MaskKeys::from_seed([7; 32]);
/// assert_eq!(keys.next_key(), same.next_key());
/// ```
pub struct MaskKeys(Box<StdRng>);

impl MaskKeys {
    /// The keys that follow from `seed`, always the same ones within one version of this crate.
    ///
    /// Whoever knows or guesses the seed can predict each key: outside tests it must come from a
    /// cryptographic source and be used once.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(Box::new(StdRng::from_seed(seed)))
    }

    /// Takes the seed from `fill`, a cryptographic source such as a hardware generator or
    /// `|seed| rng.try_fill_bytes(seed)`.
    ///
    /// # Errors
    ///
    /// Those of `fill`, as they are: there is no fallback to a weaker or a constant seed.
    ///
    /// ```
    /// use websocket_proto::MaskKeys;
    ///
    /// let failed = MaskKeys::from_fill(|_seed| Err("no entropy yet"));
    /// assert_eq!(failed.unwrap_err(), "no entropy yet");
    /// ```
    pub fn from_fill<E>(fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>) -> Result<Self, E> {
        let mut seed = [0; 32];
        fill(&mut seed)?;
        Ok(Self::from_seed(seed))
    }

    /// Takes the seed from the operating system.
    ///
    /// # Errors
    ///
    /// The operating system's error. There is no fallback to a weaker or a constant seed.
    #[cfg(feature = "std")]
    pub fn from_os() -> Result<Self, std::io::Error> {
        use rand::TryRng as _;
        Self::from_fill(|seed| rand::rngs::SysRng.try_fill_bytes(seed)).map_err(|error| match error
            .raw_os_error()
        {
            Some(code) => std::io::Error::from_raw_os_error(code),
            None => std::io::Error::other(error),
        })
    }

    /// A key for one frame. 5.3: "a fresh masking key", "unpredictable".
    #[inline]
    pub fn next_key(&mut self) -> [u8; 4] {
        self.0.next_u32().to_ne_bytes()
    }

    /// The 16 bytes that a client's `Sec-WebSocket-Key` encodes. 4.1: "a nonce consisting of a
    /// randomly selected 16-byte value".
    pub fn nonce(&mut self) -> [u8; 16] {
        let mut nonce = [0; 16];
        self.0.fill_bytes(&mut nonce);
        nonce
    }
}

/// Never prints the state: it would give away each later key.
impl fmt::Debug for MaskKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaskKeys").finish_non_exhaustive()
    }
}

/// Masks or unmasks in place. `data[0]` is byte `offset` of the frame's payload; only
/// `offset % 4` counts (5.3: "j = i MOD 4").
#[inline]
pub(crate) fn apply(key: [u8; 4], offset: usize, data: &mut [u8]) {
    let first = pattern(key, offset);
    let last = pattern(key, offset.wrapping_add(data.len()));
    match data.len() {
        0..4 => data.iter_mut().zip(&first.to_ne_bytes()).for_each(|(byte, key)| *byte ^= key),
        4..8 => apply_ends::<4>(first, last, data),
        8..16 => apply_ends::<8>(first, last, data),
        16..32 => apply_ends::<16>(first, last, data),
        32..=SMALL => apply_vectors::<32>(first, last, data),
        _ if key == [0; 4] => {} // a server's frame has no key, and nothing changes
        #[cfg(feature = "simd")]
        _ => dispatched::apply(first, last, data),
        #[cfg(not(feature = "simd"))]
        _ => apply_lines(first, last, data),
    }
}

/// Masks or unmasks from `src` to `dst`, as [`apply`] does. If the lengths differ, the shorter
/// one counts and the rest of `dst` stays as it was.
#[inline]
pub(crate) fn copy(key: [u8; 4], offset: usize, src: &[u8], dst: &mut [u8]) {
    let len = src.len().min(dst.len());
    let (Some(src), Some(dst)) = (src.get(..len), dst.get_mut(..len)) else { return };
    let first = pattern(key, offset);
    let last = pattern(key, offset.wrapping_add(len));
    match len {
        0..4 => {
            let key = first.to_ne_bytes();
            dst.iter_mut().zip(src.iter().zip(&key)).for_each(|(dst, (src, key))| *dst = src ^ key);
        }
        4..8 => copy_ends::<4>(first, last, src, dst),
        8..16 => copy_ends::<8>(first, last, src, dst),
        16..32 => copy_ends::<16>(first, last, src, dst),
        32..=SMALL => copy_vectors::<32>(first, last, src, dst),
        #[cfg(feature = "simd")]
        _ => dispatched::copy(first, last, src, dst),
        #[cfg(not(feature = "simd"))]
        _ => copy_lines(first, last, src, dst),
    }
}

/// Appends `src` to `dst`, masked or unmasked as [`apply`] does.
#[inline]
pub(crate) fn extend(key: [u8; 4], offset: usize, src: &[u8], dst: &mut Vec<u8>) {
    dst.reserve(src.len());
    if src.len() <= SMALL_APPEND {
        return extend_small(key, offset, src, dst);
    }
    if key == [0; 4] {
        return dst.extend_from_slice(src);
    }
    let (head, src) = src.split_at_checked(to_line(dst.spare_capacity_mut())).unwrap_or_default();
    extend_small(key, offset, head, dst);
    let (vectors, tail) = src.as_chunks::<32>();
    let offset = offset.wrapping_add(head.len());
    let first = pattern(key, offset);
    // The lengths of arrays are known beforehand, so the bytes go in without a check of capacity.
    dst.extend(vectors.iter().flat_map(|vector| xor(*vector, first)));
    // The vectors are a multiple of the key: the offset is still the same.
    extend_small(key, offset, tail, dst);
}

/// By filling first. There is room for `src`.
#[inline(always)]
fn extend_small(key: [u8; 4], offset: usize, src: &[u8], dst: &mut Vec<u8>) {
    let at = dst.len();
    // No overflow: room for both was reserved.
    dst.resize(at.saturating_add(src.len()), 0);
    copy(key, offset, src, dst.get_mut(at..).unwrap_or_default());
}

/// How far it is to the start of a cache line; less than a line.
#[inline(always)]
fn to_line<T>(bytes: &[T]) -> usize {
    let offset = bytes.as_ptr().align_offset(LINE);
    if offset < LINE { offset } else { 0 } // some interpreters do not tell
}

/// The four key bytes for the bytes from `offset` on, in memory order. Computed as a number: bytes
/// written one by one and then loaded as a vector would wait for the stores.
#[inline(always)]
const fn pattern(key: [u8; 4], offset: usize) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "at most 3")]
    let places = (offset & 3) as u32;
    u32::from_le_bytes(key).rotate_right(places.wrapping_mul(8)).to_le()
}

/// `N` is 4 or a multiple of 8.
#[inline(always)]
fn xor<const N: usize>(mut vector: [u8; N], pattern: u32) -> [u8; N] {
    let wide = u64::from(pattern) | (u64::from(pattern) << 32);
    let (words, rest) = vector.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    if let Some(half) = rest.first_chunk_mut::<4>() {
        *half = (u32::from_ne_bytes(*half) ^ pattern).to_ne_bytes();
    }
    vector
}

/// For `data` of `N` to `2 * N` bytes: the first and the last `N`, which may overlap. `last` is as
/// in [`apply_vectors`].
#[inline(always)]
fn apply_ends<const N: usize>(first: u32, last: u32, data: &mut [u8]) {
    let (Some(start), Some(end)) = (data.first_chunk::<N>(), data.last_chunk::<N>()) else {
        return;
    };
    let (start, end) = (xor(*start, first), xor(*end, last));
    if let Some(place) = data.first_chunk_mut::<N>() {
        *place = start;
    }
    if let Some(place) = data.last_chunk_mut::<N>() {
        *place = end;
    }
}

/// As [`apply_ends`], for `src` and `dst` of the same length.
#[inline(always)]
fn copy_ends<const N: usize>(first: u32, last: u32, src: &[u8], dst: &mut [u8]) {
    if let (Some(dst), Some(src)) = (dst.first_chunk_mut::<N>(), src.first_chunk::<N>()) {
        *dst = xor(*src, first);
    }
    if let (Some(dst), Some(src)) = (dst.last_chunk_mut::<N>(), src.last_chunk::<N>()) {
        *dst = xor(*src, last);
    }
}

/// For `data` of at least `N` bytes. `last` is the pattern from the end of `data` on, which is
/// also that of the last `N` bytes, as `N` is a multiple of the key.
#[inline(always)]
fn apply_vectors<const N: usize>(first: u32, last: u32, data: &mut [u8]) {
    // The last vector overlaps the one before it, so it is taken before that one changes.
    let Some(end) = data.last_chunk::<N>() else { return };
    let end = xor(*end, last);
    for vector in data.as_chunks_mut::<N>().0 {
        *vector = xor(*vector, first);
    }
    if let Some(place) = data.last_chunk_mut::<N>() {
        *place = end;
    }
}

/// As [`apply_vectors`], for `src` and `dst` of the same length.
#[inline(always)]
fn copy_vectors<const N: usize>(first: u32, last: u32, src: &[u8], dst: &mut [u8]) {
    for (dst, src) in dst.as_chunks_mut::<N>().0.iter_mut().zip(src.as_chunks::<N>().0) {
        *dst = xor(*src, first);
    }
    if let (Some(dst), Some(src)) = (dst.last_chunk_mut::<N>(), src.last_chunk::<N>()) {
        *dst = xor(*src, last);
    }
}

/// As [`apply_vectors`], for `data` of at least two lines: the first line's worth where it lies, the
/// rest from the start of a line on.
#[inline(always)]
fn apply_lines(first: u32, last: u32, data: &mut [u8]) {
    // It overlaps the rest, so it is taken before that changes.
    let Some(mut start) = data.first_chunk::<LINE>().copied() else { return };
    let offset = to_line(data);
    xor_line(&mut start, first);
    let first = pattern(first.to_ne_bytes(), offset);
    apply_vectors::<32>(first, last, data.get_mut(offset..).unwrap_or_default());
    if let Some(place) = data.first_chunk_mut() {
        *place = start;
    }
}

/// As [`apply_lines`], for `src` and `dst` of the same length. What is stored counts: a load across
/// two lines costs less.
#[inline(always)]
fn copy_lines(first: u32, last: u32, src: &[u8], dst: &mut [u8]) {
    if let (Some(dst), Some(src)) = (dst.first_chunk_mut::<LINE>(), src.first_chunk()) {
        *dst = *src;
        xor_line(dst, first);
    }
    let offset = to_line(dst);
    let first = pattern(first.to_ne_bytes(), offset);
    if let (Some(src), Some(dst)) = (src.get(offset..), dst.get_mut(offset..)) {
        copy_vectors::<32>(first, last, src, dst);
    }
}

#[inline(always)]
fn xor_line(line: &mut [u8; LINE], pattern: u32) {
    for vector in line.as_chunks_mut::<32>().0 {
        *vector = xor(*vector, pattern);
    }
}

/// The same loops, compiled once for each instruction set. `Level::new` detects on its first call
/// and reads a static afterwards.
#[cfg(feature = "simd")]
mod dispatched {
    use fearless_simd::{Level, dispatch};

    #[inline(never)]
    pub(super) fn apply(first: u32, last: u32, data: &mut [u8]) {
        dispatch!(Level::new(), _simd => super::apply_lines(first, last, data));
    }

    #[inline(never)]
    pub(super) fn copy(first: u32, last: u32, src: &[u8], dst: &mut [u8]) {
        dispatch!(Level::new(), _simd => super::copy_lines(first, last, src, dst));
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec;
    use std::collections::HashMap;

    use super::*;

    const KEYS: [[u8; 4]; 4] = [[0; 4], [0xff; 4], [0x37, 0xfa, 0x21, 0x3d], [1, 2, 4, 8]];

    /// 5.3, literally: "transformed-octet-i = original-octet-i XOR masking-key-octet-j".
    fn naive(key: [u8; 4], offset: usize, data: &[u8]) -> Vec<u8> {
        data.iter().enumerate().map(|(i, byte)| byte ^ key[(offset + i) % 4]).collect()
    }

    fn payload(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i * 131 + i / 256 * 7) as u8).collect()
    }

    /// All three functions on `len` bytes that begin `at` bytes into their buffer, with sentinels
    /// on both sides.
    fn check(key: [u8; 4], offset: usize, at: usize, len: usize) {
        let clear = payload(len);
        let masked = naive(key, offset, &clear);
        let what = format!("key {key:?}, offset {offset}, at {at}, length {len}");
        let around = |middle: &[u8]| [&vec![0xa5; at][..], middle, &[0x5a; 40]].concat();

        let mut data = around(&clear);
        apply(key, offset, &mut data[at..at + len]);
        assert_eq!(data, around(&masked), "apply: {what}");

        let (src, mut dst) = (around(&clear), around(&vec![0xee; len]));
        copy(key, offset, &src[at..at + len], &mut dst[at..at + len]);
        assert_eq!(dst, around(&masked), "copy: {what}");

        let mut appended = vec![0xa5; at];
        extend(key, offset, &src[at..at + len], &mut appended);
        assert_eq!(appended, [&vec![0xa5; at][..], &masked].concat(), "extend: {what}");
    }

    #[test]
    fn equals_the_formula_at_every_alignment_and_length() {
        for at in 0..LINE + 1 {
            for len in (0..300).chain(SMALL + LINE - 2..SMALL + LINE + 70) {
                check(KEYS[(at + len) % 4], at ^ len, at, len);
            }
        }
    }

    #[test]
    fn equals_the_formula_for_every_key_and_offset() {
        for key in KEYS {
            for offset in [0, 1, 2, 3, 4, 5, 6, 7, usize::MAX - 3, usize::MAX - 1] {
                for len in [0, 1, 3, 4, 7, 8, 15, 16, 17, 125, 128, 129, 255, 256, 257, 289] {
                    let clear = payload(len);
                    let mut data = clear.clone();
                    apply(key, offset, &mut data);
                    assert_eq!(data, naive(key, offset % 4, &clear), "offset {offset} len {len}");
                    if offset < 8 {
                        check(key, offset, 0, len);
                    }
                }
            }
        }
    }

    #[test]
    fn equals_the_formula_for_large_payloads() {
        for len in [999, 4_095, 4_096, 16_383, 16_385, 65_535, 65_536, 70_000] {
            for at in [0, 1, 31, 63] {
                check(KEYS[2], len % 7, at, len);
            }
        }
    }

    #[test]
    fn pieces_chain_by_their_offset() {
        let key = KEYS[2];
        for len in [7, 64, 300, 700] {
            let clear = payload(len);
            let masked = naive(key, 0, &clear);
            for split in 0..=len {
                let (head, tail) = clear.split_at(split);
                let mut applied = clear.clone();
                let (a, b) = applied.split_at_mut(split);
                apply(key, 0, a);
                apply(key, split, b);
                assert_eq!(applied, masked, "apply, {len} split at {split}");

                let mut copied = vec![0; len];
                copy(key, 0, head, &mut copied[..split]);
                copy(key, split, tail, &mut copied[split..]);
                assert_eq!(copied, masked, "copy, {len} split at {split}");

                let mut appended = Vec::new();
                extend(key, 0, head, &mut appended);
                extend(key, split, tail, &mut appended);
                assert_eq!(appended, masked, "extend, {len} split at {split}");
            }
        }
    }

    #[test]
    fn the_shorter_length_counts() {
        for (from, to) in [(0, 5), (5, 0), (3, 9), (9, 3), (40, 17), (17, 40), (300, 999)] {
            let src = payload(from);
            let mut dst = vec![0xee; to];
            copy(KEYS[3], 1, &src, &mut dst);
            let both = from.min(to);
            assert_eq!(dst[..both], naive(KEYS[3], 1, &src[..both]), "{from} to {to}");
            assert!(dst[both..].iter().all(|byte| *byte == 0xee), "{from} to {to}");
        }
    }

    #[test]
    fn the_masked_hello_of_section_5_7() {
        let mut data = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
        apply([0x37, 0xfa, 0x21, 0x3d], 0, &mut data);
        assert_eq!(&data, b"Hello");
    }

    #[test]
    fn the_seed_decides_the_keys() {
        let keys = |seed| {
            let mut keys = MaskKeys::from_seed([seed; 32]);
            let all: Vec<_> = (0..100).map(|_| keys.next_key()).collect();
            (all, keys.nonce())
        };
        assert_eq!(keys(1), keys(1));
        assert_ne!(keys(1).0, keys(2).0);
        assert_ne!(keys(1).1, keys(2).1);
    }

    #[test]
    fn a_million_keys_look_random() {
        const COUNT: u32 = 1_000_000;
        let mut keys = MaskKeys::from_seed([42; 32]);
        let mut ones = [0_u32; 32];
        let mut seen: HashMap<u32, u32> = HashMap::new();
        for _ in 0..COUNT {
            let key = u32::from_be_bytes(keys.next_key());
            for (bit, ones) in ones.iter_mut().enumerate() {
                *ones += (key >> bit) & 1;
            }
            *seen.entry(key).or_default() += 1;
        }
        // Standard deviation of each bit's count: sqrt(10^6 / 4) = 500.
        for (bit, ones) in ones.into_iter().enumerate() {
            assert!(ones.abs_diff(COUNT / 2) <= 5 * 500, "bit {bit} was set {ones} times");
        }
        // Birthday: 10^12 / 2 / 2^32 = 116.4 pairs are expected, deviation 10.8.
        let pairs: u32 = seen.values().map(|n| n * (n - 1) / 2).sum();
        assert!((62..=171).contains(&pairs), "{pairs} pairs of equal keys");
    }

    #[test]
    fn a_failing_source_gives_its_error_and_no_keys() {
        // Even if it wrote a part of the seed first.
        let failed = MaskKeys::from_fill(|seed| {
            seed[..16].fill(7);
            Err(17)
        });
        assert_eq!(failed.map(|_| ()), Err(17));
    }

    #[test]
    fn the_whole_seed_comes_from_the_source() {
        let counting: [u8; 32] = core::array::from_fn(|i| i as u8);
        let mut filled = MaskKeys::from_fill(|seed| {
            *seed = counting;
            Ok::<_, core::convert::Infallible>(())
        })
        .unwrap();
        assert_eq!(filled.nonce(), MaskKeys::from_seed(counting).nonce());
        for byte in 0..32 {
            let mut other = counting;
            other[byte] ^= 0x80;
            assert_ne!(MaskKeys::from_seed(other).nonce(), MaskKeys::from_seed(counting).nonce());
        }
    }

    #[cfg(feature = "std")]
    #[test]
    fn the_operating_system_gives_different_seeds() {
        let (mut a, mut b) = (MaskKeys::from_os().unwrap(), MaskKeys::from_os().unwrap());
        assert_ne!(a.nonce(), b.nonce());
    }

    #[test]
    fn debug_shows_no_state() {
        let keys = [MaskKeys::from_seed([1; 32]), MaskKeys::from_seed([2; 32])];
        assert_eq!(format!("{:?}", keys[0]), format!("{:?}", keys[1]));
    }

    #[test]
    fn keys_take_one_pointer() {
        assert_eq!(size_of::<Option<MaskKeys>>(), size_of::<usize>());
    }
}
