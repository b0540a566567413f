//! Both engines against RFC 7692, against a second inflater and against another implementation.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::reference;
use super::*;
use crate::error::ProtocolError;

type Outcome = (Vec<u8>, Result<(), ProtocolError>);

/// What one message gives, in `pieces`, in chunks of at most `max`. The bytes are those that were
/// handed out, also before an error.
fn message(inflater: &mut Inflater, pieces: &[&[u8]], max: usize, limit: u64) -> Outcome {
    let mut all = Vec::new();
    let mut chunk = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        let mut input = *piece;
        let last = index + 1 == pieces.len();
        loop {
            let progress = inflater.inflate(&mut input, &mut chunk, max, limit, last);
            assert!(chunk.len() <= max, "chunk of {} over {max}", chunk.len());
            let full = chunk.len() == max;
            all.append(&mut chunk);
            assert!(all.len() as u64 <= limit);
            match progress {
                Ok(Progress::Full) => assert!(full),
                Ok(Progress::NeedInput) => break,
                Err(error) => return (all, Err(error)),
            }
        }
        assert!(input.is_empty());
    }
    let finished = inflater.finish();
    (all, finished)
}

fn whole(inflater: &mut Inflater, payload: &[u8]) -> Outcome {
    message(inflater, &[payload], usize::MAX, u64::MAX)
}

/// The payload cut in two at every place (at some, if it is long), and into bytes.
fn cuts(payload: &[u8]) -> Vec<Vec<&[u8]>> {
    let every = payload.len() / 300 + 1;
    let mut cuts: Vec<Vec<&[u8]>> = (0..=payload.len())
        .step_by(every)
        .map(|at| {
            let (a, b) = payload.split_at(at);
            vec![a, b]
        })
        .collect();
    cuts.push(payload.chunks(1).collect());
    cuts.push([&[][..]].into_iter().chain(payload.chunks(3)).chain([&[][..]]).collect());
    cuts
}

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap())
        .collect()
}

/// Messages on one connection: the payload of each, and the text or the error that it gives.
fn check(context_takeover: bool, messages: &[(&str, Result<&str, ProtocolError>)]) {
    let payloads: Vec<_> = messages.iter().map(|(payload, _)| hex(payload)).collect();
    let variants = payloads.iter().map(|payload| cuts(payload).len()).max().unwrap();
    for variant in 0..variants {
        for max in [usize::MAX, 1, 2] {
            let mut inflater = Inflater::new(context_takeover);
            for (payload, (text, expected)) in payloads.iter().zip(messages) {
                let cuts = cuts(payload);
                let cut = cuts.get(variant).or(cuts.last()).unwrap();
                let (bytes, result) = message(&mut inflater, cut, max, u64::MAX);
                assert_eq!(result, expected.map(|_| ()), "{text} cut as {cut:x?}");
                if let Ok(expected) = expected {
                    assert_eq!(bytes, expected.as_bytes(), "{text} cut as {cut:x?}");
                }
            }
        }
    }
}

const CORRUPT: Result<&str, ProtocolError> = Err(ProtocolError::CorruptDeflate);
const AFTER_FINAL: Result<&str, ProtocolError> = Err(ProtocolError::DataAfterFinalBlock);

#[test]
fn examples_of_rfc_7692_7_2_3() {
    let hello = ("f2 48 cd c9 c9 07 00", Ok("Hello"));
    check(false, &[hello, hello]);
    check(true, &[hello, ("f2 00 11 00 00", Ok("Hello"))]); // 7.2.3.2
    check(true, &[("00 05 00 fa ff 48 65 6c 6c 6f 00", Ok("Hello")), hello]); // 7.2.3.3
    check(true, &[("f3 48 cd c9 c9 07 00 00", Ok("Hello")), hello]); // 7.2.3.4
    check(true, &[("f2 48 05 00 00 00 ff ff ca c9 c9 07 00", Ok("Hello"))]); // 7.2.3.5
    check(true, &[("00", Ok("")), ("", Ok("")), hello, ("00", Ok(""))]); // 7.2.3.6
}

