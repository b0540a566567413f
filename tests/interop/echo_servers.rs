//! The servers that the peers' clients talk to.

use serde_json::{Value, json};

use crate::process::Process;
use crate::{listening, our};

/// A process of `echo_server` for each of the origin policies, and for each way to compress.
pub(crate) struct EchoServers {
    processes: Vec<Process>,
    pub(crate) urls: Value,
}

impl EchoServers {
    /// `common` are further arguments of the servers most cases talk to.
    pub(crate) fn start(io: &str, common: &[&str]) -> Self {
        let mut urls = json!({});
        let mut processes = Vec::new();
        for (name, args) in [
            ("main", "--subprotocol chat.v2 --subprotocol chat.v1"),
            ("deflate", "--deflate --deflate-window-bits 15"),
            ("no takeover", "--deflate --deflate-no-context-takeover"),
            ("9 bits", "--deflate --deflate-window-bits 9"),
            ("12 bits", "--deflate --deflate-window-bits 12"),
            ("listed", "--origin https://app.example"),
            ("any", "--origin any"),
        ] {
            let mut command = our("echo_server");
            command.args(["--listen", "127.0.0.1:0", "--io", io]).args(args.split(' '));
            if !args.contains("--origin") {
                command.args(common);
            }
            let process = Process::spawn(&mut command).unwrap();
            urls[name] = listening(&process).into();
            processes.push(process);
        }
        Self { processes, urls }
    }

    /// Whatever the peers did, the servers go on.
    pub(crate) fn check_alive(&mut self) {
        for process in &mut self.processes {
            assert!(process.is_running(), "{}", process.kill());
        }
    }
}
