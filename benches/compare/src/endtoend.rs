//! Servers in processes of their own, the load generator in this one: echo, idle memory, handshakes.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::dial;
use crate::load::{self, Load};
use crate::record::Row;
use crate::servers;

/// How long, how often, and where our examples are.
#[derive(Clone, Debug)]
pub struct Plan {
    pub rounds: usize,
    pub seconds: f64,
    pub idle_connections: usize,
    /// The directory with our examples, built.
    pub examples: PathBuf,
    /// Only servers whose name contains this.
    pub only: Option<String>,
    /// Only cases of the echo whose "group/name" contains this.
    pub case: Option<String>,
    /// Servers of the user's.
    pub references: Vec<Server>,
}

impl Plan {
    pub fn new(quick: bool, examples: PathBuf, only: Option<String>) -> Self {
        let (rounds, seconds, idle_connections) =
            if quick { (1, 0.5, 500) } else { (5, 2.0, 5_000) };
        let (case, references) = (None, Vec::new());
        Self { rounds, seconds, idle_connections, examples, only, case, references }
    }

    fn servers(&self) -> Vec<Server> {
        let neighbours = servers::NAMES.iter().map(|name| Server {
            name: (*name).into(),
            program: None,
            arguments: ["serve", "--engine", name, "--addr", "{addr}"].map(Into::into).into(),
        });
        let ours = OURS.iter().map(|(name, program, arguments)| Server {
            name: (*name).into(),
            program: Some(self.examples.join(program)),
            arguments: arguments
                .iter()
                .chain(&["--listen", "{addr}"])
                .map(|argument| (*argument).into())
                .collect(),
        });
        let wanted = |server: &Server| crate::selects(self.only.as_deref(), &server.name);
        ours.chain(neighbours).chain(self.references.iter().cloned()).filter(wanted).collect()
    }
}

/// A server from the command line: `NAME=COMMAND`.
pub fn reference(text: &str) -> Result<Server, String> {
    let (name, command) = text.split_once('=').ok_or("not NAME=COMMAND")?;
    let mut words = command.split_whitespace().map(String::from);
    let program = words.next().ok_or("no command")?.into();
    let arguments: Vec<String> = words.collect();
    if !arguments.iter().any(|word| word.contains("{addr}") || word.contains("{port}")) {
        return Err("neither {addr} nor {port} in the command".into());
    }
    Ok(Server { name: name.into(), program: Some(program), arguments })
}

/// Our examples and what they are started with; `--listen ADDR` is appended.
const OURS: [(&str, &str, &[&str]); 3] = [
    ("websocket-proto, tokio", "echo_server", &["--io", "tokio"]),
    ("websocket-proto, blocking", "echo_server", &["--io", "blocking"]),
    ("websocket-proto, mio_loop", "mio_loop", &[]),
];

struct EchoCase {
    group: &'static str,
    name: &'static str,
    connections: usize,
    size: usize,
    in_flight: usize,
}

const fn case(name: &'static str, connections: usize, size: usize, in_flight: usize) -> EchoCase {
    EchoCase { group: "echo over loopback", name, connections, size, in_flight }
}

const fn growth(name: &'static str, connections: usize) -> EchoCase {
    EchoCase { group: "growth: echo, 20 B", name, connections, size: 20, in_flight: 1 }
}

const ECHO: [EchoCase; 9] = [
    case("64 x 20 B", 64, 20, 1),
    case("64 x 20 B, 32 in flight", 64, 20, 32),
    case("64 x 1 KiB", 64, 1 << 10, 1),
    case("64 x 16 KiB", 64, 16 << 10, 1),
    case("8 x 1 MiB", 8, 1 << 20, 1),
    growth("1 connection", 1),
    growth("100 connections", 100),
    growth("1,000 connections", 1_000),
    growth("10,000 connections", 10_000),
];

