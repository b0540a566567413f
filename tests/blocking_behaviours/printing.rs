//! What `{:?}` shows: S88.

use std::thread;

use websocket_proto::handshake::ClientRequest;
use websocket_proto::io::blocking::{self, WebSocket};
use websocket_proto::io::{ClientOptions, ServerOptions};

use crate::common::loopback::{accept, loopback};

const SECRET: &str = "correct-horse-battery-staple";

/// As text, or as a list of its bytes.
fn shows(printed: &str, secret: &str) -> bool {
    let bytes = format!("{:?}", secret.as_bytes());
    printed.contains(secret) || printed.contains(bytes.trim_matches(['[', ']']))
}

fn check<S: std::fmt::Debug>(websocket: &WebSocket<S>) {
    let printed = format!("{websocket:?}");
    assert!(!shows(&printed, SECRET) && !shows(&printed, "a message"), "{printed}");
    assert!(printed.len() < 2 << 10, "{} bytes", printed.len());
}

#[test]
fn s88_debug_of_a_connection() {
    let (near, far) = loopback();
    let server = thread::spawn(move || {
        let mut websocket = accept(far, &ServerOptions::default()).unwrap();
        check(&websocket);
        for _ in 0..2 {
            let message = websocket.recv().unwrap().unwrap();
            websocket.send(message).unwrap();
            check(&websocket);
        }
        websocket
    });
    let request = ClientRequest::new("localhost", "/").bearer_auth(SECRET);
    let (mut websocket, _) = blocking::client(near, request, &ClientOptions::default()).unwrap();
    check(&websocket);
    websocket.feed("a message").unwrap();
    websocket.send("a message").unwrap();
    assert!(websocket.recv().unwrap().is_some());
    check(&websocket); // what has arrived behind it may lie there
    assert!(websocket.recv().unwrap().is_some());
    check(&websocket);
    check(&server.join().unwrap());
}
