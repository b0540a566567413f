//! Times, instructions and allocations of the codec's cases.

use std::collections::HashMap;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use perf_event::Builder;
use perf_event::events::Hardware;

use crate::codec::{Case, Entry, What, cases, entries};
use crate::record::Row;

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    pub rounds: usize,
    /// One engine in one round.
    pub slice: Duration,
}

impl Effort {
    pub fn new(quick: bool) -> Self {
        let (rounds, micros) = if quick { (5, 1_000) } else { (15, 10_000) };
        Self { rounds, slice: Duration::from_micros(micros) }
    }
}

/// Nanoseconds a message: the median over rounds in which every engine has its turn, so that what
/// disturbs the machine disturbs them alike.
pub fn times(case: &Case, effort: Effort, only: Option<&str>) -> Vec<Row> {
    let mut entries = entries(case, only);
    let batches: Vec<u64> = entries.iter_mut().map(|entry| calibrate(entry, effort)).collect();
    let mut samples = vec![Vec::new(); entries.len()];
    for _ in 0..effort.rounds {
        for ((entry, &batch), samples) in entries.iter_mut().zip(&batches).zip(&mut samples) {
            samples.push(time(entry, batch).as_nanos() as f64 / batch as f64);
        }
    }
    let mut rows = Vec::new();
    for (entry, mut samples) in entries.iter().zip(samples) {
        samples.sort_by(f64::total_cmp);
        let median = samples[samples.len() / 2];
        rows.push(row(case, entry.engine, "ns", median));
        rows.push(row(case, entry.engine, "bytes/s", case.bytes as f64 * 1e9 / median));
        rows.extend(entry.sent.map(|bytes| row(case, entry.engine, "bytes sent", bytes)));
    }
    rows
}

fn row(case: &Case, engine: &str, metric: &str, value: f64) -> Row {
    Row::new("codec", case.group, &case.name, engine, metric, value)
}

fn calibrate(entry: &mut Entry, effort: Effort) -> u64 {
    let mut batch = 1;
    loop {
        let took = time(entry, batch);
        if took * 4 >= effort.slice {
            let scale = effort.slice.as_secs_f64() / took.as_secs_f64();
            return ((batch as f64 * scale) as u64).max(1);
        }
        batch *= 2;
    }
}

fn time(entry: &mut Entry, batch: u64) -> Duration {
    let start = Instant::now();
    (entry.run)(black_box(batch));
    start.elapsed()
}

/// User instructions a message, where the kernel lets us count them.
pub fn instructions_by_counter(case: &Case, only: Option<&str>) -> Option<Vec<Row>> {
    let mut counter = Builder::new().kind(Hardware::INSTRUCTIONS).build().ok()?;
    let mut rows = Vec::new();
    for mut entry in entries(case, only) {
        let batch = counted_batch(case);
        (entry.run)(batch);
        counter.reset().ok()?;
        counter.enable().ok()?;
        (entry.run)(black_box(batch));
        counter.disable().ok()?;
        let count = counter.read().ok()?;
        rows.push(row(case, entry.engine, "instructions", count as f64 / batch as f64));
    }
    Some(rows)
}

/// The same with callgrind, where the kernel does not: this program again under it. One dump for
/// each call of [`counted_region`], in the order of the lines that the child prints. Callgrind knows
/// no AVX-512, so what would use it is counted with AVX2.
pub fn instructions_by_callgrind(arguments: &[String]) -> Result<Vec<Row>, String> {
    let dir = std::env::temp_dir().join(format!("compare-{}", std::process::id()));
    std::fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
    let result = callgrind(&dir, arguments);
    let _ = std::fs::remove_dir_all(&dir);
    result
}

fn callgrind(dir: &Path, arguments: &[String]) -> Result<Vec<Row>, String> {
    let out = dir.join("out");
    let child = Command::new("valgrind")
        .args(["-q", "--tool=callgrind", "--collect-atstart=no", "--combine-dumps=no"])
        .args(["--toggle-collect=compare::measure::counted_region"])
        .args(["--dump-after=compare::measure::counted_region"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe().map_err(|error| error.to_string())?)
        .arg("counted")
        .args(arguments)
        // Callgrind counts each byte of a `rep movsb`; let the C library copy with vectors.
        .env("GLIBC_TUNABLES", COPY_WITH_VECTORS)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    if !child.status.success() {
        return Err(format!("valgrind: {}", child.status));
    }
    let names = String::from_utf8_lossy(&child.stdout);
    let cases: HashMap<String, Case> =
        cases().into_iter().map(|case| (format!("{}/{}", case.group, case.name), case)).collect();
    let mut rows = Vec::new();
    for (index, line) in names.lines().enumerate() {
        let Some((name, engine)) = line.split_once('\t') else { continue };
        let Some(case) = cases.get(name) else { continue };
        let path = dir.join(format!("out.{}", index + 1));
        let dump = std::fs::read_to_string(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let total = dump.lines().find_map(|line| line.strip_prefix("totals: "));
        let total: f64 = total.and_then(|total| total.trim().parse().ok()).unwrap_or(f64::NAN);
        rows.push(row(case, engine, "instructions", total / counted_batch(case) as f64));
    }
    Ok(rows)
}

const COPY_WITH_VECTORS: &str =
    "glibc.cpu.x86_rep_movsb_threshold=0x7fffffffff:glibc.cpu.x86_rep_stosb_threshold=0x7fffffffff";

/// What the child under callgrind does.
pub fn counted(only: Option<&str>, case: Option<&str>) {
    for case in wanted(case) {
        for mut entry in entries(&case, only) {
            let batch = counted_batch(&case);
            (entry.run)(batch); // buffers have their sizes
            println!("{}/{}\t{}", case.group, case.name, entry.engine);
            counted_region(&mut entry.run, batch);
        }
    }
}

#[inline(never)]
fn counted_region(run: &mut dyn FnMut(u64), batch: u64) {
    run(black_box(batch));
    black_box(run); // no tail call: the region ends here
}

/// The cases whose `group/name` contains this.
pub fn wanted(case: Option<&str>) -> impl Iterator<Item = Case> {
    cases().into_iter().filter(move |one| {
        case.is_none_or(|case| format!("{}/{}", one.group, one.name).contains(case))
    })
}

/// Enough messages that a read, which comes each 64 KiB, weighs as it does in the long run. A read of
/// compressed ones holds several, and engines that inflate all of them at once do so for messages
/// that are counted later or were before: up to four, of 16 KiB each.
fn counted_batch(case: &Case) -> u64 {
    let bytes = if matches!(case.what, What::ReceiveDeflated { .. }) { 8 << 20 } else { 1 << 20 };
    (bytes / case.bytes.max(64) as u64).clamp(4, 4096)
}

/// Allocations and bytes allocated a message. For `counts`, which links a counting allocator.
pub fn allocations(
    only: Option<&str>,
    case: Option<&str>,
    measure: impl Fn(&mut dyn FnMut()) -> (u64, u64),
) {
    for case in wanted(case) {
        for mut entry in entries(&case, only) {
            let batch = counted_batch(&case);
            (entry.run)(batch);
            let (count, bytes) = measure(&mut || (entry.run)(batch));
            for (metric, value) in [("allocations", count), ("bytes allocated", bytes)] {
                println!("{}", row(&case, entry.engine, metric, value as f64 / batch as f64).tsv());
            }
        }
    }
}
