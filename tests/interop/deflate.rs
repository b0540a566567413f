//! permessage-deflate with every combination of its parameters: what the peers' clients do with
//! `echo_server --deflate`, and `client --deflate` against the peers' servers.
//!
//! Takeover or not is combined, for each direction, with windows of 9, 12 and 15 bits, and in each
//! combination 2,000 messages go each way. `WEBSOCKET_PROTO_INTEROP=whole` takes all windows from 9
//! to 15, and 10,000 messages.

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use serde_json::{Map, Value, json};

use crate::install::Peer;
use crate::process::Process;
use crate::{SHORT, listening, our};

/// Of each run, each way.
pub(crate) fn messages() -> usize {
    if whole() { 10_000 } else { 2_000 }
}

fn whole() -> bool {
    std::env::var_os("WEBSOCKET_PROTO_INTEROP").is_some_and(|value| value == "whole")
}

/// What both ends agree on.
#[derive(Clone, Copy)]
struct Combination {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: u8,
    client_max_window_bits: u8,
}

impl Combination {
    fn all() -> impl Iterator<Item = Self> {
        let pairs = || {
            windows()
                .iter()
                .flat_map(|&server| windows().iter().map(move |&client| (server, client)))
        };
        let takeovers = [(false, false), (true, false), (false, true), (true, true)];
        takeovers.into_iter().flat_map(move |(server, client)| {
            pairs().map(move |(server_bits, client_bits)| Self {
                server_no_context_takeover: server,
                client_no_context_takeover: client,
                server_max_window_bits: server_bits,
                client_max_window_bits: client_bits,
            })
        })
    }

    /// The parameters with their values, those left out that say what would hold without them.
    fn parameters(self) -> Vec<(&'static str, Value)> {
        let takeover = [
            ("server_no_context_takeover", self.server_no_context_takeover),
            ("client_no_context_takeover", self.client_no_context_takeover),
        ];
        let bits = [
            ("server_max_window_bits", self.server_max_window_bits),
            ("client_max_window_bits", self.client_max_window_bits),
        ];
        let takeover =
            takeover.into_iter().filter(|(_, no)| *no).map(|(name, _)| (name, true.into()));
        let bits = bits.into_iter().filter(|(_, bits)| *bits < 15);
        takeover.chain(bits.map(|(name, bits)| (name, bits.into()))).collect()
    }

    /// What a peer is told to ask for.
    fn asked(self) -> Value {
        let parameters = self.parameters().into_iter();
        parameters.map(|(name, value)| (name.to_string(), value)).collect::<Map<_, _>>().into()
    }

    /// What `echo_server` answers.
    fn agreed(self) -> String {
        let mut text = String::from("permessage-deflate");
        for (name, value) in self.parameters() {
            match value {
                Value::Bool(_) => text.extend(["; ", name]),
                bits => text.extend(["; ", name, "=", &bits.to_string()]),
            }
        }
        text
    }
}

fn windows() -> &'static [u8] {
    if whole() { &[9, 10, 11, 12, 13, 14, 15] } else { &[9, 12, 15] }
}

/// Each way to start `echo_server`: its name, its arguments, and what it agrees to where the client
/// leaves all to it.
fn settings() -> Vec<(String, String, String)> {
    let settings = windows().iter().flat_map(|&bits| [false, true].map(|no| (bits, no)));
    let setting = |(bits, no): (u8, bool)| {
        let both = Combination {
            server_no_context_takeover: no,
            client_no_context_takeover: no,
            server_max_window_bits: bits,
            client_max_window_bits: bits,
        };
        let takeover = if no { " --deflate-no-context-takeover" } else { "" };
        let name = match (bits, no) {
            (15, false) => "deflate".to_string(),
            (15, true) => "no takeover".to_string(),
            (bits, false) => format!("{bits} bits"),
            (bits, true) => format!("no takeover, {bits} bits"),
        };
        (name, format!("--deflate{takeover} --deflate-window-bits {bits}"), both.agreed())
    };
    settings.map(setting).collect()
}

pub(crate) fn servers() -> impl Iterator<Item = (String, String)> {
    settings().into_iter().map(|(name, args, _)| (name, args))
}

/// Further cases like those of `cases.json`.
pub(crate) fn cases() -> Vec<Value> {
    let mut cases = Vec::new();
    for (server, _, agreed) in settings() {
        cases.push(json!({"name": format!("the server decides: {agreed}"), "do": "random",
            "count": messages(), "server": server, "offer": {}, "agreed": agreed}));
    }
    for combination in Combination::all() {
        let agreed = combination.agreed();
        cases.push(json!({"name": format!("the client decides: {agreed}"), "do": "random",
            "count": messages(), "server": "deflate", "for": ["node", "python"],
            "offer": combination.asked(), "agreed": agreed}));
    }
    cases
}

