//! Pongs that nobody has read yet: a peer is not judged before what it sent was looked at.

use super::cases;

mod on {
    use futures_util::future::FutureExt;
    use websocket_proto::io::{Error, WebSocket};
    use websocket_proto::{Config, Message, ProtocolError};

    use crate::cases::form::{Form, tasks};
    use crate::cases::net::{Net, PeerEnd};
    use crate::cases::{SECOND, deadlines, frames, server};
    use crate::program::api::{ByRecv, ByStream, Sends, Transport, Whole, halves, stream_halves};

    /// Answers each ping at once until a Close comes, and sends nothing else.
    async fn answers_pings(peer: &mut impl PeerEnd) -> usize {
        let (mut bytes, mut pings) = (Vec::new(), 0);
        loop {
            let read = peer.read(4096).await;
            assert!(!read.is_empty(), "cut off after {pings} pings");
            bytes.extend(read);
            while let [first, len, rest @ ..] = &bytes[..]
                && let Some((payload, rest)) = rest.split_at_checked(usize::from(*len))
            {
                match first {
                    0x89 => {
                        peer.write(&[&[0x8A, 0x80 | len, 0, 0, 0, 0], payload].concat()).await;
                        pings += 1;
                    }
                    0x88 => return pings,
                    _ => {}
                }
                bytes = rest.to_vec();
            }
        }
    }

    async fn only_sends<N: Net>(net: &N, sender: &mut impl Sends) {
        for _ in 0..40 {
            sender.send("tick".into()).await.unwrap();
            net.sleep(5 * SECOND).await;
        }
        sender.send_close().await.unwrap();
    }

    async fn by_form<T: Transport>(net: &impl Net, form: Form, websocket: WebSocket<T>) {
        match form {
            Form::Whole => only_sends(net, &mut ByRecv(websocket)).await,
            Form::StreamSink => only_sends(net, &mut ByStream(websocket)).await,
            Form::Split => {
                let (unpolled, mut sender) = halves(websocket);
                only_sends(net, &mut sender).await;
                drop(unpolled);
            }
            Form::StreamSplit => {
                let (unpolled, mut sender) = stream_halves(websocket);
                only_sends(net, &mut sender).await;
                drop(unpolled);
            }
            Form::Read => unreachable!("reads"),
        }
    }

    /// For 200 s, against a silence of 40 s that fails a connection: the peer's pongs are its only
    /// signs of life, and no call of the program receives.
    pub async fn s79_a_program_that_only_sends<N: Net>(net: N, form: Form) {
        let (websocket, mut peer) = net.connect(4096, server(Config::default()), &deadlines());
        let ours = by_form(&net, form, websocket);
        let theirs = async {
            assert_eq!(
                answers_pings(&mut peer).await,
                5,
                "20 s, and 20 s until the pong is looked for"
            );
        };
        tasks(vec![ours.boxed_local(), theirs.boxed_local()]).await;
    }

    /// A peer that takes all and says nothing is told to such a program, too.
    pub async fn s79_a_silent_peer<N: Net>(net: N, form: Form) {
        let (websocket, mut peer) = net.connect(4096, server(Config::default()), &deadlines());
        let ours = async {
            let (websocket, mut sent) = (ByRecv(websocket), 0);
            let error = match form {
                Form::Split => {
                    let (_unpolled, mut sender) = halves(websocket.0);
                    until_it_fails(&net, &mut sender, &mut sent).await
                }
                _ => until_it_fails(&net, &mut { websocket }, &mut sent).await,
            };
            assert_eq!(error.to_string(), Error::from(ProtocolError::KeepaliveTimeout).to_string());
            // 20 s of silence, and 20 s until the pong is missed: the call that finds that
            // leaves it to the next one, before which the runtime has had a turn.
            assert_eq!(sent, 9);
        };
        let theirs = async { while frames(&peer.read(4096).await).last() != Some(&(0x88, 2)) {} };
        tasks(vec![ours.boxed_local(), theirs.boxed_local()]).await;
    }

    async fn until_it_fails(net: &impl Net, sender: &mut impl Sends, sent: &mut usize) -> Error {
        loop {
            if let Err(error) = sender.send("tick".into()).await {
                return error;
            }
            *sent += 1;
            net.sleep(5 * SECOND).await;
        }
    }

    /// A live peer of a program that only sends, and has dropped the receiving half.
    pub async fn s79_a_receiver_that_is_dropped<N: Net>(net: N, _: Form) {
        let (websocket, mut peer) = net.connect(4096, server(Config::default()), &deadlines());
        let ours = async {
            let (receiver, mut sender) = halves(websocket);
            drop(receiver);
            only_sends(&net, &mut sender).await;
        };
        let theirs = async {
            assert_eq!(
                answers_pings(&mut peer).await,
                5,
                "20 s, and 20 s until the pong is looked for"
            );
        };
        tasks(vec![ours.boxed_local(), theirs.boxed_local()]).await;
    }

    /// The pong stands behind a message, which the program has taken before it was busy for longer
    /// than the wait for pongs. What it then sends, and receives, goes well.
    pub async fn s81_a_pong_that_lies_unread<N: Net>(net: N, form: Form) {
        let (websocket, mut peer) = net.connect(4096, server(Config::default()), &deadlines());
        let ours = async {
            match form {
                Form::StreamSink => busy(&net, ByStream(websocket)).await,
                _ => busy(&net, ByRecv(websocket)).await,
            }
        };
        let theirs = async {
            let ping = peer.read(4096).await;
            assert_eq!(frames(&ping), [(0x89, ping.len() - 2)]);
            peer.write(b"\x81\x81\0\0\0\0a").await;
            net.sleep(SECOND).await;
            let header = [0x8A, 0x80 | ping[1], 0, 0, 0, 0];
            peer.write(&[&header[..], &ping[2..]].concat()).await;
            let answer = peer.read(4096).await;
            assert_eq!(frames(&answer)[0], (0x82, 3), "the program's message");
            peer.write(b"\x81\x81\0\0\0\0b").await;
            answers_pings(&mut peer).await;
        };
        tasks(vec![ours.boxed_local(), theirs.boxed_local()]).await;
    }

    async fn busy(net: &impl Net, mut websocket: impl Whole) {
        assert_eq!(websocket.recv().await.unwrap(), Some("a".into()));
        net.sleep(60 * SECOND).await;
        websocket.feed(Message::binary(vec![1, 2, 3])).await.unwrap();
        assert_eq!(websocket.recv().await.unwrap(), Some("b".into()));
        websocket.send_close().await.unwrap();
    }
}

cases! {
    s79_a_program_that_only_sends: Whole StreamSink Split StreamSplit;
    s79_a_receiver_that_is_dropped: Split;
    s79_a_silent_peer: Whole Split;
    s81_a_pong_that_lies_unread: Whole StreamSink;
}
