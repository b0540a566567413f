//! Bytes that the compression engine allocates, counted. A test without the usual harness: it is
//! alone in its process, on one thread, so that every byte counted is the engine's.

extern crate alloc;

#[path = "common/heap.rs"]
mod heap;

use std::fmt::Write as _;

use self::deflate::{Deflater, Inflater, Progress};
use self::error::ProtocolError;
use self::heap::within;

mod error {
    pub(crate) use websocket_proto::ProtocolError;
}

// The engine is not public: compiled in, as the library has it.
#[allow(dead_code, unused_imports, reason = "not all of it is used here")]
#[path = "../src/message/deflate/mod.rs"]
mod deflate;

const LIMIT: u64 = 1 << 20;
/// What a message under that limit may cost.
const ROOM: u64 = LIMIT + (64 << 10);

fn main() {
    nothing_before_the_first_message();
    the_published_table();
    the_limit_bounds_memory();
    bombs();
    messages_under_the_limit();
    the_pool();
    println!("6 passed, 0 failed");
}

fn deflater(window_bits: u8, mem_level: u8, takeover: bool) -> Deflater {
    Deflater::new(window_bits, 6, mem_level, takeover).expect("in range")
}

/// A message of `len` zeros, compressed.
fn zeros(len: usize) -> Vec<u8> {
    let mut payload = Vec::new();
    deflater(15, 8, true).compress(&vec![0; len], &mut payload).expect("backend works");
    payload
}

fn nothing_before_the_first_message() {
    let mut out = Vec::with_capacity(10);
    let (_kept, live) = within(0, || {
        let (mut inflater, mut deflater) = (Inflater::new(true), deflater(15, 8, true));
        deflater.compress(b"", &mut out).expect("an empty message needs no backend");
        assert_eq!(inflater.finish(), Ok(()));
        (inflater, deflater)
    });
    assert_eq!(live, 0);
}

/// The documentation has the figures that are measured here.
fn the_published_table() {
    let docs = include_str!("../src/message/deflate/mod.rs");
    let mut rows = String::new();
    for window_bits in 9..=15 {
        write!(rows, "//! | {window_bits} |").expect("a String takes it");
        for mem_level in 1..=9 {
            let mut out = Vec::with_capacity(1000);
            let mut deflater = deflater(window_bits, mem_level, true);
            let (_, live) = within(1 << 20, || deflater.compress(b"Hello", &mut out));
            write!(rows, " {} |", live.div_ceil(1024)).expect("a String takes it");
        }
        rows.push('\n');
    }
    let mut inflater = Inflater::new(true);
    let mut out = Vec::with_capacity(1000);
    let (_, live) = within(1 << 20, || {
        inflater.inflate(&mut &b"\xf2\x48"[..], &mut out, usize::MAX, LIMIT, false)
    });
    let inflating = format!("takes {} KiB", live.div_ceil(1024));
    if cfg!(target_pointer_width = "64") {
        assert!(docs.contains(&rows), "the table is now:\n{rows}");
        assert!(docs.contains(&inflating), "an inflater {inflating} ({live} bytes)");
    }
}

/// A message of exactly the limit costs the limit and the state, and one byte more costs no more.
fn the_limit_bounds_memory() {
    for (len, fits) in [(LIMIT, true), (LIMIT + 1, false)] {
        let payload = zeros(usize::try_from(len).expect("small"));
        for size in [usize::MAX, 1000, 1] {
            let (result, _) = within(ROOM, || collect(&mut Inflater::new(true), &payload, size));
            let error = ProtocolError::MessageTooBig { seen: LIMIT + 1, limit: LIMIT };
            assert_eq!(
                result.map(|message| message.len() as u64),
                fits.then_some(LIMIT).ok_or(error)
            );
        }
    }
}

fn bombs() {
    let payload = zeros(16 << 20);
    assert!(payload.len() < 17_000);
    for size in [usize::MAX, 100, 1] {
        let (result, live) = within(ROOM, || collect(&mut Inflater::new(true), &payload, size));
        assert_eq!(result, Err(ProtocolError::MessageTooBig { seen: LIMIT + 1, limit: LIMIT }));
        assert_eq!(live, 0);
    }
    // Delivered in chunks, it needs no more than the state and a chunk.
    let mut total = 0;
    let ((), _) = within(64 << 10, || {
        let (mut inflater, mut chunk, mut input) = (Inflater::new(true), Vec::new(), &payload[..]);
        loop {
            let progress = inflater.inflate(&mut input, &mut chunk, 16 << 10, u64::MAX, true);
            total += chunk.len();
            chunk.clear();
            if progress == Ok(Progress::NeedInput) {
                break;
            }
            assert_eq!(progress, Ok(Progress::Full));
        }
        assert_eq!(inflater.finish(), Ok(()));
    });
    assert_eq!(total, 16 << 20);
}

fn messages_under_the_limit() {
    let payload = zeros(1 << 20);
    let (_, live) = within(ROOM, || {
        let mut inflater = Inflater::new(true);
        for _ in 0..1000 {
            let message = collect(&mut inflater, &payload, usize::MAX).expect("of the limit");
            assert_eq!(message.len(), 1 << 20);
        }
    });
    assert_eq!(live, 0);
}

/// Without takeover, a thousand connections share the states of those that are within a message.
fn the_pool() {
    let payload = zeros(1000);
    let run = || {
        let mut out = Vec::new();
        let (mut inflater, mut deflater) = (Inflater::new(false), deflater(15, 8, false));
        deflater.compress(b"Hello", &mut out).expect("backend works");
        assert!(collect(&mut inflater, &payload, 7).is_ok());
        (inflater, deflater)
    };
    let (first, warm) = within(1 << 20, run);
    let (rest, live) = within(1 << 20, || (0..1000).map(|_| run()).collect::<Vec<_>>());
    let own = size_of_val(rest.as_slice());
    assert!(warm > 300 << 10, "{warm}");
    assert_eq!(live, own, "besides the vector itself");
    // Many at once: what is kept afterwards is bounded.
    let ((), live) = within(4 << 20, || {
        let mut busy: Vec<_> = (0..40).map(|_| Inflater::new(false)).collect();
        for inflater in &mut busy {
            inflater
                .inflate(&mut &payload[..], &mut Vec::new(), usize::MAX, LIMIT, false)
                .expect("valid");
        }
        for inflater in &mut busy {
            inflater.finish().expect("valid");
        }
    });
    assert!(live <= 16 * (48 << 10), "{live}");
    drop((first, rest));
}

fn collect(inflater: &mut Inflater, payload: &[u8], size: usize) -> Result<Vec<u8>, ProtocolError> {
    let mut message = Vec::new();
    let mut pieces = payload.chunks(size).peekable();
    while let Some(mut piece) = pieces.next() {
        let last = pieces.peek().is_none();
        let progress = inflater.inflate(&mut piece, &mut message, usize::MAX, LIMIT, last)?;
        assert_eq!(progress, Progress::NeedInput);
    }
    inflater.finish()?;
    Ok(message)
}