#[test]
fn history_ends_where_it_was_agreed_to() {
    let reference = "f2 00 11 00 00";
    check(true, &[(reference, CORRUPT)]);
    check(false, &[("f2 48 cd c9 c9 07 00", Ok("Hello")), (reference, CORRUPT)]);
    // An uncompressed empty message between the two changes nothing.
    check(true, &[("f2 48 cd c9 c9 07 00", Ok("Hello")), ("", Ok("")), (reference, Ok("Hello"))]);
    // A final block ends the window.
    check(true, &[("f3 48 cd c9 c9 07 00 00", Ok("Hello")), (reference, CORRUPT)]);
}

#[test]
fn blocks_after_a_final_block() {
    let hello = "f3 48 cd c9 c9 07 00";
    let twice = std::format!("{hello} {hello} 00");
    check(true, &[(&twice, Ok("HelloHello")), ("f2 48 cd c9 c9 07 00", Ok("Hello"))]);
    check(true, &[(&std::format!("{hello} f2 48 cd c9 c9 07 00"), Ok("HelloHello"))]);
    check(true, &[(&std::format!("{hello} de ad be ef"), AFTER_FINAL)]);
    check(true, &[(&std::format!("{hello} f2 00 11 00 00"), AFTER_FINAL)]);
    check(true, &[(hello, Ok("Hello")), (&std::format!("{hello} 00"), Ok("Hello"))]);
    check(true, &[(&std::format!("{hello} 02"), AFTER_FINAL)]);
    // The block that the tail completes may itself be final.
    check(true, &[("01", Ok("")), ("f2 48 cd c9 c9 07 00", Ok("Hello"))]);
}

#[test]
fn a_message_that_stops_within_a_block() {
    for payload in ["f2", "f2 48 cd c9 c9", "f2 48 cd c9 c9 07", "00 00", "00 00 00 ff", "02"] {
        check(true, &[(payload, CORRUPT)]);
    }
    check(true, &[("00 05 00 fa ff 48", CORRUPT)]); // four octets of content: the tail
    check(true, &[("00 06 00 f9 ff 48", CORRUPT)]);
    check(true, &[("00 04 00 fb ff", CORRUPT)]);
}

#[test]
fn the_four_octets_left_on() {
    let hello = "f2 48 cd c9 c9 07 00 00 00 ff ff";
    check(true, &[(hello, Ok("Hello")), ("f2 00 11 00 00", Ok("Hello")), (hello, Ok("Hello"))]);
    check(true, &[("00 00 00 ff ff 00 00 00 ff ff", Ok("")), (hello, Ok("Hello"))]);
    // The same octets as content, and where a block goes on.
    let content = whole(&mut Inflater::new(true), &hex("00 04 00 fb ff 00 00 ff ff 00"));
    assert_eq!(content, (TAIL.to_vec(), Ok(())));
    let content = whole(&mut Inflater::new(true), &hex("00 04 00 fb ff 00 00 ff ff"));
    assert_eq!(content, (TAIL.to_vec(), Ok(())), "as if 0x00 had followed");
    check(true, &[("00 05 00 fa ff 00 00 ff ff", CORRUPT)]);
}

/// The octets 0x00 0x00 0xff 0xff are the content of a block and the code of 15 ones that ends it.
/// The one that is left begins a final block, if a 0x00 that nobody sent is put behind it.
#[test]
fn the_four_octets_as_content_and_one_bit_more() {
    let mut bits = vec![0, 0, 1]; // not final, dynamic codes (RFC 1951 3.2.7)
    let number = |value: usize, len: usize| (0..len).map(move |i| value >> i & 1);
    bits.extend([number(0, 5), number(0, 5), number(15, 4)].into_iter().flatten());
    // Code lengths of 0 to 15 have codes of 4 bits, which are in the order of the lengths.
    bits.extend([0; 3].into_iter().chain([4; 16]).flat_map(|length| number(length, 3)));
    let lengths = (0..=257).map(|symbol| match symbol {
        0..15 => symbol + 1,
        256 => 15,
        _ => 0,
    });
    bits.extend(lengths.flat_map(|length| (0..4).rev().map(move |i| length >> i & 1)));
    let mut payload: Vec<u8> = bits
        .chunks(8)
        .map(|octet| octet.iter().rev().fold(0, |octet, bit| octet << 1 | *bit as u8))
        .collect();
    payload.extend(TAIL);
    assert_eq!(reference::inflate(&payload, &[]), None);
    for cut in cuts(&payload) {
        let (bytes, result) = message(&mut Inflater::new(true), &cut, usize::MAX, u64::MAX);
        assert!(bytes.len() >= 16 && bytes.iter().all(|byte| *byte == 0), "{bytes:x?}");
        assert_eq!(result, Err(ProtocolError::CorruptDeflate), "{cut:x?}");
    }
}

