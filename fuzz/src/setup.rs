//! [`Setup`]: what an adapter is tried with, chosen by the front of an input: role, limits,
//! compression, deadlines, and what the peer sends.

use std::time::Duration;

use websocket_proto::handshake::{Accept, ClientRequest, Server, ServerConfig};
use websocket_proto::io::{ClientOptions, ServerOptions};
use websocket_proto::{CloseCode, Config, Connection, DeadlineConfig, Message, Negotiated, Output};

use super::common::{self, drain, keys};
use super::script::Script;
use super::stream::Shared;

/// The most that a peer sends, about: more than a window.
const MOST: usize = 100 << 10;
/// The same of a message that is compressed, which takes the sanitizer long.
const MOST_COMPRESSED: usize = 4 << 10;

#[derive(Debug)]
pub struct Setup {
    flags: u8,
    pub config: Config,
    pub negotiated: Negotiated,
    pub deadlines: DeadlineConfig,
    /// What the peer sends after the handshake.
    pub input: Vec<u8>,
}

impl Setup {
    /// Reads the choices and all that is left.
    pub fn read(script: &mut Script<'_>) -> Self {
        let (flags, config) = (script.byte(), script.config());
        let mut negotiated = script.negotiated();
        if flags & 34 != 32 {
            negotiated = Negotiated::default(); // the handshake here agrees on nothing else
        }
        let deadlines = deadlines(script.byte());
        let mut setup = Self { flags, config, negotiated, deadlines, input: Vec::new() };
        setup.input = traffic(script, setup.peer(Config::default()), setup.longest());
        setup
    }

    /// The longest message that is sent, either way.
    pub fn longest(&self) -> usize {
        if self.flags & 32 == 0 { MOST } else { MOST_COMPRESSED }
    }

    pub fn is_client(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Whether the adapter does the opening handshake, too.
    pub fn opens(&self) -> bool {
        self.flags & 2 != 0
    }

    /// Sets up a transport, and puts what the peer sends into it.
    pub fn prepare(&self, wire: &Shared<'_>) {
        let mut wire = wire.get();
        wire.silent = self.flags & 4 != 0;
        wire.appends = self.flags & 8 != 0;
        wire.timed = self.flags & 16 != 0;
        if self.opens() && !self.is_client() {
            wire.bring(&self.request());
        }
        if self.opens() && self.is_client() {
            wire.bring_answer(answer, &self.input);
        } else {
            wire.bring(&self.input);
        }
    }

    pub fn connection(&self, config: Config) -> Connection {
        self.end(self.is_client(), config)
    }

    pub fn peer(&self, config: Config) -> Connection {
        self.end(!self.is_client(), config)
    }

    fn end(&self, is_client: bool, config: Config) -> Connection {
        match is_client {
            true => Connection::client(self.negotiated.clone(), config, keys()),
            false => Connection::server(self.negotiated.clone(), config),
        }
    }

    /// What a bare connection makes of the input. It has all the room that it wants.
    pub fn expected(&self) -> common::Log {
        let mut config = self.config;
        let limits = Config::default();
        (config.output_soft_limit, config.output_hard_limit) =
            (limits.output_soft_limit, limits.output_hard_limit);
        common::feed(&mut self.connection(config), [&self.input[..]]).join_chunks()
    }

    // ---- the opening handshake

    pub fn server_options(&self) -> ServerOptions {
        let mut options = ServerOptions::default();
        (options.config, options.deadlines) = (self.config, self.deadlines);
        options.subprotocols = vec!["chat".to_string()];
        options
    }

    pub fn client_options(&self) -> ClientOptions {
        let mut options = ClientOptions::default();
        (options.config, options.deadlines) = (self.config, self.deadlines);
        options
    }

    pub fn client_request() -> ClientRequest {
        ClientRequest::new("h", "/").subprotocol("chat")
    }

    fn request(&self) -> Vec<u8> {
        let mut output = Output::new();
        Self::client_request().start([7; 16], &mut output).expect("it is right");
        let mut request = Vec::new();
        drain(&mut output, &mut request);
        request
    }
}

/// A server's answer to a request, once all of that has come.
fn answer(mut request: &[u8]) -> Option<Vec<u8>> {
    let (mut server, mut output) = (Server::new(ServerConfig::default()), Output::new());
    let request = server.receive(&mut request, &mut output).expect("a right request")?;
    request.accept(&Accept::new().subprotocol("chat"), &mut output).expect("it was offered");
    let mut response = Vec::new();
    drain(&mut output, &mut response);
    Some(response)
}

/// One bit for each deadline.
fn deadlines(bits: u8) -> DeadlineConfig {
    let bit = |index: u8, seconds| (bits >> index & 1 == 1).then_some(Duration::from_secs(seconds));
    let mut deadlines = DeadlineConfig::default();
    deadlines.ping_interval = bit(0, 2);
    deadlines.pong_wait = bit(1, 3);
    deadlines.message = bit(2, 4);
    deadlines.write = bit(3, 5);
    deadlines.close = bit(4, 3);
    deadlines.linger = bit(5, 1);
    deadlines.handshake = None;
    deadlines
}

/// What a peer sends: bytes as they stand, or what it makes of a few, so that a short input makes
/// long messages.
fn traffic(script: &mut Script<'_>, mut peer: Connection, longest: usize) -> Vec<u8> {
    let (mut bytes, mut output) = (Vec::new(), Output::new());
    while !script.0.is_empty() && bytes.len() < MOST {
        // What does not go, such as a message behind a Close, is left out.
        match script.byte() % 8 {
            0 => bytes.extend(script.bytes(usize::MAX)),
            1 | 2 => drop(peer.send(message(script, longest), &mut output)),
            3 => drop(peer.send_fragment(message(script, longest), script.flag(), &mut output)),
            4 => drop(peer.ping(script.string(), &mut output)),
            5 => drop(peer.close(CloseCode::NORMAL, "", &mut output)),
            6 => bytes.extend(script.string()),
            _ => {
                let (times, part) = (usize::from(script.byte()) << 4, script.string());
                bytes.extend(part.repeat(times.min(MOST / part.len().max(1))));
            }
        }
        drain(&mut output, &mut bytes);
    }
    bytes
}

/// Text that compresses well, or bytes that do not.
fn message(script: &mut Script<'_>, longest: usize) -> Message<'static> {
    let (fill, len, shift) = (script.byte(), script.byte(), script.byte());
    let len = (usize::from(len) << (shift % 11)).min(longest);
    if fill % 2 == 0 {
        return Message::text("abcdefgh".repeat(len / 8 + 1));
    }
    let mut state = u32::from(fill);
    Message::binary(Vec::from_iter((0..len).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })))
}
