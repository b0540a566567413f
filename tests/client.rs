//! Example `client`, as a process: what it shows of a server that speaks to the terminal.
#![cfg(feature = "tokio")]

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Output, Stdio};
use std::thread;

use common::example::our;
use websocket_proto::io::blocking;
use websocket_proto::{CloseCode, Message};

/// Runs the client against one connection that `serve` gets. Its input stays open.
fn run(serve: impl FnOnce(TcpStream) + Send + 'static) -> Output {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || serve(listener.accept().unwrap().0));
    let mut command = our("client");
    command.arg(url).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut client = command.spawn().unwrap();
    let input = client.stdin.take();
    let output = client.wait_with_output().unwrap();
    drop(input);
    server.join().unwrap();
    output
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Clears the screen, sets the title, goes back, moves by C1, and turns text around.
const NASTY: &str = "\u{1b}[2J\u{1b}]0;title\u{7}\r\u{8}\u{7f}\u{9b}31m\u{202e}\u{2066}\u{200f}";
const SHOWN: &str = r"\u{1b}[2J\u{1b}]0;title\u{7}\r\u{8}\u{7f}\u{9b}31m\u{202e}\u{2066}\u{200f}";

#[test]
fn text_is_shown_and_not_obeyed() {
    let output = run(|stream| {
        let mut websocket = blocking::accept(stream).unwrap();
        websocket.send(NASTY).unwrap();
        websocket.send("naïve, 日本語 😀\n\tשלום \\u{1b}").unwrap();
        websocket.close(CloseCode::NORMAL, "").unwrap();
    });
    let expected = format!("{SHOWN}\nnaïve, 日本語 😀\n\tשלום \\u{{1b}}\n");
    assert_eq!(text(&output.stdout), expected);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

/// Standard output is a pipe here; it may be for a program.
#[test]
fn binary_goes_through_a_pipe_as_it_is() {
    let output = run(|stream| {
        let mut websocket = blocking::accept(stream).unwrap();
        websocket.send(Message::binary(&b"\x1b[2J\xff\x00"[..])).unwrap();
        websocket.close(CloseCode::NORMAL, "").unwrap();
    });
    assert_eq!(output.stdout, b"\x1b[2J\xff\x00\n");
}

#[test]
fn a_reason_to_close() {
    let output = run(|stream| {
        let mut websocket = blocking::accept(stream).unwrap();
        websocket.close(CloseCode::GOING_AWAY, &format!("bye\n{NASTY}")).unwrap();
    });
    assert_eq!(text(&output.stderr), format!("client: closed with 1001: bye\\n{SHOWN}\n"));
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), ""));
}

/// A header's value has no C0, but may have what is above ASCII.
#[test]
fn a_redirect() {
    let output = run(|mut stream| {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        let head =
            "HTTP/1.1 302 Found\r\nLocation: /\u{9b}31m\u{202e}x\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
    });
    assert_eq!(output.status.code(), Some(1));
    let line = text(&output.stderr);
    assert!(line.starts_with("client: ") && line.contains("302"), "{line}");
    assert!(line.ends_with("location: /\\u{9b}31m\\u{202e}x\n"), "{line}");
    assert_eq!(text(&output.stdout), "");
}
