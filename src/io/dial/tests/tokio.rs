//! The same in virtual time.

use std::cell::RefCell;
use std::future::{Future, pending, ready};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::string::ToString;
use std::time::Duration;
use std::vec::Vec;

use ::tokio::time::{Instant, sleep, timeout};

use super::{address, assert_io, assert_timeout, good_and_refusing, refused, url};
use crate::io::dial::tokio::{dial_with, race};

const LONG: Option<Duration> = Some(Duration::from_secs(10));

/// What an address of the test does, so many milliseconds after it was tried.
#[derive(Clone, Copy)]
enum Fate {
    Connects(u64),
    Fails(u64),
    Swallows,
}

use Fate::{Connects, Fails, Swallows};

/// Addresses by number, from 1; which attempts began when, and which are over.
#[derive(Default)]
struct Network {
    fates: Vec<Fate>,
    begun: RefCell<Vec<(u8, u128)>>,
    over: RefCell<Vec<u8>>,
}

struct Attempt<'n>(u8, &'n Network);

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.1.over.borrow_mut().push(self.0);
    }
}

impl Network {
    fn new(fates: &[Fate]) -> Self {
        Self { fates: fates.to_vec(), ..Self::default() }
    }

    fn dial(&self) -> impl Future<Output = io::Result<u8>> {
        let begin = Instant::now();
        let addresses = (1..).zip(&self.fates).map(|(number, _)| address(number)).collect();
        race(addresses, move |to| {
            let number = match to {
                SocketAddr::V4(to) => to.ip().octets()[3],
                SocketAddr::V6(_) => unreachable!(),
            };
            self.begun.borrow_mut().push((number, begin.elapsed().as_millis()));
            let attempt = Attempt(number, self);
            async move {
                let _attempt = &attempt;
                let fate = self.fates[usize::from(number) - 1];
                let (Connects(after) | Fails(after)) = fate else { return pending().await };
                sleep(Duration::from_millis(after)).await;
                if matches!(fate, Connects(_)) { Ok(number) } else { Err(refused()) }
            }
        })
    }
}

/// Which address wins, when, and when each was tried. Nothing of the others is left.
#[::tokio::test(start_paused = true)]
async fn each_has_a_head_start() {
    type Case<'c> = (&'c [Fate], Option<u8>, u128, &'c [(u8, u128)]);
    let cases: [Case<'_>; 9] = [
        (&[Connects(90)], Some(1), 90, &[(1, 0)]),
        (&[Connects(90), Connects(0)], Some(1), 90, &[(1, 0)]),
        (&[Swallows, Connects(90)], Some(2), 340, &[(1, 0), (2, 250)]),
        (&[Swallows, Swallows, Connects(0)], Some(3), 500, &[(1, 0), (2, 250), (3, 500)]),
        // One that fails leaves the rest of its head start to the next.
        (&[Fails(10), Fails(10), Connects(10)], Some(3), 30, &[(1, 0), (2, 10), (3, 20)]),
        (&[Swallows, Fails(10), Connects(10)], Some(3), 270, &[(1, 0), (2, 250), (3, 260)]),
        // The first is still waited for.
        (&[Connects(300), Swallows], Some(1), 300, &[(1, 0), (2, 250)]),
        (&[Connects(900), Fails(10)], Some(1), 900, &[(1, 0), (2, 250)]),
        (&[Fails(900), Fails(10)], None, 900, &[(1, 0), (2, 250)]),
    ];
    for (fates, winner, time, begun) in cases {
        let network = Network::new(fates);
        let begin = Instant::now();
        let won = network.dial().await;
        // The timer of tokio has a resolution of a millisecond.
        let late = begin.elapsed().as_millis() - time;
        assert!(late <= 3, "{begun:?}: {late} ms late");
        assert_eq!(won.as_ref().ok(), winner.as_ref(), "{begun:?}");
        let seen = network.begun.borrow();
        assert_eq!(seen.len(), begun.len());
        for (seen, expected) in seen.iter().zip(begun) {
            assert!(seen.0 == expected.0 && seen.1 - expected.1 <= 3, "{seen:?}: {expected:?}");
        }
        assert_eq!(network.over.borrow().len(), seen.len(), "{begun:?}");
    }
}

#[::tokio::test(start_paused = true)]
async fn all_fail() {
    let network = Network::new(&[Fails(300), Fails(10)]);
    let error = network.dial().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(
        error.to_string(),
        "cannot connect: 192.0.2.2:80: connection refused; 192.0.2.1:80: connection refused"
    );
}

#[::tokio::test(start_paused = true)]
async fn cancellation_drops_the_sockets() {
    let network = Network::new(&[Swallows, Swallows, Swallows]);
    {
        let mut dialing = pin!(network.dial());
        assert!(timeout(Duration::from_millis(400), dialing.as_mut()).await.is_err());
        assert_eq!(network.begun.borrow().len(), 2);
        assert!(network.over.borrow().is_empty());
    }
    assert_eq!(*network.over.borrow(), [1, 2]);
}

#[::tokio::test(start_paused = true)]
async fn s92_a_silent_resolver() {
    let begin = Instant::now();
    let silent = pending::<io::Result<Vec<SocketAddr>>>();
    assert_timeout(dial_with(&url(), silent, LONG).await);
    assert_eq!(begin.elapsed().as_secs(), 10);
}

#[::tokio::test(start_paused = true)]
async fn a_resolver_that_fails() {
    let unknown = io::Error::new(ErrorKind::NotFound, "unknown");
    let failed = ready(Err::<Vec<SocketAddr>, _>(unknown));
    let text = "looking up name.invalid failed: unknown".to_string();
    assert_io(dial_with(&url(), failed, LONG).await, ErrorKind::NotFound, &[text]);
    let empty = ready(Ok(Vec::new()));
    let text = "name.invalid has no address".to_string();
    assert_io(dial_with(&url(), empty, None).await, ErrorKind::NotFound, &[text]);
}

#[::tokio::test]
async fn refused_then_good() {
    let (_good, good, closed) = good_and_refusing();
    for limit in [LONG, None] {
        let stream = dial_with(&url(), ready(Ok([closed, good])), limit).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
        assert!(stream.nodelay().unwrap());
    }
}

#[::tokio::test]
async fn all_refuse() {
    let (_, _, closed) = good_and_refusing();
    let (_, _, other) = good_and_refusing();
    let result = dial_with(&url(), ready(Ok([closed, other])), LONG).await;
    let parts = [closed.to_string(), other.to_string()];
    assert_io(result, ErrorKind::ConnectionRefused, &parts);
}
