//! Behaviours with a number: what a hostile or unlucky peer does, and what must come of it. Those
//! about limits, memory and misuse stand in `limits.rs`, `memory.rs` and `misuse.rs`.

mod common;

use common::wire::{
    BINARY, CLOSE, CONTINUATION, FIN, KEY, PING, PONG, ROLES, Role, TEXT, events, first_sent,
    receive, sent, take_sent,
};
use common::{drain, feed};
use std::time::Duration;

use websocket_proto::{
    CloseCode, Config, DeadlineConfig, Deadlines, Event, Expired, Initiator, Message, Output,
    ProtocolError, State,
};

/// Delivered, however it comes.
#[test]
fn s05_one_byte_per_read() {
    let role = Role::Server;
    let payload: Vec<u8> = (0..200_000_u32).map(|index| (index % 251) as u8).collect();
    let log =
        feed(&mut role.connection(Config::default()), role.frame(FIN | BINARY, &payload).chunks(1));
    assert!(log.events == [Event::Binary(payload.into())] && log.error.is_none());
}

/// 5.5.3: behind a socket that is not read, one pong waits, for the newest ping.
#[test]
fn s10_pings_that_are_not_read_leave_one_pong() {
    for role in ROLES {
        let config = Config::default();
        let mut connection = role.connection(config);
        let mut output = Output::new();
        let ping = |index: u32| {
            let mut payload = [0; 125];
            payload[..4].copy_from_slice(&index.to_be_bytes());
            payload
        };
        for index in 0..2000 {
            let bytes = role.frame(FIN | PING, &ping(index));
            let (event, _) = receive(&mut connection, &bytes, &mut output);
            assert_eq!(event, Ok(Some(Event::Ping(ping(index).to_vec().into()))));
            assert!(output.len() <= config.output_soft_limit + 131);
        }
        assert!(output.len() > config.output_soft_limit - 131, "answered while there is room");
        assert_eq!(connection.state(), State::Open);
        let mut waiting = take_sent(&mut output);
        connection.send_owed(&mut output);
        let newest = take_sent(&mut output);
        assert_eq!(newest, [(FIN | PONG, ping(1999).to_vec())]);
        connection.send_owed(&mut output);
        assert!(output.is_empty(), "one pong, and once");
        for (index, (byte0, payload)) in waiting.drain(..).enumerate() {
            assert_eq!((byte0, payload), (FIN | PONG, ping(index as u32).to_vec()));
        }
    }
}

/// As many as a minute of a fast network brings.
#[test]
fn s10_a_million_pings_leave_one_pong() {
    const COUNT: u32 = 1_000_000;
    let role = Role::Server;
    let config = Config::default();
    let mut connection = role.connection(config);
    let mut output = Output::new();
    let frame = role.frame(FIN | PING, &[0; 125]);
    let mut scratch = frame.clone();
    for index in 0..COUNT {
        scratch.copy_from_slice(&frame);
        for (byte, index) in scratch[6..].iter_mut().zip(index.to_be_bytes()) {
            *byte ^= index;
        }
        let mut input = &mut scratch[..];
        let event = connection.receive(&mut input, &mut output);
        assert!(matches!(event, Ok(Some(Event::Ping(_)))));
        assert!(output.len() <= config.output_soft_limit + 131);
    }
    assert_eq!(connection.state(), State::Open);
    take_sent(&mut output);
    connection.send_owed(&mut output);
    let newest = take_sent(&mut output);
    assert_eq!((newest.len(), &newest[0].1[..4]), (1, &(COUNT - 1).to_be_bytes()[..]));
}

/// The limit is what may wait already: with none, a pong still leaves when nothing waits.
#[test]
fn s10_a_soft_limit_of_nothing() {
    for role in ROLES {
        let mut config = Config::default();
        config.output_soft_limit = 0;
        let mut connection = role.connection(config);
        let mut output = Output::new();
        for payload in [b"1", b"2", b"3"] {
            receive(&mut connection, &role.frame(FIN | PING, payload), &mut output).0.expect("ok");
        }
        assert_eq!(take_sent(&mut output), [(FIN | PONG, b"1".to_vec())]);
        connection.send_owed(&mut output);
        assert_eq!(take_sent(&mut output), [(FIN | PONG, b"3".to_vec())]);
    }
}

