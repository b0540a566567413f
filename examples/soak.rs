//! Runs for a time and checks every byte: an echo server over tokio and one over blocking
//! streams, and clients that come and go, with messages of random size and kind, compressed or
//! not, with pings, slow reading, closing from either side, and resets. At the end descriptors
//! must be back at their number, and memory is printed for whoever looks for a slow leak.
//!
//! `cargo run --release --features tokio,deflate --example soak -- --seconds 600`
//!
//! Linux only: it reads `/proc/self`.

use std::fs;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;
use websocket_proto::handshake::{ClientRequest, DeflateConfig, ServerConfig};
use websocket_proto::io::tokio::{accept_with, client};
use websocket_proto::io::{
    AsyncTransport, ClientOptions, Error, Receiver, Sender, ServerOptions, blocking,
};
use websocket_proto::{CloseCode, Message};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A server that receives this closes.
const GOODBYE: &str = "please close";

#[derive(Clone, Copy, Debug, Parser)]
struct Arguments {
    /// How long to run.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Clients at once, half of them with each server.
    #[arg(long, default_value_t = 16)]
    clients: u64,
    /// The largest message, in bytes.
    #[arg(long, default_value_t = 256 << 10)]
    max_size: u64,
    /// What sizes, kinds, contents and ends follow from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Default)]
struct Totals {
    closed: AtomicU64,
    reset: AtomicU64,
    messages: AtomicU64,
    bytes: AtomicU64,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(arguments: Arguments) -> Result<(), Failure> {
    let mut handshake = ServerConfig::default();
    handshake.deflate = Some(DeflateConfig::default());
    let mut options = ServerOptions::default();
    options.handshake = handshake.into();
    let options = Arc::new(options);
    let addresses = [serve(Arc::clone(&options)).await?, serve_blocking(options)?];
    // Every kind of end once, so that what is pooled is there.
    converse_until(Instant::now(), arguments, addresses).await?;
    let before = (resident()?, settled(0).await?);
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    let totals = converse_until(end, arguments, addresses).await?;
    let after = (resident()?, settled(before.1).await?);
    let count = |number: &AtomicU64| number.load(Ordering::Relaxed);
    println!(
        "{} s: {} connections closed, {} reset, {} messages, {} bytes each way, all as sent",
        arguments.seconds,
        count(&totals.closed),
        count(&totals.reset),
        count(&totals.messages),
        count(&totals.bytes)
    );
    println!("resident {} -> {} KiB, descriptors {} -> {}", before.0, after.0, before.1, after.1);
    if after.1 > before.1 {
        return Err("descriptors are left".into());
    }
    Ok(())
}

/// Clients that come and go; each has at least four connections, one for each end.
async fn converse_until(
    end: Instant,
    arguments: Arguments,
    addresses: [SocketAddr; 2],
) -> Result<Arc<Totals>, Failure> {
    let totals = Arc::new(Totals::default());
    let mut clients = JoinSet::new();
    for id in 0..arguments.clients {
        let totals = Arc::clone(&totals);
        let address = addresses[(id % 2) as usize];
        clients.spawn(async move {
            let mut random = Random::new(arguments.seed ^ id << 32);
            let mut round = 0;
            while round < 4 || Instant::now() < end {
                converse(address, &mut random, arguments, round % 4, &totals)
                    .await
                    .map_err(|error| format!("client {id}, connection {round}: {error}"))?;
                round += 1;
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended??;
    }
    Ok(totals)
}

/// One connection. `kind` says how it ends: 0 and 1 we close, 2 the server does, 3 it is reset.
async fn converse(
    address: SocketAddr,
    random: &mut Random,
    arguments: Arguments,
    kind: u64,
    totals: &Totals,
) -> Result<(), Failure> {
    let stream = TcpStream::connect(address).await?;
    let mut request = ClientRequest::new(address.to_string(), "/");
    if random.below(2) == 0 {
        request = request.deflate(DeflateConfig::default());
    }
    let (websocket, _) = client(stream, request, &ClientOptions::default()).await?;
    let (mut receiver, mut sender) = websocket.split();
    let count = 1 + random.below(30);
    // The same numbers for what is sent and for what must come back.
    let contents = random.next();
    let slow = random.below(3) == 0;
    let send = async {
        let mut same = Random::new(contents);
        for _ in 0..count {
            sender.send(same.message(arguments.max_size)).await?;
            if same.below(4) == 0 {
                sender.ping(&same.next().to_le_bytes()).await?;
            }
        }
        Ok::<_, Failure>(())
    };
    let receive = async {
        let mut same = Random::new(contents);
        for index in 0..count {
            if slow {
                sleep(Duration::from_millis(2)).await;
            }
            let expected = same.message(arguments.max_size);
            if same.below(4) == 0 {
                same.next();
            }
            let received = receiver.recv().await?.ok_or("it ended before all was echoed")?;
            if received != expected {
                return Err(format!("message {index} is not what was sent").into());
            }
            totals.messages.fetch_add(1, Ordering::Relaxed);
            totals.bytes.fetch_add(received.as_bytes().len() as u64, Ordering::Relaxed);
        }
        Ok::<_, Failure>(())
    };
    tokio::try_join!(send, receive)?;
    end(receiver, sender, kind).await?;
    let ended = if kind == 3 { &totals.reset } else { &totals.closed };
    ended.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

async fn end<T: AsyncTransport>(
    mut receiver: Receiver<T>,
    mut sender: Sender<T>,
    kind: u64,
) -> Result<(), Failure> {
    match kind {
        0 | 1 => sender.send_close(CloseCode::NORMAL, "done").await?,
        2 => sender.send(GOODBYE).await?,
        _ => {
            // Closed with input unread, or with a message half sent: a reset.
            sender.feed(vec![0; 300_000]).await?;
            sleep(Duration::from_millis(5)).await;
            return Ok(());
        }
    }
    match receiver.recv().await? {
        None => Ok(()),
        Some(_) => Err("a message that nobody sent".into()),
    }
}

async fn serve(options: Arc<ServerOptions>) -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let options = Arc::clone(&options);
            // A reset is an error here; what it must not do shows at the clients.
            tokio::spawn(async move { echo(stream, &options).await });
        }
    });
    Ok(address)
}

async fn echo(stream: TcpStream, options: &ServerOptions) -> Result<(), Error> {
    let mut websocket = accept_with(stream, options, |request| Ok(options.accept(request))).await?;
    while let Some(message) = websocket.recv().await? {
        if message.as_text() == Some(GOODBYE) {
            return websocket.close(CloseCode::GOING_AWAY, "").await;
        }
        websocket.feed(message).await?;
    }
    Ok(())
}

fn serve_blocking(options: Arc<ServerOptions>) -> Result<SocketAddr, Failure> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let options = Arc::clone(&options);
            std::thread::spawn(move || echo_blocking(stream, &options));
        }
    });
    Ok(address)
}

