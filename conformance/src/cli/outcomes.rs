//! What both roles do with the outcomes.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::print;
use crate::error::Error;
use crate::expectation::Expectation;
use crate::report::failure::Failure;
use crate::report::table::Table;
use crate::report::{Finding, folder, json, junit};
use crate::sections;
use crate::verdict::Outcome;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Run only these cases: 6.*, 12.1.3. May be repeated.
    #[arg(long, value_name = "GLOB")]
    pub(super) case: Vec<String>,
    /// Leave these cases out. May be repeated.
    #[arg(long, value_name = "GLOB")]
    pub(super) exclude: Vec<String>,
    /// The most time for one case; each case has its own limit too.
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    pub(super) timeout: Option<Duration>,
    /// What is expected: any other outcome, better or worse, fails.
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// Write the outcomes as what is expected from now on.
    #[arg(long, value_name = "FILE")]
    write_expect: Option<PathBuf>,
    /// Write a report for people into this folder, and index.json as Autobahn writes it.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// Write the outcomes for a CI that reads JUnit's XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write all outcomes as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Print nothing but errors.
    #[arg(long)]
    pub(super) quiet: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if seconds > 0.0 && seconds <= 86_400.0 => Ok(duration),
        _ => Err("not a number of seconds from above 0 to 86400".to_owned()),
    }
}

impl Options {
    /// What is expected. Read before anything runs, so that a mistake costs no time; for the same reason
    /// the folder for the report is made here.
    pub(super) fn expectation(&self) -> Result<Option<Expectation>, Error> {
        if let Some(folder) = &self.report {
            folder::make(folder)?;
        }
        let known: Vec<_> = sections::all().into_iter().map(|case| case.id).collect();
        self.expect.as_deref().map(|path| Expectation::read(path, &known)).transpose()
    }

    /// Reports the outcomes; whether they are as expected.
    pub(super) fn report(
        &self,
        outcomes: &[Outcome],
        expectation: Option<Expectation>,
        took: Duration,
    ) -> Result<bool, Error> {
        let findings: Vec<Finding<'_>> =
            outcomes.iter().map(|outcome| Finding::new(outcome, expectation.as_ref())).collect();
        let unexpected: Vec<&Finding<'_>> =
            findings.iter().filter(|finding| !finding.as_expected).collect();
        if !self.quiet {
            let mut text = String::new();
            for finding in &unexpected {
                let _ = writeln!(text, "{}", Failure(finding));
            }
            let _ = writeln!(text, "{}", Table(outcomes));
            let seconds = took.as_secs_f64();
            let _ = match unexpected.len() {
                0 => writeln!(text, "all as expected, {seconds:.1} s"),
                n => writeln!(text, "{n} not as expected, {seconds:.1} s"),
            };
            print(&text)?;
        }
        let as_expected = unexpected.is_empty();
        self.write(outcomes, &findings)?;
        if let Some(path) = &self.write_expect {
            Expectation::of(outcomes, expectation.unwrap_or_default()).write(path)?;
        }
        Ok(as_expected || self.write_expect.is_some())
    }

    fn write(&self, outcomes: &[Outcome], findings: &[Finding<'_>]) -> Result<(), Error> {
        if let Some(path) = &self.json {
            write(path, &json::document(outcomes))?;
        }
        if let Some(path) = &self.junit {
            write(path, &junit::document(findings)?)?;
        }
        match &self.report {
            Some(folder) => folder::write(folder, findings),
            None => Ok(()),
        }
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text)
        .map_err(|error| Error::new(format!("cannot write {}: {error}", path.display())))
}
