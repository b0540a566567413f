//! What we aim for, held against a record: each line is a ratio that may be so much.

use std::fmt::Write as _;

use crate::record::{Row, number, unique};

/// What a value of ours is compared with.
#[derive(Clone, Copy, Debug)]
enum Against {
    /// The best of these.
    Engines(&'static [&'static str]),
    /// The best of all that are neither ours nor a reference.
    Neighbours,
    /// The best of those whose name ends, or does not end, with `, feed`.
    Loops { feed: bool },
    /// A value.
    Fixed(f64),
    /// Our own, in another case.
    Case(&'static str),
}

/// `engine` in a case of a group takes at most `limit` times what `against` takes, by `metric`.
#[derive(Clone, Debug)]
struct Aim<'a> {
    group: &'a str,
    case: &'a str,
    engine: &'static str,
    metric: &'static str,
    against: Against,
    limit: f64,
}

const OURS: &str = "websocket-proto";
/// Not crates that one could use instead: limits, copies, another language, and frames without
/// messages or checks.
const REFERENCES: [&str; 5] = ["ideal", "memcpy", "simdutf8", "uWebSockets", "websocket-sans-io"];

const ECHO: &str = "echo over loopback";
const BUSY: &str = "64 x 20 B, 32 in flight";
const RATE: &str = "thousand messages a second";
const CPU: &str = "server CPU, us a message";
const LENT: &str = "websocket-proto, lent";
const FEED: &str = "websocket-proto, feed";
const SEND: &str = "websocket-proto, send";
/// What passes for constant.
const CONSTANT: f64 = 1.2;

/// The Markdown of all that the rows allow to be judged.
pub fn markdown(rows: &[Row]) -> String {
    let mut text = String::new();
    let verdicts = all(rows).into_iter().filter_map(|aim| Some((aim.judge(rows)?, aim)));
    for (verdict, aim) in verdicts {
        if text.is_empty() {
            text.push_str(
                "\n## What we aim for\n\nRatios to what stands beside: at most the goal.\n\n",
            );
            text.push_str(
                "| case | by | ours | against | ratio | goal | |\n|---|---|--:|---|--:|--:|---|\n",
            );
        }
        let Aim { group, case, engine, metric, limit, .. } = aim;
        let Verdict { ours, against, ratio } = verdict;
        let met = if ratio <= limit { "met" } else { "missed" };
        let engine = engine.strip_prefix("websocket-proto").unwrap_or(engine);
        let _ = writeln!(
            text,
            "| {group}: {case}{engine} | {metric} | {} | {against} | {ratio:.2} | {limit:.2} | {met} |",
            number(ours),
        );
    }
    text
}

fn all(rows: &[Row]) -> Vec<Aim<'_>> {
    let mut aims = Vec::new();
    small(&mut aims);
    large(&mut aims);
    ahead(rows, &mut aims);
    echo(rows, &mut aims);
    growth(rows, &mut aims);
    aims
}

fn aim<'a>(
    group: &'a str,
    case: &'a str,
    metric: &'static str,
    against: Against,
    limit: f64,
) -> Aim<'a> {
    Aim { group, case, engine: OURS, metric, against, limit }
}

fn small(aims: &mut Vec<Aim<'_>>) {
    use Against::{Engines, Fixed, Neighbours};
    let (group, case) = ("receive binary, server", "125 B");
    aims.push(aim(group, case, "ns", Engines(&["ideal"]), 1.2));
    aims.push(aim(group, case, "instructions", Fixed(240.0), 1.0));
    aims.push(aim(group, case, "allocations", Fixed(0.0), 1.0));
    let owned = aim(group, case, "ns", Engines(&["ideal, owned"]), 1.1);
    aims.push(Aim { engine: "websocket-proto, owned", ..owned });
    aims.push(aim("send, server", case, "ns", Engines(&["ideal"]), 0.8));
    aims.push(aim("send, client", case, "ns", Engines(&["ideal"]), 1.0));
    let (group, case) = ("handshake, server, in memory", "a browser's 12 headers");
    aims.push(aim(group, case, "ns", Fixed(600.0), 1.0));
    aims.push(aim(group, case, "ns", Neighbours, 1.0));
}

fn large(aims: &mut Vec<Aim<'_>>) {
    let best = Against::Engines(&["ideal", "tokio-websockets"]);
    for (case, limit) in [("16 KiB", 1.1), ("256 KiB", 1.3), ("1 MiB", 1.1)] {
        for group in
            ["receive binary, server", "receive binary, client", "send, server", "send, client"]
        {
            aims.push(aim(group, case, "ns", best, limit));
        }
    }
}

/// Every case of the codec in which others take part.
fn ahead<'a>(rows: &'a [Row], aims: &mut Vec<Aim<'a>>) {
    let codec = || rows.iter().filter(|row| row.part == "codec" && row.metric == "ns");
    for group in unique(codec(), |row| &row.group) {
        // Twice as fast where messages come in fragments.
        let limit = match group {
            "receive fragments, server" => 0.5,
            _ if group.starts_with("receive") || group.starts_with("send") => 1.0,
            _ => continue,
        };
        for case in unique(codec().filter(|row| row.group == group), |row| &row.case) {
            aims.push(aim(group, case, "ns", Against::Neighbours, limit));
        }
    }
}