fn echo_blocking(stream: std::net::TcpStream, options: &ServerOptions) -> Result<(), Error> {
    let mut websocket =
        blocking::accept_with(stream, options, |request| Ok(options.accept(request)))?;
    while let Some(message) = websocket.recv()? {
        if message.as_text() == Some(GOODBYE) {
            return websocket.close(CloseCode::GOING_AWAY, "");
        }
        websocket.feed(message)?;
    }
    Ok(())
}

/// The resident memory, in KiB.
fn resident() -> Result<u64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim_end_matches("kB").trim().parse()?)
}

/// How many descriptors there are once no more than `most` are left, or after ten seconds: a
/// server learns of a reset a little later.
async fn settled(most: usize) -> Result<usize, Failure> {
    let count = || Ok::<_, Failure>(fs::read_dir("/proc/self/fd")?.count());
    for _ in 0..if most == 0 { 20 } else { 100 } {
        if count()? <= most {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    count()
}

/// SplitMix64: a seed repeats what was sent.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Text or bytes, often small, up to `max` bytes; some of it compresses well.
    fn message(&mut self, max: u64) -> Message<'static> {
        let small = self.below(20);
        let size = (self.below(max + 1) >> small) as usize;
        let repeats = self.below(3) == 0;
        let word = self.next();
        let mut bytes = Vec::with_capacity(size + 8);
        while bytes.len() < size {
            let word = if repeats { word } else { self.next() };
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes.truncate(size);
        if self.below(2) == 0 {
            return Message::binary(bytes);
        }
        bytes.iter_mut().for_each(|byte| *byte &= 0x7F);
        Message::text(String::from_utf8(bytes).expect("ascii"))
    }
}
