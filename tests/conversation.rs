//! A client and a server back to back: whatever is said, in whatever pieces, is heard, in order.

mod common;

use common::pair::Pair;
use common::wire::{ROLES, Role};
use proptest::collection::vec;
use proptest::prelude::*;
use websocket_proto::{CloseCode, Config, Delivery, Event, Message, Prepared, State};

/// The first byte of a pong that answers nothing; no ping begins with it.
const UNASKED: u8 = 0xEE;

/// One thing that one end does, or the network.
#[derive(Clone, Debug)]
enum Step {
    Send {
        text: bool,
        owned: bool,
        len: usize,
    },
    Prepared {
        text: bool,
        len: usize,
    },
    Fragment {
        text: bool,
        fin: bool,
        len: usize,
    },
    Ping(u8),
    Pong(u8),
    Close(u16, usize),
    /// Bytes that the network takes from this end.
    Deliver(usize),
}

fn len() -> impl Strategy<Value = usize> {
    // Around the sizes where headers, fragments and the way into the output change.
    prop_oneof![
        6 => 0..300_usize,
        2 => 16_000..17_000_usize,
        1 => 65_000..67_000_usize,
        1 => 65_535..=65_537_usize,
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let code = prop_oneof![1000..1004_u16, 1007..1015_u16, 3000..5000_u16];
    prop_oneof![
        4 => (any::<bool>(), any::<bool>(), len())
            .prop_map(|(text, owned, len)| Step::Send { text, owned, len }),
        1 => (any::<bool>(), len()).prop_map(|(text, len)| Step::Prepared { text, len }),
        4 => (any::<bool>(), any::<bool>(), len())
            .prop_map(|(text, fin, len)| Step::Fragment { text, fin, len }),
        2 => (0..=125_u8).prop_map(Step::Ping),
        1 => (1..=125_u8).prop_map(Step::Pong),
        1 => (code, 0..42_usize).prop_map(|(code, len)| Step::Close(code, len)),
        4 => (1..500_usize).prop_map(Step::Deliver),
        2 => (1..100_000_usize).prop_map(Step::Deliver),
    ]
}

fn config() -> impl Strategy<Value = Config> {
    let fragment_size = prop_oneof![1..200_usize, 10_000..100_000_usize, Just(usize::MAX)];
    (fragment_size, any::<bool>()).prop_map(|(fragment_size, chunks)| {
        let mut config = Config::default();
        config.fragment_size = fragment_size;
        config.delivery = if chunks { Delivery::Chunks } else { Delivery::Messages };
        // Back-pressure is another test's; here nothing may be refused or put off.
        config.output_soft_limit = usize::MAX;
        config.output_hard_limit = usize::MAX;
        config.max_message_size = u64::MAX;
        config.max_fragments = u32::MAX;
        config
    })
}

/// What one end has said.
#[derive(Debug, Default)]
struct Said {
    data: Vec<Event<'static>>,
    pings: Vec<Event<'static>>,
    unfinished: Option<(bool, Vec<u8>)>,
    closed: Option<(CloseCode, String)>,
}

fn text(len: usize) -> String {
    "aé€\u{10348}"
        .chars()
        .cycle()
        .scan(0, |sum, character| {
            *sum += character.len_utf8();
            (*sum <= len).then_some(character)
        })
        .collect()
}

fn data(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index % 253) as u8).collect()
}

/// A message, and the event that it must make.
fn message(is_text: bool, len: usize) -> (Message<'static>, Event<'static>) {
    if is_text {
        (Message::text(text(len)), Event::Text(text(len).into()))
    } else {
        (Message::binary(data(len)), Event::Binary(data(len).into()))
    }
}

fn act(pair: &mut Pair, said: &mut Said, role: Role, step: Step) {
    let end = pair.end(role);
    let may_send = end.connection.state() == State::Open;
    let whole = may_send && said.unfinished.is_none();
    match step {
        Step::Send { text: is_text, owned, len } => {
            let (message, event) = message(is_text, len);
            let result = match (&message, owned) {
                (_, true) => end.connection.send(message.clone(), &mut end.output),
                (Message::Text(text), _) => {
                    end.connection.send(Message::text(&**text), &mut end.output)
                }
                (Message::Binary(data), _) => {
                    end.connection.send(Message::binary(&**data), &mut end.output)
                }
            };
            assert_eq!(result.is_ok(), whole);
            said.data.extend(whole.then_some(event));
        }
        Step::Prepared { text: is_text, len } => {
            let (message, event) = message(is_text, len);
            let result = end.connection.send_prepared(&Prepared::new(message), &mut end.output);
            assert_eq!(result.is_ok(), whole);
            said.data.extend(whole.then_some(event));
        }
        Step::Fragment { text: is_text, fin, len } => {
            let is_text = said.unfinished.as_ref().map_or(is_text, |(is_text, _)| *is_text);
            let (fragment, _) = message(is_text, len);
            let bytes = fragment.as_bytes().to_vec();
            let result = end.connection.send_fragment(fragment, fin, &mut end.output);
            assert_eq!(result.is_ok(), may_send);
            if !may_send {
                return;
            }
            said.unfinished.get_or_insert((is_text, Vec::new())).1.extend(bytes);
            if fin && let Some((is_text, bytes)) = said.unfinished.take() {
                said.data.push(if is_text {
                    Event::Text(String::from_utf8(bytes).expect("of text").into())
                } else {
                    Event::Binary(bytes.into())
                });
            }
        }
        Step::Ping(len) => {
            let payload = data(len.into());
            let result = end.connection.ping(&payload, &mut end.output);
            assert_eq!(result.is_ok(), may_send);
            said.pings.extend(may_send.then_some(Event::Ping(payload.into())));
        }
        Step::Pong(len) => {
            let result = end.connection.pong(&vec![UNASKED; len.into()], &mut end.output);
            assert_eq!(result.is_ok(), may_send);
        }
        Step::Close(code, len) => {
            let code = CloseCode::new(code).expect("may be sent");
            let result = end.connection.close(code, &text(len), &mut end.output);
            assert_eq!(result.is_ok(), may_send);
            if may_send {
                said.closed = Some((code, text(len)));
            }
        }
        Step::Deliver(count) => {
            pair.deliver(role, count);
        }
    }
}

