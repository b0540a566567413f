//! What the messages of sections 12 and 13 are cut from: data of five kinds, made here, the same in
//! every run. Sizes are chosen so that messages repeat soon (see `exchange`).

use std::fmt::Write as _;
use std::sync::OnceLock;

use crate::random::Random;

/// The kinds differ in how well they compress, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    Json,
    Image,
    Prose,
    Html,
    Document,
}

impl Data {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Image => "a grey image",
            Self::Prose => "German prose",
            Self::Html => "HTML",
            Self::Document => "a document that is mostly compressed already",
        }
    }

    /// Text is sent in text messages; what is cut without regard to characters is not.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Self::Json | Self::Html)
    }

    pub(crate) fn bytes(self) -> &'static [u8] {
        static MADE: [OnceLock<Vec<u8>>; 5] = [const { OnceLock::new() }; 5];
        let (size, make): (usize, fn(&mut Random) -> Vec<u8>) = match self {
            Self::Json => (192 << 10, json),
            Self::Image => (256 << 10, image),
            Self::Prose => (224 << 10, prose),
            Self::Html => (256 << 10, html),
            Self::Document => (1024 << 10, document),
        };
        let Some(made) = MADE.get(self as usize) else { return &[] };
        made.get_or_init(|| {
            let mut random = Random::seeded(self as u64);
            let mut bytes = Vec::with_capacity(size);
            while bytes.len() < size {
                bytes.extend(make(&mut random));
            }
            bytes.truncate(size);
            bytes
        })
    }
}

const WORDS: [&str; 40] = [
    "der",
    "die",
    "das",
    "und",
    "nicht",
    "Geist",
    "Erde",
    "Himmel",
    "Wort",
    "Kraft",
    "Leben",
    "Tag",
    "Nacht",
    "Traum",
    "Glück",
    "Herz",
    "Bücher",
    "Müh",
    "schön",
    "groß",
    "ewig",
    "still",
    "vergebens",
    "erkennen",
    "streben",
    "irren",
    "wandern",
    "verstehen",
    "ich",
    "du",
    "er",
    "wir",
    "auf",
    "mit",
    "durch",
    "über",
    "so",
    "noch",
    "wie",
    "was",
];

fn word(random: &mut Random) -> &'static str {
    random.pick(&WORDS).copied().unwrap_or_default()
}

fn json(random: &mut Random) -> Vec<u8> {
    let names = ["id", "index", "name", "balance", "tags", "latitude", "longitude", "active"];
    let mut text = String::from("{");
    for name in names {
        let number = random.next();
        let _ = match name {
            "name" => write!(text, "\"name\": \"user-{:08x}\", ", number as u32),
            "tags" => write!(text, "\"tags\": [\"t{}\", \"t{}\"], ", number % 97, number % 89),
            "active" => write!(text, "\"active\": {}", number & 1 == 0),
            _ => write!(text, "\"{name}\": {}, ", number % 1_000_000),
        };
    }
    text.push_str("},\n");
    text.into_bytes()
}

/// Rows of a picture: slow changes with a little noise.
fn image(random: &mut Random) -> Vec<u8> {
    let mut grey = random.below(256);
    (0..512)
        .map(|x| {
            grey = grey.wrapping_add(random.below(7)).wrapping_sub(3) & 0xff;
            (grey ^ (x / 64)) as u8
        })
        .collect()
}

fn prose(random: &mut Random) -> Vec<u8> {
    let mut text = String::new();
    for _ in 0..random.below(6).saturating_add(4) {
        let _ = write!(text, "{} ", word(random));
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// Plain ASCII, so that it can be cut anywhere.
fn html(random: &mut Random) -> Vec<u8> {
    let n = random.below(10_000);
    let ascii: String = word(random).chars().filter(char::is_ascii).collect();
    format!("<tr class=\"row{}\"><td><a href=\"/item/{n}\">{ascii} {n}</a></td></tr>\n", n % 2)
        .into()
}

fn document(random: &mut Random) -> Vec<u8> {
    let length = random.below(20_000).saturating_add(4000);
    let mut bytes =
        format!("obj\n<< /Length {length} /Filter /FlateDecode >>\nstream\n").into_bytes();
    bytes.extend((0..length).map(|_| random.next() as u8));
    bytes.extend_from_slice(b"\nendstream\nendobj\n");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_text_wherever_it_is_cut() {
        for data in [Data::Json, Data::Image, Data::Prose, Data::Html, Data::Document] {
            assert!(data.bytes().len() >= 192 << 10);
            assert!(!data.is_text() || data.bytes().is_ascii());
        }
    }
}
