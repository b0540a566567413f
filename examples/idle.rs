//! What an idle connection costs: opens many, sends one message over each, waits until all are
//! idle, and prints how much resident memory the server has for each, its task included.
//!
//! `cargo run --release --features tokio --example idle [CONNECTIONS]`
//!
//! The clients are another process, so that only the server's memory counts. What the kernel
//! keeps for a socket is not in it. Linux only: it reads `/proc/self/status`. Both processes need
//! a descriptor for each connection: see `ulimit -n`.

use std::error::Error;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use tokio::io::{AsyncReadExt, stdin};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time;
use websocket_proto::io;
use websocket_proto::io::tokio::{accept, connect};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => server(10_000).await,
        [count] => server(count.parse()?).await,
        [port, count] => clients(port.parse()?, count.parse()?).await,
        _ => Err("usage: idle [CONNECTIONS]".into()),
    }
}

async fn server(count: usize) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("0.0.0.0:0").await?;
    let port = listener.local_addr()?.port();
    let mut clients = Command::new(env::current_exe()?)
        .args([port.to_string(), count.to_string()])
        .stdin(Stdio::piped())
        .spawn()?;

    let (idle, mut idles) = mpsc::channel(1);
    let before = resident()?;
    for _ in 0..count {
        let (stream, _) = listener.accept().await?;
        let idle = idle.clone();
        tokio::spawn(async move {
            if let Err(error) = echo(stream, idle).await {
                eprintln!("connection: {error}");
            }
        });
    }
    for _ in 0..count {
        idles.recv().await;
    }
    // Every echo has been queued; let the last ones leave.
    time::sleep(Duration::from_secs(1)).await;
    let after = resident()?;
    let each = (after - before) / count;
    println!(
        "{count} idle connections: {each} bytes resident each ({before} before, {after} after)"
    );
    drop(clients.stdin.take());
    clients.wait()?;
    Ok(())
}

async fn echo(stream: TcpStream, idle: mpsc::Sender<()>) -> Result<(), io::Error> {
    let mut websocket = accept(stream).await?;
    if let Some(message) = websocket.recv().await? {
        websocket.send(message).await?;
    }
    // Nobody listens any more once all were counted.
    let _ = idle.send(()).await;
    drop(idle);
    while let Some(message) = websocket.recv().await? {
        websocket.feed(message).await?;
    }
    Ok(())
}

async fn clients(port: u16, count: usize) -> Result<(), Box<dyn Error>> {
    let mut open = Vec::with_capacity(count);
    for i in 0..count {
        // An address has ports for no more than 28,000 connections to the same server.
        let mut websocket = connect(&format!("ws://127.0.0.{}:{port}/", 1 + i / 20_000)).await?;
        websocket.send("one message").await?;
        websocket.recv().await?;
        open.push(websocket);
    }
    // Until the server has measured.
    stdin().read_to_end(&mut Vec::new()).await?;
    Ok(())
}

/// The resident memory of this process, in bytes.
fn resident() -> Result<usize, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kib: usize = line.trim_end_matches("kB").trim().parse()?;
    Ok(kib << 10)
}
