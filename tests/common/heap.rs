//! A heap that counts what is live, and refuses what is more than a bound.

use std::alloc::System;

use cap::Cap;

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// Runs with at most `bound` bytes live above those before it: one more, and the allocation fails
/// and the test aborts. Also the bytes that are still live afterwards.
pub(crate) fn within<T>(bound: u64, run: impl FnOnce() -> T) -> (T, usize) {
    let before = HEAP.allocated();
    let bound = usize::try_from(bound).expect("small");
    HEAP.set_limit(before + bound).expect("not below what is live");
    let value = run();
    let live = HEAP.allocated().saturating_sub(before);
    HEAP.set_limit(usize::MAX).expect("no limit");
    (value, live)
}