/// 5.5.2, 5.5.3: each ping is answered with its payload, in order; also those between fragments.
#[test]
fn s11_pings_that_are_read_are_all_answered() {
    for role in ROLES {
        let mut connection = role.connection(Config::default());
        let mut output = Output::new();
        let mut bytes = role.frame(TEXT, b"a");
        let mut pongs = Vec::new();
        for len in 0..=125 {
            bytes.extend(role.frame(FIN | PING, &vec![len; len.into()]));
            pongs.push((FIN | PONG, vec![len; len.into()]));
        }
        bytes.extend(role.frame(FIN | CONTINUATION, b"b"));
        let seen = events(&mut connection, &bytes, &mut output);
        assert_eq!(seen.len(), 127);
        assert_eq!(seen.last(), Some(&Event::Text("ab".into())));
        assert_eq!(take_sent(&mut output), pongs);
    }
}

/// Nor do they buy time: a message that drips behind them ends at its deadline.
#[test]
fn s12_pongs_do_not_restart_the_message_deadline() {
    let second = Duration::from_secs;
    let role = Role::Server;
    let mut config = DeadlineConfig::default();
    config.message = Some(second(30));
    let mut deadlines = Deadlines::new(&config, second(0));
    deadlines.opened(second(0));
    let mut connection = role.connection(Config::default());
    let mut output = Output::new();
    receive(&mut connection, &role.frame(TEXT, b"a"), &mut output).0.expect("ok");
    for now in 0..30 {
        assert!(connection.in_message());
        deadlines.message_started(second(now));
        deadlines.received(second(now));
        assert_eq!(deadlines.on_deadline(second(now)), None);
        receive(&mut connection, &role.frame(FIN | PONG, &[1; 125]), &mut output).0.expect("ok");
    }
    assert_eq!(deadlines.on_deadline(second(30)), Some(Expired::Message));
    connection.fail(ProtocolError::MessageTimeout, &mut output);
    assert_eq!(take_sent(&mut output), [(FIN | CLOSE, 1008_u16.to_be_bytes().to_vec())]);
}

/// 5.5.3: "A response to an unsolicited Pong frame is not expected."
#[test]
fn s12_pongs_are_reported_and_not_answered() {
    for role in ROLES {
        let mut connection = role.connection(Config::default());
        let mut output = Output::new();
        let bytes = role.frame(FIN | PONG, &[7; 125]).repeat(1000);
        let seen = events(&mut connection, &bytes, &mut output);
        assert_eq!(seen, vec![Event::Pong(vec![7; 125].into()); 1000]);
        assert!(output.is_empty());
    }
}

/// The pong waits for the frame that has begun to leave, and for no other.
#[test]
fn s14_s73_a_pong_overtakes_large_frames_at_a_boundary() {
    for role in ROLES {
        let config = Config::default();
        let size = config.fragment_size;
        let payload: Vec<u8> = (0..8 * size).map(|index| (index % 241) as u8).collect();
        for gone in [0, 1, size / 2, size + 13, size + 14, size + 15, 3 * size] {
            let mut connection = role.connection(config);
            let mut output = Output::new();
            connection.send(Message::binary(&payload[..]), &mut output).expect("one always fits");
            let mut wire = Vec::new();
            while wire.len() < gone {
                let pending = output.pending();
                let len = pending.len().min(gone - wire.len());
                wire.extend_from_slice(&pending[..len]);
                output.advance(len);
            }
            receive(&mut connection, &role.frame(FIN | PING, b"now"), &mut output).0.expect("ok");
            drain(&mut output, &mut wire);

            let frames = sent(&wire);
            let pong = frames.iter().position(|frame| frame.byte0 == FIN | PONG).expect("a pong");
            let before: usize = frames[..pong].iter().map(|frame| frame.payload.len()).sum();
            assert!(before <= gone + size, "{gone}: behind {before} bytes");
            assert_eq!(frames[pong].payload, b"now");
            assert_eq!(frames.len(), 8 + 1);
            let data: Vec<_> = frames.iter().filter(|frame| frame.byte0 != FIN | PONG).collect();
            for (index, frame) in data.iter().enumerate() {
                let opcode = if index == 0 { BINARY } else { CONTINUATION };
                let fin = if index == 7 { FIN } else { 0 };
                assert_eq!((frame.byte0, frame.payload.len()), (fin | opcode, size));
            }
            let joined: Vec<u8> =
                data.into_iter().flat_map(|frame| frame.payload.clone()).collect();
            assert!(joined == payload, "{gone}: the message is whole");
        }
    }
}

