//! What went over the wire, as far as people will read it.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use crate::wire::decoder::Received;
use crate::wire::frame::{Frame, Mask};
use crate::wire::opcode;
use crate::wire::payload::{SHOWN, shown};

/// The first entries and the last ones: what is between them in a long case is more of the same.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    started: Instant,
    first: Vec<Entry>,
    last: VecDeque<Entry>,
    pub(crate) omitted: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) at: Duration,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Sent(Shape),
    Received(Shape),
    SentBytes { length: usize, head: Vec<u8> },
    ReceivedBytes { length: usize, head: Vec<u8> },
    Note(String),
}

/// A frame without most of its payload.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) fin: bool,
    pub(crate) rsv: u8,
    pub(crate) opcode: u8,
    pub(crate) masked: bool,
    pub(crate) length: usize,
    pub(crate) head: Vec<u8>,
}

const FIRST: usize = 60;
const LAST: usize = 20;

impl Log {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), first: Vec::new(), last: VecDeque::new(), omitted: 0 }
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.first.iter().chain(&self.last)
    }

    /// How many entries come before those that were left out.
    pub(crate) fn before_omitted(&self) -> usize {
        self.first.len()
    }

    pub(crate) fn sent(&mut self, frame: &Frame, we_are_client: bool) {
        let masked = match frame.mask {
            Mask::Role => we_are_client,
            Mask::Always => true,
            Mask::None => false,
        };
        // A pattern of megabytes is not made for its first bytes.
        let head = match &frame.payload {
            crate::wire::payload::Payload::Bytes(bytes) => head(bytes),
            crate::wire::payload::Payload::Repeated { pattern, length } => {
                pattern.iter().copied().cycle().take((*length).min(SHOWN)).collect()
            }
        };
        self.add(What::Sent(Shape {
            fin: frame.fin,
            rsv: frame.rsv,
            opcode: frame.opcode,
            masked,
            length: frame.payload.len(),
            head,
        }));
    }

    pub(crate) fn received(&mut self, frame: &Received) {
        self.add(What::Received(Shape {
            fin: frame.fin,
            rsv: frame.rsv,
            opcode: frame.opcode,
            masked: frame.masked,
            length: frame.payload.len(),
            head: head(&frame.payload),
        }));
    }

    pub(crate) fn sent_bytes(&mut self, bytes: &[u8]) {
        self.add(What::SentBytes { length: bytes.len(), head: head(bytes) });
    }

    pub(crate) fn received_bytes(&mut self, bytes: &[u8]) {
        self.add(What::ReceivedBytes { length: bytes.len(), head: head(bytes) });
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.add(What::Note(note.into()));
    }

    fn add(&mut self, what: What) {
        let entry = Entry { at: self.started.elapsed(), what };
        if self.first.len() < FIRST {
            self.first.push(entry);
            return;
        }
        if self.last.len() == LAST {
            self.last.pop_front();
            self.omitted = self.omitted.saturating_add(1);
        }
        self.last.push_back(entry);
    }
}

fn head(bytes: &[u8]) -> Vec<u8> {
    bytes.get(..SHOWN).unwrap_or(bytes).to_vec()
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:8.3} s  ", self.at.as_secs_f64())?;
        match &self.what {
            What::Sent(frame) => write!(f, "suite: {frame}"),
            What::Received(frame) => write!(f, "peer:  {frame}"),
            What::SentBytes { length, head } => write!(f, "suite: bytes {}", shown(head, *length)),
            What::ReceivedBytes { length, head } => {
                write!(f, "peer:  bytes {}", shown(head, *length))
            }
            What::Note(note) => write!(f, "       {note}"),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (opcode {})", opcode::name(self.opcode), self.opcode)?;
        if !self.fin {
            f.write_str(", FIN 0")?;
        }
        if self.rsv != 0 {
            write!(f, ", RSV {:03b}", self.rsv)?;
        }
        f.write_str(if self.masked { ", masked" } else { ", not masked" })?;
        match self.head.split_first_chunk::<2>() {
            Some((code, reason)) if self.opcode == opcode::CLOSE => {
                write!(f, ", code {}", u16::from_be_bytes(*code))?;
                if reason.is_empty() {
                    return Ok(());
                }
                write!(f, ", reason {}", shown(reason, self.length.saturating_sub(2)))
            }
            _ if self.length == 0 => f.write_str(", empty"),
            _ => write!(f, ": {}", shown(&self.head, self.length)),
        }
    }
}
