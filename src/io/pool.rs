//! Buffers that the idle connections of a thread share: one that waits for its peer owns none.

use std::boxed::Box;
use std::cell::RefCell;
use std::vec::Vec;

use super::window::Window;
use crate::Output;

/// How many of each kind a thread keeps. Few connections have bytes at hand at the same moment:
/// those that an event was taken from and whose program waits for something else meanwhile.
const KEPT: usize = 4;
/// The largest output buffer that is kept.
const KEPT_OUTPUT: usize = 64 << 10;

#[derive(Debug, Default)]
struct Pool {
    #[expect(clippy::vec_box, reason = "what is lent is a box, a connection has room for no more")]
    windows: Vec<Box<Window>>,
    outputs: Vec<Vec<u8>>,
}

std::thread_local! {
    static POOL: RefCell<Pool> = RefCell::default();
}

/// A window to read into.
pub(super) fn window() -> Box<Window> {
    with(|pool| pool.windows.pop()).unwrap_or_default()
}

/// Gives a window back, if it can be spared.
pub(super) fn give_window(slot: &mut Option<Box<Window>>) {
    let Some(mut window) = slot.take_if(|window| window.is_empty() && !window.has_event()) else {
        return;
    };
    if window.clear() {
        with(|pool| {
            if pool.windows.len() < KEPT {
                pool.windows.push(window);
            }
            None::<()>
        });
    }
}

/// Lends memory to an output that has none.
pub(super) fn lend_output(output: &mut Output) {
    if !output.has_memory()
        && let Some(memory) = with(|pool| pool.outputs.pop())
    {
        output.adopt(memory);
    }
}

/// Takes the memory of an output back, if it can be spared.
pub(super) fn give_output(output: &mut Output) {
    let Some(memory) = output.take_memory() else { return };
    if memory.len() <= KEPT_OUTPUT {
        with(|pool| {
            if pool.outputs.len() < KEPT {
                pool.outputs.push(memory);
            }
            None::<()>
        });
    }
}

/// At the end of a thread its pool may be gone before its last connection: then there is none.
fn with<R>(f: impl FnOnce(&mut Pool) -> Option<R>) -> Option<R> {
    POOL.try_with(|pool| f(&mut *pool.try_borrow_mut().ok()?)).ok().flatten()
}