/// Messages a second, server CPU a message and latencies: of each server's rounds the one with the
/// most messages, because what disturbs the machine only slows; rounds are interleaved.
pub fn echo(plan: &Plan) -> Vec<Row> {
    let mut rows = Vec::new();
    let wanted = |case: &&EchoCase| {
        let name = format!("{}/{}", case.group, case.name);
        plan.case.as_deref().is_none_or(|wanted| name.contains(wanted))
    };
    for case in ECHO.iter().filter(wanted) {
        let growth = case.group.starts_with("growth");
        let mut running = Vec::new();
        for server in plan.servers() {
            // The growth of the neighbours is not ours to show.
            if growth
                && !(server.name.starts_with("websocket-proto") || server.name.starts_with("ideal"))
            {
                continue;
            }
            match server.start() {
                Ok(process) => running.push((server, process, None)),
                Err(why) => {
                    rows.push(Row::missing("echo", case.group, case.name, &server.name, &why))
                }
            }
        }
        for _ in 0..plan.rounds {
            for (server, process, best) in &mut running {
                eprintln!("echo {}: {}", case.name, server.name);
                let measured = process.echo(case, plan.seconds);
                if better(&measured, best) {
                    *best = Some(measured);
                }
            }
        }
        for (server, _, best) in running {
            match best {
                Some(Ok(values)) => rows.extend(values.map(|(metric, value)| {
                    Row::new("echo", case.group, case.name, &server.name, metric, value)
                })),
                Some(Err(why)) => {
                    rows.push(Row::missing("echo", case.group, case.name, &server.name, &why))
                }
                None => {}
            }
        }
    }
    rows
}

