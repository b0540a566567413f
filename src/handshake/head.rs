//! Reads the head of a request or response: finds its end once, within limits, then parses it.
//!
//! ```text
//! GET /chat HTTP/1.1 CRLF     start line: judged when its LF arrives
//! Host: example.com CRLF      each line: its size when it grows, its CRLF when it ends
//! ...
//! CRLF                        the head has ended: the header lines are taken apart
//! ```
//!
//! Each fault belongs to a byte position, so the outcome does not depend on the chunking. A head
//! that lies whole and without fault at the start of the first input has a shorter way: its lines
//! are not looked for first. Where that way fails, the first input is scanned once more; what comes
//! later is scanned once.
//!
//! The grammar is the strict one of RFC 9112 section 5: no folded lines, no space before a colon.

use alloc::vec::Vec;
use core::fmt;

use super::error::HandshakeError;
use super::fields::{Field, Span, fields};
use super::headers::is_token;
use crate::brief::{self, Few};

/// Limits on the head of a request or a response.
///
/// ```
/// use websocket_proto::handshake::ServerConfig;
///
/// let mut config = ServerConfig::default();
/// config.limits.max_head_size = 64 << 10; // large cookies
/// config.limits.max_line_size = 32 << 10;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeadLimits {
    /// The most bytes of a head, line ends included, and for a client those of the interim
    /// responses before it. A server answers 431. Default 16 KiB.
    pub max_head_size: u32,
    /// The most bytes of a line, its end included. A server answers 414 where it is the request
    /// line, else 431. Default 8 KiB.
    pub max_line_size: u32,
    /// The most header lines. A server answers 431. Default 100.
    pub max_headers: u32,
    /// The most interim responses (status 100 to 199, but not 101) that a client skips (RFC 9110
    /// section 15.2). Default 8.
    pub max_interim_responses: u32,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self {
            max_head_size: 16 << 10,
            max_line_size: 8 << 10,
            max_headers: 100,
            max_interim_responses: 8,
        }
    }
}

/// What stands in the first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StartLine {
    Request { method: Span, target: Span },
    Response { status: u16, minor: u8 },
}

/// A head that has ended and is of HTTP's grammar. It keeps the bytes as they came, and knows
/// where each part is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Head {
    bytes: Vec<u8>,
    start: StartLine,
    fields: Vec<Field>,
}

/// Reads one head after another, of one kind. Owns no memory before the first byte.
pub(crate) struct HeadReader {
    kind: Kind,
    buffer: Vec<u8>,
    /// Bytes of this head, and of what was skipped before it.
    taken: usize,
    /// Bytes of the line that has not ended.
    line: usize,
    /// Known once the first line has ended. Where the header lines begin follows.
    start: Option<(StartLine, usize)>,
    /// Header lines that have ended.
    headers: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Request,
    Response,
}

impl Head {
    pub(crate) const fn start(&self) -> StartLine {
        self.start
    }

    /// All headers in order. A name is a token; a value has no space at its ends.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter().map(|field| (self.text(field.name), self.bytes(field.value)))
    }

    /// The same, without the cost of proving that names are text.
    pub(crate) fn raw_fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|field| (self.bytes(field.name), self.bytes(field.value)))
    }

    /// The values of a header, in order.
    pub(crate) fn all<'h>(&'h self, name: &str) -> impl Iterator<Item = &'h [u8]> {
        self.raw_fields()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// The value of a header that may be there once at most.
    pub(crate) fn single(&self, name: &str) -> Result<Option<&[u8]>, ()> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() { Err(()) } else { Ok(first) }
    }

    pub(crate) fn bytes(&self, span: Span) -> &[u8] {
        span.of(&self.bytes)
    }

    /// Empty where the span is not UTF-8; it is called for spans that were found to be ASCII.
    pub(crate) fn text(&self, span: Span) -> &str {
        core::str::from_utf8(self.bytes(span)).unwrap_or_default()
    }

    /// Writes `/` and a part of the head behind the head, where no header line is: a path that was
    /// left out. `None` where that is beyond 32 bits.
    pub(crate) fn with_root(&mut self, part: Span) -> Option<Span> {
        let part = self.bytes(part).to_vec();
        let start = self.bytes.len();
        self.bytes.push(b'/');
        self.bytes.extend_from_slice(&part);
        self.span(self.bytes.get(start..)?)
    }

    /// Where `part` lies. `None` unless it is a part of this head.
    pub(crate) fn span(&self, part: &[u8]) -> Option<Span> {
        Span::find(part, &self.bytes)
    }
}

