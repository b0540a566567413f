//! The suite as a library.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

use crate::case::{Case, Role};
use crate::error::Error;
use crate::handshake::url::Url;
use crate::runner::{self, Run};
use crate::sections;
use crate::selection::Selection;
use crate::verdict::Outcome;

/// Tests an echo server. The address is `HOST:PORT`, or a whole URL.
pub fn server(address: &str) -> ServerSuite {
    let url = if address.contains("://") { address.to_owned() } else { format!("ws://{address}") };
    ServerSuite { url, selection: Selection::default(), jobs: None, timeout: None }
}

/// What is tested, and how. Without more, every case is run.
#[derive(Clone, Debug)]
pub struct ServerSuite {
    url: String,
    selection: Selection,
    jobs: Option<NonZeroUsize>,
    timeout: Option<Duration>,
}

impl ServerSuite {
    /// Runs cases by a glob over their ids, such as `6.*`. Further calls add to it.
    pub fn cases(mut self, glob: &str) -> Self {
        self.selection.wanted.push(glob.to_owned());
        self
    }

    /// Leaves out cases by a glob over their ids.
    pub fn exclude(mut self, glob: &str) -> Self {
        self.selection.excluded.push(glob.to_owned());
        self
    }

    /// How many connections are open at once; as many as there are processors, if it is not said. With
    /// one, the cases run strictly in order.
    pub fn jobs(mut self, jobs: NonZeroUsize) -> Self {
        self.jobs = Some(jobs);
        self
    }

    /// The most time for one case.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Runs the cases. The outcomes are in the order of their ids.
    pub fn run(&self) -> Result<Vec<Outcome>, Error> {
        self.run_with(&|_| ())
    }

    /// Likewise, and tells of each outcome as it comes.
    pub(crate) fn run_with(&self, tell: &(dyn Fn(&Outcome) + Sync)) -> Result<Vec<Outcome>, Error> {
        let url = Url::parse(&self.url).map_err(Error::new)?;
        let cases = self.chosen()?;
        let run = Run { jobs: jobs(self.jobs), timeout: self.timeout, tell };
        runner::server(&url, &cases, &run)
    }

    /// How many cases will be run.
    pub(crate) fn count(&self) -> Result<usize, Error> {
        Ok(self.chosen()?.len())
    }

    fn chosen(&self) -> Result<Vec<Case>, Error> {
        let all = sections::all().into_iter().filter(|case| case.role != Role::Client).collect();
        self.selection.choose(all).map_err(Error::new)
    }
}

fn jobs(asked: Option<NonZeroUsize>) -> usize {
    asked.or_else(|| available_parallelism().ok()).map_or(1, NonZeroUsize::get)
}