/// Where the last octet is 0x00, it may be more than the header of an empty stored block.
#[test]
fn a_block_that_goes_on_in_the_last_octet() {
    let hello = ("f2 48 cd c9 c9 07 00", Ok("Hello"));
    check(true, &[("02 08 00", Ok("")), hello]); // a second block with fixed codes ends in it
    check(true, &[("02 0c 00", Ok("")), hello]); // and is final
    // A literal of that block ends in it. It was there before the error.
    let payload = hex("02 28 00");
    for cut in cuts(&payload) {
        let at = |limit| message(&mut Inflater::new(true), &cut, usize::MAX, limit);
        assert_eq!(at(1), (b"P".to_vec(), Err(ProtocolError::CorruptDeflate)), "{cut:x?}");
        let error = ProtocolError::MessageTooBig { seen: 1, limit: 0 };
        assert_eq!(at(0), (vec![], Err(error)), "{cut:x?}");
    }
}

#[test]
fn every_payload_of_two_bytes() {
    let mut inflated = 0;
    for payload in 0..=u16::MAX {
        let payload = payload.to_le_bytes();
        for payload in [&payload[..], &payload[..1]] {
            let mut inflater = Inflater::new(true);
            let (bytes, result) = whole(&mut inflater, payload);
            match reference::inflate(payload, &[]) {
                Some(expected) => {
                    assert_eq!((bytes, result), (expected.bytes, Ok(())), "{payload:x?}");
                    inflated += 1;
                    // And nothing is left behind that the next message would run into.
                    let next = whole(&mut inflater, &hex("f2 48 cd c9 c9 07 00"));
                    assert_eq!(next, (b"Hello".to_vec(), Ok(())), "after {payload:x?}");
                }
                None => assert!(result.is_err(), "{payload:x?}"),
            }
        }
    }
    assert!(inflated > 512, "{inflated}");
}

#[test]
fn vectors() {
    let file = include_str!("../../../tests/vectors/frames.json");
    let rows: serde_json::Value = serde_json::from_str(file).unwrap();
    let mut messages = 0;
    for row in rows.as_array().unwrap() {
        if row["permessage_deflate"] == true {
            let input = hex(row["input"].as_str().unwrap());
            let variants = if input.len() > 10_000 { 3 } else { input.len() + 2 };
            for variant in 0..variants {
                messages += vector(row, &input, variant);
            }
        }
    }
    assert!(messages > 100, "{messages}");
}

