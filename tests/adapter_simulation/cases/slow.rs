//! Peers that are slow, or take nothing: what is queued is not sent, and who takes bytes lives.

use super::{cases, cases_without_time};

/// The cases by the ids of their behaviours.
mod on {
    use futures_util::future::FutureExt;
    use websocket_proto::io::Error;
    use websocket_proto::{CloseCode, Config, Message};

    use crate::cases::form::{Form, Job, Outcome, tasks, use_it};
    use crate::cases::net::{Net, PeerEnd};
    use crate::cases::{CLOSE, PING, SECOND, deadlines, frames, read_to_close, server};

    /// A peer that takes a large message slowly and steadily, and says nothing, lives.
    pub async fn s80_a_large_message_to_a_slow_peer<N: Net>(net: N, form: Form) {
        let (websocket, mut peer) = net.connect(4096, server(Config::default()), &deadlines());
        let ours = async {
            let message = Message::binary(vec![7; 4 << 20]);
            let Outcome { sent, received, closed } =
                use_it(form, websocket, Job::send(message)).await;
            sent.unwrap();
            assert_eq!(received.unwrap(), None);
            assert_eq!(closed, Some((true, 1000)));
            assert!(net.now() >= 100 * SECOND);
        };
        let theirs = async {
            let mut count = 0;
            while count < 4 << 20 {
                let read = peer.read(4096).await;
                assert!(!read.is_empty(), "cut off after {count} bytes");
                count += read.len();
                net.sleep(SECOND / 10).await;
            }
            peer.write(CLOSE).await;
            while !peer.read(4096).await.is_empty() {}
        };
        tasks(vec![ours.boxed_local(), theirs.boxed_local()]).await;
    }

    /// What the peer does not take after its Close is not sent.
    pub async fn s82_a_close_and_nothing_read<N: Net>(net: N, form: Form) {
        let (websocket, mut peer) = net.connect(4096, server(Config::default()), &deadlines());
        peer.write(CLOSE).await;
        let message = Message::binary(vec![7; 1 << 20]);
        let outcome = use_it(form, websocket, Job::send(message)).await;
        let Outcome { sent, received, closed } = outcome;
        assert!(matches!(sent, Err(Error::Io(_) | Error::Protocol(_))), "{sent:?}");
        assert_eq!(received.unwrap(), None, "the peer has closed");
        assert_eq!(closed, Some((false, 1000)));
    }

    /// Nor is it sent if the peer is then gone.
    pub async fn s83_a_close_and_a_reset<N: Net>(net: N, form: Form) {
        let (websocket, mut peer) = net.connect(4096, server(Config::default()), &deadlines());
        let ours = async {
            let message = Message::binary(vec![7; 1 << 20]);
            let Outcome { sent, received, closed } =
                use_it(form, websocket, Job::send(message)).await;
            assert!(matches!(sent, Err(Error::Io(_))), "{sent:?}");
            assert_eq!(received.unwrap(), None, "the peer has closed");
            assert_eq!(closed, Some((false, 1000)));
            assert!(net.now() < 2 * SECOND);
        };
        let theirs = async {
            peer.write(CLOSE).await;
            net.sleep(SECOND).await;
            peer.vanish();
        };
        tasks(vec![ours.boxed_local(), theirs.boxed_local()]).await;
    }

    /// All of it and the Close arrive, however long that takes.
    pub async fn s84_a_close_behind_much<N: Net>(net: N, form: Form) {
        let (websocket, mut peer) = net.connect(4096, server(Config::default()), &deadlines());
        let ours = async {
            let messages = vec![Message::binary(vec![7; 600 << 10])];
            let job = Job { messages, feeds: true, closes: true };
            let Outcome { sent, received, closed } = use_it(form, websocket, job).await;
            sent.unwrap();
            assert_eq!(received.unwrap(), None);
            assert_eq!(closed, Some((true, 1000)));
        };
        let theirs = async {
            let pause = async || net.sleep(SECOND / 4).await;
            let bytes = read_to_close(&mut peer, 4096, pause).await;
            assert_eq!(frames(&bytes).last(), Some(&(0x88, 2)), "{} bytes", bytes.len());
            assert!(bytes.len() > 600 << 10);
            peer.write(CLOSE).await;
            while !peer.read(4096).await.is_empty() {}
        };
        tasks(vec![ours.boxed_local(), theirs.boxed_local()]).await;
    }