fn echo<'a>(rows: &'a [Row], aims: &mut Vec<Aim<'a>>) {
    use Against::{Engines, Loops};
    let mut add = |engine, case, metric, against, limit| {
        aims.push(Aim { engine, ..aim(ECHO, case, metric, against, limit) });
    };
    let uws = Engines(&["uWebSockets"]);
    add(LENT, BUSY, RATE, uws, 9.7 / 12.0);
    add(LENT, BUSY, CPU, Engines(&["ideal, tokio"]), 1.1);
    add(FEED, BUSY, RATE, Loops { feed: true }, 1.0 / 1.3);
    add(FEED, BUSY, RATE, Loops { feed: false }, 1.0 / 12.0);
    add(SEND, BUSY, RATE, Loops { feed: false }, 1.0);
    let mine = rows.iter().filter(|row| row.part == "echo" && row.group == ECHO);
    for case in unique(mine, |row| &row.case).into_iter().filter(|case| *case != BUSY) {
        add(LENT, case, CPU, Against::Neighbours, 1.0);
        add(LENT, case, CPU, uws, 1.1);
    }
    let idle = rows.iter().find(|row| row.part == "idle");
    if let Some(Row { group, case, .. }) = idle {
        let bound = aim(group, case, "bytes a connection", Against::Fixed(2048.0), 1.0);
        aims.push(Aim { engine: LENT, ..bound });
    }
}

/// Cost for a byte and for a connection against the limit's, as the part of caches and kernel in it
/// grows for both; for a fragment against that of one.
fn growth<'a>(rows: &'a [Row], aims: &mut Vec<Aim<'a>>) {
    let group = "growth: receive, server";
    for case in ["1 KiB", "32 KiB", "1 MiB", "16 MiB"] {
        aims.push(aim(group, case, "ns", Against::Engines(&["ideal"]), CONSTANT));
    }
    for case in ["256 x 16 B", "65,536 x 16 B"] {
        aims.push(aim(group, case, "bytes/s", Against::Case("1 x 16 B"), CONSTANT));
    }
    for row in rows.iter().filter(|row| row.group == "growth: echo, 20 B") {
        if row.engine == LENT && row.metric == CPU {
            let against = Against::Engines(&["ideal, tokio"]);
            let constant = aim(&row.group, &row.case, CPU, against, CONSTANT);
            aims.push(Aim { engine: LENT, ..constant });
        }
    }
}

struct Verdict {
    ours: f64,
    against: String,
    ratio: f64,
}

impl Aim<'_> {
    /// `None`: the record lacks one of the two.
    fn judge(&self, rows: &[Row]) -> Option<Verdict> {
        let more_is_better = [RATE, "bytes/s"].contains(&self.metric);
        let ours = self.value(rows, self.case, self.engine)?;
        let (name, other) = match self.against {
            Against::Fixed(value) => (String::new(), value),
            Against::Case(case) => (format!("{case}: "), self.value(rows, case, self.engine)?),
            _ => {
                let all = self.rows(rows, self.case).filter(|row| self.is_against(&row.engine));
                let all = all.filter_map(|row| Some((row.engine.as_str(), row.value?)));
                let best = all.min_by(|a, b| {
                    if more_is_better { b.1.total_cmp(&a.1) } else { a.1.total_cmp(&b.1) }
                })?;
                (format!("{}: ", best.0), best.1)
            }
        };
        let ratio = match (ours, other) {
            // Nothing, where nothing is allowed.
            (0.0, 0.0) => 1.0,
            _ if more_is_better => other / ours,
            _ => ours / other,
        };
        Some(Verdict { ours, against: format!("{name}{}", number(other)), ratio })
    }

    fn is_against(&self, engine: &str) -> bool {
        let neighbour = !engine.starts_with(OURS)
            && !REFERENCES.iter().any(|reference| engine.starts_with(reference));
        match self.against {
            Against::Engines(engines) => engines.contains(&engine),
            Against::Neighbours => neighbour,
            Against::Loops { feed } => neighbour && engine.ends_with(", feed") == feed,
            Against::Fixed(_) | Against::Case(_) => false,
        }
    }

    fn value(&self, rows: &[Row], case: &str, engine: &str) -> Option<f64> {
        self.rows(rows, case).find(|row| row.engine == engine)?.value
    }

    fn rows<'r>(&self, rows: &'r [Row], case: &str) -> impl Iterator<Item = &'r Row> {
        rows.iter().filter(move |row| {
            row.group == self.group && row.case == case && row.metric == self.metric
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(engine: &str, metric: &str, value: f64) -> Row {
        Row::new("codec", "send, server", "125 B", engine, metric, value)
    }

    #[test]
    fn a_goal_is_met_up_to_its_ratio_and_missed_beyond() {
        for (ours, verdict) in [(8.0, "0.80 | 0.80 | met"), (8.1, "0.81 | 0.80 | missed")] {
            let rows = [row(OURS, "ns", ours), row("ideal", "ns", 10.0)];
            assert!(markdown(&rows).contains(verdict), "{}", markdown(&rows));
        }
    }

    #[test]
    fn neighbours_are_neither_ours_nor_references() {
        let rows = [
            row(OURS, "ns", 9.0),
            row("websocket-proto, owned", "ns", 1.0),
            row("ideal, owned", "ns", 2.0),
            row("memcpy + xor", "ns", 3.0),
            row("yawc", "ns", 10.0),
            row("tungstenite", "ns", 20.0),
        ];
        assert!(markdown(&rows).contains("| 9.00 | yawc: 10.0 | 0.90 | 1.00 | met |"));
    }

    #[test]
    fn of_rates_the_larger_is_the_better() {
        let row = |engine, value| Row::new("echo", ECHO, BUSY, engine, RATE, value);
        let rows = [row(SEND, 100.0), row("yawc", 50.0), row("fastwebsockets", 200.0)];
        let text = markdown(&rows);
        assert!(text.contains("fastwebsockets: 200 | 2.00 | 1.00 | missed |"), "{text}");
    }

    #[test]
    fn what_was_not_measured_is_not_judged() {
        assert_eq!(markdown(&[row(OURS, "ns", 9.0)]), "");
    }
}
