//! One failure for people: what was sent, what came, and which sentence decides.

use std::fmt;

use super::Finding;

/// Displays one outcome with all that is known about it.
pub(crate) struct Failure<'a>(pub(crate) &'a Finding<'a>);

impl fmt::Display for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = self.0.outcome;
        let verdict = &outcome.verdict;
        writeln!(f, "{} {}", outcome.id, outcome.title)?;
        if let Some((behavior, closing)) = self.0.expected {
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