    /// The same with the call that closes and waits.
    pub async fn s84_close_itself<N: Net>(net: N, _: Form) {
        let (websocket, mut peer) = net.connect(4096, server(Config::default()), &deadlines());
        let ours = async {
            let mut websocket = websocket;
            websocket.feed(vec![7; 600 << 10]).await.unwrap();
            websocket.close(CloseCode::NORMAL, "").await.unwrap();
            assert!(websocket.connection().closed().unwrap().clean);
        };
        let theirs = async {
            let pause = async || net.sleep(SECOND / 4).await;
            let bytes = read_to_close(&mut peer, 4096, pause).await;
            assert_eq!(frames(&bytes).last(), Some(&(0x88, 2)), "{} bytes", bytes.len());
            peer.write(CLOSE).await;
            peer.end().await;
        };
        tasks(vec![ours.boxed_local(), theirs.boxed_local()]).await;
    }

    /// Two tasks, of which one waits to write and one to read: both are woken.
    pub async fn s86_two_tasks<N: Net>(net: N, form: Form) {
        both_are_woken(net, form, false).await;
    }

    /// The same with a ping amid it, whose pong leaves.
    pub async fn s86_two_tasks_and_a_ping<N: Net>(net: N, form: Form) {
        both_are_woken(net, form, true).await;
    }

    async fn both_are_woken<N: Net>(net: N, form: Form, ping: bool) {
        let (websocket, mut peer) = net.connect(4096, server(Config::default()), &deadlines());
        let ours = async {
            let message = Message::binary(vec![7; 100_000]);
            let Outcome { sent, received, closed } =
                use_it(form, websocket, Job::send(message)).await;
            sent.unwrap();
            assert_eq!(received.unwrap(), None);
            assert_eq!(closed, Some((true, 1000)));
            assert!(net.now() < 40 * SECOND, "only a deadline woke it: {:?}", net.now());
        };
        let theirs = async {
            net.sleep(SECOND).await;
            let mut bytes = Vec::new();
            let expected = 100_010 + if ping { 2 } else { 0 };
            while bytes.len() < expected {
                let read = peer.read(4096).await;
                assert!(!read.is_empty(), "cut off");
                if bytes.is_empty() && ping {
                    peer.write(PING).await;
                }
                bytes.extend(read);
                net.sleep(SECOND / 20).await;
            }
            let pongs = frames(&bytes).iter().filter(|(byte0, _)| *byte0 == 0x8A).count();
            assert_eq!(pongs, usize::from(ping));
            peer.write(CLOSE).await;
            peer.end().await;
            while !peer.read(4096).await.is_empty() {}
        };
        tasks(vec![ours.boxed_local(), theirs.boxed_local()]).await;
    }
}

cases! {
    s80_a_large_message_to_a_slow_peer: Whole StreamSink Split StreamSplit;
    s82_a_close_and_nothing_read: Whole StreamSink Split StreamSplit;
    s83_a_close_and_a_reset: Whole StreamSink Split StreamSplit;
    s84_a_close_behind_much: Whole StreamSink Split StreamSplit;
    s84_close_itself: Whole;
    s86_two_tasks: Split StreamSplit;
    s86_two_tasks_and_a_ping: Split StreamSplit;
}

cases_without_time! {
    s86_over_futures_io: s86_two_tasks Split StreamSplit;
    s86_over_futures_io_with_a_ping: s86_two_tasks_and_a_ping Split StreamSplit;
}
