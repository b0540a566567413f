//! Mask keys (RFC 6455 5.3, 10.3): that they differ, that nobody can foresee or choose them, and
//! that what the application says is not what the wire carries.

mod common;

use std::collections::HashSet;

use common::wire::{Role, sent};
use common::{drain, keys};
use websocket_proto::{Config, Connection, MaskKeys, Message, Negotiated, Output};

const COUNT: u32 = 1_000_000;

/// S50: "derived from a strong source of entropy". The seed is fixed, so the test cannot flicker.
#[test]
fn s50_a_million_keys() {
    let mut keys = keys();
    let mut seen = HashSet::with_capacity(COUNT as usize);
    let mut ones = [0_u32; 32];
    let mut flips = [0_u32; 32];
    let mut last = 0;
    for _ in 0..COUNT {
        let key = u32::from_be_bytes(keys.next_key());
        seen.insert(key);
        for bit in 0..32 {
            ones[bit] += key >> bit & 1;
            flips[bit] += (key ^ last) >> bit & 1;
        }
        last = key;
    }
    // 10^12 / 2^33 = 116 repetitions are expected by the birthday bound; 5 sigma is 54.
    let repeated = COUNT - u32::try_from(seen.len()).expect("fits");
    assert!((62..=170).contains(&repeated), "{repeated} repetitions");
    // A fair coin has 500 heads more or fewer in one sigma; 5 sigma.
    for count in ones.into_iter().chain(flips) {
        assert!(count.abs_diff(COUNT / 2) <= 2500, "{count} of {COUNT}");
    }
}

/// S51: a source that fails is an error, and the connection is never made.
#[test]
fn s51_no_randomness_no_keys() {
    let mut asked = 0;
    let failed = MaskKeys::from_fill(|seed| {
        asked += 1;
        seed[..16].fill(7); // half of it, and then it fails
        Err("no entropy")
    });
    assert_eq!((failed.map(|_| ()), asked), (Err("no entropy"), 1));
    // All of the seed counts, and what it gives is neither zero nor constant.
    let mut first = HashSet::new();
    for byte in 0..32 {
        let keys = MaskKeys::from_fill(|seed| {
            seed[byte] = 1;
            Ok::<(), ()>(())
        });
        first.insert(keys.expect("filled").next_key());
    }
    assert_eq!(first.len(), 32);
    #[cfg(feature = "std")]
    assert_ne!(
        MaskKeys::from_os().expect("there is a source").nonce(),
        MaskKeys::from_os().expect("there is a source").nonce()
    );
}

/// S52: a frame is masked when its payload is fixed. What is said later is a fragment with a key
/// of its own, and changes no byte that was queued before.
#[test]
fn s52_a_frame_is_never_added_to() {
    let mut client = Role::Client.connection(Config::default());
    let mut output = Output::new();
    let mut queued = Vec::new();
    let mut recorder = keys();
    for index in 0..100_u8 {
        client
            .send_fragment(Message::binary(vec![index; 300]), index == 99, &mut output)
            .expect("open");
        assert!(output.pending().starts_with(&queued), "queued bytes stay as they are");
        queued = output.pending().to_vec();
    }
    let frames = sent(&queued);
    assert_eq!(frames.len(), 100);
    for (index, frame) in frames.iter().enumerate() {
        assert_eq!(frame.payload, [index as u8; 300]);
        // Drawn in the order of the frames, one for each, after the payload was there.
        assert_eq!(frame.key, Some(recorder.next_key()));
    }
}

/// S53: a payload that a script chose does not stand on the wire: 2^-32 a word, so one million
/// frames show it once in 4,295 runs, and this run is always the same.
#[test]
fn s53_a_million_requests_in_disguise() {
    let payload = b"GET /x HTTP/1.1\r\nHost: v\r\n\r\n";
    let mut client = Connection::client(Negotiated::default(), Config::default(), keys());
    let mut output = Output::new();
    let mut wire = Vec::new();
    for _ in 0..COUNT {
        client.send(Message::binary(&payload[..]), &mut output).expect("open");
        wire.clear();
        drain(&mut output, &mut wire);
        assert_eq!(wire.len(), 6 + payload.len());
        assert_ne!(wire[6..10], payload[..4], "cleartext at offset 0");
    }
}