/// Unmasks the frames of a row, inflates its messages and holds the result against the events.
fn vector(row: &serde_json::Value, mut input: &[u8], variant: usize) -> usize {
    let id = &row["id"];
    let limit = row["max_message_size"].as_u64().unwrap();
    let events = row["events"].as_array().unwrap();
    let mut events = events.iter().filter(|event| event.get("ping").is_none());
    let mut inflater = Inflater::new(true);
    let (mut payload, mut compressed, mut messages) = (Vec::new(), false, 0);
    while let [first, second, rest @ ..] = input {
        let (len, rest) = match second & 0x7f {
            126 => (usize::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
            len => (usize::from(len), rest),
        };
        let (mask, rest) = rest.split_at(4);
        let frame: Vec<u8> =
            rest[..len].iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        input = &rest[len..];
        if first & 0x30 != 0 || first & 0x40 != 0 && !matches!(first & 0x0f, 1 | 2) {
            assert_eq!(row["close_sent"], 1002, "{id}");
            return messages; // a fault of the frame, not for this module
        }
        if first & 0x08 != 0 {
            continue;
        }
        compressed = if first & 0x0f == 0 { compressed } else { first & 0x40 != 0 };
        payload.extend_from_slice(&frame);
        if first & 0x80 == 0 || !compressed {
            continue;
        }
        messages += 1;
        let cuts = cuts(&payload);
        let cut = cuts.get(variant % cuts.len()).unwrap();
        let (bytes, result) = message(&mut inflater, cut, usize::MAX, limit);
        match result {
            Err(error) => {
                assert_eq!(row["close_sent"], error.close_code().get(), "{id}: {error}");
                assert_eq!(events.next(), None, "{id}");
                return messages;
            }
            Ok(()) => match events.next() {
                Some(event) => match event["text"].as_str() {
                    Some(text) => assert_eq!(bytes, text.as_bytes(), "{id}"),
                    None => assert_eq!(bytes, hex(event["binary"].as_str().unwrap()), "{id}"),
                },
                None => {
                    assert_eq!(row["close_sent"], 1007, "{id}");
                    assert!(core::str::from_utf8(&bytes).is_err(), "{id}");
                }
            },
        }
        payload.clear();
    }
    messages
}

fn deflater(window_bits: u8, level: u8, mem_level: u8, takeover: bool) -> Deflater {
    Deflater::new(window_bits, level, mem_level, takeover).unwrap()
}

#[test]
fn the_limit_is_exact_and_comes_with_the_byte_after_it() {
    let data: Vec<u8> = (0..40_000_u32).map(|i| ((i * i) >> 7) as u8).collect();
    for len in [1, 100, 127, 128, 129, 16_383, 16_384, 16_385, 40_000] {
        let mut payload = Vec::new();
        deflater(15, 6, 8, false).compress(&data[..len], &mut payload).unwrap();
        let limit = len as u64;
        for cut in cuts(&payload).iter().rev().take(20) {
            for max in [usize::MAX, 128, 1] {
                let exact = message(&mut Inflater::new(false), cut, max, limit);
                assert_eq!(exact, (data[..len].to_vec(), Ok(())));
                let (bytes, result) = message(&mut Inflater::new(false), cut, max, limit - 1);
                assert_eq!(bytes, data[..len - 1]);
                let error = ProtocolError::MessageTooBig { seen: limit, limit: limit - 1 };
                assert_eq!(result, Err(error));
            }
        }
    }
}

#[test]
fn of_a_bad_byte_and_the_limit_the_first_decides() {
    // "Hello", then a block of type 3.
    let payload = hex("f2 48 cd c9 c9 07 18 00");
    for cut in cuts(&payload) {
        let at = |limit| message(&mut Inflater::new(true), &cut, usize::MAX, limit);
        assert_eq!(at(5), (b"Hello".to_vec(), Err(ProtocolError::CorruptDeflate)));
        let error = ProtocolError::MessageTooBig { seen: 5, limit: 4 };
        assert_eq!(at(4), (b"Hell".to_vec(), Err(error)));
    }
    let mut inflater = Inflater::new(true);
    assert_eq!(
        inflater.inflate(&mut &payload[..6], &mut vec![], 99, 9, false),
        Ok(Progress::NeedInput)
    );
    let error = inflater.inflate(&mut &payload[6..7], &mut vec![], 99, 9, false);
    assert_eq!(error, Err(ProtocolError::CorruptDeflate), "at the byte that proves it");
}

#[test]
fn work_is_linear_where_there_is_no_output() {
    // Empty blocks: stored, fixed, final, and a fixed block before each final one.
    let blocks = [("00 00 00 ff ff", 1), ("02 00 00 00 ff ff", 1), ("03 00", 100_000)];
    for ((block, calls), last) in blocks.into_iter().flat_map(|it| [(it, false), (it, true)]) {
        let mut payload = hex(block).repeat(100_000);
        payload.push(0x00);
        let mut inflater = Inflater::new(true);
        let mut out = Vec::new();
        let mut input = &payload[..];
        let progress = inflater.inflate(&mut input, &mut out, usize::MAX, 0, last);
        assert_eq!((progress, out.capacity()), (Ok(Progress::NeedInput), 0), "{block}");
        // A few more where it may stop at the end of a block.
        let most = calls + if last { 8 } else { 1 };
        assert!(inflater.steps <= most, "{block}: {}", inflater.steps);
        assert_eq!(inflater.finish(), Ok(()), "{block}");
    }
}

#[test]
fn parameters_out_of_range_are_refused() {
    for (window_bits, level, mem_level) in
        [(0, 6, 8), (8, 6, 8), (16, 6, 8), (255, 6, 8), (15, 10, 8), (15, 6, 0), (15, 6, 10)]
    {
        assert!(Deflater::new(window_bits, level, mem_level, true).is_none());
    }
}

#[test]
fn an_empty_message_is_one_octet() -> Result<(), BackendFailed> {
    for takeover in [true, false] {
        let mut deflater = deflater(15, 6, 8, takeover);
        let mut out = Vec::new();
        deflater.compress(b"", &mut out)?;
        deflater.compress(b"Hello", &mut out)?;
        deflater.compress(b"", &mut out)?;
        deflater.push(b"", &mut out)?;
        deflater.compress(b"", &mut out)?;
        assert_eq!(out, hex("00 f2 48 cd c9 c9 07 00 00 00")); // 7.2.3.1, 7.2.3.6
    }
    Ok(())
}

#[test]
fn every_piece_can_be_read_at_once() {
    let mut deflater = deflater(15, 6, 8, true);
    let mut inflater = Inflater::new(true);
    for ends_empty in [true, false] {
        let mut out = Vec::new();
        let mut read = |payload: &[u8], piece: &[u8]| {
            out.clear();
            inflater.inflate(&mut &*payload, &mut out, usize::MAX, 100, false).unwrap();
            assert_eq!(out, piece);
        };
        for piece in [&b"Hello"[..], b"", b", Hello"] {
            let mut payload = Vec::new();
            deflater.push(piece, &mut payload).unwrap();
            assert_eq!(payload.is_empty(), piece.is_empty());
            read(&payload, piece);
        }
        let last = if ends_empty { &b""[..] } else { b" again" };
        let mut payload = Vec::new();
        deflater.compress(last, &mut payload).unwrap();
        read(&payload, last);
        assert_eq!(inflater.finish(), Ok(()));
    }
}

/// Without takeover, and after a release, a state that others have used compresses as a new one.
#[test]
fn a_used_state_remembers_nothing() {
    let text = b"the quick brown fox jumps over the lazy dog, the quick brown fox";
    for takeover in [true, false] {
        let mut deflater = deflater(11, 5, 3, takeover);
        let mut payloads = [const { Vec::new() }; 3];
        for payload in &mut payloads {
            deflater.compress(text, payload).unwrap();
            deflater.release();
            assert_eq!(whole(&mut Inflater::new(false), payload), (text.to_vec(), Ok(())));
        }
        assert!(payloads.iter().all(|payload| *payload == payloads[0]));
    }
}

/// A message that was sent in pieces, of which the last was empty, is like any other.
#[test]
fn a_message_that_ends_with_nothing_is_kept_or_forgotten() {
    let text = b"the quick brown fox jumps over the lazy dog, the quick brown fox";
    for takeover in [true, false] {
        let mut deflater = deflater(15, 6, 8, takeover);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        deflater.push(text, &mut first).unwrap();
        deflater.compress(b"", &mut first).unwrap();
        deflater.compress(text, &mut second).unwrap();
        let alone = whole(&mut Inflater::new(false), &second);
        assert_eq!(alone == (text.to_vec(), Ok(())), !takeover);
        assert_eq!(second.len() * 3 < first.len(), takeover);
    }
}

#[test]
fn takeover_pays() {
    let text = b"{\"symbol\":\"ABC\",\"bid\":100.25,\"ask\":100.27,\"volume\":123456}";
    let mut deflater = deflater(15, 6, 8, true);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    deflater.compress(text, &mut first).unwrap();
    deflater.compress(text, &mut second).unwrap();
    assert!(second.len() * 3 < first.len(), "{} {}", first.len(), second.len());
}

/// Bytes that compress, more or less: runs, repeats from far back, noise.
fn data(max: usize) -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        (any::<u8>(), 0..600_usize).prop_map(|(byte, n)| vec![byte; n]),
        prop::collection::vec(any::<u8>(), 0..300),
        (0..20_usize, 1..40_usize).prop_map(|(i, n)| b"{\"key\": 12345, \"name\": "[i..].repeat(n)),
        prop::collection::vec(prop::sample::select(&b"abcde \n"[..]), 0..900),
    ];
    prop::collection::vec(part, 0..12).prop_map(move |parts| {
        let mut all = parts.concat();
        let again = all.clone();
        all.extend(again);
        all.truncate(max);
        all
    })
}

