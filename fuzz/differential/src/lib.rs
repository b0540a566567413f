//! The same bytes through our connection and through independent implementations, in one process.
//! What they deliver and how they end must be the same, but for the disagreements that
//! [`accepted`] lists with the sentence of the RFC that decides them.

pub mod accepted;
mod frames;
mod peers;

use std::fmt;

use websocket_proto::ProtocolError;
use websocket_proto_fuzz::script::Script;

/// What an endpoint delivers.
#[derive(Clone, PartialEq, Eq)]
pub enum Seen {
    Text(String),
    /// Text that is none, which must not be delivered.
    BadText(Vec<u8>),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// The code and the reason, if there are any.
    Close(Option<(u16, String)>),
}

/// How far it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It waits for more.
    Open,
    /// It was closed.
    Closed,
    /// It failed, for a reason that this code stands for.
    Failed(u16),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub seen: Vec<Seen>,
    pub end: End,
}

/// An input, and what we make of it.
#[derive(Debug)]
pub struct Ours {
    pub is_server: bool,
    pub outcome: Outcome,
    /// Why we failed, if we did.
    pub error: Option<ProtocolError>,
    /// Whether one of the frames declares more than [`LIMIT`].
    pub oversized: bool,
}

/// Frames and messages over this are too big for everyone.
pub const LIMIT: usize = 4096;

/// Panics if an implementation disagrees in a way that is not accepted. Returns the names of the
/// disagreements that are.
///
/// The first byte chooses the role, and whether frames are made from the rest or are the rest.
pub fn compare(data: &[u8]) -> Vec<&'static str> {
    let mut script = Script(data);
    let choice = script.byte();
    let is_server = choice & 1 == 1;
    let mut input =
        if choice & 2 == 0 { script.0.to_vec() } else { frames::build(script, is_server) };
    let mut ours = peers::ours(is_server, &input);
    if ours.error.is_some() {
        // We judge at the first byte that is at fault, others at the end of its frame: they get
        // that end, whatever the frame is.
        input.extend([0; LIMIT + 14]);
    }
    ours.oversized = frames::oversized(&input);
    let mut accepted = Vec::new();
    for (name, run) in peers::OTHERS {
        let theirs = run(is_server, &input);
        if theirs == ours.outcome {
            continue;
        }
        match accepted::why(name, &ours, &theirs) {
            Some(why) => accepted.push(why),
            None => panic!("{name} disagrees\nours   {ours:?}\ntheirs {theirs:?}\n{input:02x?}"),
        }
    }
    accepted
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "text {:.40?}", text),
            Self::BadText(data) => write!(f, "bad text {data:02x?}"),
            Self::Binary(data) => write!(f, "binary {:02x?}", &data[..data.len().min(20)]),
            Self::Ping(data) => write!(f, "ping {data:02x?}"),
            Self::Pong(data) => write!(f, "pong {data:02x?}"),
            Self::Close(close) => write!(f, "close {close:?}"),
        }
    }
}
