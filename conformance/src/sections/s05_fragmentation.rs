//! 5: messages in fragments, and control frames between them (RFC 6455 5.4).

use std::time::Duration;

use crate::case::{Case, Cut, Event, Step};
use crate::wire::frame::{continuation, ping, pong, text};

const CONTROL: &str = "Control frames themselves MUST NOT be fragmented";
const MESSAGE: &str = "A fragmented message consists of a single frame with the FIN bit clear and an \
                       opcode other than 0, followed by zero or more frames with the FIN bit clear and \
                       the opcode set to 0, and terminated by a single frame with the FIN bit set and an \
                       opcode of 0";
const BETWEEN: &str =
    "Control frames (see Section 5.5) MAY be injected in the middle of a fragmented message";
const NOT_BETWEEN: &str = "The fragments of one message MUST NOT be interleaved between the fragments of \
                           another message unless an extension has been negotiated that can interpret \
                           the interleaving";
const CUTS: [(Cut, &str); 3] =
    [(Cut::Whole, ""), (Cut::Frames, ", frame by frame"), (Cut::Octets(1), ", byte by byte")];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        case(1, "a Ping in two fragments", CONTROL)
            .send([ping("fragment1").more(), continuation("fragment2")])
            .expect([])
            .peer_fails(1002),
        case(2, "a Pong in two fragments", CONTROL)
            .send([pong("fragment1").more(), continuation("fragment2")])
            .expect([])
            .peer_fails(1002),
    ];
    cases.extend(right());
    cases.extend(nothing_to_continue());
    cases.extend(slowly());
    cases
}

fn case(n: usize, title: impl Into<String>, sentence: &'static str) -> Case {
    Case::new(format!("5.{n}"), title, "RFC 6455 5.4", sentence)
}

fn right() -> Vec<Case> {
    let whole = || Event::Text("fragment1fragment2".into());
    let mut cases = Vec::new();
    for (n, (cut, how)) in (3..).zip(CUTS) {
        cases.push(
            case(n, format!("a text message in two fragments{how}"), MESSAGE)
                .send_cut([text("fragment1").more(), continuation("fragment2")], cut)
                .expect([whole()])
                .close_after(1.0),
        );
    }
    for (n, (cut, how)) in (6..).zip(CUTS) {
        let frames = [text("fragment1").more(), ping("ping payload"), continuation("fragment2")];
        cases.push(
            case(n, format!("a Ping between two fragments{how}"), BETWEEN)
                .send_cut(frames, cut)
                .expect([Event::Pong("ping payload".into()), whole()])
                .close_after(1.0),
        );
    }
    cases
}

fn nothing_to_continue() -> Vec<Case> {
    let mut cases = Vec::new();
    for (first, fin) in [(9, true), (12, false)] {
        for (n, (cut, how)) in (first..).zip(CUTS) {
            let mut stray = continuation("non-continuation payload");
            stray.fin = fin;
            let title = format!(
                "a continuation frame with FIN {} where nothing was begun, then a message{how}",
                u8::from(fin)
            );
            cases.push(
                case(n, title, MESSAGE)
                    .send_cut([stray, text("Hello, world!")], cut)
                    .expect([])
                    .peer_fails(1002),
            );
        }
    }
    cases.push(
        case(15, "a message in two fragments, then one more fragment and a message", MESSAGE)
            .send([
                text("fragment1").more(),
                continuation("fragment2"),
                continuation("fragment3").more(),
                text("fragment4"),
            ])
            .expect([Event::Text("fragment1fragment2".into())])
            .or_not_strict([])
            .peer_fails(1002),
    );
    for (n, fin) in [(16, false), (17, true)] {
        let mut stray = continuation("fragment1");
        stray.fin = fin;
        let once = [stray, text("fragment2").more(), continuation("fragment3")];
        let title =
            format!("twice: a stray fragment with FIN {}, then a message in two", u8::from(fin));
        cases.push(
            case(n, title, MESSAGE).send([once.clone(), once].concat()).expect([]).peer_fails(1002),
        );
    }
    cases.push(
        case(18, "a message begun inside another", NOT_BETWEEN)
            .send([text("fragment1").more(), text("fragment2")])
            .expect([])
            .peer_fails(1002),
    );
    cases
}

fn slowly() -> [Case; 2] {
    [(19, Cut::Whole, ""), (20, Cut::Frames, ", frame by frame")].map(|(n, cut, how)| {
        let title =
            format!("five fragments with two Pings between them and a pause of a second{how}");
        let pong = |payload: &'static str| Event::Pong(payload.into());
        case(n, title, BETWEEN)
            .send_cut(
                [text("fragment1").more(), continuation("fragment2").more(), ping("pongme 1!")],
                cut,
            )
            .step(Step::Wait(Duration::from_secs(1)))
            .send_cut(
                [
                    continuation("fragment3").more(),
                    continuation("fragment4").more(),
                    ping("pongme 2!"),
                    continuation("fragment5"),
                ],
                cut,
            )
            .expect([
                pong("pongme 1!"),
                pong("pongme 2!"),
                Event::Text("fragment1fragment2fragment3fragment4fragment5".into()),
            ])
            .close_after(1.0)
    })
}
