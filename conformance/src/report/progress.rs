//! One line that counts, on a terminal.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::verdict::Outcome;

pub(crate) struct Progress {
    shown: bool,
    total: usize,
    done: AtomicUsize,
    failed: AtomicUsize,
}

impl Progress {
    pub(crate) fn new(total: usize, quiet: bool) -> Self {
        Self {
            shown: !quiet && stderr().is_terminal(),
            total,
            done: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
        }
    }

    pub(crate) fn tell(&self, outcome: &Outcome) {
        let done = self.done.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let failure = usize::from(outcome.verdict.is_failure());
        let failed = self.failed.fetch_add(failure, Ordering::Relaxed).saturating_add(failure);
        if self.shown {
            let line =
                format!("\r{done}/{} cases, {failed} failed: {:<10}", self.total, outcome.id);
            // Nothing depends on it.
            let _ = stderr().write_all(line.as_bytes());
        }
    }

    pub(crate) fn end(&self) {
        if self.shown {
            let _ = stderr().write_all(b"\r\x1b[K");
        }
    }
}