struct Case {
    args: &'static [&'static str],
    /// What the server asks for, as JSON, see `deflate` in `server.mjs` and `server.py`.
    server: String,
    /// What must have been agreed; the parameters in order of the alphabet.
    agreed: String,
}

fn case(args: &'static [&'static str], server: &str, agreed: &str) -> Case {
    Case { args, server: server.into(), agreed: sorted(agreed) }
}

const NO_TAKEOVER: &[&str] = &["--deflate", "--deflate-no-context-takeover"];
const BITS_9: &[&str] = &["--deflate", "--deflate-window-bits", "9"];
const BITS_12: &[&str] = &["--deflate", "--deflate-window-bits", "12"];
const BITS_15: &[&str] = &["--deflate", "--deflate-window-bits", "15"];
const ALL: &[&str] = &["--deflate", "--deflate-no-context-takeover", "--deflate-window-bits", "9"];

/// `client` leaves all to the server, or asks for what its options can say.
#[rustfmt::skip]
fn client_cases() -> Vec<Case> {
    let decided = Combination::all().map(|combination| {
        case(&["--deflate"], &combination.asked().to_string(), &combination.agreed())
    });
    decided.chain([
    case(NO_TAKEOVER, "{}", "permessage-deflate; client_no_context_takeover; server_no_context_takeover"),
    case(BITS_9, "{}", "permessage-deflate; client_max_window_bits=9; server_max_window_bits=9"),
    case(BITS_12, "{}", "permessage-deflate; client_max_window_bits=12; server_max_window_bits=12"),
    case(BITS_15, "{}", "permessage-deflate"),
    case(ALL, "{}", "permessage-deflate; client_max_window_bits=9; client_no_context_takeover; \
         server_max_window_bits=9; server_no_context_takeover"),
    case(BITS_12, r#"{"server_max_window_bits": 12, "client_max_window_bits": 10}"#,
        "permessage-deflate; client_max_window_bits=10; server_max_window_bits=12"),
    case(&["--deflate"], "null", ""),
    case(&[], "{}", ""),
    ]).collect()
}

/// Every line comes back, with what both sides wanted for compression, and nothing else.
pub(crate) fn client_to_peer(peer: &Peer) {
    let mut server = Process::spawn(&mut peer.command("server", &[])).unwrap();
    let url = listening(&server);
    for (seed, case) in (0..).zip(client_cases()) {
        let name = format!("{:?} to {}", case.args, case.server);
        eprintln!("{name}");
        let url = format!("{url}/deflate/{}", percent_encoded(&case.server));
        let mut client = Process::spawn(our("client").args(case.args).arg(url)).unwrap();
        let lines = random_lines(seed);
        for line in &lines {
            client.send(line);
        }
        for (number, line) in lines.iter().enumerate() {
            let Some(echo) = client.line(SHORT) else {
                panic!("{name}: output ended early: {:?}", client.finish(SHORT));
            };
            // Not `assert_eq!`: nobody wants to read 40 KiB.
            assert!(echo == *line, "{name}: line {number} of {} bytes", line.len());
        }
        client.end_input();
        let exit = client.finish(SHORT);
        assert_eq!(
            (exit.code, exit.stdout.len(), exit.stderr.as_str()),
            (Some(0), 0, ""),
            "{name}"
        );

        let seen: Value = serde_json::from_str(&server.line(SHORT).unwrap()).unwrap();
        assert_eq!(seen["code"], 1000, "{name}: {seen}");
        assert_eq!(sorted(seen["agreed"].as_str().unwrap()), case.agreed, "{name}");
        assert_eq!(seen["extensions"], case.agreed.split(';').next().unwrap(), "{name}");
        assert_eq!(seen["compressed"], !case.agreed.is_empty(), "{name}: {seen}");
    }
    assert!(server.is_running());
}

/// Lines of 0 bytes to 40 KiB, mostly small, that repeat themselves and each other.
fn random_lines(seed: u64) -> Vec<String> {
    const WORDS: [&str; 6] =
        ["websocket", "naïve ", "日本語", "😀", "0123456789", "{\"key\": 1}, "];
    let mut rng = StdRng::seed_from_u64(seed);
    let line = |_| {
        let most: f64 = if rng.random_ratio(1, 20) { 40_960.0 } else { 2_048.0 };
        let length = most.powf(rng.random()) as usize - 1;
        let mut line = String::new();
        while line.len() < length {
            if rng.random_ratio(1, 4) {
                line.push_str(&rng.next_u64().to_string());
            } else {
                line.push_str(WORDS[rng.random_range(..WORDS.len())]);
            }
        }
        line
    };
    (0..messages()).map(line).collect()
}

fn sorted(extension: &str) -> String {
    let mut parts: Vec<_> = extension.split(';').map(str::trim).collect();
    // The name comes first, the order of the parameters means nothing.
    if let Some((_, params)) = parts.split_first_mut() {
        params.sort_unstable();
    }
    parts.join("; ")
}

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
