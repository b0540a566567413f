//! Seeds, named by meaning: the vectors of the library, and cases after the Autobahn test suite,
//! each in the form that a target reads.

use serde_json::Value;

use websocket_proto::frame::{Header, MAX_HEADER_LEN, Opcode, Parsed};

use super::common::{field, hex, rows};
use super::model::unmask;

/// An input for a target.
#[derive(Clone, Debug)]
pub struct Seed {
    pub target: &'static str,
    pub name: String,
    pub input: Vec<u8>,
}

/// The choices in front of a seed: none, so defaults.
const DEFAULT: &[u8] = &[0];

/// All seeds.
pub fn seeds() -> Vec<Seed> {
    let mut seeds = frames();
    seeds.extend(heads("request", include_str!("../../tests/vectors/server_requests.json")));
    seeds.extend(heads("response", include_str!("../../tests/vectors/client_responses.json")));
    seeds.extend(fields());
    seeds.extend(texts());
    seeds.extend(long_messages());
    seeds.extend(programs());
    seeds.extend(adapters());
    seeds
}

fn seed(target: &'static str, name: &str, parts: &[&[u8]]) -> Seed {
    let mut name = name.to_lowercase().replace(|it: char| !it.is_ascii_alphanumeric(), "-");
    name.truncate(60);
    Seed { target, name, input: parts.concat() }
}

fn named(row: &Value) -> String {
    format!("{} {}", field(row, "id"), field(row, "title"))
}

/// Every row of the frame vectors, for each target that reads frames.
fn frames() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for row in rows(include_str!("../../tests/vectors/frames.json")) {
        let (name, input) = (named(&row), hex(field(&row, "input")));
        if input.len() > 4096 {
            continue; // a fuzzer learns nothing from size
        }
        let is_server = field(&row, "role") == "server";
        let role = if is_server { "server" } else { "client" };
        let compressed = row["permessage_deflate"] == Value::Bool(true);
        if compressed && let Some(messages) = messages(&input) {
            seeds.push(seed("inflate", &name, &[&[0, 0, 2, 3, 1], &messages]));
        }
        let compressed = u8::from(compressed);
        seeds.push(seed(role, &name, &[DEFAULT, &input]));
        seeds.push(seed("chunked", &name, &[&[is_server.into(), 0, compressed, 2, 1, 3], &input]));
        if input.len() <= 14 {
            seeds.push(seed("header", &name, &[&input]));
        }
        if is_server {
            seeds.push(seed("client", &name, &[DEFAULT, &to_client(&input)]));
        }
        for target in ["adapter", "cancelled"] {
            let setup = [u8::from(!is_server) | 32, 0, compressed, 0];
            let parts: [&[u8]; 4] = [&[3, 0, 2, 66, 4, 1, 200, 230, 3], &setup, &[0], &input];
            seeds.push(seed(target, &name, &parts));
        }
    }
    seeds
}

/// The messages in a client's frames, as the target `inflate` reads them: `None` for frames that
/// do not end, and for long messages.
fn messages(mut input: &[u8]) -> Option<Vec<u8>> {
    let (mut messages, mut payload) = (Vec::new(), Vec::new());
    while !input.is_empty() {
        let Ok(Parsed::Done { header, len }) = Header::parse(input) else { return None };
        input.split_off(..len)?;
        let len = usize::try_from(header.payload_len).ok()?;
        let mut part = input.split_off(..len)?.to_vec();
        unmask(header.mask?, &mut part);
        payload.extend(part);
        if header.fin {
            messages.extend([
                (header.opcode == Opcode::Text).into(),
                u8::try_from(payload.len()).ok()?,
            ]);
            messages.append(&mut payload);
        }
    }
    Some(messages)
}

/// The frames of a client as a server sends them, up to the first that is none.
fn to_client(mut input: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Ok(Parsed::Done { header: header @ Header { mask: Some(key), .. }, len }) =
        Header::parse(input)
    {
        let mut buffer = [0; MAX_HEADER_LEN];
        let unmasked = Header { mask: None, ..header };
        let encoded = unmasked.encode(&mut buffer);
        bytes.extend(&buffer[..encoded]);
        input = &input[len..];
        let len = usize::try_from(header.payload_len).unwrap_or(usize::MAX).min(input.len());
        let mut payload = input[..len].to_vec();
        unmask(key, &mut payload);
        bytes.extend(payload);
        input = &input[len..];
    }
    [&bytes, input].concat()
}

