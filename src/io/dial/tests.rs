//! Dialing with resolvers and attempts of the test's making. What needs neither is in
//! `tests/connecting.rs`.

#[cfg(all(feature = "tokio", target_os = "linux"))]
mod black_hole;
mod blocking;
#[cfg(feature = "tokio")]
mod tokio;

use std::format;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::string::{String, ToString};
use std::time::Duration;
use std::vec::Vec;

use super::{Failures, interleaved, looked_up, rest_of};
use crate::handshake::{HandshakeError, Url};
use crate::io::error::Error;
use crate::io::options::ClientOptions;

/// Nothing is known under this name but what the test's resolver says.
fn url() -> Url {
    "ws://name.invalid/".parse().unwrap()
}

/// An address for a test that does not connect.
fn address(last: u8) -> SocketAddr {
    (Ipv4Addr::new(192, 0, 2, last), 80).into()
}

/// A listener on loopback, and one more address there, where nobody listens.
fn good_and_refusing() -> (TcpListener, SocketAddr, SocketAddr) {
    let [good, closed] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let addresses = [&good, &closed].map(|listener| listener.local_addr().unwrap());
    (good, addresses[0], addresses[1])
}

fn refused() -> io::Error {
    ErrorKind::ConnectionRefused.into()
}

#[track_caller]
fn assert_timeout<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert!(matches!(result, Err(Error::Handshake(HandshakeError::Timeout))), "{result:?}");
}

/// The error of the transport, with the parts that its text must have.
#[track_caller]
fn assert_io<T: std::fmt::Debug>(result: Result<T, Error>, kind: ErrorKind, parts: &[String]) {
    match result {
        Err(Error::Io(error)) => {
            assert_eq!(error.kind(), kind, "{error}");
            let text = error.to_string();
            assert!(parts.iter().all(|part| text.contains(part)), "{text}: {parts:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn families_take_turns() {
    let cases = [
        ("", ""),
        ("4a", "4a"),
        ("6a 6b", "6a 6b"),
        ("6a 6b 6c 4a 4b", "6a 4a 6b 4b 6c"),
        ("4a 4b 6a 6b 6c", "4a 6a 4b 6b 6c"),
        ("6a 4a 6b", "6a 4a 6b"),
    ];
    let parse = |names: &str| -> Vec<SocketAddr> {
        let one = |name: &str| match name.split_at(1) {
            ("4", letter) => SocketAddr::from(([192, 0, 2, letter.as_bytes()[0]], 80)),
            (_, letter) => format!("[2001:db8::{letter}]:80").parse().unwrap(),
        };
        names.split_whitespace().map(one).collect()
    };
    for (answer, order) in cases {
        assert_eq!(interleaved(parse(answer)), parse(order), "{answer}");
    }
}

#[test]
fn the_error_that_says_most() {
    use ErrorKind::{ConnectionRefused, NetworkUnreachable, PermissionDenied, TimedOut};
    let cases: [(&[ErrorKind], ErrorKind); 6] = [
        (&[], ErrorKind::NotFound),
        (&[NetworkUnreachable], NetworkUnreachable),
        (&[NetworkUnreachable, ConnectionRefused], ConnectionRefused),
        (&[NetworkUnreachable, TimedOut, ConnectionRefused], ConnectionRefused),
        (&[NetworkUnreachable, TimedOut], TimedOut),
        (&[PermissionDenied, NetworkUnreachable], PermissionDenied),
    ];
    for (kinds, best) in cases {
        let mut failures = Failures::default();
        for (kind, last) in kinds.iter().zip(1..) {
            failures.push(address(last), (*kind).into());
        }
        let error = failures.into_error();
        assert_eq!(error.kind(), best, "{kinds:?}");
        let source = error.get_ref().and_then(|failures| failures.source());
        assert_eq!(source.is_some(), !kinds.is_empty());
    }
    let mut failures = Failures::default();
    failures.push(address(1), ErrorKind::NetworkUnreachable.into());
    failures.push(address(2), refused());
    assert_eq!(
        failures.into_error().to_string(),
        "cannot connect: 192.0.2.1:80: network unreachable; 192.0.2.2:80: connection refused"
    );
}

#[test]
fn a_look_up_without_an_address() {
    let none = looked_up(&url(), Ok(Vec::new())).unwrap_err();
    assert_eq!(none.kind(), ErrorKind::NotFound);
    assert_eq!(none.to_string(), "name.invalid has no address");
    let failed: io::Result<Vec<SocketAddr>> = Err(io::Error::other("no server answers"));
    let failed = looked_up(&url(), failed).unwrap_err();
    assert_eq!(failed.to_string(), "looking up name.invalid failed: no server answers");
}

#[test]
fn the_handshake_gets_what_is_left() {
    let seconds = Duration::from_secs;
    let mut options = ClientOptions::default();
    for (limit, elapsed, left) in
        [(Some(10), 4, Some(6)), (Some(10), 12, Some(0)), (None, 12, None)]
    {
        options.deadlines.handshake = limit.map(seconds);
        let rest = rest_of(&options, seconds(elapsed));
        assert_eq!(rest.deadlines.handshake, left.map(seconds));
    }
}
