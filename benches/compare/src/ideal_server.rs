//! Echo servers by hand, around the ideal codec: over epoll and over tokio. A connection owns a
//! buffer only while it has an unfinished message.

#![expect(clippy::vec_box, reason = "an idle connection keeps a pointer, not a parser")]

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::net::SocketAddr;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use tokio::io::AsyncWriteExt;

use crate::engines::ideal::{Parser, echo};

struct Peer {
    stream: TcpStream,
    open: bool,
    parser: Option<Box<Parser>>,
    unsent: Vec<u8>,
}

const LISTENER: Token = Token(usize::MAX);

pub fn epoll(addr: SocketAddr) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(addr)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut peers: Vec<Option<Peer>> = Vec::new();
    let mut free = Vec::new();
    let mut events = Events::with_capacity(1024);
    let mut spare = Vec::new();
    let mut output = Vec::new();
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            let Token(index) = event.token();
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true)?;
                    let index = free.pop().unwrap_or_else(|| {
                        peers.push(None);
                        peers.len() - 1
                    });
                    let interest = Interest::READABLE | Interest::WRITABLE;
                    poll.registry().register(&mut stream, Token(index), interest)?;
                    let peer = Peer { stream, open: false, parser: None, unsent: Vec::new() };
                    peers[index] = Some(peer);
                }
            } else if let Some(peer) = &mut peers[index]
                && peer.serve(&mut spare, &mut output).is_err()
            {
                peers[index] = None;
                free.push(index);
            }
        }
    }
}

impl Peer {
    fn serve(&mut self, spare: &mut Vec<Box<Parser>>, output: &mut Vec<u8>) -> io::Result<()> {
        if !self.unsent.is_empty() {
            let unsent = std::mem::take(&mut self.unsent);
            self.write(&unsent)?;
        }
        // What cannot be written is not read either.
        while self.unsent.is_empty() {
            let mut parser = self.parser.take().or_else(|| spare.pop()).unwrap_or_default();
            let room = parser.room();
            let capacity = room.len();
            let count = match self.stream.read(room) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.keep(parser, spare);
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            if self.open {
                parser.filled(count);
                output.clear();
                echo(&mut parser, output);
                self.write(output)?;
            } else {
                let response = respond(&room[..count])?;
                self.open = true;
                self.write(response.as_bytes())?;
            }
            self.keep(parser, spare);
            if count < capacity {
                return Ok(());
            }
        }
        Ok(())
    }

    fn keep(&mut self, parser: Box<Parser>, spare: &mut Vec<Box<Parser>>) {
        if parser.is_empty() {
            spare.push(parser);
        } else {
            self.parser = Some(parser);
        }
    }

    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.unsent = bytes.to_vec();
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

thread_local! {
    static SPARE: RefCell<Vec<Box<Parser>>> = const { RefCell::new(Vec::new()) };
    static OUTPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

pub async fn tokio(stream: tokio::net::TcpStream) {
    let _ = tokio_echo(stream).await;
}

async fn tokio_echo(mut stream: tokio::net::TcpStream) -> io::Result<()> {
    let mut mine: Option<Box<Parser>> = None;
    let mut open = false;
    loop {
        stream.readable().await?;
        let mut parser =
            mine.take().or_else(|| SPARE.with_borrow_mut(Vec::pop)).unwrap_or_default();
        let room = parser.room();
        let mut response = String::new();
        match stream.try_read(room) {
            Ok(0) => return Ok(()),
            Ok(count) if open => parser.filled(count),
            Ok(count) => {
                response = respond(&room[..count])?;
                open = true;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        let mut output = OUTPUT.take();
        output.clear();
        output.extend_from_slice(response.as_bytes());
        echo(&mut parser, &mut output);
        if parser.is_empty() {
            SPARE.with_borrow_mut(|spare| spare.push(parser));
        } else {
            mine = Some(parser);
        }
        // Most of the time it fits, and the buffer goes back without having been held across a wait.
        let count = match stream.try_write(&output) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error),
        };
        if count < output.len() {
            stream.write_all(&output[count..]).await?;
        }
        OUTPUT.set(output);
    }
}

/// The 101, for a request that comes in one piece, as the load generator sends it.
fn respond(request: &[u8]) -> io::Result<String> {
    let request = std::str::from_utf8(request).map_err(io::Error::other)?;
    let mut lines = request.split("\r\n").filter_map(|line| line.split_once(": "));
    let key = lines.find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"));
    let (_, key) = key.ok_or_else(|| io::Error::other("no key"))?;
    let accept = tungstenite::handshake::derive_accept_key(key.as_bytes());
    Ok(format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    ))
}