/// A message of 32 MiB has begun to leave: the pong waits for one of its frames.
#[test]
fn s73_a_pong_in_the_middle_of_32_mebibytes() {
    for role in ROLES {
        let config = Config::default();
        let mut connection = role.connection(config);
        let mut output = Output::new();
        connection.send(Message::binary(vec![7; 32 << 20]), &mut output).expect("one always fits");
        output.advance(1000);
        let mut left = output.len();
        receive(&mut connection, &role.frame(FIN | PING, b"now"), &mut output).0.expect("ok");
        let mut before = 0;
        // The pong is what makes it longer; it stands at the start of a pending run.
        left += if role == Role::Client { 9 } else { 5 };
        assert_eq!(output.len(), left);
        loop {
            let pending = output.pending();
            if pending[0] == FIN | PONG
                && first_sent(pending).is_some_and(|(f, _)| f.payload == b"now")
            {
                break;
            }
            let len = pending.len();
            before += len;
            assert!(before <= config.fragment_size + 14, "{before} bytes before the pong");
            output.advance(len);
        }
    }
}

/// The transport ends after each byte of a conversation: one error, and no message from a part.
#[test]
fn s29_eof_after_each_byte() {
    for role in ROLES {
        let bytes = [
            role.frame(FIN | TEXT, b"one"),
            role.frame(FIN | PING, b"p"),
            role.frame(TEXT, b"tw"),
            role.frame(FIN | PONG, b"q"),
            role.frame(FIN | CONTINUATION, b"o"),
            role.frame(FIN | BINARY, &[3; 130]),
        ];
        let ends: Vec<usize> = bytes
            .iter()
            .scan(0, |sum, frame| {
                *sum += frame.len();
                Some(*sum)
            })
            .collect();
        let whole = bytes.concat();
        for len in 0..=whole.len() {
            let mut connection = role.connection(Config::default());
            let log = feed(&mut connection, [&whole[..len]]);
            // Each frame but the first fragment makes one event.
            let done = ends.iter().filter(|end| **end <= len).count();
            let fragment = usize::from(done >= 3);
            assert_eq!(log.events.len(), done - fragment, "{len} bytes");
            for _ in 0..2 {
                assert_eq!(connection.receive_eof(), Err(ProtocolError::UnexpectedEof));
            }
            let after = feed(&mut connection, [&whole[len..]]);
            assert_eq!((after.events, after.output), (Vec::new(), Vec::new()));
            let closed = connection.closed().expect("failed");
            assert_eq!((closed.clean, closed.code), (false, CloseCode::ABNORMAL));
            assert_eq!(closed.initiator, Initiator::Peer);
        }
    }
}

/// 7.1.5: without a Close frame the end is 1006, also at the end of a message, and in the middle
/// of the peer's Close.
#[test]
fn s30_eof_without_a_close_is_unclean() {
    for role in ROLES {
        let close = role.close(1000, "bye");
        for len in 0..close.len() {
            let mut connection = role.connection(Config::default());
            let mut output = Output::new();
            events(&mut connection, &role.frame(FIN | TEXT, b"all"), &mut output);
            events(&mut connection, &close[..len], &mut output);
            assert_eq!(connection.receive_eof(), Err(ProtocolError::UnexpectedEof));
            assert_eq!(
                connection.closed().map(|end| (end.clean, end.code.get())),
                Some((false, 1006))
            );
            assert!(output.is_empty(), "the code must not be sent");
            assert!(connection.should_shutdown());
        }
        let mut connection = role.connection(Config::default());
        let mut output = Output::new();
        events(&mut connection, &close, &mut output);
        assert_eq!(connection.receive_eof(), Ok(()));
        assert_eq!(connection.closed().map(|end| (end.clean, end.code.get())), Some((true, 1000)));
    }
}

/// Our Close was sent, and the transport ends, or breaks the protocol, before the peer's.
#[test]
fn s33_no_answer_to_our_close() {
    for role in ROLES {
        for (end, code) in [(None, 1006), (Some(0xFF), 1002)] {
            let mut connection = role.connection(Config::default());
            let mut output = Output::new();
            connection.close(CloseCode::NORMAL, "", &mut output).expect("open");
            assert_eq!(take_sent(&mut output).len(), 1);
            match end {
                None => drop(connection.receive_eof()),
                Some(byte) => drop(receive(&mut connection, &[byte], &mut output)),
            }
            assert!(output.is_empty(), "no second Close");
            let closed = connection.closed().expect("ended");
            assert_eq!((closed.clean, closed.code.get()), (false, code));
            assert_eq!(closed.initiator, Initiator::Local);
        }
    }
}

