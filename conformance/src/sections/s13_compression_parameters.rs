//! 13: compressed JSON under various parameters (RFC 7692 7.1).

use super::s12_compression::sizes;
use crate::case::Case;
use crate::data::Data;
use crate::deflate::{Accept, Agreement, Offer};

/// What the receiving side asks for: no takeover, and a window.
const ASKED: [(bool, Option<u8>); 6] = [
    (false, None),
    (true, None),
    (false, Some(9)),
    (false, Some(15)),
    (true, Some(9)),
    (true, Some(15)),
];

pub(super) fn cases() -> Vec<Case> {
    let mut groups: Vec<Vec<(bool, Option<u8>)>> = ASKED.iter().map(|asked| vec![*asked]).collect();
    // Last, a choice of three.
    groups.push(vec![(true, Some(9)), (true, None), (false, None)]);
    let mut cases = Vec::new();
    for (group, asked) in (1..).zip(groups) {
        let agreement = Agreement {
            offers: asked
                .iter()
                .map(|&(server_no_context_takeover, server_max_window_bits)| Offer {
                    server_no_context_takeover,
                    server_max_window_bits,
                })
                .collect(),
            accepts: asked
                .iter()
                .map(|&(client_no_context_takeover, client_max_window_bits)| Accept {
                    client_no_context_takeover,
                    client_max_window_bits,
                })
                .collect(),
            client_keeps_context: false,
        };
        let with = asked.iter().map(|(fresh, bits)| described(*fresh, *bits)).collect::<Vec<_>>();
        let with = with.join(", or ");
        cases.extend(sizes(&format!("13.{group}"), Data::Json, &agreement).into_iter().map(
            |mut case| {
                case.title = format!("{}, asking for {with}", case.title);
                case
            },
        ));
    }
    cases
}

fn described(fresh: bool, bits: Option<u8>) -> String {
    match (fresh, bits) {
        (false, None) => "nothing".to_owned(),
        (true, None) => "no context takeover".to_owned(),
        (false, Some(bits)) => format!("a window of {bits} bits"),
        (true, Some(bits)) => format!("no context takeover and a window of {bits} bits"),
    }
}
