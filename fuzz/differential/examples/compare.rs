//! Compares on the vectors and on N random inputs (default 100,000).

use std::collections::BTreeMap;

use websocket_proto_differential::{accepted, compare};

fn main() {
    let count = std::env::args().nth(1).map_or(100_000, |text| text.parse().expect("a number"));
    let mut accepted: BTreeMap<&str, u64> = BTreeMap::new();
    let mut inputs = 0_u64;
    let mut run = |data: &[u8]| {
        inputs += 1;
        for why in compare(data) {
            *accepted.entry(why).or_default() += 1;
        }
    };
    for seed in websocket_proto_fuzz::seeds::seeds() {
        // The first byte of a seed for these is the default configuration.
        match seed.target {
            "server" => run(&[&[1], &seed.input[1..]].concat()),
            "client" => run(&[&[0], &seed.input[1..]].concat()),
            _ => {}
        }
    }
    // SplitMix64, so that a failure is the same everywhere.
    let mut state = 0_u64;
    let mut random = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (state ^ state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    };
    for _ in 0..count {
        let mut data = vec![2 | (random() & 1) as u8];
        for _ in 0..1 + random() % 12 {
            data.extend(random().to_le_bytes());
        }
        run(&data);
    }
    println!("{inputs} inputs, these disagreements are accepted:");
    for (why, count) in &accepted {
        println!("{count:8}  {why}");
    }
    for entry in accepted::ALL.iter().filter(|_| count >= 100_000) {
        assert!(accepted.contains_key(entry.why), "nothing meets this any more: {}", entry.why);
    }
}
