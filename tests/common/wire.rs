//! Frames on the wire, written and read by code of the tests' own: an error in the crate's encoder
//! cannot hide one in its decoder.

use websocket_proto::{Config, Connection, Event, Output, ProtocolError, State};

use super::{client, drain, server};

pub const FIN: u8 = 0x80;
pub const CONTINUATION: u8 = 0x0;
pub const TEXT: u8 = 0x1;
pub const BINARY: u8 = 0x2;
pub const CLOSE: u8 = 0x8;
pub const PING: u8 = 0x9;
pub const PONG: u8 = 0xA;

/// The key of every masked frame that tests build.
pub const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Which end is under test; the frames that it receives are built to suit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Client,
    Server,
}

pub const ROLES: [Role; 2] = [Role::Client, Role::Server];

impl Role {
    pub fn connection(self, config: Config) -> Connection {
        match self {
            Self::Client => client(config),
            Self::Server => server(config),
        }
    }

    pub fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// 5.1: a server receives masked frames, a client unmasked ones.
    pub fn receives_masked(self) -> bool {
        self == Self::Server
    }

    /// A frame that this end receives.
    pub fn frame(self, byte0: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = self.header(byte0, payload.len() as u64);
        if self.receives_masked() {
            bytes.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
        } else {
            bytes.extend_from_slice(payload);
        }
        bytes
    }

    /// The header of a frame that this end receives, masking key included.
    pub fn header(self, byte0: u8, len: u64) -> Vec<u8> {
        let mask = if self.receives_masked() { 0x80 } else { 0 };
        let mut bytes = vec![byte0];
        match len {
            0..=125 => bytes.push(mask | len as u8),
            126..=0xFFFF => {
                bytes.push(mask | 126);
                bytes.extend_from_slice(&(len as u16).to_be_bytes());
            }
            _ => {
                bytes.push(mask | 127);
                bytes.extend_from_slice(&len.to_be_bytes());
            }
        }
        if self.receives_masked() {
            bytes.extend_from_slice(&KEY);
        }
        bytes
    }

    /// A Close frame that this end receives.
    pub fn close(self, code: u16, reason: &str) -> Vec<u8> {
        self.frame(FIN | CLOSE, &[&code.to_be_bytes(), reason.as_bytes()].concat())
    }
}

/// A frame that was sent, unmasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub byte0: u8,
    pub key: Option<[u8; 4]>,
    pub payload: Vec<u8>,
}

/// Reads frames until `bytes` ends, which must be where a frame ends.
pub fn sent(mut bytes: &[u8]) -> Vec<Sent> {
    let mut frames = Vec::new();
    while let Some((frame, len)) = first_sent(bytes) {
        bytes = &bytes[len..];
        frames.push(frame);
    }
    assert!(bytes.is_empty(), "a part of a frame");
    frames
}

/// The first frame, if it is whole, and its length on the wire.
pub fn first_sent(bytes: &[u8]) -> Option<(Sent, usize)> {
    let (&byte0, &byte1) = (bytes.first()?, bytes.get(1)?);
    let (len, mut at) = match byte1 & 0x7F {
        126 => (u64::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)), 4),
        127 => (u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?), 10),
        len => (u64::from(len), 2),
    };
    let key = (byte1 & 0x80 != 0).then(|| bytes.get(at..)?.first_chunk().copied());
    let key = match key {
        Some(key) => Some(key?),
        None => None,
    };
    at += if key.is_some() { 4 } else { 0 };
    let end = at + usize::try_from(len).expect("fits");
    let mut payload = bytes.get(at..end)?.to_vec();
    if let Some(key) = key {
        payload.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
    }
    Some((Sent { byte0, key, payload }, end))
}

/// The opcode and payload of each frame that waits in `output`, which is emptied.
pub fn take_sent(output: &mut Output) -> Vec<(u8, Vec<u8>)> {
    let mut bytes = Vec::new();
    drain(output, &mut bytes);
    sent(&bytes).into_iter().map(|frame| (frame.byte0, frame.payload)).collect()
}

/// One call of `receive` on a copy of `bytes`; the event, and how many bytes were left.
pub fn receive(
    connection: &mut Connection,
    bytes: &[u8],
    output: &mut Output,
) -> (Result<Option<Event<'static>>, ProtocolError>, usize) {
    let mut bytes = bytes.to_vec();
    let mut input = &mut bytes[..];
    let result = connection.receive(&mut input, output).map(|event| event.map(Event::into_owned));
    (result, input.len())
}

/// All events in `bytes`, which must not fail the connection.
pub fn events(
    connection: &mut Connection,
    bytes: &[u8],
    output: &mut Output,
) -> Vec<Event<'static>> {
    let mut bytes = bytes.to_vec();
    let mut input = &mut bytes[..];
    let mut events = Vec::new();
    while let Some(event) = connection.receive(&mut input, output).expect("no fault") {
        events.push(event.into_owned());
    }
    assert!(input.is_empty(), "no event, yet input is left");
    events
}

/// Feeds byte by byte; the error and how many bytes had been given when it came.
pub fn fails_at(connection: &mut Connection, bytes: &[u8]) -> Option<(usize, ProtocolError)> {
    let mut output = Output::new();
    for (index, byte) in bytes.iter().enumerate() {
        loop {
            match receive(connection, &[*byte], &mut output) {
                (Ok(None), left) => {
                    assert_eq!(left, 0);
                    break;
                }
                (Ok(Some(_)), 0) => break,
                (Ok(Some(_)), _) => {}
                (Err(error), _) => {
                    assert_eq!(connection.state(), State::Failed);
                    return Some((index + 1, error));
                }
            }
        }
    }
    None
}
