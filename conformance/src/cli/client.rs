//! `ws-conformance client`

use std::net::SocketAddr;
use std::time::Instant;

use clap::Args;

use super::outcomes;
use crate::case::{Case, Role};
use crate::error::Error;
use crate::listener::Listener;
use crate::report::progress::Progress;
use crate::sections;
use crate::selection::Selection;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where to listen. Port 0 picks a free one.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9001")]
    listen: SocketAddr,
    #[command(flatten)]
    outcomes: outcomes::Options,
}

pub(super) fn run(arguments: &Arguments) -> Result<bool, Error> {
    let options = &arguments.outcomes;
    let expectation = options.expectation()?;
    let selection = Selection { wanted: options.case.clone(), excluded: options.exclude.clone() };
    let all: Vec<Case> =
        sections::all().into_iter().filter(|case| case.role != Role::Server).collect();
    let cases = selection.choose(all).map_err(Error::new)?;
    let progress = Progress::new(cases.len(), options.quiet);
    let started = Instant::now();
    let outcomes = Listener {
        cases: &cases,
        timeout: options.timeout,
        tell: &|outcome| progress.tell(outcome),
        // For whoever starts the clients: on standard error, and in any case.
        listening: &|address| eprintln!("listening on ws://{address}"),
    }
    .run(arguments.listen);
    progress.end();
    let outcomes = outcomes?;
    let complete = outcomes.len() >= cases.len();
    if !complete {
        eprintln!("{} of {} cases were not run", cases.len() - outcomes.len(), cases.len());
    }
    Ok(options.report(&outcomes, expectation, started.elapsed())? && complete)
}
