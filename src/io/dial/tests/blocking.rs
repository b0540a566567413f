//! Look-ups and attempts that block until the test lets them go on.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::string::ToString;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::vec::Vec;

use super::{address, assert_io, assert_timeout, good_and_refusing, refused, url};
use crate::io::dial::blocking::{Deadline, dial_with, race};

const SHORT: Duration = Duration::from_millis(50);
/// What has not come by then is lost; a busy machine may take its time.
const LONG: Duration = Duration::from_secs(60);

fn within(limit: Duration) -> Deadline {
    Deadline(Instant::now().checked_add(limit))
}

/// What waits at a gate goes on when the other end is dropped.
type Gate = Arc<Mutex<Receiver<()>>>;

fn gate() -> (Sender<()>, Gate) {
    let (sender, receiver) = channel();
    (sender, Arc::new(Mutex::new(receiver)))
}

fn wait_at(gate: &Gate) {
    let _ = gate.lock().unwrap().recv();
}

/// Says when it is dropped.
#[derive(Debug)]
struct Socket(SocketAddr, Sender<SocketAddr>);

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = self.1.send(self.0);
    }
}

#[test]
fn s92_a_silent_resolver() {
    let (open, gate) = gate();
    let resolve = move |_: &str, _| {
        wait_at(&gate);
        Ok(Vec::new())
    };
    assert_timeout(dial_with(&url(), resolve, Some(SHORT)));
    drop(open);
}

#[test]
fn a_resolver_is_asked_for_the_host_and_the_port() {
    let (_good, good, _) = good_and_refusing();
    let url = "ws://name.invalid:8080/path".parse().unwrap();
    for limit in [Some(LONG), None] {
        let resolve = move |host: &str, port| {
            assert_eq!((host, port), ("name.invalid", 8080));
            Ok([good].into())
        };
        assert_eq!(dial_with(&url, resolve, limit).unwrap().peer_addr().unwrap(), good);
    }
}

#[test]
fn a_resolver_that_fails() {
    for limit in [Some(LONG), None] {
        let unknown = |_: &str, _| Err(io::Error::new(ErrorKind::NotFound, "unknown"));
        let text = "looking up name.invalid failed: unknown".to_string();
        assert_io(dial_with(&url(), unknown, limit), ErrorKind::NotFound, &[text]);
        let empty = |_: &str, _| Ok(Vec::new());
        let text = "name.invalid has no address".to_string();
        assert_io(dial_with(&url(), empty, limit), ErrorKind::NotFound, &[text]);
    }
    let panics = |_: &str, _| panic!("the test's resolver");
    let text = "the resolver panicked".to_string();
    assert_io(dial_with(&url(), panics, Some(LONG)), ErrorKind::Other, &[text]);
}

#[test]
fn refused_then_good() {
    let (_good, good, closed) = good_and_refusing();
    for limit in [Some(LONG), None] {
        let stream = dial_with(&url(), move |_, _| Ok([closed, good].into()), limit).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
        assert!(stream.nodelay().unwrap());
    }
}

#[test]
fn all_refuse() {
    let (_, _, closed) = good_and_refusing();
    let (_, _, other) = good_and_refusing();
    for addresses in [&[closed][..], &[closed, other]] {
        let answer = addresses.to_vec();
        let result = dial_with(&url(), move |_, _| Ok(answer), Some(LONG));
        let parts: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        assert_io(result, ErrorKind::ConnectionRefused, &parts);
    }
}

/// An attempt that ends later than another is dropped, whatever it comes to.
#[test]
fn the_first_wins_and_the_other_is_dropped() {
    let (open, gate) = gate();
    let (sender, dropped) = channel();
    let sender = Arc::new(Mutex::new(sender));
    let connect = move |to: SocketAddr, _| {
        if to == address(1) {
            wait_at(&gate);
        }
        Ok(Socket(to, sender.lock().unwrap().clone()))
    };
    let socket = race([address(1), address(2)].into(), connect, within(LONG)).unwrap();
    assert_eq!(socket.0, address(2));
    drop(open);
    assert_eq!(dropped.recv_timeout(LONG), Ok(address(1)));
    drop(socket);
}

/// The last address has failed; the first, which was given up for the moment, still connects.
#[test]
fn a_slow_first_address() {
    let (open, gate) = gate();
    let open = Arc::new(Mutex::new(Some(open)));
    let connect = move |to: SocketAddr, _| {
        if to == address(1) {
            wait_at(&gate);
            return Ok(to);
        }
        open.lock().unwrap().take();
        Err(refused())
    };
    let won = race([address(1), address(2)].into(), connect, within(LONG)).unwrap();
    assert_eq!(won, address(1));
}

#[test]
fn the_deadline_passes_while_connecting() {
    for addresses in [&[address(1)][..], &[address(1), address(2)]] {
        // As `connect_timeout` does; without the deadline it would be a failure of the address.
        let connect = |_, left: Option<Duration>| -> io::Result<()> {
            std::thread::sleep(left.unwrap());
            Err(ErrorKind::TimedOut.into())
        };
        assert_timeout(race(addresses.to_vec(), connect, within(SHORT)));
        assert_timeout(race(addresses.to_vec(), connect, within(Duration::ZERO)));
    }
    let (open, gate) = gate();
    let connect = move |_, _| {
        wait_at(&gate);
        Ok(())
    };
    assert_timeout(race([address(1), address(2)].into(), connect, within(SHORT)));
    drop(open);
}

/// Time that the operating system gave up in is not our deadline.
#[test]
fn an_attempt_may_time_out_by_itself() {
    for addresses in [&[address(1)][..], &[address(1), address(2)]] {
        for deadline in [within(LONG), Deadline(None)] {
            let connect = |_, _| -> io::Result<()> { Err(ErrorKind::TimedOut.into()) };
            let result = race(addresses.to_vec(), connect, deadline);
            let parts: Vec<_> = addresses.iter().map(ToString::to_string).collect();
            assert_io(result, ErrorKind::TimedOut, &parts);
        }
    }
}
