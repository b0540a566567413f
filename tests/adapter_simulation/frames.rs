//! Where frames begin and end in a stream of bytes, and when which of its bytes got how far.

use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The first byte of a data message.
    MessageStart,
    /// Its last byte.
    MessageEnd,
    /// The last byte of a control frame.
    Ping {
        len: u64,
    },
    Pong,
    Close,
    /// A byte that breaks the protocol; what follows is not looked at.
    Fault,
}

/// A byte that matters, and when it passed each of the stations of its way.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// The bytes up to it, itself included.
    pub pos: u64,
    pub kind: Kind,
    /// Ours: the transport took it. The peer's: it came into the pipe.
    pub put: Duration,
    /// Ours: it left what the transport buffers. The peer's: as `put`.
    pub left: Option<Duration>,
    /// The other end has read it.
    pub read: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Byte0,
    Byte1,
    Length { left: u8, len: u64 },
    Key { left: u8 },
    Payload { left: u64 },
    Nothing,
}

/// Follows a stream of frames.
#[derive(Debug)]
pub struct Frames {
    next: Next,
    byte0: u8,
    masked: bool,
    len: u64,
    in_message: bool,
    /// Bytes so far, at each station.
    pub put: u64,
    pub left: u64,
    pub read: u64,
    pub marks: Vec<Mark>,
    /// The marks before these have passed the station.
    left_marks: usize,
    read_marks: usize,
    /// How many bytes had left by when, and how many were read.
    lefts: Vec<(Duration, u64)>,
    reads: Vec<(Duration, u64)>,
}

/// What such a count came to between two moments, the first one left out.
fn between(counts: &[(Duration, u64)], from: Duration, to: Duration) -> u64 {
    let total = |time: Duration| {
        let after = counts.partition_point(|(at, _)| *at <= time);
        after.checked_sub(1).map_or(0, |index| counts[index].1)
    };
    total(to).saturating_sub(total(from))
}

impl Frames {
    pub fn new() -> Self {
        Self {
            next: Next::Byte0,
            byte0: 0,
            masked: false,
            len: 0,
            in_message: false,
            put: 0,
            left: 0,
            read: 0,
            marks: Vec::new(),
            left_marks: 0,
            read_marks: 0,
            lefts: Vec::new(),
            reads: Vec::new(),
        }
    }

    /// These bytes were put into the stream.
    pub fn put(&mut self, mut bytes: &[u8], now: Duration) {
        while !bytes.is_empty() {
            let used = match self.next {
                Next::Nothing => bytes.len(),
                Next::Payload { left } => {
                    let used = (bytes.len() as u64).min(left);
                    self.next = Next::Payload { left: left - used };
                    used as usize
                }
                _ => {
                    self.header_byte(bytes[0], now);
                    1
                }
            };
            self.put += used as u64;
            bytes = &bytes[used..];
            if self.next == (Next::Payload { left: 0 }) {
                self.end_of_frame(now);
            }
        }
    }

    fn header_byte(&mut self, byte: u8, now: Duration) {
        self.next = match self.next {
            Next::Byte0 => {
                self.byte0 = byte;
                if byte & 0x08 == 0 && !self.in_message {
                    self.in_message = true;
                    self.mark(self.put + 1, Kind::MessageStart, now);
                }
                Next::Byte1
            }
            Next::Byte1 => {
                self.masked = byte & 0x80 != 0;
                match byte & 0x7F {
                    126 => Next::Length { left: 2, len: 0 },
                    127 => Next::Length { left: 8, len: 0 },
                    len => self.after_length(len.into()),
                }
            }
            Next::Length { left: 1, len } => self.after_length(len << 8 | u64::from(byte)),
            Next::Length { left, len } => {
                Next::Length { left: left - 1, len: len << 8 | u64::from(byte) }
            }
            Next::Key { left: 1 } => Next::Payload { left: self.len },
            Next::Key { left } => Next::Key { left: left - 1 },
            next @ (Next::Payload { .. } | Next::Nothing) => next,
        };
    }

    fn after_length(&mut self, len: u64) -> Next {
        self.len = len;
        if self.masked { Next::Key { left: 4 } } else { Next::Payload { left: len } }
    }

    fn end_of_frame(&mut self, now: Duration) {
        self.next = Next::Byte0;
        let kind = match self.byte0 & 0x0F {
            0x8 => {
                // 5.5.1: nothing follows, and what does is not looked at.
                self.next = Next::Nothing;
                Kind::Close
            }
            0x9 => Kind::Ping { len: self.len },
            0xA => Kind::Pong,
            _ if self.byte0 & 0x80 != 0 => {
                self.in_message = false;
                Kind::MessageEnd
            }
            _ => return,
        };
        self.mark(self.put, kind, now);
    }

    /// The next byte breaks the protocol.
    pub fn fault(&mut self, now: Duration) {
        self.next = Next::Nothing;
        self.mark(self.put + 1, Kind::Fault, now);
    }

    fn mark(&mut self, pos: u64, kind: Kind, now: Duration) {
        self.marks.push(Mark { pos, kind, put: now, left: None, read: None });
    }

    pub fn leave(&mut self, count: usize, now: Duration) {
        self.left += count as u64;
        self.lefts.push((now, self.left));
        while let Some(mark) = self.marks.get_mut(self.left_marks)
            && mark.pos <= self.left
        {
            mark.left = Some(now);
            self.left_marks += 1;
        }
    }

    pub fn take(&mut self, count: usize, now: Duration) {
        self.read += count as u64;
        self.reads.push((now, self.read));
        while let Some(mark) = self.marks.get_mut(self.read_marks)
            && mark.pos <= self.read
        {
            mark.read = Some(now);
            self.read_marks += 1;
        }
    }

    /// How many bytes left, or were read, between two moments.
    pub fn left_between(&self, from: Duration, to: Duration) -> u64 {
        between(&self.lefts, from, to)
    }

    pub fn read_between(&self, from: Duration, to: Duration) -> u64 {
        between(&self.reads, from, to)
    }

    pub fn last(&self, wanted: impl Fn(&Mark) -> bool) -> Option<&Mark> {
        self.marks.iter().rev().find(|mark| wanted(mark))
    }

    pub fn close(&self) -> Option<&Mark> {
        self.last(|mark| mark.kind == Kind::Close)
    }

    /// How many messages have left whole.
    pub fn messages_left(&self) -> u64 {
        let left = |mark: &&Mark| mark.kind == Kind::MessageEnd && mark.left.is_some();
        self.marks.iter().filter(left).count() as u64
    }
}
