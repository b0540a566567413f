//! `ws-conformance list`

use std::fmt::Write as _;

use clap::Args;
use serde_json::json;

use super::print;
use crate::error::Error;
use crate::sections;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<bool, Error> {
    let cases = sections::all();
    let text = if arguments.json {
        let cases = cases.iter().map(|case| {
            json!({
                "id": case.id.as_str(),
                "title": case.title,
                "section": case.section,
                "role": case.role.name(),
            })
        });
        format!("{:#}\n", cases.collect::<serde_json::Value>())
    } else {
        cases.iter().fold(String::new(), |mut text, case| {
            let role = case.role.name();
            let _ = writeln!(text, "{:8} {:16} {role:18} {}", case.id, case.section, case.title);
            text
        })
    };
    print(&text)?;
    Ok(true)
}
