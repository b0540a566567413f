//! A line client: each line of standard input is sent as a text message, each message received is
//! printed as a line. Where the server gives a reason to close or leads elsewhere, standard error
//! tells. Characters that a terminal would obey are escaped, but for a binary message that goes
//! into a file or a pipe.
//!
//! `cargo run --release --features tokio --example client -- ws://localhost:9001`

mod printable;

use std::io::{BufRead, IsTerminal, stdin};
use std::pin::pin;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Parser;
use printable::{in_one_line, printable};
use tokio::io::{AsyncWriteExt, Stdout, stdout};
use tokio::net::TcpStream;
use tokio::select;
use tokio::sync::mpsc;
use websocket_proto::handshake::{ClientRequest, HandshakeError, Url};
use websocket_proto::io::tokio::{Tokio, connect_with};
use websocket_proto::io::{ClientOptions, Error};
use websocket_proto::{ApiMisuse, CloseCode, Message};

type Receiver = websocket_proto::io::Receiver<Tokio<TcpStream>>;
type Sender = websocket_proto::io::Sender<Tokio<TcpStream>>;

#[derive(Debug, Parser)]
struct Arguments {
    /// A header to send with the request. May be repeated.
    #[arg(long, value_name = "Name: value", value_parser = header)]
    header: Vec<(String, String)>,
    /// A subprotocol to ask for, the preferred one first. May be repeated.
    #[arg(long, value_name = "NAME")]
    subprotocol: Vec<String>,
    /// The origin to send, as a browser would.
    #[arg(long, value_name = "URL")]
    origin: Option<String>,
    /// Offer to compress messages (permessage-deflate).
    #[arg(long)]
    deflate: bool,
    /// With `--deflate`: keep nothing of one message for the next, in either direction.
    #[arg(long, requires = "deflate")]
    deflate_no_context_takeover: bool,
    /// With `--deflate`: the window of both directions, as a power of two.
    #[arg(long, value_name = "N", requires = "deflate", default_value_t = 15,
        value_parser = clap::value_parser!(u8).range(9..=15))]
    deflate_window_bits: u8,
    /// Ping a server that was silent for so long, and give up if it stays so.
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    ping: Option<Duration>,
    /// How long it may take to connect, and how long to close.
    #[arg(long, value_name = "SECS", value_parser = seconds, default_value = "10")]
    timeout: Duration,
    /// Where to connect to: ws://host[:port][/path][?query].
    #[arg(value_name = "URL", value_parser = url)]
    url: Url,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.deflate && cfg!(not(feature = "deflate")) {
        eprintln!("client: --deflate needs a build with --features deflate");
        return ExitCode::from(2);
    }
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("client: {}", in_one_line(&told(&error)));
            ExitCode::from(if matches!(error, Error::Misuse(_)) { 2 } else { 1 })
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run(arguments: &Arguments) -> Result<(), Error> {
    let mut options = ClientOptions::default();
    options.deadlines.handshake = Some(arguments.timeout);
    options.deadlines.close = Some(arguments.timeout);
    options.deadlines.ping_interval = arguments.ping;
    let (websocket, _) = connect_with(&arguments.url, request(arguments), &options).await?;

    // Each direction by itself: neither the server nor we may stop reading while we write.
    let (mut receiver, mut sender) = websocket.split();
    let talked = talk(&mut receiver, &mut sender).await;
    let Ok(mut websocket) = sender.reunite(receiver) else { return talked }; // not reached
    // The server gets the time to read why we close: what is dropped with bytes unread is reset.
    let closed = websocket.close(CloseCode::NORMAL, "").await;
    talked.and(closed)?;
    if let Some(closed) = websocket.connection().closed()
        && !closed.reason.is_empty()
    {
        eprintln!("client: closed with {}: {}", closed.code, in_one_line(closed.reason));
    }
    Ok(())
}

/// Sends lines and prints messages until the connection is over.
async fn talk(receiver: &mut Receiver, sender: &mut Sender) -> Result<(), Error> {
    let send = async {
        let mut lines = lines();
        while let Some(line) = lines.recv().await {
            sender.send(line?).await?;
        }
        sender.send_close(CloseCode::NORMAL, "").await
    };
    let receive = async {
        let mut stdout = stdout();
        // What the server says before it closes, too, is printed.
        while let Some(message) = receiver.recv().await? {
            print(&mut stdout, &message).await?;
        }
        Ok(())
    };
    let mut receive = pin!(receive);
    select! {
        result = &mut receive => result,
        sent = send => match sent {
            // The server may have closed before we did; how is the receiver's to say.
            Ok(()) | Err(Error::Misuse(ApiMisuse::Closing)) => receive.await,
            Err(error) => Err(error),
        },
    }
}

/// What failed; of a server that leads elsewhere, also where.
fn told(error: &Error) -> String {
    if let Error::Handshake(HandshakeError::Refused(response)) = error
        && let Some(location) = response.header("location")
    {
        return format!("{error}, location: {}", String::from_utf8_lossy(location));
    }
    error.to_string()
}

fn request(arguments: &Arguments) -> ClientRequest {
    let mut request = ClientRequest::from_url(&arguments.url);
    for (name, value) in &arguments.header {
        request = request.header(name, value);
    }
    for name in &arguments.subprotocol {
        request = request.subprotocol(name);
    }
    if let Some(origin) = &arguments.origin {
        request = request.origin(origin);
    }
    #[cfg(feature = "deflate")]
    if arguments.deflate {
        let mut deflate = websocket_proto::handshake::DeflateConfig::default();
        deflate.server_no_context_takeover = arguments.deflate_no_context_takeover;
        deflate.client_no_context_takeover = arguments.deflate_no_context_takeover;
        deflate.server_max_window_bits = arguments.deflate_window_bits;
        deflate.client_max_window_bits = arguments.deflate_window_bits;
        request = request.deflate(deflate);
    }
    request
}

/// A text without what a terminal obeys; a binary message as its bytes, unless a terminal would
/// get them.
async fn print(stdout: &mut Stdout, message: &Message<'_>) -> Result<(), Error> {
    let shown = match message {
        Message::Text(text) => printable(text),
        Message::Binary(data) if std::io::stdout().is_terminal() => {
            printable(&String::from_utf8_lossy(data))
        }
        Message::Binary(data) => {
            stdout.write_all(data).await?;
            String::new()
        }
    };
    stdout.write_all(shown.as_bytes()).await?;
    stdout.write_all(b"\n").await?;
    stdout.flush().await?;
    Ok(())
}

/// The lines of standard input, until it ends. A thread of their own reads them, which does not
/// keep the process alive: the server may close while the next line is waited for.
fn lines() -> mpsc::Receiver<Result<String, std::io::Error>> {
    let (sender, receiver) = mpsc::channel(16);
    thread::spawn(move || {
        for line in stdin().lock().lines() {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("no colon between name and value")?;
    Ok((name.to_string(), value.trim().to_string()))
}

fn url(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|error| format!("{error}"))?;
    if url.is_secure() {
        return Err("wss:// needs tls, which this client does not have".to_string());
    }
    Ok(url)
}

/// Seconds, with a fraction if need be.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_string())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("not a positive number of seconds".to_string()),
    }
}
