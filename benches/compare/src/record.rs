//! Results: rows in a TSV file that is kept, and the Markdown that is made from it.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use crate::aims;

/// One measured value.
#[derive(Clone, Debug)]
pub struct Row {
    /// `codec`, `echo`, `idle` or `handshake`.
    pub part: String,
    pub group: String,
    pub case: String,
    pub engine: String,
    pub metric: String,
    /// `None`: not to be had; the reason is in `note`.
    pub value: Option<f64>,
    pub note: String,
}

impl Row {
    pub fn new(
        part: &str,
        group: &str,
        case: &str,
        engine: &str,
        metric: &str,
        value: f64,
    ) -> Self {
        Self {
            part: part.into(),
            group: group.into(),
            case: case.into(),
            engine: engine.into(),
            metric: metric.into(),
            value: Some(value),
            note: String::new(),
        }
    }

    pub fn missing(part: &str, group: &str, case: &str, engine: &str, why: &str) -> Self {
        let mut row = Self::new(part, group, case, engine, "missing", 0.0);
        row.value = None;
        row.note = why.replace(['\t', '\n'], " ");
        row
    }

    pub fn tsv(&self) -> String {
        let Self { part, group, case, engine, metric, value, note } = self;
        let value = value.map(|value| format!("{value:.4}")).unwrap_or_default();
        format!("{part}\t{group}\t{case}\t{engine}\t{metric}\t{value}\t{note}")
    }

    pub fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split('\t').collect();
        let [part, group, case, engine, metric, value, note] = fields[..] else { return None };
        let mut row = Self::new(part, group, case, engine, metric, 0.0);
        row.value = value.parse().ok();
        row.note = note.into();
        (metric != "metric").then_some(row)
    }
}

/// The results of one day on one machine.
pub struct Record {
    pub stem: PathBuf,
    pub about: Vec<(String, String)>,
    pub rows: Vec<Row>,
}

impl Record {
    /// Opens `<date>-<machine>.tsv` in `dir`, with what it holds already.
    pub fn open(dir: &Path, date: &str) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let about = about(date);
        let machine: String =
            about[1].1.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        let machine = machine.to_lowercase();
        let words: Vec<&str> = machine.split('-').filter(|word| !word.is_empty()).collect();
        let stem = dir.join(format!("{date}-{}", words.join("-")));
        let rows = match fs::read_to_string(stem.with_extension("tsv")) {
            Ok(text) => text.lines().filter_map(Row::parse).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(Self { stem, about, rows })
    }

    /// Puts the results of one part in the place of its old ones: of all, or of the same engines in
    /// the same cases.
    pub fn replace(&mut self, part: &str, all: bool, rows: Vec<Row>) {
        let case = |row: &Row| [&row.group, &row.case, &row.engine].map(String::clone);
        let cases: HashSet<_> = rows.iter().map(case).collect();
        let old = |row: &Row| row.part == part && (all || cases.contains(&case(row)));
        let at = self.rows.iter().position(old).unwrap_or(self.rows.len());
        self.rows.retain(|row| !old(row));
        self.rows.splice(at..at, rows);
    }

    pub fn save(&self) -> io::Result<()> {
        let mut tsv = String::new();
        for (name, value) in &self.about {
            let _ = writeln!(tsv, "# {name}: {value}");
        }
        tsv.push_str("part\tgroup\tcase\tengine\tmetric\tvalue\tnote\n");
        for row in &self.rows {
            tsv.push_str(&row.tsv());
            tsv.push('\n');
        }
        fs::write(self.stem.with_extension("tsv"), tsv)?;
        fs::write(self.stem.with_extension("md"), self.markdown())
    }

    fn markdown(&self) -> String {
        let mut text = String::from(
            "# Measurements\n\nMade by `benches/compare/run.sh`. Absolute values hold for this machine \
             only: compare ratios within one table.\n\n",
        );
        for (name, value) in &self.about {
            let _ = writeln!(text, "- {name}: {value}");
        }
        text.push_str(&aims::markdown(&self.rows));
        for part in ["codec", "echo", "idle", "handshake"] {
            for group in unique(self.rows.iter().filter(|row| row.part == part), |row| &row.group) {
                let rows = || self.rows.iter().filter(|row| row.part == part && row.group == group);
                for metric in unique(rows().filter(|row| row.value.is_some()), |row| &row.metric) {
                    // In the TSV only: nanoseconds, counts and two percentiles say enough.
                    if ["bytes/s", "bytes allocated", "latency p99.9, us"].contains(&metric) {
                        continue;
                    }
                    let _ = write!(text, "\n## {group}: {}\n\n", title(part, metric));
                    let rows: Vec<&Row> = rows().filter(|row| row.metric == metric).collect();
                    table(&mut text, &rows);
                }
                let absent: Vec<&Row> = rows().filter(|row| row.value.is_none()).collect();
                if !absent.is_empty() {
                    let _ = write!(text, "\n## {group}: missing\n\n");
                }
                for engine in unique(absent.iter().copied(), |row| &row.engine) {
                    let mine = || absent.iter().copied().filter(|row| row.engine == engine);
                    for note in unique(mine(), |row| &row.note) {
                        let cases = unique(mine().filter(|row| row.note == note), |row| &row.case);
                        let cases = cases.join(", ");
                        let _ = writeln!(text, "- {engine}: {note} ({cases})");
                    }
                }
            }
        }
        text.push_str("\n## How the engines are driven\n\n");
        for (engine, how) in crate::codec::how() {
            let _ = writeln!(text, "- {engine}: {how}.");
        }
        text.push_str(NOTES);
        text
    }
}

