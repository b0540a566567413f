//! 12: compressed messages of data of five kinds (RFC 7692 7).

use std::time::Duration;

use crate::case::{Case, Step};
use crate::data::Data;
use crate::deflate::{Accept, Agreement, Offer};
use crate::exchange::{Exchange, Source};

const SENTENCE: &str = "Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the payload of the message. Decompress the resulting data using DEFLATE";

/// The length of the messages, the size of their fragments, and the seconds for all of them.
const SIZES: [(usize, Option<usize>, u64); 18] = [
    (16, None, 60),
    (64, None, 60),
    (256, None, 120),
    (1024, None, 240),
    (4096, None, 480),
    (8192, None, 480),
    (16_384, None, 480),
    (32_768, None, 480),
    (65_536, None, 480),
    (131_072, None, 480),
    (8192, Some(256), 480),
    (16_384, Some(256), 480),
    (32_768, Some(256), 480),
    (65_536, Some(256), 480),
    (131_072, Some(256), 480),
    (131_072, Some(1024), 480),
    (131_072, Some(4096), 480),
    (131_072, Some(32_768), 480),
];

pub(super) fn cases() -> Vec<Case> {
    let agreement = Agreement {
        offers: vec![Offer::default()],
        accepts: vec![Accept::default()],
        client_keeps_context: false,
    };
    let mut cases = Vec::new();
    let kinds = [Data::Json, Data::Image, Data::Prose, Data::Html, Data::Document];
    for (group, data) in (1..).zip(kinds) {
        cases.extend(sizes(&format!("12.{group}"), data, &agreement));
    }
    cases
}

/// A thousand messages of each size, cut from the data.
pub(super) fn sizes(prefix: &str, data: Data, agreement: &Agreement) -> Vec<Case> {
    let case = |(n, (length, fragment, seconds)): (usize, (usize, Option<usize>, u64))| {
        let how = match fragment {
            Some(size) => format!(" in fragments of {size} bytes"),
            None => String::new(),
        };
        let title = format!("1000 compressed messages of {length} bytes of {}{how}", data.name());
        let exchange = Exchange {
            source: Source::Cut(data),
            text: data.is_text(),
            length,
            count: 1000,
            fragment,
        };
        let mut case = Case::new(format!("{prefix}.{n}"), title, "RFC 7692 7.2.2", SENTENCE)
            .step(Step::Exchange(exchange));
        case.deflate = Some(agreement.clone());
        case.patience = Duration::from_secs(seconds);
        case
    };
    (1..).zip(SIZES).map(case).collect()
}