type Measured = Result<[(&'static str, f64); 5], String>;

/// A failure in any round stays: it is reported, not skipped.
fn better(new: &Measured, old: &Option<Measured>) -> bool {
    match (new, old) {
        (_, Some(Err(_))) => false,
        (Ok(new), Some(Ok(old))) => new[0].1 > old[0].1,
        (Err(_), _) | (Ok(_), None) => true,
    }
}

/// Resident memory of a connection that has exchanged one message.
pub fn idle(plan: &Plan) -> Vec<Row> {
    let (group, metric) = ("idle memory", "bytes a connection");
    let name = format!("{} connections", plan.idle_connections);
    let mut rows = Vec::new();
    for server in plan.servers() {
        eprintln!("idle: {}", server.name);
        let result = server.start().and_then(|process| process.idle(plan.idle_connections));
        rows.push(match result {
            Ok(bytes) => Row::new("idle", group, &name, &server.name, metric, bytes),
            Err(why) => Row::missing("idle", group, &name, &server.name, &why),
        });
    }
    rows
}

/// Opening handshakes a second, and server CPU for each, connection included.
pub fn handshake(plan: &Plan) -> Vec<Row> {
    let group = "handshakes over loopback, 64 at a time";
    let mut rows = Vec::new();
    let mut running = Vec::new();
    for server in plan.servers() {
        match server.start() {
            Ok(process) => running.push((server, process, None)),
            Err(why) => rows.push(Row::missing("handshake", group, "rate", &server.name, &why)),
        }
    }
    for _ in 0..plan.rounds {
        for (server, process, best) in &mut running {
            eprintln!("handshake: {}", server.name);
            let measured = process.measure(64, 0, 1, plan.seconds, dial::handshakes);
            if better(&measured, best) {
                *best = Some(measured);
            }
        }
    }
    for (server, _, best) in running {
        match best {
            Some(Ok([(_, rate), (_, cpu), ..])) => {
                let mut row = |case, value| {
                    let metric = "a second, and server CPU";
                    rows.push(Row::new("handshake", group, case, &server.name, metric, value));
                };
                row("thousand a second", rate);
                row("server CPU, us", cpu);
            }
            Some(Err(why)) => {
                rows.push(Row::missing("handshake", group, "rate", &server.name, &why))
            }
            None => {}
        }
    }
    rows
}

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Server {
    name: String,
    /// `None`: this program.
    program: Option<PathBuf>,
    /// With `{addr}` or `{port}` where the one to listen on is put.
    arguments: Vec<String>,
}

impl Server {
    fn start(&self) -> Result<Process, String> {
        let program = match &self.program {
            None => std::env::current_exe().map_err(|error| error.to_string())?,
            Some(path) => path.clone(),
        };
        let addr = free_addr().map_err(|error| error.to_string())?;
        // Connections end by a reset, which servers may report: into a file, not onto the screen.
        let log = std::env::temp_dir().join(format!("compare-{}.log", addr.port()));
        let stderr = fs::File::create(&log).map_err(|error| error.to_string())?;
        pin(SERVER_CORE);
        let (whole, port) = (addr.to_string(), addr.port().to_string());
        let placed = |word: &String| word.replace("{addr}", &whole).replace("{port}", &port);
        let child = Command::new(&program)
            .args(self.arguments.iter().map(placed))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn();
        pin(LOAD_CORE);
        // Without the path, which is of no use in a record.
        let name = program.file_name().unwrap_or_default().display();
        let child = child.map_err(|error| format!("{name} does not start: {error}"))?;
        let mut process = Process { child, addr, log };
        process.await_ready()?;
        Ok(process)
    }
}

const SERVER_CORE: usize = 0;
const LOAD_CORE: usize = 1;

/// Binds this thread, and the processes it starts, to a core. With one core there is nothing to do.
fn pin(core: usize) {
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1)
        || PINNED.load(std::sync::atomic::Ordering::Relaxed)
    {
        let mut set = rustix::thread::CpuSet::new();
        set.set(core);
        if let Err(error) = rustix::thread::sched_setaffinity(None, &set) {
            eprintln!("not bound to core {core}: {error}");
        }
        PINNED.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

/// Once bound to one core, `available_parallelism` says one.
static PINNED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

fn free_addr() -> io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

struct Process {
    child: Child,
    addr: SocketAddr,
    log: PathBuf,
}

impl Process {
    fn await_ready(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                let said = fs::read_to_string(&self.log).unwrap_or_default();
                let said = said.lines().last().unwrap_or_default();
                return Err(format!("the server ended: {status}: {said}"));
            }
            if TcpStream::connect(self.addr).is_ok() {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err("the server does not listen".into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn echo(&self, case: &EchoCase, seconds: f64) -> Measured {
        let EchoCase { connections, size, in_flight, .. } = *case;
        self.measure(connections, size, in_flight, seconds, load::run)
    }

    fn measure(
        &self,
        connections: usize,
        size: usize,
        in_flight: usize,
        seconds: f64,
        run: impl Fn(&Load, &mut dyn FnMut()) -> io::Result<load::Outcome>,
    ) -> Measured {
        let load = Load { addr: self.addr, connections, size, in_flight, text: false, seconds };
        let mut cpu = Vec::new();
        let outcome = run(&load, &mut || cpu.push(self.cpu_nanos()));
        let outcome = outcome.map_err(|error| error.to_string())?;
        let used = match cpu[..] {
            [Ok(before), Ok(after)] => (after - before) as f64,
            _ => f64::NAN,
        };
        let messages = outcome.messages.max(1) as f64;
        Ok([
            ("thousand messages a second", outcome.rate() / 1e3),
            ("server CPU, us a message", used / messages / 1e3),
            ("latency p50, us", outcome.latency.percentile(0.5)),
            ("latency p99, us", outcome.latency.percentile(0.99)),
            ("latency p99.9, us", outcome.latency.percentile(0.999)),
        ])
    }

    fn idle(&self, connections: usize) -> Result<f64, String> {
        let load = Load {
            addr: self.addr,
            connections: 64,
            size: 20,
            in_flight: 1,
            text: false,
            seconds: 0.0,
        };
        let text = |error: io::Error| error.to_string();
        // What the first connections cause once and for all is not counted.
        let warm = load::idle(&load).map_err(text)?;
        let before = self.resident().map_err(text)?;
        let many = load::idle(&Load { connections, ..load }).map_err(text)?;
        let after = self.resident().map_err(text)?;
        drop((warm, many));
        Ok((after as f64 - before as f64) / connections as f64)
    }

    /// Time on the processor, user and system, of all threads, ended ones too. In steps of a tick,
    /// usually 10 ms.
    fn cpu_nanos(&self) -> io::Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The fields behind the name, which stands in parentheses, begin with the third.
        let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
        let ticks = fields.split_whitespace().skip(14 - 3).take(2).map(str::parse::<u64>);
        let ticks: u64 = ticks.sum::<Result<_, _>>().map_err(io::Error::other)?;
        Ok(ticks * 1_000_000_000 / rustix::param::clock_ticks_per_second())
    }

    fn resident(&self) -> io::Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kib = kib.and_then(|kib| kib.trim().parse::<u64>().ok());
        Ok(kib.ok_or_else(|| io::Error::other("VmRSS"))? * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.log);
    }
}
