//! What people and programs are told about the outcomes. Reporters know nothing of how cases are run.

pub(crate) mod failure;
pub(crate) mod folder;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod junit;
pub(crate) mod progress;
pub(crate) mod table;

use std::collections::BTreeMap;

use crate::expectation::Expectation;
use crate::verdict::{Behavior, Closing, Outcome};

/// An outcome, held against what was expected.
#[derive(Debug)]
pub(crate) struct Finding<'a> {
    pub(crate) outcome: &'a Outcome,
    /// What else was expected, where a file says so.
    pub(crate) expected: Option<(Behavior, Closing)>,
    pub(crate) as_expected: bool,
}

impl<'a> Finding<'a> {
    /// Without an expectation, whatever breaks no rule is as expected.
    pub(crate) fn new(outcome: &'a Outcome, expectation: Option<&Expectation>) -> Self {
        match expectation {
            Some(expectation) => {
                let expected = expectation.differs(outcome);
                Self { outcome, expected, as_expected: expected.is_none() }
            }
            None => Self { outcome, expected: None, as_expected: !outcome.verdict.is_failure() },
        }
    }
}

/// Counts of verdicts, such as `34 OK, 3 INFORMATIONAL`.
pub(crate) fn counts<T: Ord + std::fmt::Display>(verdicts: impl Iterator<Item = T>) -> String {
    let mut counts = BTreeMap::new();
    for verdict in verdicts {
        let count: &mut usize = counts.entry(verdict).or_default();
        *count = count.saturating_add(1);
    }
    let counts = counts.iter().map(|(verdict, count)| format!("{count} {verdict}"));
    counts.collect::<Vec<_>>().join(", ")
}
