//! The servers that the peers' clients talk to.

use serde_json::{Value, json};

use crate::process::Process;
use crate::{deflate, listening, our};

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
        let fixed = [
            ("main", "--subprotocol chat.v2 --subprotocol chat.v1"),
            ("listed", "--origin https://app.example"),
            ("any", "--origin any"),
        ]
        .map(|(name, args)| (name.to_string(), args.to_string()));
        for (name, args) in fixed.into_iter().chain(deflate::servers()) {
            let mut command = our("echo_server");
            // A peer on a loaded machine may need more than a second to read why it was refused.
            command.args(["--listen", "127.0.0.1:0", "--io", io, "--linger", "10"]);
            command.args(args.split(' '));
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
