//! A folder as Autobahn fills it: index.json, a JSON file a case, and a page for people.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Finding, html};
use crate::error::Error;
use crate::verdict::Outcome;

/// Makes the folder, and finds out whether it can be written to.
pub(crate) fn make(folder: &Path) -> Result<(), Error> {
    let probe = folder.join(".ws-conformance");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&probe, ""))
        .and_then(|()| fs::remove_file(&probe))
        .map_err(|error| Error::new(format!("cannot write to {}: {error}", folder.display())))
}

pub(crate) fn write(folder: &Path, findings: &[Finding<'_>]) -> Result<(), Error> {
    let put = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text)
            .map_err(|error| Error::new(format!("cannot write {}: {error}", path.display())))
    };
    for finding in findings {
        let text = format!("{:#}\n", super::json::outcome(finding.outcome));
        put(&file_name(finding.outcome), text)?;
    }
    put("index.json", format!("{:#}\n", index(findings)))?;
    put("index.html", html::page(findings))
}

/// Agent -> case -> entry, for the cases that Autobahn has: tools that read its file know no others.
fn index(findings: &[Finding<'_>]) -> Value {
    let mut agents = Map::new();
    for Finding { outcome, .. } in findings {
        let numbered = outcome.id.section().bytes().all(|byte| byte.is_ascii_digit());
        let cases = agents.entry(outcome.agent.as_str()).or_insert_with(|| json!({}));
        if let (true, Some(cases)) = (numbered, cases.as_object_mut()) {
            cases.insert(
                outcome.id.as_str().to_owned(),
                json!({
                    "behavior": outcome.verdict.behavior.name(),
                    "behaviorClose": outcome.verdict.closing.name(),
                    "duration": outcome.duration.as_millis() as u64,
                    "remoteCloseCode": outcome.remote_close_code,
                    "reportfile": file_name(outcome),
                }),
            );
        }
    }
    Value::Object(agents)
}

fn file_name(outcome: &Outcome) -> String {
    let agent: String = outcome
        .agent
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let id: String = outcome.id.as_str().replace('.', "_");
    format!("{}_case_{id}.json", agent.trim_matches('_'))
}
