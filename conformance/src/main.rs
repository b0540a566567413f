//! `ws-conformance`: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    websocket_conformance::cli::run()
}
