//! The cases, one file a section. Sections 1 to 13 have the ids and the verdicts of the Autobahn test
//! suite 0.8.2, so that results can be compared.

mod c_closing;
mod f_frames;
mod h_opening_handshake;
mod s01_framing;
mod s02_pings_and_pongs;
mod s03_reserved_bits;
mod s04_opcodes;
mod s05_fragmentation;
mod s06_utf8;
mod s07_closing;
mod s09_sizes;
mod s10_automatic_fragmentation;
mod s12_compression;
mod s13_compression_parameters;

use crate::case::Case;

/// What a section is about, by the first part of its ids.
pub(crate) const TITLES: [(&str, &str); 14] = [
    ("1", "Framing"),
    ("2", "Pings and Pongs"),
    ("3", "Reserved bits"),
    ("4", "Opcodes"),
    ("5", "Fragmentation"),
    ("6", "UTF-8"),
    ("7", "Closing handshake"),
    ("9", "Sizes and round trips"),
    ("10", "Automatic fragmentation"),
    ("12", "Compression of various data"),
    ("13", "Compression with various parameters"),
    ("C", "Closing handshake, beyond Autobahn"),
    ("F", "Frames, byte by byte"),
    ("H", "Opening handshake"),
];

/// Every case, in the order of the ids.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(s01_framing::cases());
    cases.extend(s02_pings_and_pongs::cases());
    cases.extend(s03_reserved_bits::cases());
    cases.extend(s04_opcodes::cases());
    cases.extend(s05_fragmentation::cases());
    cases.extend(s06_utf8::cases());
    cases.extend(s07_closing::cases());
    cases.extend(s09_sizes::cases());
    cases.extend(s10_automatic_fragmentation::cases());
    cases.extend(s12_compression::cases());
    cases.extend(s13_compression_parameters::cases());
    cases.extend(c_closing::cases());
    cases.extend(f_frames::cases());
    cases.extend(h_opening_handshake::cases());
    cases.sort_by(|a, b| a.id.cmp(&b.id));
    cases
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The number of cases in each section of Autobahn 0.8.2.
    #[test]
    fn as_many_cases_as_autobahn_has() {
        let mut counts = BTreeMap::new();
        for case in all() {
            *counts.entry(case.id.section().to_owned()).or_insert(0) += 1;
        }
        let counts: Vec<_> =
            TITLES.iter().take(11).map(|(section, _)| counts.get(*section).copied()).collect();
        let expected = [16, 11, 7, 10, 20, 145, 37, 54, 1, 90, 126].map(Some);
        assert_eq!(counts, expected);
    }

    #[test]
    fn every_case_has_an_id_of_its_own_and_says_what_it_is_about() {
        let cases = all();
        for pair in cases.windows(2) {
            assert!(pair[0].id < pair[1].id, "{} is there twice", pair[0].id);
        }
        for case in &cases {
            assert!(case.section.starts_with("RFC "), "{}", case.id);
            assert!(!case.title.is_empty() && !case.sentence.is_empty(), "{}", case.id);
            assert!(!case.steps.is_empty() || case.opening.is_some(), "{}", case.id);
        }
    }
}