const NOTES: &str = "- Input comes from memory in reads of at most 64 KiB, each a copy; output is copied once into 64 KiB \
of memory. Messages straddle reads. Every payload was compared before the timing.\n\
- Limits are set to 64 MiB, other settings are the defaults.\n\
- Client keys come from each engine's own generator; `ideal` and websocket-sans-io use ChaCha12.\n\
- Instructions are user instructions: from the processor's counter where the kernel offers it, otherwise \
from callgrind, which knows no AVX-512 (and with the C library told to copy with vectors, as callgrind counts \
every byte of a string instruction).\n\
- Echo and handshake servers run on one core, the load generator on another. In `send` loops each message is \
sent (and flushed) for itself, in `feed` loops the replies to what has arrived are flushed together.\n";

fn title(part: &str, metric: &str) -> String {
    match (part, metric) {
        ("codec", "ns") => "nanoseconds a message".into(),
        ("codec", other) => format!("{other} a message"),
        (_, other) => other.into(),
    }
}

fn table(text: &mut String, rows: &[&Row]) {
    let cases = unique(rows.iter().copied(), |row| &row.case);
    let engines = unique(rows.iter().copied(), |row| &row.engine);
    let _ = writeln!(text, "| | {} |", cases.join(" | "));
    let _ = writeln!(text, "|---|{}", "--:|".repeat(cases.len()));
    for engine in engines {
        let _ = write!(text, "| {engine} |");
        for case in &cases {
            let row = rows.iter().find(|row| row.engine == engine && row.case == *case);
            let _ =
                write!(text, " {} |", row.and_then(|row| row.value).map_or(String::new(), number));
        }
        text.push('\n');
    }
}

/// Three significant digits, with thousands marked.
pub fn number(value: f64) -> String {
    if value == 0.0 || value.abs() < 0.005 {
        return "0".into();
    }
    if value < 10.0 {
        return format!("{value:.2}");
    }
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The values in the order in which they first come.
pub fn unique<'a>(
    rows: impl Iterator<Item = &'a Row>,
    field: impl Fn(&'a Row) -> &'a String,
) -> Vec<&'a str> {
    let mut values: Vec<&str> = Vec::new();
    for row in rows {
        let value = field(row).as_str();
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

fn about(date: &str) -> Vec<(String, String)> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line =
            cpu.lines().find(|line| line.split(':').next().is_some_and(|f| f.trim() == name));
        line.and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let vector = ["avx512f", "avx2", "sse2"];
    let flags = field("flags");
    let has = vector.into_iter().find(|flag| flags.split(' ').any(|f| f == *flag));
    let mut about = vec![
        ("date".into(), date.to_string()),
        ("machine".into(), format!("{}, {cores} cores", field("model name"))),
        (
            "processor".into(),
            format!(
                "family {} model {}, L2 or L3 {}, {}",
                field("cpu family"),
                field("model"),
                field("cache size"),
                has.unwrap_or("no x86 vectors")
            ),
        ),
        ("kernel".into(), output("uname", &["-sr"])),
        ("rustc".into(), output("rustc", &["--version"])),
    ];
    let lock = include_str!("../Cargo.lock");
    let versions: Vec<String> = NAMES.iter().filter_map(|name| version(lock, name)).collect();
    about.push(("crates".into(), versions.join(", ")));
    about
}

const NAMES: [&str; 13] = [
    "websocket-proto",
    "tungstenite",
    "tokio-tungstenite",
    "tokio-websockets",
    "fastwebsockets",
    "soketto",
    "yawc",
    "sockudo-ws",
    "web-socket",
    "websocket-sans-io",
    "wtx",
    "simdutf8",
    "tokio",
];

fn version(lock: &str, name: &str) -> Option<String> {
    let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    let (version, _) = rest.split_once('"')?;
    Some(format!("{name} {version}"))
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |error| format!("{program}: {error}"),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_string(),
    )
}
