//! What a caller must not do: an error, nothing in the output, and a connection as it was.

mod common;

use common::wire::{CLOSE, FIN, PING, PONG, ROLES, Role, receive, take_sent};
use websocket_proto::{
    ApiMisuse, CloseCode, CloseFrame, Config, Connection, Message, Output, Prepared, ProtocolError,
    SendError, State,
};

/// Checks that `call` is refused with `misuse` and changes nothing that can be seen.
fn refused(
    connection: &mut Connection,
    misuse: &ApiMisuse,
    call: impl FnOnce(&mut Connection, &mut Output) -> SendError,
) {
    let seen = |connection: &Connection| {
        (connection.state(), connection.statistics(), connection.should_shutdown())
    };
    let before = seen(connection);
    let mut output = Output::new();
    assert_eq!(call(connection, &mut output), SendError::Misuse(misuse.clone()));
    assert!(output.is_empty() && output.pending().is_empty(), "{misuse}: something was written");
    assert_eq!(seen(connection), before, "{misuse}");
}

fn close_error(
    code: CloseCode,
    reason: &str,
) -> impl FnOnce(&mut Connection, &mut Output) -> SendError {
    move |connection, output| connection.close(code, reason, output).unwrap_err().into()
}

#[test]
fn s56_control_payloads_over_125_bytes() {
    for role in ROLES {
        for len in [126, 127, 65_535, 65_536, 1 << 20] {
            let mut connection = role.connection(Config::default());
            let payload = vec![0; len];
            let misuse = ApiMisuse::LongControl(len);
            refused(&mut connection, &misuse, |c, output| c.ping(&payload, output).unwrap_err());
            refused(&mut connection, &misuse, |c, output| c.pong(&payload, output).unwrap_err());
        }
        let mut connection = role.connection(Config::default());
        let mut output = Output::new();
        connection.ping(&[1; 125], &mut output).expect("as long as allowed");
        connection.pong(&[2; 125], &mut output).expect("as long as allowed");
        let frames = [(FIN | PING, vec![1; 125]), (FIN | PONG, vec![2; 125])];
        assert_eq!(take_sent(&mut output), frames);
    }
}

#[test]
fn s56_close_codes_that_must_not_be_sent() {
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
        assert_eq!(CloseCode::new(code), None, "{code}");
    }
    for role in ROLES {
        for code in [CloseCode::NO_STATUS, CloseCode::ABNORMAL] {
            let mut connection = role.connection(Config::default());
            let misuse = ApiMisuse::CloseCodeNotAllowed(code.get());
            assert_eq!(CloseFrame::new(code, ""), Err(misuse.clone()));
            refused(&mut connection, &misuse, close_error(code, ""));
            // It was not closed by that.
            connection.send("still open".into(), &mut Output::new()).expect("open");
        }
    }
}

/// Cut at a character's end, and closed all the same.
#[test]
fn s56_close_reasons_over_123_bytes() {
    for role in ROLES {
        for (reason, kept) in [
            ("x".repeat(124), "x".repeat(123)),
            ("x".repeat(1 << 20), "x".repeat(123)),
            ("\u{800}".repeat(42), "\u{800}".repeat(41)),
            ("xx".to_owned() + &"\u{10348}".repeat(40), "xx".to_owned() + &"\u{10348}".repeat(30)),
        ] {
            let mut connection = role.connection(Config::default());
            let mut output = Output::new();
            connection.close(CloseCode::NORMAL, &reason, &mut output).expect("open");
            let body = [&[0x03, 0xE8], kept.as_bytes()].concat();
            assert_eq!(take_sent(&mut output), [(FIN | CLOSE, body)]);
            assert_eq!(connection.state(), State::CloseSent);
            let frame = CloseFrame::new(CloseCode::NORMAL, &reason).expect("a code to send");
            assert_eq!(frame.reason(), kept);
        }
    }
}

/// S57: code and reason, and not a byte more.
#[test]
fn s57_a_close_frame_is_code_and_reason() {
    for role in ROLES {
        for reason in [String::new(), "bye".into(), "\u{800}".repeat(41), "x".repeat(123)] {
            let mut connection = role.connection(Config::default());
            let mut output = Output::new();
            connection.close(CloseCode::GOING_AWAY, &reason, &mut output).expect("open");
            let body = [&[0x03, 0xE9], reason.as_bytes()].concat();
            assert_eq!(take_sent(&mut output), [(FIN | CLOSE, body)]);
            assert_eq!(connection.state(), State::CloseSent);
        }
    }
}