fn heads(target: &'static str, json: &str) -> Vec<Seed> {
    let rows = rows(json);
    let rows = rows.iter().map(|row| (named(row), hex(field(row, "input"))));
    let rows = rows.filter(|(_, input)| input.len() <= 4096);
    rows.map(|(name, input)| seed(target, &name, &[&[2, 5, 1, 0, 0], &input])).collect()
}

/// A length, then the text.
fn string(text: &str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(text.len()).expect("a short text")];
    bytes.extend(text.as_bytes());
    bytes
}

/// Header fields and URLs.
fn fields() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for offer in [
        "",
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_max_window_bits=10; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits=8, permessage-deflate",
        "permessage-deflate; client_max_window_bits=\"9\", mux; max-channels=4; flow-control",
        "x-unknown, permessage-deflate; unknown=1, permessage-deflate; server_no_context_takeover",
    ] {
        seeds.push(seed(
            "extension",
            &format!("offer {offer}"),
            &[&string("a, b"), offer.as_bytes()],
        ));
    }
    for url in [
        "ws://example.com",
        "wss://[2001:db8::1]:8443/chat?room=1",
        "ws://127.0.0.1:9001/a%20b?c",
        "https://example.com:8443",
        "null",
    ] {
        seeds.push(seed("url", url, &[url.as_bytes()]));
    }
    for texts in [
        ["example.com", "/chat", "https://example.com", "X-Extra", "value", "soap"],
        ["h", "/", "", "Cookie", "a=b; c=d", "v1"],
        ["h", "/ HTTP/1.1\r\nX: y", "", "A", "b", "c"],
        ["h\r\nX: y", "/", "", "A", "b", "c"],
        ["h", "/", "o\r\nX: y", "A", "b\r\nX: y", "c, d"],
        ["h", "/", "", "Sec-WebSocket-Key", "x", "c"],
    ] {
        let input = texts.map(string).concat();
        seeds.push(seed("handshake", &texts.concat(), &[&input]));
    }
    seeds
}

/// Compressed messages of which 64 times the same stored block is the most, then an end.
fn long_messages() -> Vec<Seed> {
    let ends: [(&str, &[u8]); 5] = [
        ("at the end of a block", &[0x00]),
        ("after a final block", &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]),
        ("within a block", &[0xf2, 0x48]),
        ("with the four octets", &[0x00, 0x00, 0x00, 0xff, 0xff]),
        ("without its last octet", &[]),
    ];
    let seeds = ends.map(|(name, end)| {
        let parts: [&[u8]; 4] = [&[0x81, 245], &[b'x'; 245], &[end.len() as u8], end];
        seed("inflate", &format!("a long message, {name}"), &[&[0, 0, 2, 200, 7], &parts.concat()])
    });
    seeds.into()
}

/// Text after Autobahn's section 6, fragmented each few bytes, in both delivery modes.
fn texts() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (name, text) in [
        ("6.2 valid of all widths", "a\u{a2}\u{20ac}\u{10348}Hello-\u{b5}@\u{df}\u{f6}".as_bytes()),
        ("6.3 invalid in the middle", b"\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80edited"),
        ("6.4 above the last character", b"\xce\xba\xf4\x90\x80\x80edited"),
        ("6.6 cut off character", b"\xf0\x90\x8d"),
        ("6.12 overlong", b"\xc0\xaf"),
        ("6.15 overlong of four", b"\xf0\x80\x80\xaf"),
        ("6.19 surrogate", b"\xed\xa0\x80\xed\xb0\x80"),
        ("6.22 non-characters", b"\xef\xbf\xbe\xef\xbf\xbf\xf4\x8f\xbf\xbf"),
        ("lone continuation byte", b"a\x80"),
        ("impossible byte", b"\xff"),
    ] {
        for mode in [0, 1] {
            let name = format!("{name} {}", ["messages", "chunks"][usize::from(mode)]);
            seeds.push(seed("utf8", &name, &[&[mode, 3, 1, 2, 0], text]));
        }
    }
    for len in [0, 1, 125, 126, 255] {
        let name = format!("{len} bytes");
        seeds.push(seed("mask", &name, &[&[32, 0, 0, 1, 2, 3, 255, 2, 7, 40], &vec![9; len]]));
        seeds.push(seed(
            "mask",
            &format!("{name} often"),
            &[&[0, 1, 255, 1, 2, 3, 4, 1, 99], &vec![9; len]],
        ));
    }
    seeds
}

