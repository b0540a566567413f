//! One failure for people: what was sent, what came, and which sentence decides.

use std::fmt;

use crate::verdict::{Behavior, Closing, Outcome};

/// Displays one outcome with all that is known about it.
pub(crate) struct Failure<'a> {
    pub(crate) outcome: &'a Outcome,
    /// What was expected, where a file says so.
    pub(crate) expected: Option<(Behavior, Closing)>,
}

impl fmt::Display for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = self.outcome;
        let verdict = &outcome.verdict;
        writeln!(f, "{} {}", outcome.id, outcome.title)?;
        if let Some((behavior, closing)) = self.expected {
            writeln!(f, "  expected:  {behavior}, closing {closing}")?;
        }
        writeln!(f, "  behaviour: {}: {}", verdict.behavior, verdict.why)?;
        writeln!(f, "  closing:   {}: {}", verdict.closing, verdict.closing_why)?;
        writeln!(f, "  {}: {:?}", outcome.section, outcome.sentence)?;
        for (n, entry) in outcome.log.entries().enumerate() {
            if n == outcome.log.before_omitted() && outcome.log.omitted > 0 {
                writeln!(f, "             ... {} more ...", outcome.log.omitted)?;
            }
            writeln!(f, "  {entry}")?;
        }
        Ok(())
    }
}