/// Values may be secrets (cookies, tokens): they do not belong in a log.
impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Few::of(self.fields().map(|(name, _)| brief::Text(name))).fmt(f)
    }
}

/// Nor do the bytes that they come in.
impl fmt::Debug for HeadReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeadReader")
            .field("kind", &self.kind)
            .field("taken", &self.taken)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

impl HeadReader {
    pub(crate) const fn new(kind: Kind) -> Self {
        Self { kind, buffer: Vec::new(), taken: 0, line: 0, start: None, headers: 0 }
    }

    /// Takes bytes up to the end of the head and no further. `None`: more are needed, all of
    /// `input` was taken.
    ///
    /// After `Some`, the next head is read with the rest of the size limit.
    pub(crate) fn read(
        &mut self,
        limits: &HeadLimits,
        input: &mut &[u8],
    ) -> Result<Option<Head>, HandshakeError> {
        if self.taken == 0
            && let Some((head, rest)) = self.whole(limits, input)
        {
            self.taken = head.bytes.len();
            *input = rest;
            return Ok(Some(head));
        }
        self.read_lines(limits, input)
    }

    /// The same line by line: what is cut, at fault, or out of the ordinary.
    fn read_lines(
        &mut self,
        limits: &HeadLimits,
        input: &mut &[u8],
    ) -> Result<Option<Head>, HandshakeError> {
        if self.buffer.is_empty() {
            // One allocation, where the head arrives in one piece.
            self.buffer.reserve(input.len().min(limits.left(self.taken)));
        }
        let mut pending = *input; // scanned so far, but not yet copied
        let mut scanned = 0_usize;
        while scanned < pending.len() {
            let room = limits.left(self.taken).min(limits.left_of_line(self.line));
            let rest = pending.get(scanned..).unwrap_or_default();
            let window = rest.get(..room).unwrap_or(rest);
            let end = find_line_end(window);
            let count = end.map_or(window.len(), |at| at.saturating_add(1));
            if self.start.is_none() && window.get(..count).is_none_or(has_control) {
                // A TLS ClientHello, for one: do not wait for a line end that may never come.
                return Err(HandshakeError::Malformed("not http"));
            }
            self.taken = self.taken.saturating_add(count);
            self.line = self.line.saturating_add(count);
            scanned = scanned.saturating_add(count);
            if end.is_none() {
                if window.len() == room {
                    return Err(self.too_large(limits));
                }
                break;
            }
            if !self.has_cr(pending, scanned) {
                // RFC 9112 2.2 permits a lone LF as line end; two readers that disagree on it
                // are how requests are smuggled.
                return Err(HandshakeError::Malformed("line end is not CR LF"));
            }
            let line = core::mem::take(&mut self.line);
            let blank = line == 2;
            if self.start.is_some() && !blank {
                self.headers = self.headers.saturating_add(1);
                if self.headers > limits.max_headers as usize {
                    return Err(HandshakeError::TooManyHeaders { limit: limits.max_headers });
                }
            } else {
                // The end of the head, or of its first line: what is in it matters now.
                let (line, rest) = pending.split_at_checked(scanned).unwrap_or_default();
                self.buffer.extend_from_slice(line);
                (pending, *input, scanned) = (rest, rest, 0);
                if self.start.is_some() {
                    return self.finish().map(Some);
                }
                self.first_line(blank)?;
            }
            if limits.left(self.taken) == 0 {
                return Err(self.too_large(limits));
            }
        }
        self.buffer.extend_from_slice(pending);
        *input = &[];
        Ok(None)
    }

    /// Whether CR stands before the LF that is the last byte scanned.
    fn has_cr(&self, pending: &[u8], scanned: usize) -> bool {
        let before = match scanned.checked_sub(2) {
            Some(at) => pending.get(at),
            None => self.buffer.last(),
        };
        before == Some(&b'\r')
    }