/// 7.1.3: both may begin at the same time; neither answers.
#[test]
fn s35_both_send_close_at_once() {
    for role in ROLES {
        let mut connection = role.connection(Config::default());
        let mut output = Output::new();
        connection.close(CloseCode::NORMAL, "ours", &mut output).expect("open");
        let seen = events(&mut connection, &role.close(1001, "theirs"), &mut output);
        assert!(matches!(&seen[..], [Event::Close(Some(frame))] if frame.reason() == "theirs"));
        assert_eq!(take_sent(&mut output), [(FIN | CLOSE, b"\x03\xE8ours".to_vec())]);
        let closed = connection.closed().expect("ended");
        assert_eq!((closed.clean, closed.code.get(), closed.reason), (true, 1001, "theirs"));
        // 7.1.1: the server closes the transport first.
        assert_eq!(connection.should_shutdown(), role == Role::Server);
    }
}

/// Messages that the peer sent before it saw our Close still arrive.
#[test]
fn s35_messages_between_the_two_closes_arrive() {
    for role in ROLES {
        let mut connection = role.connection(Config::default());
        let mut output = Output::new();
        connection.close(CloseCode::NORMAL, "", &mut output).expect("open");
        take_sent(&mut output);
        let bytes = [
            role.frame(FIN | TEXT, b"late"),
            role.frame(FIN | PING, b"p"),
            role.close(1000, ""),
            role.frame(FIN | TEXT, b"never seen"),
        ];
        let seen = events(&mut connection, &bytes.concat(), &mut output);
        assert_eq!(seen.len(), 3);
        assert_eq!(seen[0], Event::Text("late".into()));
        assert!(output.is_empty(), "nothing follows a Close");
    }
}

/// 5.5.1: what waits is sent before the answer; the frame in flight is finished.
#[test]
fn s36_a_close_is_answered_behind_what_waits() {
    for role in ROLES {
        for size in [10, 20_000, 600_000] {
            let mut connection = role.connection(Config::default());
            let mut output = Output::new();
            let payload = vec![5; size];
            connection.send(Message::binary(payload.clone()), &mut output).expect("fits");
            let mut wire = output.pending()[..3].to_vec();
            output.advance(3);
            connection.send("small".into(), &mut output).expect("fits");
            events(&mut connection, &role.close(1000, ""), &mut output);
            drain(&mut output, &mut wire);
            let frames = sent(&wire);
            let data: usize = frames.iter().map(|frame| frame.payload.len()).sum();
            assert_eq!(data, size + 5 + 2);
            assert_eq!(frames.last().map(|frame| frame.byte0), Some(FIN | CLOSE));
        }
    }
}

/// 7.1.7: after a failure the peer's bytes mean nothing, and the error stays the first one.
#[test]
fn s39_a_failure_stays() {
    for role in ROLES {
        let mut connection = role.connection(Config::default());
        let mut output = Output::new();
        let bad = role.frame(FIN | TEXT, b"\xFF");
        // Lent text is looked at late; what follows it in the same input is dropped all the same.
        let bytes = [bad, role.frame(FIN | TEXT, b"after")].concat();
        let (result, left) = receive(&mut connection, &bytes, &mut output);
        assert_eq!((result, left), (Err(ProtocolError::InvalidUtf8), 0));
        assert_eq!(take_sent(&mut output), [(FIN | CLOSE, vec![0x03, 0xEF])]);
        for junk in [&[0xFF; 100][..], &role.frame(FIN | TEXT, b"x"), &role.close(1000, ""), &[]] {
            let (result, left) = receive(&mut connection, junk, &mut output);
            assert_eq!((result, left), (Err(ProtocolError::InvalidUtf8), 0));
        }
        assert_eq!(connection.receive_eof(), Err(ProtocolError::InvalidUtf8));
        let stays = connection.fail(ProtocolError::MessageTimeout, &mut output);
        assert_eq!(stays, ProtocolError::InvalidUtf8);
        assert!(output.is_empty());
        let closed = connection.closed().expect("failed");
        assert_eq!((closed.clean, closed.code.get()), (false, 1007));
    }
}

#[test]
fn s40_eof_twice_and_bytes_after_it() {
    for role in ROLES {
        let mut connection = role.connection(Config::default());
        let mut output = Output::new();
        events(&mut connection, &role.close(1000, ""), &mut output);
        take_sent(&mut output);
        for _ in 0..3 {
            assert_eq!(connection.receive_eof(), Ok(()));
            let late = role.frame(FIN | TEXT, b"late");
            assert_eq!(receive(&mut connection, &late, &mut output), (Ok(None), 0));
        }
        assert_eq!((connection.state(), output.is_empty()), (State::Closed, true));
    }
}

