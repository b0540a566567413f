//! Runs cases on the clients that connect, by the protocol of Autobahn's fuzzing server: a client asks
//! how many cases there are, connects once for each and echoes what it gets, then asks for the reports.

use std::net::{SocketAddr, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant as Clock};

use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep, timeout};

use crate::case::{Case, Step};
use crate::deflate::Agreed;
use crate::error::Error;
use crate::handshake::accepting::Request;
use crate::handshake::head::Head;
use crate::judge::judge;
use crate::log::Log;
use crate::runner::runtime;
use crate::session::Session;
use crate::transport::Transport;
use crate::verdict::Outcome;
use crate::wire::frame::text;

/// How long the opening handshake of a client may take.
const OPENING: Duration = Duration::from_secs(5);
/// Without any connection for so long, no client is there, or none any more.
const IDLE: Duration = Duration::from_secs(60);
/// How long a client that asks for the status of a case waits until the case has ended.
const STATUS: Duration = Duration::from_secs(10);
/// As many connections as anybody needs, and no more threads.
const MOST: usize = 64;

/// What is tested, and who hears of it.
pub(crate) struct Listener<'a> {
    pub(crate) cases: &'a [Case],
    pub(crate) timeout: Option<Duration>,
    pub(crate) tell: &'a (dyn Fn(&Outcome) + Sync),
    pub(crate) listening: &'a (dyn Fn(SocketAddr) + Sync),
}

/// What the connections share.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    outcomes: Vec<Outcome>,
    open: usize,
    last: Option<Clock>,
    finished: bool,
}

impl Listener<'_> {
    /// Serves clients until one of them asks for the reports, or none comes any more.
    pub(crate) fn run(&self, address: SocketAddr) -> Result<Vec<Outcome>, Error> {
        let shared = Shared::default();
        thread::scope(|scope| {
            runtime()?.block_on(async {
                let listener = TcpListener::bind(address).await;
                let listener = listener
                    .map_err(|error| Error::new(format!("cannot listen on {address}: {error}")))?;
                if let Ok(address) = listener.local_addr() {
                    (self.listening)(address);
                }
                while !shared.is_over() {
                    // A look at the clock now and then: whether all is over is said elsewhere.
                    let accepted = timeout(Duration::from_millis(50), listener.accept()).await;
                    let Ok(Ok((stream, _))) = accepted else { continue };
                    let Ok(stream) = stream.into_std() else { continue };
                    if shared.begin() {
                        let shared = &shared;
                        scope.spawn(move || {
                            self.serve(stream, shared);
                            shared.end();
                        });
                    }
                }
                Ok(())
            })
        })?;
        let mut outcomes = shared.lock(|state| std::mem::take(&mut state.outcomes));
        outcomes.sort_by(|a, b| (&a.agent, &a.id).cmp(&(&b.agent, &b.id)));
        if outcomes.is_empty() {
            return Err(Error::new(format!("no client ran a case on {address}")));
        }
        Ok(outcomes)
    }

    fn serve(&self, stream: TcpStream, shared: &Shared) {
        let Ok(runtime) = runtime() else { return };
        runtime.block_on(async {
            let Ok(stream) = tokio::net::TcpStream::from_std(stream) else { return };
            let (mut transport, mut buffer) = (Transport::new(stream), Vec::new());
            let deadline = Instant::now() + OPENING;
            let head = Head::read(&mut transport, &mut buffer, deadline).await;
            match head.and_then(|head| Request::parse(&head)) {
                Ok(request) => self.answer(&request, transport, &buffer, shared).await,
                Err(why) => refuse(transport, &why).await,
            }
        });
    }

    async fn answer(&self, request: &Request, transport: Transport, early: &[u8], shared: &Shared) {
        let answered = match request.path.as_str() {
            "/getCaseCount" => Ok(self.cases.len().to_string()),
            "/getCaseInfo" => self.case(request).map(|case| {
                json!({ "id": case.id.as_str(), "description": case.title }).to_string()
            }),
            "/getCaseStatus" => self.status(request, shared).await,
            "/runCase" => match (self.case(request), agent(request)) {
                (Ok(case), Ok(agent)) => {
                    return self.run_case(case, agent, request, transport, early, shared).await;
                }
                (Err(why), _) | (_, Err(why)) => Err(why),
            },
            "/updateReports" => agent(request).map(|_| String::new()),
            path => Err(format!("nothing is at {path}")),
        };
        match answered {
            Ok(message) => {
                say(message, request, transport, early).await;
                if request.path == "/updateReports" {
                    shared.lock(|state| state.finished = true);
                }
            }
            Err(why) => refuse(transport, &why).await,
        }
    }

    /// The case that a request names by its number, counted from 1.
    fn case(&self, request: &Request) -> Result<&Case, String> {
        let number = request.parameter("case").and_then(|number| number.parse::<usize>().ok());
        let index = number.and_then(|number| number.checked_sub(1));
        index.and_then(|index| self.cases.get(index)).ok_or_else(|| {
            format!("the parameter `case` is no number from 1 to {}", self.cases.len())
        })
    }

    async fn run_case(
        &self,
        case: &Case,
        agent: &str,
        request: &Request,
        mut transport: Transport,
        early: &[u8],
        shared: &Shared,
    ) {
        let (started, log) = (Clock::now(), Log::new());
        let agreed = accept(request, case, &mut transport);
        let patience = self.timeout.map_or(case.patience, |timeout| case.patience.min(timeout));
        let session = Session::new(case, false, transport, early, agreed, log);
        let (record, log) = session.run(patience).await;
        let verdict = judge(case, &record, false);
        let outcome = Outcome::new(case, verdict, &record, agent, started.elapsed(), log);
        (self.tell)(&outcome);
        shared.lock(|state| {
            // A case that is run again counts as it went the last time.
            state.outcomes.retain(|old| old.id != outcome.id || old.agent != outcome.agent);
            state.outcomes.push(outcome);
        });
    }

    async fn status(&self, request: &Request, shared: &Shared) -> Result<String, String> {
        let (case, agent) = (self.case(request)?, agent(request)?);
        let deadline = Instant::now() + STATUS;
        loop {
            let behavior = shared.lock(|state| {
                let mut outcomes = state.outcomes.iter();
                let found =
                    outcomes.find(|outcome| outcome.id == case.id && outcome.agent == agent);
                found.map(|outcome| outcome.verdict.behavior)
            });
            match behavior {
                Some(behavior) => return Ok(json!({ "behavior": behavior.name() }).to_string()),
                None if Instant::now() > deadline => {
                    return Err(format!("{agent} did not run case {}", case.id));
                }
                None => sleep(Duration::from_millis(20)).await,
            }
        }
    }
}

