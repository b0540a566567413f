//! What connections of one thread share is memory, and no facts.

use super::cases;

mod on {
    use futures_util::future::FutureExt;
    use websocket_proto::io::Error;
    use websocket_proto::{Config, ProtocolError};

    use crate::cases::form::{Form, Job, tasks, use_it};
    use crate::cases::net::{Net, PeerEnd, either};
    use crate::cases::{SECOND, deadlines, server};
    use crate::payload::is_in_debug;

    /// A neighbour whose messages end does not end ours.
    pub async fn s87_a_drip_beside_a_neighbour<N: Net>(net: N, form: Form) {
        let mut limits = deadlines();
        limits.message = Some(30 * SECOND);
        limits.ping_interval = None;
        let (ours, mut attacker) = net.connect(4096, server(Config::default()), &limits);
        let (theirs, mut neighbour) = net.connect(4096, server(Config::default()), &limits);
        let drips = async {
            attacker.write(b"\x01\x80\0\0\0\0").await;
            loop {
                net.sleep(5 * SECOND).await;
                attacker.write(b"\x00\x81\0\0\0\0a").await;
            }
        };
        let talks = async {
            loop {
                net.sleep(SECOND).await;
                neighbour.write(b"\x81\x81\0\0\0\0b").await;
            }
        };
        let listens = async { _ = use_it(form, theirs, Job::nothing()).await };
        let others = tasks(vec![drips.boxed_local(), talks.boxed_local(), listens.boxed_local()]);
        let received =
            either(use_it(form, ours, Job::nothing()), either(others, net.sleep(60 * SECOND)));
        let received = received.await.expect("the drip goes on").received;
        assert!(
            matches!(received, Err(Error::Protocol(ProtocolError::MessageTimeout))),
            "{received:?}",
        );
        assert_eq!(net.now().as_secs(), 30);
    }

    /// `Debug` is short, and shows no payload of anybody, whoever had the memory before.
    pub async fn s88_debug_of_the_second<N: Net>(net: N, _: Form) {
        let connect = || net.connect(4096, server(Config::default()), &deadlines());
        let ((mut first, mut one), (mut second, mut two)) = (connect(), connect());
        one.write(b"\x81\x82\0\0\0\0<W\x82\x82\0\0\0\0<W").await;
        for _ in 0..2 {
            first.recv().await.unwrap().unwrap();
        }
        two.write(b"\x81\x83\0\0\0\0yes\x81\x83\0\0\0\0<W>").await;
        second.recv().await.unwrap().unwrap();
        for text in [format!("{first:?}"), format!("{second:?}")] {
            assert!(!is_in_debug(&text), "payload in {} bytes", text.len());
            assert!(text.len() < 2 << 10, "{} bytes", text.len());
        }
    }
}

cases! {
    s87_a_drip_beside_a_neighbour: Whole Read StreamSink Split StreamSplit;
    s88_debug_of_the_second: Whole;
}

super::cases_without_time! {
    s88_over_futures_io: s88_debug_of_the_second Whole;
}