/// 10.3: every frame of a client has a key of its own, so what the application says is not what
/// the wire carries.
#[test]
fn s53_the_wire_does_not_carry_what_was_said() {
    let payload = b"GET /x HTTP/1.1\r\nHost: v\r\n\r\n";
    let mut client = Role::Client.connection(Config::default());
    let mut output = Output::new();
    let mut keys = std::collections::HashSet::new();
    for _ in 0..10_000 {
        client.send(Message::binary(&payload[..]), &mut output).expect("open");
        let mut wire = Vec::new();
        drain(&mut output, &mut wire);
        let (frame, len) = first_sent(&wire).expect("a frame");
        assert_eq!((frame.payload.as_slice(), len), (&payload[..], wire.len()));
        let key = frame.key.expect("5.3: masked");
        assert!(
            wire[6..].iter().zip(payload).zip(key.iter().cycle()).all(|((w, p), k)| w ^ k == *p)
        );
        keys.insert(key);
    }
    // By the birthday bound a repetition in 10,000 of 2^32 has a probability of about 1 %; three
    // of them have one of one in a million, and the seed is fixed.
    assert!(keys.len() > 10_000 - 3, "only {} keys", keys.len());
}

/// Large frames, each fragment, and control frames are masked too, each with its own key.
#[test]
fn s53_every_frame_of_a_client_is_masked() {
    let mut config = Config::default();
    config.fragment_size = 100_000;
    let mut client = Role::Client.connection(config);
    let mut output = Output::new();
    let payload = vec![b'A'; 350_000];
    client.send(Message::binary(payload.clone()), &mut output).expect("open");
    let mut wire = Vec::new();
    drain(&mut output, &mut wire);
    client.send(Message::binary(&payload[..]), &mut output).expect("open");
    client.send_fragment("a".into(), false, &mut output).expect("open");
    client.ping(b"A", &mut output).expect("open");
    client.pong(b"A", &mut output).expect("open");
    let prepared = websocket_proto::Prepared::new(Message::binary(payload));
    client.send_fragment("b".into(), true, &mut output).expect("open");
    drain(&mut output, &mut wire);
    client.send_prepared(&prepared, &mut output).expect("open");
    client.close(CloseCode::NORMAL, "", &mut output).expect("open");
    drain(&mut output, &mut wire);
    let frames = sent(&wire);
    assert_eq!(frames.len(), 4 + 4 + 4 + 4 + 1);
    let keys: std::collections::HashSet<_> =
        frames.iter().map(|frame| frame.key.expect("masked")).collect();
    assert_eq!(keys.len(), frames.len());
    assert!(!keys.contains(&KEY));
    // And a server's never is (5.1).
    let mut server = Role::Server.connection(Config::default());
    server.send("a".into(), &mut output).expect("open");
    server.ping(b"", &mut output).expect("open");
    server.send_prepared(&prepared, &mut output).expect("open");
    server.close(CloseCode::NORMAL, "", &mut output).expect("open");
    let mut wire = Vec::new();
    drain(&mut output, &mut wire);
    assert!(sent(&wire).iter().all(|frame| frame.key.is_none()));
}

/// A deadline passes: one Close frame with its code, or none where it cannot be sent.
#[test]
fn s72_failures_from_outside() {
    for role in ROLES {
        for (error, sends) in [
            (ProtocolError::MessageTimeout, true),
            (ProtocolError::KeepaliveTimeout, true),
            (ProtocolError::CloseTimeout, false),
            (ProtocolError::WriteTimeout, false),
        ] {
            let mut connection = role.connection(Config::default());
            let mut output = Output::new();
            assert_eq!(connection.fail(error, &mut output), error);
            let code = error.close_code();
            let close = (FIN | CLOSE, code.get().to_be_bytes().to_vec());
            assert_eq!(take_sent(&mut output), if sends { vec![close] } else { Vec::new() });
            let closed = connection.closed().expect("failed");
            assert_eq!((closed.clean, closed.code), (false, code));
            let (result, left) = receive(&mut connection, &role.close(1000, ""), &mut output);
            assert_eq!((result, left), (Err(error), 0));
            assert_eq!(connection.closed().map(|end| end.code), Some(code));
        }
    }
}
