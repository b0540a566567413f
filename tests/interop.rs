//! Our two examples against the WebSocket endpoints most of the world runs: the `ws` package of
//! Node.js, the `websockets` package of Python, and Chromium. Each test installs its peer first
//! (see `interop/install.rs`), and fails where it cannot; `WEBSOCKET_PROTO_INTEROP=skip` skips all.
//!
//! `interop/cases.json`, with every combination of the parameters of permessage-deflate from
//! `interop/deflate.rs`, is what the three clients do with `echo_server`; what `client` does with the
//! two servers is the table [`CLIENT_CASES`] below. `WEBSOCKET_PROTO_INTEROP=whole` takes every size
//! of window instead of three, and 10,000 random messages in each case instead of 2,000.
#![cfg(all(feature = "deflate", feature = "tokio", unix))]

#[path = "interop/deflate.rs"]
mod deflate;
#[path = "interop/echo_servers.rs"]
mod echo_servers;
#[path = "common/example.rs"]
mod example;
#[path = "interop/install.rs"]
mod install;
#[path = "interop/page.rs"]
mod page;
#[path = "interop/process.rs"]
mod process;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use echo_servers::EchoServers;
use example::our;
use process::Process;

/// For one line of a process, and for one process that has little to do.
const SHORT: Duration = Duration::from_secs(30);
/// For all the cases of a peer.
const LONG: Duration = Duration::from_secs(3600);

/// What `echo_server --io` has to offer.
const ADAPTERS: [&str; 2] = ["blocking", "tokio"];

const ALL_PONGS: &str = "every pong came back";

#[test]
fn node_client_to_echo_server() {
    if !skipped() {
        peer_client("node", &install::node());
    }
}

#[test]
fn python_client_to_echo_server() {
    if !skipped() {
        peer_client("python", &install::python());
    }
}

#[test]
fn chromium_to_echo_server() {
    if skipped() {
        return;
    }
    let chromium = install::chromium();
    for io in ADAPTERS {
        chromium_to_adapter(&chromium, io);
    }
}

fn chromium_to_adapter(chromium: &Path, io: &str) {
    let (listener, address) = page::listen();
    let origin = format!("http://{address}");
    let mut servers = EchoServers::start(io, &["--origin", &origin]);
    let documents = HashMap::from([
        ("/", ("text/html", read("chromium/page.html"))),
        ("/cases.json", ("application/json", Value::from(all_cases()).to_string())),
        ("/servers.json", ("application/json", servers.urls.to_string())),
    ]);
    let posted = page::serve(listener, documents);

    let profile = install::directory().join(format!("chromium-{}-{io}", std::process::id()));
    let mut browser = Process::spawn(
        Command::new(chromium)
            .args("--headless --no-sandbox --disable-gpu --disable-quic --no-first-run".split(' '))
            .args("--disable-background-networking --disable-component-update".split(' '))
            .args(["--disable-sync", "--disable-dev-shm-usage"])
            .arg(format!("--user-data-dir={}", profile.display()))
            // Without it, headless Chromium leaves as soon as the page has loaded.
            .arg("--remote-debugging-port=0")
            .arg(format!("http://{address}/")),
    )
    .unwrap();
    let result = posted.recv_timeout(LONG);
    let stderr = browser.kill();
    // Its helper processes may still write there for a moment: what stays is under `target/`.
    let _ = fs::remove_dir_all(profile);
    let result =
        result.unwrap_or_else(|_| panic!("no result from the page; {io}, browser: {stderr}"));
    check_results("chromium", serde_json::from_str(&result).unwrap());
    servers.check_alive();
}

#[test]
fn client_to_node_server() {
    if !skipped() {
        client_to_peer("node", &install::node());
    }
}

#[test]
fn client_to_python_server() {
    if !skipped() {
        client_to_peer("python", &install::python());
    }
}

#[test]
fn client_to_node_server_with_deflate() {
    if !skipped() {
        deflate::client_to_peer(&install::node());
    }
}

#[test]
fn client_to_python_server_with_deflate() {
    if !skipped() {
        deflate::client_to_peer(&install::python());
    }
}