#[test]
fn messages_within_a_fragmented_message() {
    for role in ROLES {
        let mut connection = role.connection(Config::default());
        let mut output = Output::new();
        connection.send_fragment("a".into(), false, &mut output).expect("open");
        let misuse = ApiMisuse::MessageInProgress;
        refused(&mut connection, &misuse, |c, output| {
            c.send("b".into(), output).unwrap_err().into()
        });
        refused(&mut connection, &misuse, |c, output| {
            c.send(Message::binary(vec![0; 1 << 20]), output).unwrap_err().into()
        });
        refused(&mut connection, &misuse, |c, output| {
            c.send_prepared(&Prepared::new("b".into()), output).unwrap_err()
        });
        refused(&mut connection, &ApiMisuse::FragmentKind, |c, output| {
            c.send_fragment(Message::binary(vec![0]), true, output).unwrap_err().into()
        });
        // 5.4: control frames may stand in between.
        connection.ping(b"p", &mut output).expect("allowed");
        connection.send_fragment("b".into(), true, &mut output).expect("of its kind");
        connection.send(Message::binary(vec![7]), &mut output).expect("the message has ended");
        let frames = take_sent(&mut output);
        let expected: [(u8, &[u8]); 4] = [(0x01, b"a"), (0x89, b"p"), (0x80, b"b"), (0x82, &[7])];
        assert_eq!(frames, expected.map(|(byte0, payload)| (byte0, payload.to_vec())));
    }
}

/// S37: whatever ended it, nothing can be sent any more.
#[test]
fn s37_nothing_is_sent_after_the_end() {
    for role in ROLES {
        for mut connection in ended(role) {
            let connection = &mut connection;
            let misuse = ApiMisuse::Closing;
            refused(connection, &misuse, |c, output| {
                c.send("a".into(), output).unwrap_err().into()
            });
            refused(connection, &misuse, |c, output| {
                c.send(Message::binary(vec![0; 1 << 20]), output).unwrap_err().into()
            });
            refused(connection, &misuse, |c, output| {
                c.send_fragment("a".into(), false, output).unwrap_err().into()
            });
            refused(connection, &misuse, |c, output| {
                c.send_prepared(&Prepared::new("a".into()), output).unwrap_err()
            });
            refused(connection, &misuse, |c, output| c.ping(b"", output).unwrap_err());
            refused(connection, &misuse, |c, output| c.pong(b"", output).unwrap_err());
            refused(connection, &misuse, close_error(CloseCode::NORMAL, ""));
            refused(connection, &misuse, |c, output| c.reply_close(output).unwrap_err().into());
        }
    }
}

/// Connections that have sent a Close frame, or cannot.
fn ended(role: Role) -> Vec<Connection> {
    let ways: [fn(Role, &mut Connection, &mut Output); 5] = [
        |_, connection, output| {
            connection.close(CloseCode::NORMAL, "", output).expect("open");
        },
        |role, connection, output| {
            receive(connection, &role.close(1000, ""), output).0.expect("no fault");
        },
        |_, connection, output| {
            receive(connection, &[0xFF], output).0.expect_err("a fault");
        },
        |_, connection, _| {
            connection.receive_eof().expect_err("unclean");
        },
        |_, connection, output| {
            connection.fail(ProtocolError::MessageTimeout, output);
        },
    ];
    ways.into_iter()
        .map(|way| {
            let mut connection = role.connection(Config::default());
            way(role, &mut connection, &mut Output::new());
            connection
        })
        .collect()
}

#[test]
fn a_reply_without_a_close_to_answer() {
    for role in ROLES {
        let mut connection = role.connection(Config::default());
        let mut output = Output::new();
        assert!(connection.reply_close(&mut output).is_err());
        assert!(output.is_empty());
        assert_eq!(connection.state(), State::Open);
    }
}

/// What cannot be sent comes back as it was, and can be sent later.
#[test]
fn s15_a_full_output_hands_the_message_back() {
    for role in ROLES {
        let mut config = Config::default();
        config.output_hard_limit = 1000;
        let mut connection = role.connection(config);
        let mut output = Output::new();
        // One message always fits, however large.
        connection.send(Message::binary(vec![1; 5000]), &mut output).expect("nothing waits");
        let message = Message::binary(vec![2; 5000]);
        let before = (connection.statistics(), output.len());
        let full = connection.send(message.clone(), &mut output);
        assert_eq!(full, Err(SendError::Full(message.clone())));
        let full = connection.send_fragment(message.clone(), false, &mut output);
        assert_eq!(full, Err(SendError::Full(message.clone())));
        let prepared = Prepared::new(message.clone());
        assert_eq!(connection.send_prepared(&prepared, &mut output), Err(SendError::Full(())));
        assert_eq!(connection.ping(b"", &mut output), Err(SendError::Full(())));
        assert_eq!((connection.statistics(), output.len()), before);
        assert_eq!(take_sent(&mut output), [(0x82, vec![1; 5000])]);

        // A refused first fragment did not begin a message.
        connection.send(message, &mut output).expect("nothing waits");
        assert_eq!(take_sent(&mut output), [(0x82, vec![2; 5000])]);
        // A Close frame is never refused: it is the last one.
        connection.send(Message::binary(vec![1; 5000]), &mut output).expect("nothing waits");
        connection.close(CloseCode::NORMAL, "", &mut output).expect("always");
        assert_eq!(take_sent(&mut output).len(), 2);
    }
}