    fn first_line(&mut self, blank: bool) -> Result<(), HandshakeError> {
        if blank && self.kind == Kind::Request {
            // RFC 9112 2.2: "a server ... SHOULD ignore at least one empty line (CRLF) received
            // prior to the request-line". Their bytes count toward the limit.
            self.buffer.clear();
            return Ok(());
        }
        let line = self.buffer.strip_suffix(b"\r\n").unwrap_or_default();
        let start = self.start_line(line, &self.buffer)?;
        self.start = Some((start, self.buffer.len()));
        Ok(())
    }

    /// The head that lies whole at the start of the first input, and what is behind it. `None` says
    /// nothing but that it has to be read line by line: it is cut, at fault, or out of the ordinary.
    fn whole<'i>(&self, limits: &HeadLimits, input: &'i [u8]) -> Option<(Head, &'i [u8])> {
        /// Header lines that have room at once. A browser sends a dozen.
        const FEW: usize = 16;

        // Shorter than every limit, it keeps to each of them, whatever its lines are.
        let room = limits.max_head_size.min(limits.max_line_size) as usize;
        let window = input.get(..room).unwrap_or(input);
        let at = find_line_end(window)?.checked_add(1)?;
        let line = window.get(..at)?.strip_suffix(b"\r\n").filter(|line| !has_control(line))?;
        let start = self.start_line(line, window).ok()?;
        let (fields, end) = fields(window, at, FEW).ok()?;
        let (head, rest) = input.split_at_checked(end)?;
        let fits = fields.len() <= limits.max_headers as usize;
        fits.then(|| (Head { bytes: head.to_vec(), start, fields }, rest))
    }

    fn start_line(&self, line: &[u8], whole: &[u8]) -> Result<StartLine, HandshakeError> {
        match self.kind {
            Kind::Request => request_line(line, whole),
            Kind::Response => status_line(line),
        }
    }

    fn finish(&mut self) -> Result<Head, HandshakeError> {
        let bytes = core::mem::take(&mut self.buffer);
        let count = core::mem::take(&mut self.headers);
        let (start, at) = self.start.take().ok_or(HandshakeError::Malformed("no start line"))?;
        let (fields, _) = fields(&bytes, at, count)?;
        Ok(Head { bytes, start, fields })
    }

    fn too_large(&self, limits: &HeadLimits) -> HandshakeError {
        if limits.left_of_line(self.line) > 0 {
            HandshakeError::HeadTooLarge { limit: limits.max_head_size }
        } else if self.start.is_none() && self.kind == Kind::Request {
            HandshakeError::TargetTooLong { limit: limits.max_line_size }
        } else {
            HandshakeError::LineTooLong { limit: limits.max_line_size }
        }
    }
}

impl HeadLimits {
    const fn left(&self, taken: usize) -> usize {
        (self.max_head_size as usize).saturating_sub(taken)
    }

    const fn left_of_line(&self, line: usize) -> usize {
        (self.max_line_size as usize).saturating_sub(line)
    }
}

/// `method SP request-target SP HTTP-version` (RFC 9112 section 3), with single spaces.
fn request_line(line: &[u8], whole: &[u8]) -> Result<StartLine, HandshakeError> {
    const ERROR: HandshakeError = HandshakeError::Malformed("request line");

    let mut parts = line.split(|&byte| byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(ERROR);
    };
    let [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] = version else { return Err(ERROR) };
    let digits = major.is_ascii_digit() && minor.is_ascii_digit();
    let visible = !target.is_empty() && target.iter().all(u8::is_ascii_graphic);
    if !(digits && visible && is_token(method)) {
        return Err(ERROR);
    }
    if (major, minor) != (&b'1', &b'1') {
        return Err(HandshakeError::HttpVersion);
    }
    match (Span::find(method, whole), Span::find(target, whole)) {
        (Some(method), Some(target)) => Ok(StartLine::Request { method, target }),
        _ => Err(ERROR),
    }
}