/// Whole messages of the events; of a message that never ended, nothing.
fn heard(events: &[Event<'static>]) -> Vec<Event<'static>> {
    let log = common::Log { events: events.to_vec(), ..Default::default() };
    let data = |event: &Event<'_>| matches!(event, Event::Text(_) | Event::Binary(_));
    log.join_chunks().events.into_iter().filter(data).collect()
}

fn check_heard(pair: &mut Pair, role: Role, said_by_peer: &Said) {
    let events = &pair.end(role).events;
    assert_eq!(heard(events), said_by_peer.data, "heard by the {role:?}");
    let pings: Vec<_> =
        events.iter().filter(|event| matches!(event, Event::Ping(_))).cloned().collect();
    assert_eq!(pings, said_by_peer.pings);
    let close = events.iter().position(|event| matches!(event, Event::Close(_)));
    assert_eq!(close, Some(events.len() - 1), "the Close is the last event, and the only one");
}

/// Both agree on how it ended: each has the code of the other's Close frame.
fn check_closed(pair: &mut Pair, role: Role, own: &Said, peer: &Said) {
    let closed = pair.end(role).connection.closed().expect("ended");
    assert!(closed.clean);
    let (code, reason) = match (&peer.closed, &own.closed) {
        (Some((code, reason)), _) => (*code, reason.as_str()),
        (None, Some((code, _))) => (*code, ""), // the echo of ours
        (None, None) => panic!("nobody closed"),
    };
    assert_eq!((closed.code, closed.reason), (code, reason));
    let initiator = match own.closed {
        Some(_) => websocket_proto::Initiator::Local,
        None => websocket_proto::Initiator::Peer,
    };
    assert_eq!(closed.initiator, initiator);
}

/// Pings are answered with their payload, in order, until the peer closes of its own accord.
fn check_answered(pair: &mut Pair, role: Role, own: &Said, peer: &Said) {
    let answer = |event: &Event<'static>| match event {
        Event::Pong(payload) if payload.first() != Some(&UNASKED) => {
            Some(Event::Ping(payload.clone()))
        }
        _ => None,
    };
    let answered: Vec<_> = pair.end(role).events.iter().filter_map(answer).collect();
    assert!(own.pings.starts_with(&answered), "{answered:?} answer {:?}", own.pings);
    assert!(peer.closed.is_some() || answered == own.pings, "not all answered: {answered:?}");
}

fn talk(configs: [Config; 2], steps: Vec<(bool, Step)>, count: usize) {
    let mut pair = Pair::new(configs[0], configs[1]);
    let mut said = [Said::default(), Said::default()];
    for (client, step) in steps {
        let index = usize::from(!client);
        act(&mut pair, &mut said[index], ROLES[index], step);
    }
    // In the end somebody closes.
    act(&mut pair, &mut said[0], Role::Client, Step::Close(1000, 0));
    pair.deliver_all(count);
    for role in ROLES {
        let [client, server] = &said;
        let (own, peer) = if role == Role::Client { (client, server) } else { (server, client) };
        check_heard(&mut pair, role, peer);
        check_closed(&mut pair, role, own, peer);
        check_answered(&mut pair, role, own, peer);
        let sent = pair.end(role).connection.statistics().sent;
        let received = pair.end(role.peer()).connection.statistics().received;
        assert_eq!(sent, received, "all that the {role:?} sent has arrived");
    }
}

/// What one end pings, the other pongs.
#[test]
fn pings_are_answered_in_both_directions() {
    for count in [1, 3, 1000] {
        let mut pair = Pair::new(Config::default(), Config::default());
        for role in ROLES {
            let end = pair.end(role);
            for len in [0, 1, 125] {
                end.connection.ping(&data(len), &mut end.output).expect("open");
            }
        }
        pair.deliver_all(count);
        for role in ROLES {
            let event = |len: usize| Event::Pong(data(len).into());
            let pongs: Vec<_> = pair
                .end(role)
                .events
                .iter()
                .filter(|event| matches!(event, Event::Pong(_)))
                .cloned()
                .collect();
            assert_eq!(pongs, [event(0), event(1), event(125)]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_said_is_heard(
        client in config(),
        server in config(),
        steps in vec((any::<bool>(), step()), 0..30),
        count in prop_oneof![1..8_usize, 8..2000_usize, Just(usize::MAX)],
    ) {
        talk([client, server], steps, count);
    }
}
