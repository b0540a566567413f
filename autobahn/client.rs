//! The client that the Autobahn suite tests: it runs every case that the suite's server offers,
//! echoing each message, then asks for the reports.
//!
//! `autobahn/run.sh client` starts it.

use std::error::Error;
use std::net::TcpStream;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use websocket_proto::handshake::{ClientRequest, Url};
use websocket_proto::io::blocking::{self, WebSocket};
use websocket_proto::io::{self, ClientOptions};

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

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.io == Io::Tokio || arguments.deflate {
        eprintln!("autobahn_client: --io tokio and --deflate are not available in this version");
        return ExitCode::from(2);
    }
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("autobahn_client: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let Arguments { url, agent, .. } = arguments;
    let mut options = ClientOptions::default();
    options.config.max_message_size = arguments.max_message_size;
    options.config.max_frame_size = arguments.max_message_size;

    for case in 1..=case_count(url, &options)? {
        let websocket = connect(&format!("{url}/runCase?case={case}&agent={agent}"), &options)?;
        // Many cases break the protocol on purpose: only the suite can tell whether this is right.
        if let Err(error) = echo(websocket) {
            eprintln!("case {case}: {error}");
        }
    }

    // The server closes when the reports are written.
    let mut reports = connect(&format!("{url}/updateReports?agent={agent}"), &options)?;
    while reports.recv()?.is_some() {}
    Ok(())
}

/// The server sends the number of its cases as text, then closes.
fn case_count(url: &str, options: &ClientOptions) -> Result<u32, Box<dyn Error>> {
    let mut websocket = connect(&format!("{url}/getCaseCount"), options)?;
    let message = websocket.recv()?.ok_or("the server closed without a case count")?;
    let count = message.as_text().ok_or("the case count is not text")?.parse()?;
    while websocket.recv()?.is_some() {}
    Ok(count)
}

fn connect(url: &str, options: &ClientOptions) -> Result<WebSocket<TcpStream>, io::Error> {
    let url: Url = url.parse()?;
    let stream = blocking::connect_tcp(&url, options)?;
    let (websocket, _) = blocking::client(stream, ClientRequest::from_url(&url), options)?;
    Ok(websocket)
}

fn echo(mut websocket: WebSocket<TcpStream>) -> Result<(), io::Error> {
    while let Some(message) = websocket.recv()? {
        websocket.feed(message)?;
    }
    Ok(())
}
