//! The async adapters over links and under programs that a seed decides, in virtual time: two to
//! four connections on one thread, which share its pools, each with a peer that is fast or slow,
//! lives or dies. What comes of it is held against what the link has seen.
//!
//! `WEBSOCKET_PROTO_SIM_SEEDS=from..to` runs other seeds, a single number runs one and prints its
//! trace.
#![cfg(any(feature = "tokio", feature = "futures-io"))]
#![allow(unreachable_pub, reason = "a test has no users outside")]

mod cases;
mod executor;
mod findings;
mod frames;
mod oracle;
mod payload;
mod peer;
mod plan;
mod program;
mod random;
mod run;
mod wire;

use std::collections::BTreeMap;
use std::ops::Range;

use findings::{Finding, Findings};

const SEEDS: Range<u64> = 0..4_000;

#[test]
fn connections_that_share_a_thread() {
    let seeds = std::env::var("WEBSOCKET_PROTO_SIM_SEEDS").ok();
    match seeds.as_deref().map(parse) {
        None => run_all(SEEDS),
        Some(seeds) if seeds.end - seeds.start == 1 => {
            print(seeds.start);
            run_all(seeds);
        }
        Some(seeds) => run_all(seeds),
    }
}

fn parse(text: &str) -> Range<u64> {
    let number = |text: &str| text.trim().parse::<u64>().expect("a seed is a number");
    match text.split_once("..") {
        Some((from, to)) => number(from)..number(to),
        None => number(text)..number(text) + 1,
    }
}

/// The seeds and what is wrong with them, by class.
type Classes = BTreeMap<&'static str, Vec<(u64, Finding)>>;

fn run_all(seeds: Range<u64>) {
    let (mut classes, mut polls) = (Classes::new(), 0);
    for seed in seeds.clone() {
        let run = run::on_its_own_thread(seed, Findings::default);
        polls += run.polls;
        for finding in run.findings {
            if std::env::var("WEBSOCKET_PROTO_SIM_ALL").is_ok() {
                let Finding { class, connection, at, detail } = &finding;
                println!("seed {seed} #{connection} {at:?} {class}: {detail}");
            }
            classes.entry(finding.class).or_default().push((seed, finding));
        }
    }
    println!("{} seeds, {polls} polls", seeds.end - seeds.start);
    if classes.is_empty() {
        return;
    }
    let summary = summary(&classes);
    println!("{summary}");
    // One of each class in full would be too long to read: the first.
    if let Some((seed, _)) = classes.values().next().and_then(|found| found.first())
        && seeds.end - seeds.start > 1
    {
        print(*seed);
    }
    panic!("the oracles found:\n{summary}WEBSOCKET_PROTO_SIM_SEEDS=seed prints a run");
}

fn summary(classes: &Classes) -> String {
    let mut text = String::new();
    for (class, found) in classes {
        let mut seeds: Vec<u64> = found.iter().map(|(seed, _)| *seed).collect();
        seeds.dedup();
        let first = &seeds[..seeds.len().min(8)];
        text += &format!("{:>6} {class}: seeds {first:?}\n", seeds.len());
        if let Some((seed, finding)) = found.first() {
            let Finding { connection, at, detail, .. } = finding;
            text += &format!("       {seed} #{connection} at {at:?}: {detail}\n");
        }
    }
    text
}

/// The plan and the trace of one seed.
fn print(seed: u64) {
    let run = run::on_its_own_thread(seed, Findings::traced);
    println!("seed {seed}");
    for (id, connection) in plan::Plan::new(seed).connections.iter().enumerate() {
        println!("#{id} {connection:?}");
    }
    for line in run.trace {
        println!("{line}");
    }
}
