//! S92 over real sockets: an address that swallows what is sent to it.

use std::format;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;
use std::vec::Vec;

use super::{assert_timeout, url};
use crate::handshake::{ClientRequest, Url};
use crate::io::dial;
use crate::io::options::ClientOptions;

/// Connects where it is not dropped; a busy machine may take its time.
const LONG: Option<Duration> = Some(Duration::from_secs(60));
const SHORT: Duration = Duration::from_millis(300);

/// Linux drops who wants to connect to a listener whose queue is full, which is one that nobody
/// accepts from and that holds one connection more than its backlog.
struct BlackHole {
    listener: TcpListener,
    _queue: Vec<TcpStream>,
}

impl BlackHole {
    fn new() -> Self {
        let runtime = runtime();
        let _guard = runtime.enter();
        let socket = ::tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap().into_std().unwrap();
        let address = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        for _ in 0..2 {
            queue.push(TcpStream::connect(address).unwrap());
        }
        let more = TcpStream::connect_timeout(&address, SHORT).map(drop);
        assert_eq!(more.unwrap_err().kind(), ErrorKind::TimedOut);
        Self { listener, _queue: queue }
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    fn url(&self) -> Url {
        format!("ws://{}/", self.address()).parse().unwrap()
    }
}

fn runtime() -> ::tokio::runtime::Runtime {
    ::tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The black hole, and a listener as the second address of the name.
fn both() -> (BlackHole, TcpListener, [SocketAddr; 2]) {
    let hole = BlackHole::new();
    let good = TcpListener::bind("127.0.0.3:0").unwrap();
    let addresses = [hole.address(), good.local_addr().unwrap()];
    (hole, good, addresses)
}

#[test]
fn s92_blocking_reaches_the_second_address() {
    let (_hole, _good, addresses) = both();
    // Without a deadline, too: the operating system tries the first for two minutes.
    for limit in [LONG, None] {
        let resolve = move |_: &str, _| Ok(addresses.to_vec());
        let stream = dial::blocking::dial_with(&url(), resolve, limit).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), addresses[1]);
        assert!(stream.nodelay().unwrap());
    }
}

#[test]
fn s92_tokio_reaches_the_second_address() {
    let (_hole, _good, addresses) = both();
    for limit in [LONG, None] {
        let (url, resolve) = (url(), async { Ok(addresses) });
        let dialing = dial::tokio::dial_with(&url, resolve, limit);
        let stream = runtime().block_on(dialing).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), addresses[1]);
        assert!(stream.nodelay().unwrap());
    }
}

#[test]
fn nothing_but_a_black_hole() {
    let hole = BlackHole::new();
    let mut options = ClientOptions::default();
    options.deadlines.handshake = Some(SHORT);
    let (url, request) = (hole.url(), ClientRequest::from_url(&hole.url()));
    assert_timeout(crate::io::blocking::connect_tcp(&url, &options));
    assert_timeout(crate::io::blocking::connect_with(&url, request.clone(), &options));
    let connecting = crate::io::tokio::connect_with(&url, request, &options);
    assert_timeout(runtime().block_on(connecting));
}
