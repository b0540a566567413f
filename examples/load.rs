//! Many connections, both directions at once, every byte accounted for: a server and as many
//! clients in one process, over loopback. Each side sends messages of random size and kind on each
//! connection, and keeps a hash over all that it received, chained: a message that is lost,
//! doubled, reordered or changed shows at the end.
//!
//! `cargo run --release --features tokio --example load -- --connections 1000 --messages 1000`

use std::hash::{DefaultHasher, Hasher};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use websocket_proto::handshake::ClientRequest;
use websocket_proto::io::tokio::{WebSocket, accept, client};
use websocket_proto::io::{ClientOptions, Error};
use websocket_proto::{CloseCode, Message};

#[derive(Clone, Copy, Debug, Parser)]
struct Arguments {
    /// Connections, all open at once.
    #[arg(long, default_value_t = 1000)]
    connections: u64,
    /// Messages that each side sends on each connection.
    #[arg(long, default_value_t = 1000)]
    messages: u64,
    /// The largest message, in bytes.
    #[arg(long, default_value_t = 64 << 10)]
    max_size: u64,
    /// What the sizes, kinds and contents follow from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// A hash over messages in order, and how many bytes they had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Chain {
    hash: u64,
    messages: u64,
    bytes: u64,
}

impl Chain {
    fn add(&mut self, message: &Message<'_>) {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.hash);
        hasher.write_u8(u8::from(message.as_text().is_some()));
        hasher.write(message.as_bytes());
        self.hash = hasher.finish();
        self.messages += 1;
        self.bytes += message.as_bytes().len() as u64;
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(bytes) => {
            let Arguments { connections, messages, .. } = arguments;
            println!(
                "{connections} connections, {messages} messages each way on each, {bytes} bytes: \
                 all as sent"
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(arguments: Arguments) -> Result<u64, Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let start = Instant::now();
    let mut clients = JoinSet::new();
    let mut servers = JoinSet::new();
    for id in 0..arguments.connections {
        clients.spawn(async move {
            let stream = TcpStream::connect(address).await?;
            let request = ClientRequest::new(address.to_string(), "/");
            let (websocket, _) = client(stream, request, &ClientOptions::default()).await?;
            converse(websocket, arguments, 2 * id).await.map(|chains| (id, chains))
        });
        // One at a time, so that both ends of a connection know its number.
        let (stream, _) = listener.accept().await?;
        servers.spawn(async move {
            let websocket = accept(stream).await?;
            converse(websocket, arguments, 2 * id + 1).await.map(|chains| (id, chains))
        });
    }
    let mut chains = vec![(Chain::default(), Chain::default()); arguments.connections as usize];
    while let Some(ended) = clients.join_next().await {
        let (id, ended) = ended??;
        chains[id as usize] = ended;
    }
    let mut bytes = 0;
    while let Some(ended) = servers.join_next().await {
        let (id, (sent, received)) = ended??;
        let (client_sent, client_received) = chains[id as usize];
        if sent != client_received || received != client_sent {
            return Err(format!("connection {id}: what was received is not what was sent").into());
        }
        bytes += sent.bytes + received.bytes;
    }
    println!("{:.1} s", start.elapsed().as_secs_f64());
    Ok(bytes)
}

/// Sends and receives at once until both sides have sent all; returns both chains.
async fn converse(
    websocket: WebSocket<TcpStream>,
    arguments: Arguments,
    stream: u64,
) -> Result<(Chain, Chain), Error> {
    let (mut receiver, mut sender) = websocket.split();
    let send = async {
        let mut chain = Chain::default();
        let mut random = Random(arguments.seed ^ stream.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for _ in 0..arguments.messages {
            let message = random.message(arguments.max_size);
            chain.add(&message);
            sender.send(message).await?;
        }
        // The client closes when both have said all; the server waits for that.
        Ok::<_, Error>(chain)
    };
    let receive = async {
        let mut chain = Chain::default();
        while chain.messages < arguments.messages {
            match receiver.recv().await? {
                Some(message) => chain.add(&message),
                None => break,
            }
        }
        Ok::<_, Error>(chain)
    };
    let (sent, received) = tokio::try_join!(send, receive)?;
    if stream.is_multiple_of(2) {
        sender.send_close(CloseCode::NORMAL, "").await?;
    }
    while receiver.recv().await?.is_some() {}
    Ok((sent, received))
}

/// A small generator (xorshift64*): what matters is that a seed repeats a run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Text or bytes, often small, up to `max` bytes.
    fn message(&mut self, max: u64) -> Message<'static> {
        let bits = self.next() % 17;
        let size = (self.next() % (max + 1)).min(max >> (16 - bits)) as usize;
        let mut bytes = Vec::with_capacity(size + 8);
        while bytes.len() < size {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(size);
        if self.next().is_multiple_of(2) {
            return Message::binary(bytes);
        }
        bytes.iter_mut().for_each(|byte| *byte &= 0x7F);
        Message::text(String::from_utf8(bytes).expect("ascii"))
    }
}
