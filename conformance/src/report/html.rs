//! One page for people, that needs no network: what was not as expected first, each case to be opened.

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, html};

use super::{Finding, counts};
use crate::sections::TITLES;
use crate::verdict::{Behavior, Outcome};

const STYLE: &str = "
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem;
  color: #222; background: #fff }
table { border-collapse: collapse; margin: 1rem 0 }
td, th { padding: .2rem .8rem; text-align: left; border-bottom: 1px solid #ddd }
td.number { text-align: right }
details { border: 1px solid #ddd; border-radius: 4px; margin: .25rem 0; padding: .25rem .75rem }
summary { cursor: pointer }
pre { background: #f6f6f6; padding: .75rem; overflow-x: auto; font-size: 13px }
blockquote { margin: .5rem 0; padding-left: .75rem; border-left: 3px solid #bbb }
.ok { color: #17692f } .failed { color: #b3151d } .other { color: #7a5200 }
.id { display: inline-block; min-width: 6rem; font-variant-numeric: tabular-nums }
@media (prefers-color-scheme: dark) {
  body { color: #ddd; background: #161616 } pre { background: #222 }
  details, td, th { border-color: #444 }
  .ok { color: #6fcf87 } .failed { color: #ff7b7b } .other { color: #e0b352 } }
";

pub(crate) fn page(findings: &[Finding<'_>]) -> String {
    let unexpected: Vec<&Finding<'_>> = findings.iter().filter(|f| !f.as_expected).collect();
    let mut agents: Vec<&str> = findings.iter().map(|f| f.outcome.agent.as_str()).collect();
    agents.dedup();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "WebSocket conformance" }
                style { (maud::PreEscaped(STYLE)) }
            }
            body {
                h1 { "WebSocket conformance of " (agents.join(", ")) }
                p { (findings.len()) " cases, " (unexpected.len()) " not as expected." }
                (summary(findings))
                @if !unexpected.is_empty() {
                    h2 { "Not as expected" }
                    @for finding in &unexpected { (case(finding)) }
                }
                (sections(findings))
                p { "ws-conformance " (env!("CARGO_PKG_VERSION")) }
            }
        }
    };
    page.into_string()
}

fn by_section<'a>(findings: &'a [Finding<'a>]) -> Vec<(&'a str, &'a str, Vec<&'a Finding<'a>>)> {
    let mut members: BTreeMap<&str, Vec<&Finding<'_>>> = BTreeMap::new();
    for finding in findings {
        members.entry(finding.outcome.id.section()).or_default().push(finding);
    }
    let sections = TITLES.iter().filter_map(|(section, title)| {
        members.remove(section).map(|members| (*section, *title, members))
    });
    sections.collect()
}

fn summary(findings: &[Finding<'_>]) -> Markup {
    html! {
        table {
            tr { th { "Section" } th { "Cases" } th { "Behaviour" } th { "Closing" } }
            @for (section, title, members) in by_section(findings) {
                tr {
                    td { a href={ "#section-" (section) } { (section) " " (title) } }
                    td.number { (members.len()) }
                    td { (counts(members.iter().map(|f| f.outcome.verdict.behavior))) }
                    td { (counts(members.iter().map(|f| f.outcome.verdict.closing))) }
                }
            }
        }
    }
}

fn sections(findings: &[Finding<'_>]) -> Markup {
    html! {
        @for (section, title, members) in by_section(findings) {
            h2 id={ "section-" (section) } { (section) " " (title) }
            @for finding in members { (case(finding)) }
        }
    }
}

fn case(finding: &Finding<'_>) -> Markup {
    let outcome = finding.outcome;
    let verdict = &outcome.verdict;
    let class = if verdict.is_failure() {
        "failed"
    } else if verdict.behavior == Behavior::Ok {
        "ok"
    } else {
        "other"
    };
    html! {
        details {
            summary {
                span.id { (outcome.id) } (outcome.title) " "
                strong class=(class) { (verdict.behavior) " / " (verdict.closing) }
            }
            @if let Some((behavior, closing)) = finding.expected {
                p { "Expected: " (behavior) " / " (closing) }
            }
            p { strong { "Behaviour: " } (verdict.why) }
            p { strong { "Closing: " } (verdict.closing_why) }
            p { (outcome.section) ":" }
            blockquote { (outcome.sentence) }
            pre { (wire(outcome)) }
            p { (format!("{:.3} s", outcome.duration.as_secs_f64())) }
        }
    }
}

fn wire(outcome: &Outcome) -> String {
    let mut text = String::new();
    for (n, entry) in outcome.log.entries().enumerate() {
        if n == outcome.log.before_omitted() && outcome.log.omitted > 0 {
            text.push_str(&format!("... {} more ...\n", outcome.log.omitted));
        }
        text.push_str(&format!("{entry}\n"));
    }
    text
}
