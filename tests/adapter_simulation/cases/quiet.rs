//! Peers that say nothing more: the program is told of the end when our last byte has left.

use super::{cases, cases_without_time};

mod on {
    use futures_util::future::FutureExt;
    use websocket_proto::io::Error;
    use websocket_proto::{Config, Delivery, ProtocolError};

    use crate::cases::form::{Form, Job, Outcome, tasks, use_it};
    use crate::cases::net::{Net, PeerEnd};
    use crate::cases::{CLOSE, FAULT, SECOND, deadlines, read_to_close, server};

    pub async fn s85_a_clean_end<N: Net>(net: N, form: Form) {
        let (websocket, mut peer) = net.connect(4096, server(Config::default()), &deadlines());
        peer.write(CLOSE).await;
        let Outcome { sent, received, closed } = use_it(form, websocket, Job::nothing()).await;
        sent.unwrap();
        assert_eq!(received.unwrap(), None);
        assert_eq!(closed, Some((true, 1000)));
        assert_eq!(net.now().as_secs(), 0, "the peer has only left its end open");
    }

    /// The same where we begin.
    pub async fn s85_a_clean_end_of_ours<N: Net>(net: N, form: Form) {
        let (websocket, mut peer) = net.connect(4096, server(Config::default()), &deadlines());
        let ours = async {
            let job = Job { closes: true, ..Job::nothing() };
            let Outcome { sent, received, closed } = use_it(form, websocket, job).await;
            sent.unwrap();
            assert_eq!(received.unwrap(), None);
            assert_eq!(closed, Some((true, 1000)));
            assert_eq!(net.now().as_secs(), 0);
        };
        let theirs = async {
            read_to_close(&mut peer, 4096, async || ()).await;
            peer.write(CLOSE).await;
        };
        tasks(vec![ours.boxed_local(), theirs.boxed_local()]).await;
    }

    pub async fn s85_a_fault<N: Net>(net: N, form: Form) {
        let (websocket, mut peer) = net.connect(4096, server(Config::default()), &deadlines());
        peer.write(FAULT).await;
        let received = use_it(form, websocket, Job::nothing()).await.received;
        let fault = Err(Error::Protocol(ProtocolError::ReservedBits(0xF1)));
        assert_eq!(format!("{received:?}"), format!("{:?}", fault as Result<(), Error>));
        assert_eq!(net.now().as_secs(), 0);
    }

    /// A message deadline is over when the message is.
    pub async fn s87_a_message_that_ended<N: Net>(net: N, form: Form) {
        let mut deadlines = deadlines();
        deadlines.message = Some(30 * SECOND);
        deadlines.ping_interval = None;
        let (websocket, mut peer) = net.connect(4096, server(Config::default()), &deadlines);
        let ours = async {
            let Outcome { received, closed, .. } = use_it(form, websocket, Job::nothing()).await;
            assert_eq!(received.unwrap(), None);
            assert_eq!(closed, Some((true, 1000)));
            assert!(net.now() >= 90 * SECOND);
        };
        let theirs = async {
            peer.write(b"\x01\x81\0\0\0\0a").await;
            net.sleep(SECOND).await;
            peer.write(b"\x80\x81\0\0\0\0b").await;
            net.sleep(90 * SECOND).await;
            peer.write(CLOSE).await;
            while !peer.read(4096).await.is_empty() {}
        };
        tasks(vec![ours.boxed_local(), theirs.boxed_local()]).await;
    }

    /// `recv` is for whole messages: it says so, and drops nothing silently.
    pub async fn s94_chunks_are_read<N: Net>(net: N, form: Form) {
        let mut config = Config::default();
        config.delivery = Delivery::Chunks;
        let (websocket, mut peer) = net.connect(4096, server(config), &deadlines());
        peer.write(b"\x81\x81\0\0\0\0a").await;
        peer.write(CLOSE).await;
        peer.end().await;
        let received = use_it(form, websocket, Job::nothing()).await.received;
        let error = received.expect_err("the text is gone").to_string();
        assert!(error.contains("read"), "{error}");
    }
}

cases! {
    s85_a_clean_end: Whole Read StreamSink Split StreamSplit;
    s85_a_clean_end_of_ours: Whole Read StreamSink Split StreamSplit;
    s85_a_fault: Whole Read StreamSink Split StreamSplit;
    s87_a_message_that_ended: Whole Read StreamSink Split StreamSplit;
    s94_chunks_are_read: Whole StreamSink Split StreamSplit;
}

cases_without_time! {
    s94_over_futures_io: s94_chunks_are_read Whole StreamSink Split StreamSplit;
}

/// A refusal is told when it was written.
#[cfg(feature = "tokio")]
#[tokio::test(start_paused = true)]
async fn s85_a_refusal() {
    use tokio::io::AsyncWriteExt;
    use websocket_proto::handshake::Refusal;
    use websocket_proto::io::tokio::accept_with;
    use websocket_proto::io::{Error, ServerOptions};

    let (ours, mut theirs) = tokio::io::duplex(4096);
    let request = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n\r\n";
    theirs.write_all(request.as_bytes()).await.unwrap();
    let begin = tokio::time::Instant::now();
    let options = ServerOptions::default();
    let refused = accept_with(ours, &options, |_| Err(Refusal::new(403))).await;
    assert!(matches!(refused.map(|_| ()), Err(Error::Refused(403))));
    assert_eq!(begin.elapsed().as_secs(), 0);
}
