//! Measures `websocket-proto` against its neighbours. `run.sh` runs all of it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};
use compare::endtoend::{self, Plan, Server};
use compare::load::{self, Load};
use compare::measure::{self, Effort};
use compare::record::{Record, Row};
use compare::{plot, servers};

#[derive(Parser)]
#[command(about)]
struct Arguments {
    #[command(subcommand)]
    command: What,
}

#[derive(Subcommand)]
enum What {
    /// Times, instructions and allocations of the codec.
    Codec(Options),
    /// Echo over loopback.
    Echo(Options),
    /// Memory of an idle connection.
    Idle(Options),
    /// Opening handshakes a second over loopback.
    Handshake(Options),
    /// All of these.
    All(Options),
    /// Writes the Markdown and the plots again from the recorded results.
    Report(Options),
    /// An echo server.
    Serve {
        /// One of those that `--help` of a wrong name lists.
        #[arg(long)]
        engine: String,
        #[arg(long)]
        addr: SocketAddr,
    },
    /// The load generator against a server that runs already, on this machine.
    Load {
        #[arg(long)]
        addr: SocketAddr,
        #[arg(long, default_value_t = 64)]
        connections: usize,
        /// Bytes of payload in a message.
        #[arg(long, default_value_t = 20)]
        size: usize,
        /// Messages of a connection that wait for their echo at any time.
        #[arg(long, default_value_t = 1)]
        in_flight: usize,
        /// Text of one- to four-byte characters instead of binary messages.
        #[arg(long)]
        text: bool,
        #[arg(long, default_value_t = 2.0)]
        seconds: f64,
    },
    /// What runs under callgrind.
    #[command(hide = true)]
    Counted {
        #[arg(long)]
        engine: Option<String>,
        #[arg(long)]
        case: Option<String>,
    },
}

#[derive(clap::Args, Clone)]
struct Options {
    /// Short and imprecise: to see that everything works.
    #[arg(long)]
    quick: bool,
    /// Only engines and servers whose name contains this; several with `|` between.
    #[arg(long)]
    engine: Option<String>,
    /// Only cases of `codec` and `echo` whose "group/name" contains this.
    #[arg(long)]
    case: Option<String>,
    /// A server of yours to compare with, started by the command (its words are separated by
    /// blanks) with `{addr}` or `{port}` in the place of where it is to listen. May be repeated.
    #[arg(long, value_name = "NAME=COMMAND", value_parser = endtoend::reference)]
    reference: Vec<Server>,
    /// Prints results instead of recording them.
    #[arg(long)]
    dry_run: bool,
    /// Leaves instructions and allocations out.
    #[arg(long)]
    times_only: bool,
    /// Where results are kept.
    #[arg(long, default_value = "../record")]
    record: PathBuf,
    /// The directory of our built examples.
    #[arg(long, default_value = "../../target/release/examples")]
    examples: PathBuf,
    /// The date to record, as `YYYY-MM-DD`.
    #[arg(long, default_value = "undated")]
    date: String,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(what: What) -> Result<(), Box<dyn std::error::Error>> {
    match what {
        What::Codec(options) => parts(&options, &["codec"])?,
        What::Echo(options) => parts(&options, &["echo"])?,
        What::Idle(options) => parts(&options, &["idle"])?,
        What::Handshake(options) => parts(&options, &["handshake"])?,
        What::All(options) => parts(&options, &["codec", "echo", "idle", "handshake"])?,
        What::Report(options) => parts(&options, &[])?,
        What::Serve { engine, addr } => servers::serve(&engine, loopback(addr)?)?,
        What::Load { addr, connections, size, in_flight, text, seconds } => {
            let addr = loopback(addr)?;
            let in_flight = in_flight.max(1);
            let load = Load { addr, connections, size, in_flight, text, seconds };
            let outcome = load::run(&load, &mut || {})?;
            let [p50, p99, p999] =
                [0.5, 0.99, 0.999].map(|share| outcome.latency.percentile(share));
            println!(
                "{} messages in {:.2} s: {:.0} a second; latency p50 {p50:.1} us, p99 {p99:.1} us, \
                 p99.9 {p999:.1} us",
                outcome.messages,
                outcome.seconds,
                outcome.rate()
            );
        }
        What::Counted { engine, case } => measure::counted(engine.as_deref(), case.as_deref()),
    }
    Ok(())
}

/// Load goes to this machine only.
fn loopback(addr: SocketAddr) -> Result<SocketAddr, String> {
    if addr.ip().is_loopback() {
        Ok(addr)
    } else {
        Err(format!("{addr} is not a loopback address"))
    }
}

fn parts(options: &Options, parts: &[&str]) -> Result<(), Box<dyn std::error::Error>> {
    let mut record = Record::open(&options.record, &options.date)?;
    let mut plan = Plan::new(options.quick, options.examples.clone(), options.engine.clone());
    plan.case.clone_from(&options.case);
    plan.references.clone_from(&options.reference);
    for part in parts {
        let rows = match *part {
            "codec" => codec(options)?,
            "echo" => endtoend::echo(&plan),
            "idle" => endtoend::idle(&plan),
            _ => endtoend::handshake(&plan),
        };
        if options.dry_run {
            rows.iter().for_each(|row| println!("{}", row.tsv()));
        } else {
            let all = options.case.is_none() && options.engine.is_none();
            record.replace(part, all, rows);
            record.save()?;
        }
    }
    if !options.dry_run {
        record.save()?;
        plot::all(&options.record, &record.rows)?;
        println!("{}", record.stem.with_extension("md").display());
    }
    Ok(())
}

fn codec(options: &Options) -> Result<Vec<Row>, Box<dyn std::error::Error>> {
    let (case, only) = (options.case.as_deref(), options.engine.as_deref());
    let mut rows = Vec::new();
    for case in measure::wanted(case) {
        eprintln!("times: {}, {}", case.group, case.name);
        rows.extend(measure::times(&case, Effort::new(options.quick), only));
    }
    if options.times_only {
        return Ok(rows);
    }
    eprintln!("instructions");
    let counted: Option<Vec<Vec<Row>>> =
        measure::wanted(case).map(|case| measure::instructions_by_counter(&case, only)).collect();
    match counted {
        Some(counted) => rows.extend(counted.into_iter().flatten()),
        None => {
            let mut arguments = Vec::new();
            for (flag, value) in [("--engine", only), ("--case", case)] {
                arguments
                    .extend(value.into_iter().flat_map(|value| [flag.into(), value.to_string()]));
            }
            match measure::instructions_by_callgrind(&arguments) {
                Ok(counted) => rows.extend(counted),
                Err(why) => {
                    eprintln!("no instructions: {why}");
                    rows.push(Row::missing("codec", "instructions", "all", "all", &why));
                }
            }
        }
    }
    eprintln!("allocations");
    let counts = std::env::current_exe()?.with_file_name("counts");
    let arguments = [case.unwrap_or_default(), only.unwrap_or_default()];
    let output = Command::new(counts).args(arguments).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    rows.extend(String::from_utf8_lossy(&output.stdout).lines().filter_map(Row::parse));
    Ok(rows)
}
