//! Runs cases on a server: a few threads, each with one connection at a time.
//!
//! A case runs on one thread from its beginning to its end, so nothing in it is shared.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant as Clock};

use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, timeout_at};

use crate::case::Case;
use crate::error::Error;
use crate::handshake::case::Opening;
use crate::handshake::opening::{Opened, open};
use crate::handshake::url::Url;
use crate::judge::{Record, judge};
use crate::log::Log;
use crate::session::Session;
use crate::transport::Transport;
use crate::verdict::Outcome;

/// How long the opening handshake may take, the TCP connection included.
const OPENING: Duration = Duration::from_secs(5);

/// How cases are run.
pub(crate) struct Run<'a> {
    pub(crate) jobs: usize,
    pub(crate) timeout: Option<Duration>,
    pub(crate) tell: &'a (dyn Fn(&Outcome) + Sync),
}

/// Runs all cases. An error only if there is nobody to be tested.
pub(crate) fn server(url: &Url, cases: &[Case], run: &Run<'_>) -> Result<Vec<Outcome>, Error> {
    let agent = runtime()?.block_on(reach(url))?;
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(cases.len())));
    let work = || -> Result<(), Error> {
        let runtime = runtime()?;
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = runtime.block_on(one(url, case, run.timeout, &agent));
            (run.tell)(&outcome);
            if let Ok(mut done) = done.lock() {
                done.push(outcome);
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..run.jobs.min(cases.len())).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(result) => result,
            Err(_) => Err(Error::new("a case of the suite panicked")),
        })
    })?;
    let mut outcomes = done.into_inner().unwrap_or_default();
    outcomes.sort_by(|a: &Outcome, b: &Outcome| a.id.cmp(&b.id));
    Ok(outcomes)
}

pub(crate) fn runtime() -> Result<Runtime, Error> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Error::new(format!("cannot start the runtime: {error}")))
}

/// Whether there is a WebSocket server, and which one.
async fn reach(url: &Url) -> Result<String, Error> {
    let deadline = Instant::now() + OPENING;
    let mut buffer = Vec::new();
    let mut transport = connect(url, deadline).await.map_err(Error::new)?;
    let opened = open(&mut transport, &mut buffer, url, None, &mut Log::new(), deadline).await;
    match opened {
        Ok(opened) => {
            // A masked Close frame with code 1000: the server shall not take this for a failure.
            transport.write(vec![0x88, 0x82, 0, 0, 0, 0, 3, 0xe8]);
            transport.finish(Duration::from_secs(1)).await;
            Ok(opened.agent)
        }
        Err(why) => Err(Error::new(format!("there is no WebSocket server at {url}: {why}"))),
    }
}

async fn connect(url: &Url, deadline: Instant) -> Result<Transport, String> {
    let connecting = TcpStream::connect((url.host.as_str(), url.port));
    match timeout_at(deadline, connecting).await {
        Ok(Ok(stream)) => Ok(Transport::new(stream)),
        Ok(Err(error)) => Err(format!("cannot connect to {url}: {error}")),
        Err(_) => Err(format!("cannot connect to {url}: no answer in time")),
    }
}

async fn one(url: &Url, case: &Case, timeout: Option<Duration>, agent: &str) -> Outcome {
    let (started, mut log) = (Clock::now(), Log::new());
    let patience = timeout.map_or(case.patience, |timeout| case.patience.min(timeout));
    if let Some(opening) = &case.opening {
        return requested(url, case, opening, patience, agent).await;
    }
    let opened = opened(url, case, &mut log).await;
    let (record, log) = match opened {
        Ok((transport, early, opened)) => {
            Session::new(case, true, transport, &early, opened.deflate, log).run(patience).await
        }
        Err(why) => (Record { opened: Err(why), ..Record::default() }, log),
    };
    Outcome::new(case, judge(case, &record, true), &record, agent, started.elapsed(), log)
}

async fn opened(
    url: &Url,
    case: &Case,
    log: &mut Log,
) -> Result<(Transport, Vec<u8>, Opened), String> {
    let deadline = Instant::now() + OPENING;
    let (mut transport, mut buffer) = (connect(url, deadline).await?, Vec::new());
    let opened =
        open(&mut transport, &mut buffer, url, case.deflate.as_ref(), log, deadline).await?;
    Ok((transport, buffer, opened))
}

/// A case about the opening handshake. Where the server opens the connection, the steps follow.
async fn requested(
    url: &Url,
    case: &Case,
    opening: &Opening,
    patience: Duration,
    agent: &str,
) -> Outcome {
    let (started, mut log) = (Clock::now(), Log::new());
    let deadline = Instant::now() + OPENING;
    let (record, log) = match connect(url, deadline).await {
        Ok(mut transport) => {
            let mut buffer = Vec::new();
            let answered = opening.run(&mut transport, &mut buffer, &mut log, deadline).await;
            let (record, log) = if answered.open {
                Session::new(case, true, transport, &buffer, None, log).run(patience).await
            } else {
                transport.finish(Duration::from_millis(100)).await;
                (Record::default(), log)
            };
            (Record { answered: Some(answered), ..record }, log)
        }
        Err(why) => (Record { opened: Err(why), ..Record::default() }, log),
    };
    Outcome::new(case, judge(case, &record, true), &record, agent, started.elapsed(), log)
}