/// What `client` says where there is no WebSocket server to talk to: these need no peer.
#[test]
fn client_without_a_server() {
    let (closed, refusing) = page::listen();
    drop(closed);
    let (_silent, silent) = page::listen();
    let (refusing, silent) = (format!("ws://{refusing}"), format!("ws://{silent}"));
    let cases: [(&[&str], i32); 8] = [
        (&[&refusing], 1),
        (&["--timeout", "1", &silent], 1),
        (&[], 2),
        (&["--no-such-option", &refusing], 2),
        (&["--header", "no colon", &refusing], 2),
        (&["--ping", "often", &refusing], 2),
        (&["--timeout", &refusing], 2),
        (&["not a url"], 2),
    ];
    for (args, code) in cases {
        let exit = Process::spawn(our("client").args(args)).unwrap().finish(SHORT);
        assert_eq!(exit.code, Some(code), "{args:?}: {exit:?}");
        assert!(exit.stdout.is_empty(), "{args:?}: {exit:?}");
        let lines = exit.stderr.lines().count();
        // A failure has one line; bad usage may show the usage too.
        assert!(if code == 1 { lines == 1 } else { lines >= 1 }, "{args:?}: {exit:?}");
    }
}

/// One run of `client`.
struct ClientCase {
    name: &'static str,
    /// The behaviour of the server, see `server.mjs` and `server.py`.
    path: &'static str,
    args: &'static [&'static str],
    input: &'static [Line],
    output: &'static [Line],
    end: End,
}

