//! `ws-conformance server`

use std::num::NonZeroUsize;
use std::time::Instant;

use clap::Args;

use super::outcomes;
use crate::error::Error;
use crate::report::progress::Progress;
use crate::suite::{ServerSuite, server};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The server: ws://HOST[:PORT][/PATH]. It sends back each message as it came.
    url: String,
    /// Connections at once; with 1, the cases run strictly in order. [default: processors]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    outcomes: outcomes::Options,
}

pub(super) fn run(arguments: &Arguments) -> Result<bool, Error> {
    let expectation = arguments.outcomes.expectation()?;
    let suite = suite(arguments);
    let progress = Progress::new(suite.count()?, arguments.outcomes.quiet);
    let started = Instant::now();
    let outcomes = suite.run_with(&|outcome| progress.tell(outcome));
    progress.end();
    arguments.outcomes.report(&outcomes?, expectation, started.elapsed())
}

fn suite(arguments: &Arguments) -> ServerSuite {
    let options = &arguments.outcomes;
    let mut suite = server(&arguments.url);
    suite = options.case.iter().fold(suite, |suite, glob| suite.cases(glob));
    suite = options.exclude.iter().fold(suite, |suite, glob| suite.exclude(glob));
    if let Some(jobs) = arguments.jobs {
        suite = suite.jobs(jobs);
    }
    if let Some(timeout) = options.timeout {
        suite = suite.timeout(timeout);
    }
    suite
}
