//! States of the backend that are between two messages.
//!
//! Making one costs more than compressing a small message: it is some hundred KiB of fresh memory.

use alloc::boxed::Box;
#[cfg(feature = "std")]
use alloc::vec::Vec;
#[cfg(feature = "std")]
use std::sync::{Mutex, PoisonError};

use zlib_rs::{Deflate, DeflateConfig, Inflate};

/// What a deflate state was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Params {
    window_bits: u8,
    level: u8,
    mem_level: u8,
}

impl Params {
    /// `None` unless the backend takes them: window bits from 9 to 15 (8 is refused or, in other
    /// backends, silently 9), level from 0 to 9, memory level from 1 to 9.
    pub(super) const fn new(window_bits: u8, level: u8, mem_level: u8) -> Option<Self> {
        match (window_bits, level, mem_level) {
            (9..=15, 0..=9, 1..=9) => Some(Self { window_bits, level, mem_level }),
            _ => None,
        }
    }

    fn config(self) -> DeflateConfig {
        DeflateConfig {
            // Negative: raw DEFLATE, without a zlib header.
            window_bits: i32::from(self.window_bits).wrapping_neg(),
            mem_level: i32::from(self.mem_level),
            ..DeflateConfig::new(i32::from(self.level))
        }
    }
}

/// A state with an empty window of 32 KiB.
pub(super) fn take_inflate() -> Box<Inflate> {
    #[cfg(feature = "std")]
    if let Some(state) = INFLATE.take(()) {
        return state;
    }
    Box::new(Inflate::new(false, 15))
}

/// Keeps a state for the next [`take_inflate`], or drops it.
pub(super) fn give_inflate(state: Box<Inflate>) {
    #[cfg(feature = "std")]
    {
        let mut state = state;
        // Here and not when it is taken: what one peer sent must not outlive its message.
        state.reset(false);
        INFLATE.give((), state);
    }
    #[cfg(not(feature = "std"))]
    drop(state);
}

/// A state with an empty window.
pub(super) fn take_deflate(params: Params) -> Box<Deflate> {
    #[cfg(feature = "std")]
    if let Some(state) = DEFLATE.take(params) {
        return state;
    }
    Box::new(Deflate::new_with_config(params.config()))
}

/// Keeps a state, made for `params`, for the next [`take_deflate`], or drops it.
pub(super) fn give_deflate(params: Params, mut state: Box<Deflate>) {
    state.reset();
    give_forgetful_deflate(params, state);
}

/// The same for a state whose last call was a full flush, to its end: the next message can refer to
/// nothing that was before.
pub(super) fn give_forgetful_deflate(params: Params, state: Box<Deflate>) {
    #[cfg(feature = "std")]
    DEFLATE.give(params, state);
    #[cfg(not(feature = "std"))]
    drop((params, state));
}

#[cfg(feature = "std")]
static INFLATE: Pool<(), Box<Inflate>> = Pool::new();
#[cfg(feature = "std")]
static DEFLATE: Pool<Params, Box<Deflate>> = Pool::new();

/// The most states that a pool keeps.
#[cfg(feature = "std")]
const SPENT_MAX: usize = 16;

/// One per process: the lock is held for a push or a pop, much less than a message takes.
#[cfg(feature = "std")]
struct Pool<K, T> {
    spent: Mutex<Vec<(K, T)>>,
}

#[cfg(feature = "std")]
impl<K: Copy + PartialEq, T> Pool<K, T> {
    const fn new() -> Self {
        Self { spent: Mutex::new(Vec::new()) }
    }

    /// The state that was given last, whose memory is the most likely to be in the cache.
    fn take(&self, key: K) -> Option<T> {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, state)) = spent.pop_if(|(of, _)| *of == key) {
            return Some(state); // as good as always
        }
        let index = spent.iter().rposition(|(of, _)| *of == key)?;
        Some(spent.remove(index).1)
    }

    fn give(&self, key: K, state: T) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        // The oldest goes, so that parameters out of use do not fill the pool for ever.
        let oldest = (spent.len() >= SPENT_MAX).then(|| spent.remove(0));
        spent.push((key, state));
        drop(spent);
        drop(oldest);
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    #[test]
    fn newest_of_a_key_and_never_more_than_the_bound() {
        let pool = Pool::new();
        for i in 0..SPENT_MAX + 3 {
            pool.give(i % 2, i);
        }
        assert_eq!(pool.spent.lock().unwrap().len(), SPENT_MAX);
        assert_eq!(pool.take(0), Some(SPENT_MAX + 2));
        assert_eq!(pool.take(0), Some(SPENT_MAX));
        assert_eq!(pool.take(1), Some(SPENT_MAX + 1));
        assert_eq!(pool.take(2), None);
        let mut rest: Vec<_> = std::iter::from_fn(|| pool.take(0)).collect();
        rest.extend(std::iter::from_fn(|| pool.take(1)));
        assert_eq!(rest.iter().min(), Some(&3), "the oldest were dropped");
    }

    #[test]
    fn parameters_that_the_backend_refuses_do_not_reach_it() {
        for window_bits in 0..=255 {
            for level in 0..=255 {
                for mem_level in 0..=255 {
                    let fits = (9..=15).contains(&window_bits)
                        && level <= 9
                        && (1..=9).contains(&mem_level);
                    assert_eq!(Params::new(window_bits, level, mem_level).is_some(), fits);
                }
            }
        }
    }
}
