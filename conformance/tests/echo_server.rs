//! The suite on the crate's example server and example client, as a user runs it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Builds examples of the crate beside this one, with the profile of this test.
fn example(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "websocket-proto", "--all-features"])
        .args(["--profile", "test", "--example", name])
        .current_dir(root)
        .status()
        .unwrap();
    assert!(built.success(), "cannot build the example {name}");
    // This program lies in the same target directory.
    Path::new(env!("CARGO_BIN_EXE_ws-conformance")).parent().unwrap().join("examples").join(name)
}

fn suite(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ws-conformance"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    suite(arguments).output().unwrap()
}

/// The address in the line that says where a process listens.
fn address(line: &str) -> &str {
    line.trim().rsplit_once("listening on ").expect("it says where it listens").1
}

fn echo_server(adapter: &str) -> (Running, String) {
    let mut child = Command::new(example("echo_server"))
        .args(["--listen", "127.0.0.1:0", "--io", adapter])
        .args(["--max-message-size", "16777216", "--deflate"])
        .stdout(Stdio::piped())
        // It tells of every faulty peer.
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (Running(child), address(&line).to_owned())
}

/// Every kind of case, and of each no more than takes seconds.
const REPRESENTATIVE: [&str; 17] = [
    "1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.1.3", "9.3.1", "9.6.6", "9.8.2", "10.*",
    "12.1.10", "12.2.4", "13.3.11", "13.5.4", "F.*",
];

fn cases() -> Vec<&'static str> {
    REPRESENTATIVE.iter().flat_map(|glob| ["--case", glob]).collect()
}

#[test]
fn a_good_server_passes() {
    for adapter in ["tokio", "blocking"] {
        let (_server, url) = echo_server(adapter);
        let output = suite(&["server", &url]).args(cases()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{adapter}: {text}");
        assert!(text.contains("all as expected"), "{text}");
    }
}

#[test]
fn a_good_client_passes() {
    let mut child = suite(&["client", "--listen", "127.0.0.1:0"])
        .args(cases())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    stderr.read_line(&mut line).unwrap();
    let suite = Running(child);
    let client = Command::new(example("autobahn_client"))
        .args(["--url", address(&line), "--io", "tokio", "--deflate"])
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(client.success());
    let mut suite = suite;
    assert!(suite.0.wait().unwrap().success(), "a case is not as expected");
}

#[test]
fn outcomes_are_expected_once_they_are_written_down() {
    let (_server, url) = echo_server("tokio");
    let folder = std::env::temp_dir().join(format!("ws-conformance-test-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("expected.json");
    let (report, junit) = (folder.join("report"), folder.join("junit.xml"));
    let [file, report, junit] = [&file, &report, &junit].map(|path| path.to_str().unwrap());
    let some = ["server", &url, "--case", "7.*", "--quiet"];
    assert!(run(&[&some[..], &["--write-expect", file]].concat()).status.success());
    let outputs = ["--expect", file, "--report", report, "--junit", junit];
    assert!(run(&[&some[..], &outputs].concat()).status.success());
    let index: serde_json::Value =
        serde_json::from_slice(&std::fs::read(format!("{report}/index.json")).unwrap()).unwrap();
    let cases = index.as_object().unwrap().values().next().unwrap();
    assert_eq!(cases["7.1.6"]["behavior"], "INFORMATIONAL");
    assert_eq!(cases["7.1.1"]["behaviorClose"], "OK");
    assert!(std::fs::read_to_string(junit).unwrap().contains("tests=\"37\""));
    // What is not judged is not expected, where nobody said so.
    std::fs::write(file, r#"{"exceptions": {}}"#).unwrap();
    assert_eq!(run(&[&some[..], &["--expect", file]].concat()).status.code(), Some(1));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_makes_no_sense_is_said_in_one_line() {
    for (arguments, said) in [
        (&["server", "http://127.0.0.1"][..], "scheme"),
        (&["server", "ws://127.0.0.1:1"], "cannot connect"),
        (&["server", "ws://127.0.0.1:1", "--case", "99.*"], "no case is called 99.*"),
        (&["server", "ws://127.0.0.1:1", "--expect", "/nonexistent"], "/nonexistent"),
        (&["server", "ws://127.0.0.1:1", "--report", "/proc/nonexistent"], "cannot write"),
        (&["explain", "1.1.99"], "no case is called 1.1.99"),
    ] {
        let output = run(arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(error.contains(said), "{error}");
    }
}

/// A server that is none: it says something else, or nothing.
#[test]
fn what_is_no_websocket_server_is_no_peer() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            use std::io::Write as _;
            let _ = (&stream).write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let output = run(&["server", &url]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("404"));
}
