//! `ws-conformance`: the arguments, and what the exit status says.

mod client;
mod explain;
mod list;
mod outcomes;
mod server;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Error;

/// Tests WebSocket servers and clients for conformance to RFC 6455 and RFC 7692.
///
/// The exit status is 0 if all is as expected, 1 if not, and 2 if nothing could be tested.
#[derive(Debug, Parser)]
#[command(name = "ws-conformance", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tests an echo server.
    Server(server::Arguments),
    /// Listens, and tests the clients that connect, by the protocol of Autobahn's fuzzing server.
    ///
    /// It ends when a client asks for /updateReports.
    Client(client::Arguments),
    /// Lists the cases: id, title, section of the RFC, role.
    List(list::Arguments),
    /// Says what a case sends, what is allowed, and why.
    Explain(explain::Arguments),
}

/// Runs the program with the arguments of the process.
pub fn run() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Server(arguments) => server::run(&arguments),
        Command::Client(arguments) => client::run(&arguments),
        Command::List(arguments) => list::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Prints to standard output. A reader that went away is no fault of the peer under test.
fn print(text: &str) -> Result<(), Error> {
    use std::io::{ErrorKind, Write as _, stdout};
    match stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::new(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_make_sense() {
        Arguments::command().debug_assert();
    }
}
