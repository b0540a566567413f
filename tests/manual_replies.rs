//! `auto_pong` and `auto_close` off: the application answers (RFC 6455 5.5.1 to 5.5.3).

mod common;

use common::wire::{CLOSE, FIN, PING, PONG, ROLES, Role, TEXT, receive, take_sent};
use websocket_proto::{
    ApiMisuse, CloseCode, Closed, Config, Connection, Event, Initiator, Message, Output,
    ProtocolError, State,
};

fn manual(role: Role) -> Connection {
    let mut config = Config::default();
    config.auto_pong = false;
    config.auto_close = false;
    role.connection(config)
}

fn closed(connection: &Connection) -> (bool, Initiator, u16, String) {
    let Closed { clean, initiator, code, reason, .. } = connection.closed().expect("ended");
    (clean, initiator, code.get(), reason.to_owned())
}

#[test]
fn pings_are_left_to_the_application() {
    for role in ROLES {
        let mut connection = manual(role);
        let mut output = Output::new();
        let (event, _) = receive(&mut connection, &role.frame(FIN | PING, b"1"), &mut output);
        assert_eq!(event, Ok(Some(Event::Ping(b"1".into()))));
        connection.send_owed(&mut output);
        assert!(output.is_empty());
        connection.pong(b"1", &mut output).expect("open");
        assert_eq!(take_sent(&mut output), [(FIN | PONG, b"1".to_vec())]);
    }
}

/// Still half open: the application may finish what it has to say (5.5.1).
#[test]
fn messages_may_be_sent_before_the_answer() {
    for role in ROLES {
        let mut connection = manual(role);
        let mut output = Output::new();
        let (event, _) = receive(&mut connection, &role.close(4000, "why"), &mut output);
        let Ok(Some(Event::Close(Some(frame)))) = event else { panic!("{event:?}") };
        assert_eq!((frame.code().get(), frame.reason()), (4000, "why"));
        assert!(output.is_empty(), "the answer is the application's");
        assert_eq!((connection.state(), connection.closed()), (State::CloseReceived, None));
        assert!(!connection.should_shutdown());

        connection.send("last words".into(), &mut output).expect("half open");
        connection.reply_close(&mut output).expect("a Close waits for an answer");
        let frames = [(FIN | TEXT, b"last words".to_vec()), (FIN | CLOSE, vec![0x0F, 0xA0])];
        assert_eq!(take_sent(&mut output), frames);
        assert_eq!(closed(&connection), (true, Initiator::Peer, 4000, "why".into()));
        assert_eq!(connection.should_shutdown(), role == Role::Server);
        assert_eq!(connection.reply_close(&mut output), Err(ApiMisuse::Closing));
    }
}

#[test]
fn the_answer_may_have_a_code_of_its_own() {
    for role in ROLES {
        let mut connection = manual(role);
        let mut output = Output::new();
        receive(&mut connection, &role.close(1001, ""), &mut output).0.expect("no fault");
        connection.close(CloseCode::NORMAL, "bye", &mut output).expect("half open");
        assert_eq!(take_sent(&mut output), [(FIN | CLOSE, b"\x03\xE8bye".to_vec())]);
        // 7.1.5: the code of the connection is the one that was received.
        assert_eq!(closed(&connection), (true, Initiator::Peer, 1001, String::new()));
    }
}

#[test]
fn an_empty_close_has_an_empty_answer() {
    for role in ROLES {
        for auto_close in [false, true] {
            let mut config = Config::default();
            config.auto_close = auto_close;
            let mut connection = role.connection(config);
            let mut output = Output::new();
            let (event, _) = receive(&mut connection, &role.frame(FIN | CLOSE, b""), &mut output);
            assert_eq!(event, Ok(Some(Event::Close(None))));
            if !auto_close {
                connection.reply_close(&mut output).expect("a Close waits for an answer");
            }
            assert_eq!(take_sent(&mut output), [(FIN | CLOSE, Vec::new())]);
            // 7.1.5: "_The WebSocket Connection Close Code_ is considered to be 1005."
            assert_eq!(closed(&connection), (true, Initiator::Peer, 1005, String::new()));
        }
    }
}

/// S32: the transport fails while the answer is due; what the peer's Close said stays.
#[test]
fn s32_a_later_failure_does_not_replace_the_code() {
    for role in ROLES {
        for (close, code) in [(role.close(1001, ""), 1001), (role.frame(FIN | CLOSE, b""), 1005)] {
            let mut connection = manual(role);
            let mut output = Output::new();
            receive(&mut connection, &close, &mut output).0.expect("no fault");
            connection.fail(ProtocolError::WriteTimeout, &mut output);
            assert!(output.is_empty(), "nobody would read it");
            assert_eq!(closed(&connection), (false, Initiator::Peer, code, String::new()));
        }
    }
}

#[test]
fn eof_while_the_answer_is_due() {
    for role in ROLES {
        let mut connection = manual(role);
        let mut output = Output::new();
        receive(&mut connection, &role.close(1000, ""), &mut output).0.expect("no fault");
        assert_eq!(connection.receive_eof(), Ok(()));
        // The peer may have closed its sending side only.
        connection.reply_close(&mut output).expect("a Close waits for an answer");
        assert_eq!(take_sent(&mut output).len(), 1);
        assert_eq!(connection.state(), State::Closed);
    }
}

/// 7.1.7: a failure after the peer's Close is a failure, and our Close says so.
#[test]
fn a_failure_before_the_answer_is_not_a_clean_end() {
    let mut config = Config::default();
    config.auto_close = false;
    let mut server = common::server(config);
    let mut output = Output::new();
    let mut input = *b"\x88\x82\x00\x00\x00\x00\x03\xe8";
    assert!(matches!(server.receive(&mut &mut input[..], &mut output), Ok(Some(Event::Close(_)))));
    server.fail(ProtocolError::MessageTimeout, &mut output);
    assert_eq!(output.pending(), b"\x88\x02\x03\xf0"); // 1008
    assert_eq!(server.state(), State::Failed);
    let closed = server.closed().expect("it has ended");
    assert!(!closed.clean);
    assert_eq!(closed.code, CloseCode::NORMAL, "7.1.5: the peer's");
}

#[test]
fn there_is_nothing_to_answer_before_the_peer_closes() {
    let mut server = common::server(Config::default());
    let mut output = Output::new();
    assert_eq!(server.reply_close(&mut output), Err(ApiMisuse::NoCloseReceived));
    server.close(CloseCode::NORMAL, "", &mut output).unwrap();
    assert_eq!(server.reply_close(&mut output), Err(ApiMisuse::Closing));
}

/// 5.5.2: what is owed for a ping goes out before our Close, after which it could not.
#[test]
fn a_pong_that_is_owed_goes_before_our_close() {
    let mut config = Config::default();
    config.output_soft_limit = 4;
    let mut server = common::server(config);
    let mut output = Output::new();
    server.send(Message::text("Hello"), &mut output).unwrap();
    let mut input = *b"\x89\x81\x00\x00\x00\x00p";
    server.receive(&mut &mut input[..], &mut output).unwrap();
    assert_eq!(output.pending(), b"\x81\x05Hello");
    server.close(CloseCode::NORMAL, "", &mut output).unwrap();
    assert_eq!(output.pending(), b"\x81\x05Hello\x8a\x01p\x88\x02\x03\xe8");
}
