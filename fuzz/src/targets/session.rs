//! A program of operations on two connected peers. Whatever they do, in whatever pieces it
//! travels: neither finds fault with the other, what arrives is what was sent, what waits is
//! bounded, and in the end both have seen all of it.

use websocket_proto::{CloseCode, Connection, Message};

use super::super::common::{keys, peer::Peer};
use super::super::script::Script;

pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let (client, server, agreed) = (script.unlimited(), script.unlimited(), script.negotiated());
    let mut peers = [
        Peer::new(Connection::client(agreed.clone(), client, keys()), client),
        Peer::new(Connection::server(agreed, server), server),
    ];
    while !script.0.is_empty() {
        step(&mut peers, &mut script);
        peers.iter().for_each(Peer::check_state);
    }
    while peers.iter().any(|peer| !peer.output.is_empty()) {
        deliver(&mut peers, 0, usize::MAX);
        deliver(&mut peers, 1, usize::MAX);
    }
    let [client, server] = &peers;
    for (peer, from) in [(client, server), (server, client)] {
        peer.check(from);
        assert_eq!(peer.error, None);
        assert!(peer.received.messages == from.sent.messages, "all of it has arrived");
        assert_eq!(peer.connection.statistics().received, from.connection.statistics().sent);
    }
}

fn step(peers: &mut [Peer; 2], script: &mut Script<'_>) {
    let op = script.byte();
    let at = usize::from(op & 1);
    let peer = &mut peers[at];
    let sent = match op >> 1 & 7 {
        0 => return deliver(peers, at, script.byte().into()),
        1 => peer.send(text(script)),
        2 => peer.send(Message::binary(vec![op; usize::from(script.byte()) << (op >> 4 & 7)])),
        3 => peer.send_fragment(text(script), op & 16 != 0),
        4 => peer.send_fragment(Message::binary(script.string().to_vec()), op & 16 != 0),
        5 => peer.ping(script.string()),
        6 => peer.reply_close(),
        _ => CloseCode::new(1000 + u16::from(script.byte())).is_some_and(|it| peer.close(it, "")),
    };
    let _: bool = sent;
}

fn text(script: &mut Script<'_>) -> Message<'static> {
    Message::text(String::from_utf8_lossy(script.string()).into_owned())
}

/// Hands over the first bytes that the peer at `from` has to send.
fn deliver(peers: &mut [Peer; 2], from: usize, count: usize) {
    let bytes = peers[from].take(count);
    peers[1 - from].receive(&bytes);
}
