//! What is expected of a peer, in a file: any other outcome, better or worse, is news.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::case::Id;
use crate::error::Error;
use crate::verdict::{Behavior, Closing, Outcome, Verdict};

/// Every case that is not named is expected to be OK in both respects.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expectation {
    exceptions: BTreeMap<String, Exception>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    behavior: Behavior,
    closing: Closing,
    /// For people.
    #[serde(default)]
    reason: String,
}

impl Expectation {
    /// `known` are all cases that there are: an exception for another one is a mistake.
    pub(crate) fn read(path: &Path, known: &[Id]) -> Result<Self, Error> {
        let broken = |why: String| Error::new(format!("{}: {why}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| broken(error.to_string()))?;
        let expectation: Self =
            serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
        let unknown =
            expectation.exceptions.keys().find(|case| !known.iter().any(|id| id.as_str() == *case));
        match unknown {
            Some(case) => Err(broken(format!("no case is called {case}"))),
            None => Ok(expectation),
        }
    }

    /// The expectation that these outcomes meet. Reasons are kept where the outcome is the same, and so
    /// is what is said about cases that did not run.
    pub(crate) fn of(outcomes: &[Outcome], before: Self) -> Self {
        let mut exceptions = before.exceptions;
        for outcome in outcomes {
            let Verdict { behavior, closing, .. } = outcome.verdict;
            let id = outcome.id.as_str();
            let reason = exceptions
                .remove(id)
                .filter(|old| (old.behavior, old.closing) == (behavior, closing))
                .map(|old| old.reason)
                .unwrap_or_default();
            if (behavior, closing) != (Behavior::Ok, Closing::Ok) {
                exceptions.insert(id.to_owned(), Exception { behavior, closing, reason });
            }
        }
        Self { exceptions }
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        fs::write(path, text)
            .map_err(|error| Error::new(format!("cannot write {}: {error}", path.display())))
    }

    /// What was expected, if it is not what came.
    pub(crate) fn differs(&self, outcome: &Outcome) -> Option<(Behavior, Closing)> {
        let expected = match self.exceptions.get(outcome.id.as_str()) {
            Some(exception) => (exception.behavior, exception.closing),
            None => (Behavior::Ok, Closing::Ok),
        };
        let Verdict { behavior, closing, .. } = outcome.verdict;
        (expected != (behavior, closing)).then_some(expected)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::case::Case;
    use crate::judge::Record;
    use crate::log::Log;

    fn outcome(id: &str, behavior: Behavior, closing: Closing) -> Outcome {
        let (why, closing_why) = (String::new(), String::new());
        let verdict = Verdict { behavior, why, closing, closing_why };
        let case = Case::new(id, "", "", "");
        Outcome::new(&case, verdict, &Record::default(), "", Duration::ZERO, Log::new())
    }

    #[test]
    fn what_was_written_is_met_by_the_same_outcomes_and_by_no_others() {
        let path = std::env::temp_dir().join(format!("ws-conformance-{}.json", std::process::id()));
        let outcomes = [
            outcome("1.1.1", Behavior::Ok, Closing::Ok),
            outcome("6.4.1", Behavior::NonStrict, Closing::Ok),
            outcome("7.1.1", Behavior::Ok, Closing::Unclean),
        ];
        Expectation::of(&outcomes, Expectation::default()).write(&path).unwrap();
        let known: Vec<Id> = outcomes.iter().map(|outcome| outcome.id.clone()).collect();
        let read = Expectation::read(&path, &known).unwrap();
        assert!(Expectation::read(&path, &known[..1]).is_err(), "a case that is not there");
        fs::remove_file(&path).unwrap();
        for outcome in &outcomes {
            assert_eq!(read.differs(outcome), None, "{}", outcome.id);
        }
        let better = outcome("6.4.1", Behavior::Ok, Closing::Ok);
        assert_eq!(read.differs(&better), Some((Behavior::NonStrict, Closing::Ok)));
        let worse = outcome("1.1.1", Behavior::Failed, Closing::Ok);
        assert_eq!(read.differs(&worse), Some((Behavior::Ok, Closing::Ok)));
    }

    #[test]
    fn reasons_stay_with_their_outcome() {
        let text = r#"{"exceptions": {
            "1.1": {"behavior": "FAILED", "closing": "OK", "reason": "known"},
            "1.2": {"behavior": "FAILED", "closing": "OK", "reason": "gone"},
            "1.3": {"behavior": "FAILED", "closing": "WRONG CODE"}}}"#;
        let before: Expectation = serde_json::from_str(text).unwrap();
        let outcomes = [
            outcome("1.1", Behavior::Failed, Closing::Ok),
            outcome("1.2", Behavior::NonStrict, Closing::Ok),
        ];
        let after = Expectation::of(&outcomes, before);
        let reasons: Vec<_> = after.exceptions.values().map(|e| e.reason.as_str()).collect();
        assert_eq!(reasons, ["known", "", ""]);
    }

    #[test]
    fn broken_files_are_refused() {
        for text in
            ["", "[]", "{}", r#"{"exceptions": {"1.1": {}}}"#, r#"{"exceptions": {}, "x": 1}"#]
        {
            assert!(serde_json::from_str::<Expectation>(text).is_err(), "{text}");
        }
        let missing = Path::new("/nonexistent/expectation.json");
        assert!(Expectation::read(missing, &[]).is_err());
    }
}