/// A line of standard input or output: a unit, and how often it is repeated.
struct Line(&'static str, usize);

/// How a run of `client` ends.
enum End {
    /// Once the output is there, standard input ends: `client` closes with 1000 and exits with 0.
    ByInput,
    /// The same, but standard input ends before there is any output.
    ByInputAtOnce,
    /// The server closes while standard input is open; `client` echoes this code and exits with 0.
    ByServer(u16),
    /// Exit 1 with one line that contains this text, standard input open. The server receives a
    /// Close with this code; 1006: none; 0: there was no WebSocket connection.
    Failure(&'static str, u16),
}

const HELLO: Line = Line("hello", 1);
const WORDS: Line = Line("κόσμε, naïve, 日本語, 😀", 1);
const MIB: Line = Line("😀", 262_144);

const fn case(
    name: &'static str,
    path: &'static str,
    input: &'static [Line],
    output: &'static [Line],
    end: End,
) -> ClientCase {
    ClientCase { name, path, args: &[], input, output, end }
}

const fn with_args(args: &'static [&'static str], case: ClientCase) -> ClientCase {
    let ClientCase { name, path, input, output, end, .. } = case;
    ClientCase { name, path, args, input, output, end }
}

#[rustfmt::skip]
const CLIENT_CASES: &[ClientCase] = &[
    case("nothing to say", "echo", &[], &[], End::ByInput),
    case("text", "echo", &[HELLO, WORDS], &[HELLO, WORDS], End::ByInput),
    case("empty text", "echo", &[Line("", 1), HELLO], &[Line("", 1), HELLO], End::ByInput),
    case("lengths", "echo",
        &[Line("a", 125), Line("a", 126), Line("a", 65535), Line("a", 65536)],
        &[Line("a", 125), Line("a", 126), Line("a", 65535), Line("a", 65536)], End::ByInput),
    case("1 MiB", "echo", &[MIB], &[MIB], End::ByInput),
    case("text answered as binary", "binary", &[HELLO, WORDS], &[HELLO, WORDS], End::ByInput),
    case("message at the limit", "bytes/1048576", &[HELLO], &[Line("b", 1_048_576)], End::ByInput),
    case("message over the limit", "bytes/1048577", &[HELLO], &[], End::Failure("1048576", 1009)),

    case("fragments of 1 byte", "fragments/1", &[WORDS], &[WORDS, Line(ALL_PONGS, 1)], End::ByInput),
    case("fragments of 7 bytes", "fragments/7", &[WORDS], &[WORDS, Line(ALL_PONGS, 1)], End::ByInput),
    case("fragments of 65536 bytes", "fragments/65536", &[MIB], &[MIB, Line(ALL_PONGS, 1)], End::ByInput),
    case("ping", "ping", &[HELLO], &[Line(ALL_PONGS, 1)], End::ByInput),

    case("server closes with 1000", "close/1000/au%20revoir", &[HELLO], &[], End::ByServer(1000)),
    case("server goes away", "close/1001/maintenance", &[HELLO], &[], End::ByServer(1001)),
    case("server closes with 3000", "close/3000/", &[HELLO], &[], End::ByServer(3000)),
    case("server closes with 4999", "close/4999/%F0%9F%98%80", &[HELLO], &[], End::ByServer(4999)),
    case("server closes without a code", "close/none", &[HELLO], &[], End::ByServer(1005)),
    case("server drops the connection", "drop", &[HELLO], &[], End::Failure("", 1006)),

    case("refused with 401", "status/401", &[], &[], End::Failure("401", 0)),
    case("redirected with 302", "status/302", &[], &[], End::Failure("302", 0)),
    case("refused with 503", "status/503", &[], &[], End::Failure("503", 0)),

    with_args(&["--header", "X-Interop: a value", "--header", "X-Other: b"],
        case("header", "header/x-interop", &[], &[Line("a value", 1)], End::ByInput)),
    with_args(&["--origin", "https://app.example"],
        case("origin", "header/origin", &[], &[Line("https://app.example", 1)], End::ByInput)),
    case("no origin", "header/origin", &[], &[Line("(none)", 1)], End::ByInput),
    with_args(&["--subprotocol", "chat.v2", "--subprotocol", "chat.v1"],
        case("subprotocols", "subprotocol", &[], &[Line("chat.v1", 1)], End::ByInput)),
    with_args(&["--subprotocol", "mqtt"],
        case("unknown subprotocol", "subprotocol", &[], &[Line("(none)", 1)], End::ByInput)),
    case("no subprotocol", "subprotocol", &[], &[Line("(none)", 1)], End::ByInput),
];

/// What only the server of `ws` can show: `websockets` hides pings, and stops to echo what it read
/// together with a Close.
#[rustfmt::skip]
const NODE_CLIENT_CASES: &[ClientCase] = &[
    with_args(&["--ping", "1"],
        case("keepalive", "pinged", &[], &[Line("got a ping", 1)], End::ByInput)),
    case("answers behind our Close", "echo", &[HELLO, WORDS, MIB], &[HELLO, WORDS, MIB], End::ByInputAtOnce),
];

fn client_to_peer(name: &str, peer: &install::Peer) {
    let mut server = Process::spawn(&mut peer.command("server", &[])).unwrap();
    let url = listening(&server);
    let more = if name == "node" { NODE_CLIENT_CASES } else { &[] };
    for case in CLIENT_CASES.iter().chain(more) {
        eprintln!("{}", case.name);
        run_client(&url, case);
        let code = match case.end {
            End::ByInput | End::ByInputAtOnce => 1000,
            End::ByServer(code) | End::Failure(_, code) => code,
        };
        if code != 0 {
            let seen: Value = serde_json::from_str(&server.line(SHORT).unwrap()).unwrap();
            assert_eq!(seen["path"], format!("/{}", case.path));
            assert_eq!(seen["code"], code, "{}: {seen}", case.name);
        }
    }
    pipelined_lines(&url);
    assert!(server.is_running());
}

fn run_client(url: &str, case: &ClientCase) {
    let mut client =
        Process::spawn(our("client").args(case.args).arg(format!("{url}/{}", case.path))).unwrap();
    for Line(unit, times) in case.input {
        client.send(&unit.repeat(*times));
    }
    if matches!(case.end, End::ByInputAtOnce) {
        client.end_input();
    }
    for Line(unit, times) in case.output {
        let Some(line) = client.line(SHORT) else {
            panic!("{}: output ended early: {:?}", case.name, client.finish(SHORT));
        };
        // Not `assert_eq!`: nobody wants to read 1 MiB.
        assert!(line == unit.repeat(*times), "{}: a line of {} bytes", case.name, line.len());
    }
    if matches!(case.end, End::ByInput) {
        client.end_input();
    }
    let exit = client.finish(SHORT);
    assert!(exit.stdout.is_empty(), "{}: {exit:?}", case.name);
    if let End::Failure(text, _) = case.end {
        assert_eq!(exit.code, Some(1), "{}: {exit:?}", case.name);
        assert_eq!(exit.stderr.lines().count(), 1, "{}: {exit:?}", case.name);
        assert!(exit.stderr.contains(text), "{}: {exit:?}", case.name);
    } else {
        assert_eq!(exit.code, Some(0), "{}: {exit:?}", case.name);
        // It tells of a close with a reason, which only servers give.
        let told = match case.end {
            End::ByServer(code) => exit.stderr.contains(&code.to_string()),
            _ => false,
        };
        assert!(told || exit.stderr.is_empty(), "{}: {exit:?}", case.name);
    }
}

/// Neither end may stop reading while it writes: 10,000 lines go in before one is read.
fn pipelined_lines(url: &str) {
    let mut client = Process::spawn(our("client").arg(format!("{url}/echo"))).unwrap();
    for i in 0..10_000 {
        client.send(&format!("line {i}"));
    }
    for i in 0..10_000 {
        assert_eq!(client.line(SHORT), Some(format!("line {i}")));
    }
    client.end_input();
    let exit = client.finish(SHORT);
    assert_eq!((exit.code, exit.stdout.len()), (Some(0), 0), "{exit:?}");
}

fn peer_client(name: &str, peer: &install::Peer) {
    for io in ADAPTERS {
        let mut servers = EchoServers::start(io, &[]);
        let cases = install::directory().join(format!("cases-{}-{name}-{io}", std::process::id()));
        fs::write(&cases, Value::from(all_cases()).to_string()).unwrap();
        let args = [cases.to_str().unwrap(), &servers.urls.to_string()];
        let client = Process::spawn(&mut peer.command("client", &args)).unwrap();
        let exit = client.finish(LONG);
        fs::remove_file(cases).unwrap();
        assert_eq!(exit.code, Some(0), "{io}: {exit:?}");
        let results = exit.stdout.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        check_results(name, results);
        servers.check_alive();
    }
}

fn all_cases() -> Vec<Value> {
    let mut cases: Vec<Value> = serde_json::from_str(&read("cases.json")).unwrap();
    for case in cases.iter_mut().filter(|case| case["do"] == "random") {
        case["count"] = deflate::messages().into();
    }
    cases.extend(deflate::cases());
    cases
}

/// Every case that there is for this peer ran, in order, and found nothing.
fn check_results(peer: &str, results: Vec<Value>) {
    let failed: Vec<_> = results.iter().filter(|result| !result["error"].is_null()).collect();
    assert!(failed.is_empty(), "{peer}: {failed:#?}");
    let cases = all_cases();
    let is_for_peer = |case: &&Value| {
        case["for"].as_array().is_none_or(|peers| peers.iter().any(|name| name == peer))
    };
    let expected: Vec<_> = cases.iter().filter(is_for_peer).map(|case| &case["name"]).collect();
    let ran: Vec<_> = results.iter().map(|result| &result["name"]).collect();
    assert_eq!(ran, expected);
}

/// The address in the first line of a server, ours or a peer's.
fn listening(server: &Process) -> String {
    let line = server.line(SHORT).expect("a server that starts");
    line.strip_prefix("listening on ").unwrap_or_else(|| panic!("first line {line:?}")).to_owned()
}

fn skipped() -> bool {
    let skipped = std::env::var_os("WEBSOCKET_PROTO_INTEROP").is_some_and(|value| value == "skip");
    if skipped {
        eprintln!("skipped: WEBSOCKET_PROTO_INTEROP=skip");
    }
    skipped
}

fn read(path: &str) -> String {
    fs::read_to_string(install::sources().join(path)).unwrap()
}
