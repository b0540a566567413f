//! A child process as a test needs it: lines in, lines out, a time limit on every wait, and no
//! child that outlives its handle.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A running child. Its standard streams are served by threads, so that neither side can block the
/// other: a test may write 10,000 lines before it reads one.
pub(crate) struct Process {
    child: Child,
    name: String,
    /// Dropping it closes the child's standard input.
    stdin: Option<Sender<String>>,
    stdout: Receiver<String>,
    stderr: Option<JoinHandle<String>>,
}

/// How a child ended.
#[derive(Debug)]
pub(crate) struct Exit {
    /// `None`: by a signal.
    pub(crate) code: Option<i32>,
    /// The lines of standard output that were not read before.
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: String,
}

impl Process {
    /// Starts `command`; the error names it.
    pub(crate) fn spawn(command: &mut Command) -> Result<Self, String> {
        let name = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot run {name}: {error}"))?;

        let (stdin, lines) = channel::<String>();
        let mut pipe = child.stdin.take().unwrap();
        thread::spawn(move || {
            for line in lines {
                // A child that has ended reads no more; its exit is what the test looks at.
                if pipe.write_all(line.as_bytes()).and_then(|()| pipe.write_all(b"\n")).is_err() {
                    return;
                }
            }
        });

        let (sender, stdout) = channel();
        let pipe = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            // What is not UTF-8 ends the output early, and with that fails the test.
            for line in pipe.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });

        let mut pipe = child.stderr.take().unwrap();
        let stderr = thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = pipe.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Ok(Self { child, name, stdin: Some(stdin), stdout, stderr: Some(stderr) })
    }

    /// Queues a line for standard input.
    pub(crate) fn send(&mut self, line: &str) {
        self.stdin.as_ref().expect("standard input is open").send(line.to_owned()).ok();
    }

    /// Ends standard input after what was queued.
    pub(crate) fn end_input(&mut self) {
        self.stdin = None;
    }

    /// The next line of standard output, or `None` at its end.
    pub(crate) fn line(&self, limit: Duration) -> Option<String> {
        match self.stdout.recv_timeout(limit) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("no line within {limit:?} from {}", self.name),
        }
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the child to end by itself.
    pub(crate) fn finish(mut self, limit: Duration) -> Exit {
        let deadline = Instant::now() + limit;
        while self.is_running() {
            if Instant::now() > deadline {
                let stderr = self.kill();
                panic!("still running after {limit:?}: {}\n{stderr}", self.name);
            }
            thread::sleep(Duration::from_millis(5));
        }
        let code = self.child.wait().unwrap().code();
        let stdout = self.stdout.iter().collect();
        Exit { code, stdout, stderr: self.kill() }
    }

    /// Ends the child; returns what it wrote to standard error.
    pub(crate) fn kill(&mut self) -> String {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.stderr.take().map(|thread| thread.join().unwrap()).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
