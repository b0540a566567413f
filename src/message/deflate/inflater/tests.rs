//! How the end of a message is found, and what that costs.

use alloc::vec;
use alloc::vec::Vec;

use super::*;

/// Inflates one message. How many octets the backend read for it.
fn octets_read(payload: &[u8], expected: &[u8], limit: u64) -> u64 {
    let mut inflater = Inflater::new(true);
    let mut out = Vec::new();
    let progress = inflater.inflate(&mut &*payload, &mut out, usize::MAX, limit, true);
    assert_eq!((&out[..], progress), (expected, Ok(Progress::NeedInput)));
    assert_eq!(inflater.finish(), Ok(()));
    inflater.state.unwrap().total_in()
}

/// Where no block is final, no more than what 7.2.2 asks for.
#[test]
fn the_four_octets_are_read_once() {
    let cases: [(&[u8], &[u8], u64); 4] = [
        // The header of the last block lies in one octet, ...
        (&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], b"Hello", u64::MAX),
        // ... in two, ...
        (&[0x9a, 0xb0, 0x70, 0xd3, 0x61, 0x00, 0x00], &[0x90, 0xa1, 0xb2, 0xc3], u64::MAX),
        // ... also after three empty blocks and with the limit reached, ...
        (&[0x02, 0x08, 0x20, 0x00, 0x00], b"", 0),
        // ... or begins with the last one.
        (&[0x00, 0x01, 0x00, 0xfe, 0xff, b'\n', 0x00], b"\n", u64::MAX),
    ];
    for (payload, expected, limit) in cases {
        let read = octets_read(payload, expected, limit);
        assert_eq!(read, payload.len() as u64 + 4, "{payload:x?}");
    }
}

/// The room is full with the last literal of a block, whose octet has the whole code that ends it too.
#[test]
fn the_end_of_a_block_behind_a_full_room() {
    let (payload, message) = ([0x9a, 0x30, 0x61, 0xc2, 0x84, 0x09, 0x13, 0x00, 0x00], [0x90; 6]);
    assert_eq!(outcome(&[&payload], usize::MAX, u64::MAX), (message.to_vec(), Ok(())));
    for max in 1..=7 {
        for limit in [6, u64::MAX] {
            let outcome = outcome(&[&payload], max, limit);
            assert_eq!(outcome, (message.to_vec(), Ok(())), "{max} {limit}");
        }
    }
}

/// What `pieces` of one message give, of which the last is known to be it.
fn outcome(pieces: &[&[u8]], max: usize, limit: u64) -> (Vec<u8>, Result<(), ProtocolError>) {
    let (mut inflater, mut out) = (Inflater::new(true), Vec::new());
    for (index, piece) in pieces.iter().enumerate() {
        let (mut input, last) = (*piece, index + 1 == pieces.len());
        while let progress = inflater.inflate(&mut input, &mut out, max, limit, last)
            && progress != Ok(Progress::NeedInput)
        {
            if let Err(error) = progress {
                return (out, Err(error));
            }
        }
    }
    (out, inflater.finish())
}

/// The end of a last piece of more than 8 KiB is searched for in another way, to the same effect.
#[test]
fn a_long_last_piece() {
    let stored = [&[0x00, 0xf5, 0x00, 0x0a, 0xff], &[b'x'; 0xf5][..]].concat();
    let empty = [0x00, 0x00, 0x00, 0xff, 0xff];
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let ends: [&[u8]; 12] = [
        b"",
        &[0x00],
        &hello,
        &hello[..6],
        &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], // a final block
        &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
        &empty,
        &[0x06, 0x00], // no type of block
        &[0x00, 0x04, 0x00, 0xfb, 0xff, 0x00, 0x00, 0xff, 0xff],
        &[0x02, 0x08, 0x20, 0x00, 0x00],
        &[0x02, 0x28, 0x00],
        &[0x00, 0x46, 0x00, 0xb9, 0xff, b'y'],
    ];
    for (end, blocks) in ends.iter().flat_map(|end| (0..20).map(move |blocks| (end, blocks))) {
        // The 64 octets that are the end begin at each of these places in turn.
        let payload = [&stored.repeat(40), &empty.repeat(blocks)[..], end].concat();
        let short: Vec<_> = payload.chunks(100).collect();
        let (bytes, result) = outcome(&short, usize::MAX, u64::MAX);
        let len = bytes.len() as u64;
        for limit in [len - 1, len, u64::MAX] {
            let expected = outcome(&short, usize::MAX, limit);
            for max in [usize::MAX, 700] {
                let long = outcome(&[&payload], max, limit);
                assert!(long == expected, "{end:x?} {blocks} {max} {limit}: {:?}", long.1);
            }
        }
        let cut = outcome(&[&payload[..300], &payload[300..]], usize::MAX, u64::MAX);
        assert!(cut == (bytes, result), "{end:x?} {blocks}");
    }
}

/// A message of many blocks, with codes of their own, cut anywhere near its end.
#[test]
fn a_long_message_of_many_blocks() {
    let mut state = 1_u32;
    let message: Vec<u8> = (0..200_000_u32)
        .map(|at| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b'a' + (state >> 16) as u8 % (2 + (at / 20_000) as u8)
        })
        .collect();
    let mut payload = vec![];
    super::super::Deflater::new(15, 6, 8, true).unwrap().compress(&message, &mut payload).unwrap();
    assert!(payload.len() > 2 * LONG, "{}", payload.len());
    for at in (0..payload.len()).step_by(997).chain(payload.len() - 70..payload.len()) {
        let (first, last) = payload.split_at(at);
        let (bytes, result) = outcome(&[first, last], usize::MAX, message.len() as u64);
        assert_eq!(result, Ok(()), "{at}");
        assert!(bytes == message, "{at}");
    }
}
