//! A [`Dialed`]: a [`Script`] that answers the request of a client, whose key is a random one.

use std::io::{self, Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use websocket_proto::io::{TimeLimit, Transport};

use super::script::Script;

/// Once the request has been written, the response and `input` can be read.
#[derive(Debug)]
pub struct Dialed {
    script: Script,
    input: Option<Vec<u8>>,
}

impl Dialed {
    pub fn new(script: Script, input: &[u8]) -> Self {
        Self { script, input: Some(input.to_vec()) }
    }

    fn answer(&mut self) {
        let written = self.script.written();
        if self.input.is_none() || !written.ends_with(b"\r\n\r\n") {
            return;
        }
        let request = String::from_utf8(written).unwrap();
        let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        // 4.2.2: the key "concatenated with" this text
        let text = key.unwrap().to_owned() + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
        let accept = STANDARD.encode(Sha1::digest(text));
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        self.script.push(head.as_bytes());
        self.script.push(&self.input.take().unwrap());
    }
}

impl Read for Dialed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.script.read(buffer)
    }
}

impl Write for Dialed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.script.write(bytes);
        self.answer();
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.script.flush()
    }
}

impl Transport for Dialed {
    fn limit_reads(&mut self, limit: &mut TimeLimit) -> io::Result<bool> {
        self.script.limit_reads(limit)
    }

    fn limit_writes(&mut self, limit: &mut TimeLimit) -> io::Result<bool> {
        self.script.limit_writes(limit)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.script.shutdown_write()
    }
}
