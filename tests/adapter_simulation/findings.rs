//! What the oracles find in one run, and what happened in it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kind of the failure: the number of the oracle, and what it says.
    pub class: &'static str,
    pub connection: usize,
    pub at: Duration,
    pub detail: String,
}

#[derive(Debug, Default)]
struct Inner {
    findings: Vec<Finding>,
    /// Kept only where a run is to be printed.
    trace: Option<Vec<String>>,
    /// What the last line says, of which connection, and how often in a row.
    last: (usize, String, u32),
}

/// Shared by all that look on.
#[derive(Clone, Debug, Default)]
pub struct Findings(Rc<RefCell<Inner>>);

/// More lines than a reader wants.
const LINES: usize = 400;

impl Findings {
    pub fn traced() -> Self {
        let inner = Inner { trace: Some(Vec::new()), ..Inner::default() };
        Self(Rc::new(RefCell::new(inner)))
    }

    /// Notes a failure: the first of its class on a connection, the others follow from it.
    pub fn add(&self, class: &'static str, connection: usize, at: Duration, detail: String) {
        let mut inner = self.0.borrow_mut();
        let known = |finding: &Finding| (finding.class, finding.connection) == (class, connection);
        if inner.findings.iter().any(known) {
            return;
        }
        if let Some(trace) = &mut inner.trace {
            trace.push(line(at, connection, &format!("!! {class}: {detail}")));
        }
        inner.findings.push(Finding { class, connection, at, detail });
    }

    /// Notes what happened; what happens again and again takes one line.
    pub fn trace(&self, at: Duration, connection: usize, text: impl FnOnce() -> String) {
        let Inner { trace: Some(trace), last, .. } = &mut *self.0.borrow_mut() else { return };
        let text = text();
        if last.0 == connection && last.1 == text {
            trace.pop();
            last.2 += 1;
            trace.push(line(at, connection, &format!("{text} (time {})", last.2)));
        } else {
            trace.push(line(at, connection, &text));
            *last = (connection, text, 1);
        }
    }

    pub fn take(&self) -> Vec<Finding> {
        std::mem::take(&mut self.0.borrow_mut().findings)
    }

    /// The trace with its middle left out where it is long: how it began and how it ended.
    pub fn take_trace(&self) -> Vec<String> {
        let mut trace = self.0.borrow_mut().trace.take().unwrap_or_default();
        let whole = std::env::var("WEBSOCKET_PROTO_SIM_TRACE").is_ok();
        if trace.len() > LINES && !whole {
            let left_out = trace.len() - LINES;
            let note = format!("... {left_out} lines, all with WEBSOCKET_PROTO_SIM_TRACE=1");
            trace.splice(LINES / 2..LINES / 2 + left_out, [note]);
        }
        trace
    }
}

fn line(at: Duration, connection: usize, text: &str) -> String {
    format!("{:>12.6} #{connection} {text}", at.as_secs_f64())
}
