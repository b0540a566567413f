//! The client that the Autobahn suite tests: it runs every case that the suite's server offers,
//! echoing each message, then asks for the reports.
//!
//! `autobahn/run.sh client` starts it.

mod blocking;
mod tokio;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use websocket_proto::ApiMisuse;
use websocket_proto::handshake::{ClientRequest, DeflateConfig, Url};
use websocket_proto::io::ClientOptions;

#[derive(Debug, Parser)]
struct Arguments {
    /// The suite's server, such as ws://127.0.0.1:9001.
    #[arg(long)]
    url: String,
    /// The name that the reports give to this client.
    #[arg(long, default_value = "websocket-proto")]
    agent: String,
    /// Which adapter runs the connections.
    #[arg(long, value_enum, default_value_t = Io::Blocking)]
    io: Io,
    /// Offer compression (permessage-deflate).
    #[arg(long)]
    deflate: bool,
    /// The largest message accepted, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 16 << 20)]
    max_message_size: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Io {
    Blocking,
    Tokio,
}

/// How each connection is opened.
struct Suite<'a> {
    arguments: &'a Arguments,
    options: ClientOptions,
}

impl Suite<'_> {
    fn request(&self, target: &str) -> Result<(Url, ClientRequest), ApiMisuse> {
        let url: Url = format!("{}{target}", self.arguments.url).parse()?;
        let mut request = ClientRequest::from_url(&url);
        if self.arguments.deflate {
            request = request.deflate(DeflateConfig::default());
        }
        Ok((url, request))
    }

    fn run_case(&self, case: u32) -> String {
        format!("/runCase?case={case}&agent={}", self.arguments.agent)
    }

    /// The server closes when the reports are written.
    fn update_reports(&self) -> String {
        format!("/updateReports?agent={}", self.arguments.agent)
    }
}

/// The server sends the number of its cases as text, then closes.
const CASE_COUNT: &str = "/getCaseCount";

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("autobahn_client: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let mut options = ClientOptions::default();
    options.config.max_message_size = arguments.max_message_size;
    options.config.max_frame_size = arguments.max_message_size;
    let suite = Suite { arguments, options };
    match arguments.io {
        Io::Blocking => blocking::run(&suite),
        Io::Tokio => tokio::run(&suite),
    }
}