/// `HTTP-version SP 3DIGIT [ SP reason-phrase ]` (RFC 9112 section 4). The grammar has the second
/// space even where there is no reason; servers leave it out, and nothing depends on it.
fn status_line(line: &[u8]) -> Result<StartLine, HandshakeError> {
    const ERROR: HandshakeError = HandshakeError::Malformed("status line");

    let rest = line.strip_prefix(b"HTTP/").ok_or(ERROR)?;
    let [major, b'.', minor, b' ', hundreds @ b'1'..=b'5', tens, ones, reason @ ..] = rest else {
        return Err(ERROR);
    };
    let digits = [major, minor, tens, ones].iter().all(|byte| byte.is_ascii_digit());
    if !digits || !matches!(reason, [] | [b' ', ..]) || reason.contains(&b'\r') {
        return Err(ERROR);
    }
    if *major != b'1' {
        return Err(HandshakeError::HttpVersion);
    }
    let status = [hundreds, tens, ones].iter().fold(0_u16, |sum, &&digit| {
        sum.saturating_mul(10).saturating_add(u16::from(digit.saturating_sub(b'0')))
    });
    Ok(StartLine::Response { status, minor: minor.saturating_sub(b'0') })
}

/// Whether there is a byte that no start line has. Without an early exit, it compiles to vectors.
fn has_control(line: &[u8]) -> bool {
    let is_control = |byte| (byte < 0x20 && !matches!(byte, b'\r' | b'\n' | b'\t')) || byte == 0x7f;
    line.iter().fold(false, |found, &byte| found | is_control(byte))
}

