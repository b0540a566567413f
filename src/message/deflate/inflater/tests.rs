//! What the end of a message costs.

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
