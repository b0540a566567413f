//! Masking, both ways, against the loop that stands in RFC 6455 section 5.3.

use websocket_proto::{Config, Event, Message};

use super::super::common::{self, drain, feed};
use super::super::model::{frames, unmask};
use super::super::script::Script;

pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let mut config = Config::default();
    config.fragment_size = usize::from(script.byte()) << 2;
    let (owned, repeat) = (script.flag(), usize::from(script.byte() & 15));
    let key: [u8; 4] = std::array::from_fn(|_| script.byte());
    let (cuts, payload) = (script.cuts(), script.0.repeat(1 + repeat));
    // What we mask, the loop unmasks.
    let (mut client, mut output, mut wire) = (common::client(config), Default::default(), vec![]);
    let message = if owned { Message::from(payload.clone()) } else { Message::from(&payload[..]) };
    client.send(message, &mut output).expect("one message always fits");
    drain(&mut output, &mut wire);
    let sent: Vec<u8> = frames(&wire, true).into_iter().flat_map(|it| it.payload).collect();
    assert_eq!(sent, payload);
    // What the loop masks, we unmask, in whatever pieces it comes.
    let mut wire = vec![0x82, 0xFF];
    wire.extend((payload.len() as u64).to_be_bytes());
    match u16::try_from(payload.len()) {
        Ok(len @ 0..126) => wire = vec![0x82, 0x80 | len as u8],
        Ok(len) => wire = [&[0x82, 0xFE], &len.to_be_bytes()[..]].concat(),
        Err(_) => {}
    }
    wire.extend(key);
    let mut masked = payload.clone();
    unmask(key, &mut masked);
    wire.extend(masked);
    let log = feed(&mut common::server(Config::default()), cuts.of(&wire));
    assert_eq!(log.events, [Event::Binary(payload.into())]);
}
