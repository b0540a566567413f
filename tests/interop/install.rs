//! Installs the peers under `target/interop/` (Chromium: from the distribution's package), once for
//! each version of their manifest, whatever number of tests and of `cargo test` runs ask at once.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::Process;

const INSTALL_LIMIT: Duration = Duration::from_secs(600);

/// A peer that can be started: the interpreter and the directory of its scripts.
pub(crate) struct Peer {
    interpreter: PathBuf,
    scripts: PathBuf,
    extension: &'static str,
}

impl Peer {
    /// `client` or `server`, with its arguments.
    pub(crate) fn command(&self, role: &str, args: &[&str]) -> Command {
        let mut command = Command::new(&self.interpreter);
        command.arg(self.scripts.join(role).with_extension(self.extension)).args(args);
        command
    }
}

/// The `ws` package for Node.js.
pub(crate) fn node() -> Peer {
    let directory = prepare(
        "node",
        &["package.json", "package-lock.json", "client.mjs", "server.mjs"],
        Command::new("node").arg("--version"),
        |directory| {
            run(Command::new("npm").args(["ci", "--ignore-scripts"]).current_dir(directory))
        },
    );
    Peer { interpreter: "node".into(), scripts: directory, extension: "mjs" }
}

/// The `websockets` package for Python.
pub(crate) fn python() -> Peer {
    let directory = prepare(
        "python",
        &["requirements.txt", "client.py", "server.py"],
        Command::new("python3").arg("--version"),
        |directory| {
            run(Command::new("python3")
                .args(["-m", "venv", "--clear", "venv"])
                .current_dir(directory))?;
            run(Command::new(directory.join("venv/bin/python"))
                .args(["-m", "pip", "install", "--quiet", "-r", "requirements.txt"])
                .current_dir(directory))
        },
    );
    Peer { interpreter: directory.join("venv/bin/python"), scripts: directory, extension: "py" }
}

/// Chromium or a browser made from it: the one on the `PATH`, or the package of the distribution
/// where this process may install one.
pub(crate) fn chromium() -> PathBuf {
    let _lock = lock();
    find_chromium().unwrap_or_else(|| {
        let installed = run(Command::new("apt-get").arg("update")).and_then(|()| {
            run(Command::new("apt-get")
                .args(["install", "--yes", "--no-install-recommends", "chromium"])
                .env("DEBIAN_FRONTEND", "noninteractive"))
        });
        installed.unwrap_or_else(|error| missing("chromium", &error));
        find_chromium().unwrap_or_else(|| missing("chromium", "it is not on the PATH"))
    })
}

/// Where files of these tests may go.
pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("interop")
}

/// The sources of these tests.
pub(crate) fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop")
}

/// Copies the files of a peer to where its packages are (Node.js looks for packages beside the
/// script), and installs those unless a stamp says that this manifest, the first files, is there.
fn prepare(
    name: &str,
    files: &[&str],
    version: &mut Command,
    install: impl FnOnce(&Path) -> Result<(), String>,
) -> PathBuf {
    let version = version.output().unwrap_or_else(|error| missing(name, &error.to_string()));
    let _lock = lock();
    let directory = directory().join(name);
    fs::create_dir_all(&directory).unwrap();
    // The whole manifest is the stamp, and the interpreter's version: packages belong to it.
    let mut wanted = version.stdout;
    for file in files {
        let content = fs::read(sources().join(name).join(file)).unwrap();
        fs::write(directory.join(file), &content).unwrap();
        if file.ends_with(".json") || file.ends_with(".txt") {
            wanted.extend(content);
        }
    }
    let stamp = directory.join("installed");
    if fs::read(&stamp).is_ok_and(|found| found == wanted) {
        return directory;
    }
    let _ = fs::remove_file(&stamp);
    install(&directory).unwrap_or_else(|error| missing(name, &error));
    fs::write(&stamp, wanted).unwrap();
    directory
}

/// Held while something is installed, by one test of one process.
fn lock() -> File {
    fs::create_dir_all(directory()).unwrap();
    let file = File::create(directory().join("lock")).unwrap();
    file.lock().unwrap();
    file
}

fn find_chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |directory| directory.join(name)))
        .find(|file| file.is_file())
}

/// Runs an installer to its end.
fn run(command: &mut Command) -> Result<(), String> {
    let name = format!("{command:?}");
    let exit = Process::spawn(command)?.finish(INSTALL_LIMIT);
    if exit.code == Some(0) {
        return Ok(());
    }
    Err(format!("{name} failed with {:?}: {}", exit.code, exit.stderr.trim_end()))
}

/// A peer that is not there fails its tests: one that passes without its peer shows nothing.
fn missing(name: &str, why: &str) -> ! {
    panic!(
        "the peer `{name}` is missing and cannot be installed; \
         WEBSOCKET_PROTO_INTEROP=skip skips these tests: {why}"
    )
}
