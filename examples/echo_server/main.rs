//! An echo server: text comes back as text, binary as binary.
//!
//! `cargo run --release --example echo_server`, then connect to the address that it prints.

mod blocking;
#[cfg(feature = "tokio")]
mod tokio;

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use websocket_proto::handshake::{OriginPolicy, ServerConfig};
use websocket_proto::io::ServerOptions;

#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen. Port 0 picks a free one.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9001")]
    listen: SocketAddr,
    /// Which adapter serves the connections.
    #[arg(long, value_enum, default_value_t = Io::Blocking)]
    io: Io,
    /// Compress messages where the client offers it (permessage-deflate).
    #[arg(long)]
    deflate: bool,
    /// With `--deflate`: keep nothing of one message for the next, in either direction. Compresses
    /// less, and takes no memory between messages.
    #[arg(long, requires = "deflate")]
    deflate_no_context_takeover: bool,
    /// With `--deflate`: the window of both directions, as a power of two.
    #[arg(long, value_name = "N", requires = "deflate", default_value_t = 15,
        value_parser = clap::value_parser!(u8).range(9..=15))]
    deflate_window_bits: u8,
    /// The largest message accepted, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20)]
    max_message_size: u64,
    /// How long the opening handshake may take.
    #[arg(long, value_name = "SECS", value_parser = seconds, default_value = "10")]
    handshake_timeout: Duration,
    /// How long the closing handshake may take.
    #[arg(long, value_name = "SECS", value_parser = seconds, default_value = "10")]
    close_timeout: Duration,
    /// How long a peer may take to close its side after the end, before the connection is reset.
    #[arg(long, value_name = "SECS", value_parser = seconds, default_value = "1")]
    linger: Duration,
    /// Ping a connection that was silent for so long, and close it if it stays so.
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    keepalive: Option<Duration>,
    /// An origin whose pages may connect, such as https://example.com, or `any`. May be repeated.
    /// Without it only pages of the same host may. Programs that are not browsers always may.
    #[arg(long, value_name = "any|URL")]
    origin: Vec<String>,
    /// A subprotocol to agree to, the preferred one first. May be repeated.
    #[arg(long, value_name = "NAME")]
    subprotocol: Vec<String>,
    /// How many connections may be open: a request beyond is refused with status 503.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    max_connections: usize,
    /// With `--io tokio`: a runtime of so many threads. Without it, all is done on one.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Io {
    Blocking,
    Tokio,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.deflate && cfg!(not(feature = "deflate")) {
        eprintln!("echo_server: --deflate needs a build with --features deflate");
        return ExitCode::from(2);
    }
    if arguments.io == Io::Tokio && cfg!(not(feature = "tokio")) {
        eprintln!("echo_server: --io tokio needs a build with --features tokio");
        return ExitCode::from(2);
    }
    match serve(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo_server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let options = Arc::new(options(arguments)?);
    let listener = TcpListener::bind(arguments.listen)?;
    println!("listening on ws://{}", listener.local_addr()?);
    match arguments.io {
        Io::Blocking => blocking::serve(&listener, &options, arguments.max_connections),
        #[cfg(feature = "tokio")]
        Io::Tokio => tokio::serve(listener, options, arguments.max_connections, arguments.threads),
        #[cfg(not(feature = "tokio"))]
        Io::Tokio => Err("built without --features tokio".into()),
    }
}

fn options(arguments: &Arguments) -> Result<ServerOptions, Box<dyn std::error::Error>> {
    let mut handshake = ServerConfig::default();
    if arguments.origin.iter().any(|origin| origin == "any") {
        handshake.origin = OriginPolicy::Any;
    } else if !arguments.origin.is_empty() {
        let origins = arguments.origin.iter().map(|origin| origin.parse());
        handshake.origin = OriginPolicy::List(origins.collect::<Result<_, _>>()?);
    }
    #[cfg(feature = "deflate")]
    if arguments.deflate {
        let mut deflate = websocket_proto::handshake::DeflateConfig::default();
        deflate.server_no_context_takeover = arguments.deflate_no_context_takeover;
        deflate.client_no_context_takeover = arguments.deflate_no_context_takeover;
        deflate.server_max_window_bits = arguments.deflate_window_bits;
        deflate.client_max_window_bits = arguments.deflate_window_bits;
        handshake.deflate = Some(deflate);
    }
    let mut options = ServerOptions::default();
    options.handshake = handshake.into();
    options.subprotocols.clone_from(&arguments.subprotocol);
    options.config.max_message_size = arguments.max_message_size;
    options.config.max_frame_size = arguments.max_message_size;
    options.deadlines.handshake = Some(arguments.handshake_timeout);
    options.deadlines.close = Some(arguments.close_timeout);
    options.deadlines.linger = Some(arguments.linger);
    options.deadlines.ping_interval = arguments.keepalive;
    Ok(options)
}

/// Seconds, with a fraction if need be.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_string())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("not a positive number of seconds".to_string()),
    }
}
