//! How much room the backend is given for its output.
//!
//! What a message repeats of itself is found faster in the room of the same call than in the window:
//! 256 KiB in steps of 16 KiB took a third more time. But room is memory, and is filled with zeros
//! before it is used, so it follows what was received, and what came of it so far.

use alloc::collections::TryReserveError;
use alloc::vec::Vec;

/// The most room whatever there is to inflate: a little more than 16 KiB, so that a message of these
/// takes one call.
const STEP: usize = 20 << 10;
/// The most before there was any output.
const FIRST_STEP: usize = 64 << 10;
const LARGE_STEP: usize = 256 << 10;

/// How many bytes to make room for, if `done` came of the same input so far. Not so few that the
/// backend leaves its fast path, which wants some 300 to spare.
pub(crate) fn room_for(compressed: usize, done: usize) -> usize {
    let likely = compressed.saturating_mul(8).saturating_add(384).max(done);
    if likely <= STEP {
        return likely;
    }
    let first = compressed.saturating_mul(3).clamp(STEP, FIRST_STEP);
    likely.min(first.max(done.saturating_mul(4))).min(LARGE_STEP)
}

/// Appends `room` zeros. Capacity doubles, but never beyond what the limit still allows: a message
/// of exactly the limit wastes nothing.
pub(super) fn grow(out: &mut Vec<u8>, room: usize, allowed: usize) -> Result<(), TryReserveError> {
    if out.capacity().saturating_sub(out.len()) < room {
        let doubled = out.try_reserve_exact(out.len().min(allowed).max(room));
        doubled.or_else(|_| out.try_reserve_exact(room))?;
    }
    out.resize(out.len().saturating_add(room), 0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The calls for a message, and the room that was made for it.
    fn calls(compressed: usize, message: usize) -> (usize, usize) {
        let (mut calls, mut done, mut made) = (0, 0, 0);
        while done < message {
            let rest = compressed - (compressed as u64 * done as u64 / message as u64) as usize;
            let room = room_for(rest, done);
            assert!(room >= 384.min(message), "{compressed} {message} {done}");
            calls += 1;
            made += room;
            done += room;
        }
        (calls, made)
    }

    #[test]
    fn few_calls_and_little_room_in_vain() {
        for len in [100_usize, 1_000, 10_000, 16 << 10, 100_000, 256 << 10, 1 << 20, 10 << 20] {
            for ratio in [1_usize, 2, 3, 5, 10, 30, 1_000] {
                let compressed = len / ratio;
                let (calls, made) = calls(compressed, len);
                // Doubled, and then in the largest steps.
                let doublings = (len / 384).max(1).ilog2() as usize;
                assert!(calls <= 2 + doublings + len / LARGE_STEP, "{len} {ratio}: {calls} calls");
                assert!(made <= 4 * len + 8 * compressed + 384, "{len} {ratio}: {made} bytes");
            }
        }
        // What most messages take.
        for (compressed, len) in [(80, 200), (300, 1_000), (4_000, 16 << 10), (6_400, 16 << 10)] {
            assert_eq!(calls(compressed, len).0, 1, "{len}");
        }
        assert_eq!(calls(100_000, 256 << 10).0, 2);
    }

    #[test]
    fn room_follows_what_was_received() {
        for compressed in [0, 1, 100, 10_000, 1 << 20, usize::MAX] {
            let room = room_for(compressed, 0);
            assert!(room <= FIRST_STEP && room <= compressed.saturating_mul(8).saturating_add(384));
            for done in [1_000, 1 << 20, usize::MAX] {
                let room = room_for(compressed, done);
                assert!(room <= LARGE_STEP && (room <= FIRST_STEP || room / 4 <= done));
            }
        }
    }
}