/// The position of the first LF, eight bytes at a time.
fn find_line_end(bytes: &[u8]) -> Option<usize> {
    const STEP: usize = size_of::<u64>();
    const LOW: u64 = u64::from_le_bytes([0x01; STEP]);
    const HIGH: u64 = u64::from_le_bytes([0x80; STEP]);
    const ENDS: u64 = u64::from_le_bytes([b'\n'; STEP]);

    let (chunks, rest) = bytes.as_chunks::<STEP>();
    for (index, chunk) in chunks.iter().enumerate() {
        // A byte that is LF becomes 0, and borrows in the subtraction: the lowest high bit that
        // is set belongs to the first of them.
        let word = u64::from_le_bytes(*chunk) ^ ENDS;
        let found = word.wrapping_sub(LOW) & !word & HIGH;
        if found != 0 {
            let at = found.trailing_zeros() as usize / STEP;
            return Some(index.saturating_mul(STEP).saturating_add(at));
        }
    }
    let scanned = bytes.len().saturating_sub(rest.len());
    rest.iter().position(|&byte| byte == b'\n').map(|at| scanned.saturating_add(at))
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::{String, ToString};
    use alloc::vec;

    use super::*;

    const LIMITS: HeadLimits = HeadLimits {
        max_head_size: 16 << 10,
        max_line_size: 8 << 10,
        max_headers: 100,
        max_interim_responses: 8,
    };

    /// The outcome and the number of bytes taken, fed in pieces of `step`.
    fn read(
        kind: Kind,
        limits: &HeadLimits,
        bytes: &[u8],
        step: usize,
    ) -> Result<(Option<Head>, usize), HandshakeError> {
        let mut reader = HeadReader::new(kind);
        let mut taken = 0;
        for piece in bytes.chunks(step) {
            let mut input = piece;
            let head = reader.read(limits, &mut input)?;
            taken += piece.len() - input.len();
            if head.is_some() {
                return Ok((head, taken));
            }
            assert!(input.is_empty());
            assert!(reader.buffer.capacity() <= 2 * taken + 64, "memory grows with what came");
        }
        Ok((None, taken))
    }

    /// The same whole and byte by byte.
    fn both(
        kind: Kind,
        limits: &HeadLimits,
        bytes: &[u8],
    ) -> Result<(Option<Head>, usize), HandshakeError> {
        let whole = read(kind, limits, bytes, bytes.len().max(1));
        for step in [1, 2, 3, 7, 16, 17] {
            assert_eq!(read(kind, limits, bytes, step), whole, "in steps of {step}");
        }
        whole
    }

    fn request(text: &str) -> Result<(Option<Head>, usize), HandshakeError> {
        both(Kind::Request, &LIMITS, text.as_bytes())
    }

    #[test]
    fn a_head_is_taken_apart_and_what_follows_is_left() {
        let (head, taken) =
            request("GET /a HTTP/1.1\r\nHost: h\r\nX-Y:  a b \t\r\nx-y:\r\n\r\nrest").unwrap();
        let head = head.unwrap();
        assert_eq!(taken, 47);
        let StartLine::Request { method, target } = head.start() else { panic!() };
        assert_eq!((head.text(method), head.text(target)), ("GET", "/a"));
        let fields: Vec<(&str, &[u8])> = head.fields().collect();
        assert_eq!(fields, [("Host", &b"h"[..]), ("X-Y", b"a b"), ("x-y", b"")]);
        assert_eq!(head.all("x-Y").collect::<Vec<_>>(), [&b"a b"[..], b""]);
        assert_eq!(head.span(b"elsewhere"), None);
        assert_eq!(format!("{head:?}"), r#"["Host", "X-Y", "x-y"]"#); // no values
    }

    #[test]
    fn nothing_is_owned_before_the_first_byte() {
        let mut reader = HeadReader::new(Kind::Request);
        assert_eq!(reader.read(&LIMITS, &mut &b""[..]), Ok(None));
        assert_eq!(reader.buffer.capacity(), 0);
    }

    #[test]
    fn malformed_heads() {
        for text in [
            "GET / HTTP/1.1\n",
            "GET / HTTP/1.1\r\nA: b\n\r\n",
            "GET / HTTP/1.1\r\n\n",
            "GET  / HTTP/1.1\r\n",
            "GET /  HTTP/1.1\r\n",
            " GET / HTTP/1.1\r\n",
            "GET / HTTP/1.1 \r\n",
            "GET\t/ HTTP/1.1\r\n",
            "GET /\r\n",
            "GET / http/1.1\r\n",
            "GET / HTTP/1.10\r\n",
            "GET / HTTP/11\r\n",
            "G@T / HTTP/1.1\r\n",
            "GET /\u{e9} HTTP/1.1\r\n",
            "GET /\x7f",
            "GET /\0",
            "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
            "\x16\x03\x01",
            "SSH-2.0-x\r\n",
            "GET /\r HTTP/1.1\r\n",
            "GET / HTTP/1.1\r\r\n",
            "\n",
            "GET / HTTP/1.1\r\n A: b\r\n\r\n",
            "GET / HTTP/1.1\r\nA : b\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
            "GET / HTTP/1.1\r\n: b\r\n\r\n",
            "GET / HTTP/1.1\r\nA\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\0\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\r\r\n\r\n",
            "GET / HTTP/1.1\r\n\u{e9}: b\r\n\r\n",
        ] {
            assert!(
                matches!(request(text), Err(HandshakeError::Malformed(_))),
                "{text:?}: {:?}",
                request(text)
            );
        }
        for text in
            ["GET / HTTP/1.0\r\n", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.2\r\n", "GET / HTTP/0.9\r\n"]
        {
            assert_eq!(request(text), Err(HandshakeError::HttpVersion), "{text:?}");
        }
    }

    #[test]
    fn empty_lines_before_a_request_are_skipped_and_counted() {
        let (head, taken) = request("\r\n\r\nGET / HTTP/1.1\r\n\r\n").unwrap();
        assert!(head.is_some());
        assert_eq!(taken, 22);
        let error = request(&"\r\n".repeat(9000)).unwrap_err();
        assert_eq!(error, HandshakeError::HeadTooLarge { limit: 16 << 10 });
        let response = both(Kind::Response, &LIMITS, b"\r\nHTTP/1.1 101 X\r\n\r\n");
        assert!(matches!(response, Err(HandshakeError::Malformed(_))));
    }

    #[test]
    fn status_lines() {
        for (line, expected) in [
            ("HTTP/1.1 101 Switching Protocols", Some((101, 1))),
            ("HTTP/1.1 101 ", Some((101, 1))),
            ("HTTP/1.1 101", Some((101, 1))),
            ("HTTP/1.0 599 \u{e9}", Some((599, 0))),
            ("HTTP/1.1 1010 X", None),
            ("HTTP/1.1 10", None),
            ("HTTP/1.1 099 X", None),
            ("HTTP/1.1 600 X", None),
            ("HTTP/1.1  101", None),
            ("HTTP/1.1 10x", None),
            ("HTTP/1.1\t101", None),
            ("http/1.1 101", None),
            ("ICY 200 OK", None),
        ] {
            let text = format!("{line}\r\n\r\n");
            let head = both(Kind::Response, &LIMITS, text.as_bytes());
            let start = head.ok().and_then(|(head, _)| head).map(|head| head.start());
            let expected = expected.map(|(status, minor)| StartLine::Response { status, minor });
            assert_eq!(start, expected, "{line:?}");
        }
    }

    /// Each limit: the largest that passes, the smallest that does not.
    #[test]
    fn limits_are_exact() {
        let limits = HeadLimits {
            max_head_size: 100,
            max_line_size: 40,
            max_headers: 3,
            max_interim_responses: 0,
        };
        let read = |text: &str| {
            both(Kind::Request, &limits, text.as_bytes()).map(|(head, _)| head.is_some())
        };
        let target = |len: usize| format!("GET {} HTTP/1.1\r\n\r\n", "a".repeat(len));
        assert_eq!(read(&target(25)), Ok(true));
        assert_eq!(read(&target(26)), Err(HandshakeError::TargetTooLong { limit: 40 }));
        let line = |len: usize| format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "a".repeat(len));
        assert_eq!(read(&line(35)), Ok(true));
        assert_eq!(read(&line(36)), Err(HandshakeError::LineTooLong { limit: 40 }));
        let count = |count: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "a:\r\n".repeat(count));
        assert_eq!(read(&count(3)), Ok(true));
        assert_eq!(read(&count(4)), Err(HandshakeError::TooManyHeaders { limit: 3 }));
        // 16 + 3 + 40 + 39 + 2 = 100
        let total = |last: usize| {
            format!(
                "GET / HTTP/1.1\r\na:\r\na:{}\r\na:{}\r\n\r\n",
                "b".repeat(36),
                "b".repeat(last)
            )
        };
        assert_eq!(total(34).len(), 100);
        assert_eq!(read(&total(34)), Ok(true));
        assert_eq!(read(&total(35)), Err(HandshakeError::HeadTooLarge { limit: 100 }));
        // At the limit, without waiting for a byte beyond it.
        assert_eq!(read(&total(34)[..99]), Ok(false));
        assert_eq!(read(&total(35)[..100]), Err(HandshakeError::HeadTooLarge { limit: 100 }));
        for (limit, name) in [
            (HandshakeError::HeadTooLarge { limit: 1 }, "max_head_size"),
            (HandshakeError::LineTooLong { limit: 1 }, "max_line_size"),
            (HandshakeError::TargetTooLong { limit: 1 }, "max_line_size"),
            (HandshakeError::TooManyHeaders { limit: 1 }, "max_headers"),
            (HandshakeError::TooManyInterimResponses { limit: 1 }, "max_interim_responses"),
        ] {
            assert!(limit.to_string().contains(name), "{limit}");
        }
    }

    /// S20: a head that never ends.
    #[test]
    fn endless_heads_end_at_the_default_limits() {
        let limits = HeadLimits::default();
        assert_eq!(limits, LIMITS);
        let endless = |header: &str| {
            let mut text = String::from("GET / HTTP/1.1\r\n");
            while text.len() < 1 << 15 {
                text.push_str(header);
            }
            both(Kind::Request, &limits, text.as_bytes()).unwrap_err()
        };
        assert_eq!(endless("a: b\r\n"), HandshakeError::TooManyHeaders { limit: 100 });
        let long = format!("a: {}\r\n", "b".repeat(1000));
        assert_eq!(endless(&long), HandshakeError::HeadTooLarge { limit: 16 << 10 });
        assert_eq!(endless("a"), HandshakeError::LineTooLong { limit: 8 << 10 });
        for limit in [0, 1] {
            let limits = HeadLimits { max_head_size: limit, ..limits };
            assert_eq!(both(Kind::Request, &limits, b"GET").unwrap_err().status(), 431);
        }
    }

    #[test]
    fn more_headers_than_have_room_at_once() {
        for count in [15, 16, 17, 100] {
            let text = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(count));
            assert_eq!(request(&text).unwrap().0.unwrap().fields().count(), count);
        }
    }

    #[test]
    fn line_ends_are_found_at_every_position() {
        for len in 0..70 {
            let mut bytes = vec![b'a'; len];
            assert_eq!(find_line_end(&bytes), None);
            for at in (0..len).rev() {
                bytes[at] = b'\n';
                assert_eq!(find_line_end(&bytes), Some(at));
            }
        }
    }
}