/// Two peers that talk. An operation is `2 * kind + peer`, see the target.
fn programs() -> Vec<Seed> {
    let (deliver, text, binary, fragment, ping, close) = (0, 2, 4, 6, 10, 14);
    let programs: [(&str, &[u8]); 7] = [
        ("text both ways", &[text, 2, b'h', b'i', text + 1, 1, b'x', deliver, 9, deliver + 1, 2]),
        ("fragments around a ping", &[fragment, 1, 0xE2, ping, 1, 7, fragment + 16, 2, 0x82, 0xAC]),
        ("large message, then ping", &[binary + 240, 255, ping, 1, 1, deliver, 5, ping, 1, 2]),
        ("close from the client", &[close, 0, deliver, 255, deliver + 1, 255]),
        ("close from both at once", &[close, 0, close + 1, 1, deliver, 3, deliver + 1, 9]),
        ("send after close", &[close, 0, text, 1, b'x', text + 1, 1, b'y']),
        ("pings without room", &[ping, 0, ping, 1, 1, ping, 1, 2, deliver, 255, ping + 1, 0]),
    ];
    let mut seeds = Vec::new();
    for (name, program) in programs {
        for (mode, config) in
            [("default", [0, 0, 0]), ("small", [0x1E, 0x1F, 1]), ("manual", [0xE0, 0x81, 0x3E])]
        {
            seeds.push(seed("session", &format!("{name} {mode}"), &[&config, program]));
        }
    }
    seeds
}

/// Calls on the adapters, see the targets: each with a peer that sends more than it is long.
fn adapters() -> Vec<Seed> {
    // Flags: 1 a client, 2 with the opening handshake, 4 silence at the end, 8 reads past the
    // window, 16 time limits, 32 compression. Then limits, compression, deadlines.
    let setups: [(&str, [u8; 4]); 5] = [
        ("server", [0, 0, 0, 0]),
        ("client compressed", [1 | 8 | 32, 0x80, 1, 0]),
        ("server opening", [2, 0, 0, 0]),
        ("client opening", [1 | 2, 0, 0, 0]),
        ("server timed", [4 | 16 | 32, 0, 1, 0x3F]),
    ];
    // A long message, a Ping, a message in two parts, a Close.
    let peer = [1, 3, 200, 9, 4, 1, 7, 3, 1, 9, 1, 0, 2, 2, 255, 8, 5];
    let asynchronous: [(&str, &[u8]); 6] = [
        ("sends and receives", &[2, 200, 0xC7, 255, 1, 1, 1, 0xF8]),
        ("halves", &[9, 0xC7, 200, 1, 5, 0xC6, 100, 9, 1]),
        ("without a receiver", &[9, 0xFD, 0xC7, 200, 0xC7, 200, 0xD8]),
        ("a full transport", &[0x2A, 2, 255, 0xC3, 12, 0xC3, 12, 1]),
        ("silence", &[1, 1, 1, 12, 1, 12, 1, 0xF8]),
        ("close while full", &[0x2A, 2, 255, 0xF8, 12, 0xF8, 0x0A, 0xF8]),
    ];
    let blocking: [(&str, &[u8]); 4] = [
        ("sends and receives", &[2, 200, 3, 7, 0, 4, 15]),
        ("a full stream", &[0x25, 2, 255, 3, 3, 5, 3]),
        ("close while full", &[0x25, 2, 255, 15, 5, 15]),
        ("close", &[0, 0, 13, 0, 15]),
    ];
    let mut seeds = Vec::new();
    for (setup, choices) in setups {
        for (target, calls) in asynchronous
            .iter()
            .map(|it| ("cancelled", it))
            .chain(blocking.iter().map(|it| ("adapter", it)))
        {
            let (name, calls) = calls;
            let len = [u8::try_from(calls.len()).expect("few")];
            let parts: [&[u8]; 5] = [&len, calls, &[3, 0, 200, 0], &choices, &peer];
            seeds.push(seed(target, &format!("{setup} {name}"), &parts));
        }
    }
    seeds
}