fn pieces(data: &[u8], size: usize) -> Vec<&[u8]> {
    data.chunks(size.max(1)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn round_trip(
        messages in prop::collection::vec((data(20_000), 0..5000_usize, 1..5000_usize), 1..6),
        (window_bits, level, mem_level) in (9..=15_u8, 0..=9_u8, 1..=9_u8),
        takeover in any::<bool>(),
    ) {
        let mut deflater = deflater(window_bits, level, mem_level, takeover);
        let mut inflater = Inflater::new(takeover);
        let mut other = flate2::Decompress::new(false);
        let mut window = Vec::new();
        for (data, sent, received) in &messages {
            let mut payload = Vec::new();
            if *sent == 0 {
                deflater.compress(data, &mut payload).unwrap();
            } else {
                let mut pieces = pieces(data, *sent);
                let last = if data.len() % 2 == 0 { pieces.pop() } else { None };
                for piece in pieces {
                    deflater.push(piece, &mut payload).unwrap();
                }
                deflater.compress(last.unwrap_or_default(), &mut payload).unwrap();
            }
            // Our own inflater.
            let limit = data.len() as u64;
            let outcome = message(&mut inflater, &pieces(&payload, *received), *received, limit);
            prop_assert_eq!(outcome, (data.clone(), Ok(())));
            // The reference: no match goes beyond what was agreed (RFC 7692 7.1.2).
            let inflated = reference::inflate(&payload, &window).unwrap();
            prop_assert_eq!(&inflated.bytes, data);
            prop_assert!(inflated.max_distance <= 1 << window_bits);
            // Another implementation.
            if !takeover {
                other.reset(false);
            }
            let mut out = Vec::with_capacity(data.len() + 1);
            let input = [&payload[..], &TAIL].concat();
            other.decompress_vec(&input, &mut out, flate2::FlushDecompress::Sync).unwrap();
            prop_assert_eq!(&out, data);
            if takeover {
                window = inflated.window;
            }
        }
    }

    #[test]
    fn reads_what_another_implementation_wrote(
        messages in prop::collection::vec((data(20_000), 1..5000_usize), 1..6),
        level in 0..=9_u32,
        takeover in any::<bool>(),
        finish in any::<bool>(),
    ) {
        let mut other = flate2::Compress::new(flate2::Compression::new(level), false);
        let mut inflater = Inflater::new(takeover);
        for (data, received) in &messages {
            let mut payload = Vec::with_capacity(data.len() * 2 + 1000);
            if finish {
                // 7.2.3.4: blocks with BFINAL set.
                other.reset();
                other.compress_vec(data, &mut payload, flate2::FlushCompress::Finish).unwrap();
                payload.push(0x00);
            } else if data.is_empty() {
                payload.push(0x00);
            } else {
                if !takeover {
                    other.reset();
                }
                other.compress_vec(data, &mut payload, flate2::FlushCompress::Sync).unwrap();
                prop_assert!(payload.ends_with(&TAIL));
                payload.truncate(payload.len() - 4);
            }
            let pieces = pieces(&payload, *received);
            let outcome = message(&mut inflater, &pieces, *received, data.len() as u64);
            prop_assert_eq!(outcome, (data.clone(), Ok(())));
        }
    }

    /// The same bytes and the same error however the input is cut, and the same verdict as the
    /// reference, for damaged messages.
    #[test]
    fn damage(
        data in data(3000),
        (level, noise) in (0..=9_u8, prop::collection::vec(any::<u8>(), 0..40)),
        (at, flip, cut) in (any::<prop::sample::Index>(), any::<u8>(), any::<prop::sample::Index>()),
        limit in prop_oneof![Just(u64::MAX), 0..3000_u64],
        size in 1..100_usize,
    ) {
        let mut payload = Vec::new();
        deflater(15, level, 8, true).compress(&data, &mut payload).unwrap();
        let mut flipped = payload.clone();
        flipped[at.index(payload.len())] ^= flip;
        let cut = &payload[..cut.index(payload.len())];
        let left_on = [cut, &TAIL].concat();
        let longer = [&payload[..], &noise].concat();
        for payload in [&flipped[..], cut, &noise, &left_on, &longer] {
            let run = |pieces: &[&[u8]], max| message(&mut Inflater::new(true), pieces, max, limit);
            let outcome = run(&[payload], usize::MAX);
            prop_assert_eq!(&run(&pieces(payload, 1), usize::MAX), &outcome);
            prop_assert_eq!(&run(&pieces(payload, size), 1), &outcome);
            prop_assert_eq!(&run(&[payload], size), &outcome);
            if limit == u64::MAX {
                let (bytes, result) = outcome;
                let expected = reference::inflate(payload, &[]).map(|inflated| inflated.bytes);
                prop_assert_eq!(result.is_ok().then_some(bytes), expected);
            }
        }
    }
}
