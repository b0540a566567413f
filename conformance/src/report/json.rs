//! All outcomes in one document for programs.

use serde_json::{Value, json};

use crate::verdict::Outcome;

pub(crate) fn document(outcomes: &[Outcome]) -> String {
    let cases: Vec<Value> = outcomes.iter().map(outcome).collect();
    format!("{:#}\n", json!({ "version": env!("CARGO_PKG_VERSION"), "cases": cases }))
}

/// One case with all that was seen of it.
pub(crate) fn outcome(outcome: &Outcome) -> Value {
    let verdict = &outcome.verdict;
    json!({
        "id": outcome.id.as_str(),
        "title": outcome.title,
        "section": outcome.section,
        "sentence": outcome.sentence,
        "agent": outcome.agent,
        "behavior": verdict.behavior.name(),
        "why": verdict.why,
        "behaviorClose": verdict.closing.name(),
        "whyClose": verdict.closing_why,
        "remoteCloseCode": outcome.remote_close_code,
        "duration": outcome.duration.as_millis() as u64,
        "log": outcome.log.entries().map(ToString::to_string).collect::<Vec<_>>(),
        "omitted": outcome.log.omitted,
    })
}
