//! `client --deflate` against the peers' servers, whatever parameters of permessage-deflate either
//! side asks for.

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use serde_json::Value;

use crate::install::Peer;
use crate::process::Process;
use crate::{SHORT, listening, our};

/// Of each run.
const LINES: usize = 1_000;

struct Case {
    args: &'static [&'static str],
    /// What the server asks for, as JSON, see `deflate` in `server.mjs` and `server.py`.
    server: &'static str,
    /// What must have been agreed; the parameters in order of the alphabet.
    agreed: &'static str,
}

const fn case(args: &'static [&'static str], server: &'static str, agreed: &'static str) -> Case {
    Case { args, server, agreed }
}

const NO_TAKEOVER: &[&str] = &["--deflate", "--deflate-no-context-takeover"];
const BITS_9: &[&str] = &["--deflate", "--deflate-window-bits", "9"];
const BITS_12: &[&str] = &["--deflate", "--deflate-window-bits", "12"];
const BITS_15: &[&str] = &["--deflate", "--deflate-window-bits", "15"];
const ALL: &[&str] = &["--deflate", "--deflate-no-context-takeover", "--deflate-window-bits", "9"];

#[rustfmt::skip]
const CASES: &[Case] = &[
    case(&["--deflate"], "{}", "permessage-deflate"),
    case(NO_TAKEOVER, "{}", "permessage-deflate; client_no_context_takeover; server_no_context_takeover"),
    case(BITS_9, "{}", "permessage-deflate; client_max_window_bits=9; server_max_window_bits=9"),
    case(BITS_12, "{}", "permessage-deflate; client_max_window_bits=12; server_max_window_bits=12"),
    case(BITS_15, "{}", "permessage-deflate"),
    case(ALL, "{}", "permessage-deflate; client_max_window_bits=9; client_no_context_takeover; \
         server_max_window_bits=9; server_no_context_takeover"),
    case(&["--deflate"], r#"{"server_no_context_takeover": true}"#,
        "permessage-deflate; server_no_context_takeover"),
    case(&["--deflate"], r#"{"client_no_context_takeover": true}"#,
        "permessage-deflate; client_no_context_takeover"),
    case(&["--deflate"], r#"{"server_max_window_bits": 10}"#,
        "permessage-deflate; server_max_window_bits=10"),
    case(&["--deflate"], r#"{"client_max_window_bits": 10}"#,
        "permessage-deflate; client_max_window_bits=10"),
    case(BITS_12, r#"{"server_max_window_bits": 12, "client_max_window_bits": 10}"#,
        "permessage-deflate; client_max_window_bits=10; server_max_window_bits=12"),
    case(&["--deflate"], "null", ""),
    case(&[], "{}", ""),
];

/// Every line comes back, with what both sides wanted for compression, and nothing else.
pub(crate) fn client_to_peer(peer: &Peer) {
    let mut server = Process::spawn(&mut peer.command("server", &[])).unwrap();
    let url = listening(&server);
    for (seed, case) in (0..).zip(CASES) {
        let name = format!("{:?} to {}", case.args, case.server);
        eprintln!("{name}");
        let url = format!("{url}/deflate/{}", percent_encoded(case.server));
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
    (0..LINES).map(line).collect()
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