fn agent(request: &Request) -> Result<&str, String> {
    let agent = request.parameter("agent").filter(|agent| !agent.is_empty());
    agent.ok_or_else(|| "the parameter `agent` is missing".to_owned())
}

fn accept(request: &Request, case: &Case, transport: &mut Transport) -> Option<Agreed> {
    let (answer, agreed) = request.answer(case.deflate.as_ref());
    transport.write(answer.into_bytes());
    agreed
}

/// Sends one message, if there is one, and closes.
async fn say(message: String, request: &Request, mut transport: Transport, early: &[u8]) {
    let mut case = Case::new("", "", "", "");
    if !message.is_empty() {
        case = case.send([text(message)]);
    }
    let case = case.step(Step::Close { body: b"\x03\xe8".into() });
    let agreed = accept(request, &case, &mut transport);
    Session::new(&case, false, transport, early, agreed, Log::new()).run(OPENING).await;
}

async fn refuse(mut transport: Transport, why: &str) {
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n\
         Content-Length: {}\r\n\r\n{why}\n",
        why.len().saturating_add(1)
    );
    transport.write(answer.into_bytes());
    transport.finish(Duration::from_secs(1)).await;
}

impl Shared {
    fn lock<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn begin(&self) -> bool {
        self.lock(|state| {
            let room = state.open < MOST;
            state.open = state.open.saturating_add(usize::from(room));
            room
        })
    }

    fn end(&self) {
        self.lock(|state| {
            state.open = state.open.saturating_sub(1);
            state.last = Some(Clock::now());
        });
    }

    fn is_over(&self) -> bool {
        self.lock(|state| {
            let last = *state.last.get_or_insert_with(Clock::now);
            state.finished || state.open == 0 && last.elapsed() > IDLE
        })
    }
}
