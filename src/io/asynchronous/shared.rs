//! What the two halves of a split connection share: all of it, behind a lock.

use std::sync::PoisonError;

#[cfg(all(test, websocket_loom))]
use loom::sync::{Mutex, MutexGuard};
#[cfg(not(all(test, websocket_loom)))]
use std::sync::{Mutex, MutexGuard};

use super::endpoint::Endpoint;

/// The lock is held for one poll, and never across an await.
#[derive(Debug)]
pub(super) struct Shared<T>(Mutex<Endpoint<T>>);

impl<T> Shared<T> {
    pub(super) fn new(endpoint: Endpoint<T>) -> Self {
        Self(Mutex::new(endpoint))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Endpoint<T>> {
        // A transport that has panicked is as good as one that fails.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn into_inner(self) -> Endpoint<T> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every interleaving of the two halves and of the world outside, up to three preemptions.
#[cfg(websocket_loom)]
#[cfg(test)]
mod loom_tests {
    use std::io::{self, IoSlice};
    use std::mem;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;
    use std::vec::Vec;

    use loom::future::block_on;
    use loom::thread;

    use super::*;
    use crate::io::{AsyncTransport, WebSocket};
    use crate::{Config, Connection, Message, Negotiated};

    /// A transport that keeps one waker for both directions, the last one it was given.
    #[derive(Clone)]
    struct Wire(Arc<Mutex<World>>);

    struct World {
        input: Vec<u8>,
        room: usize,
        written: Vec<u8>,
        waker: Option<Waker>,
    }

    impl Wire {
        fn new(input: &[u8], room: usize) -> Self {
            let (input, written) = (input.to_vec(), Vec::new());
            Self(Arc::new(Mutex::new(World { input, room, written, waker: None })))
        }

        fn change(&self, change: impl FnOnce(&mut World)) {
            let mut world = self.0.lock().unwrap();
            change(&mut world);
            let waker = world.waker.take();
            drop(world);
            if let Some(waker) = waker {
                waker.wake();
            }
        }

        fn written(&self) -> Vec<u8> {
            self.0.lock().unwrap().written.clone()
        }
    }

    impl AsyncTransport for Wire {
        fn poll_read(
            &mut self,
            cx: &mut Context<'_>,
            buffer: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            let mut world = self.0.lock().unwrap();
            if world.input.is_empty() {
                world.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            let input = mem::take(&mut world.input);
            buffer[..input.len()].copy_from_slice(&input);
            Poll::Ready(Ok(input.len()))
        }

        fn poll_write(
            &mut self,
            cx: &mut Context<'_>,
            slices: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let mut world = self.0.lock().unwrap();
            let count = world.room.min(slices[0].len());
            if count == 0 {
                world.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            world.room -= count;
            world.written.extend_from_slice(&slices[0][..count]);
            Poll::Ready(Ok(count))
        }

        fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn now(&self) -> Duration {
            Duration::ZERO
        }

        fn poll_deadline(&mut self, _: &mut Context<'_>, _: Option<Duration>) -> Poll<()> {
            Poll::Pending
        }
    }

    /// Masked with zeros.
    const TEXT: &[u8] = b"\x81\x81\0\0\0\0a";
    const PING: &[u8] = b"\x89\x81\0\0\0\0p";

    fn model(f: impl Fn() + Send + Sync + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(f);
    }

    fn over(wire: &Wire) -> WebSocket<Wire> {
        let connection = Connection::server(Negotiated::default(), Config::default());
        WebSocket::over(wire.clone(), connection, &[])
    }

    /// The sender waits for room and the receiver for input; the world gives both, each once.
    #[test]
    fn loom_each_half_is_woken() {
        model(|| {
            let wire = Wire::new(b"", 0);
            let (mut receiver, mut sender) = over(&wire).split();
            let sending = thread::spawn(move || block_on(sender.send("s")).unwrap());
            let world = wire.clone();
            let outside = thread::spawn(move || {
                world.change(|world| world.room = 100);
                world.change(|world| world.input = TEXT.to_vec());
            });
            assert_eq!(block_on(receiver.recv()).unwrap(), Some(Message::text("a")));
            sending.join().unwrap();
            outside.join().unwrap();
            assert_eq!(wire.written(), b"\x81\x01s");
        });
    }

    /// The receiver owes a pong while the sender sends: both leave, each frame whole, and neither
    /// half waits for the other.
    #[test]
    fn loom_both_halves_write() {
        model(|| {
            let wire = Wire::new(&[PING, TEXT].concat(), 1);
            let (mut receiver, mut sender) = over(&wire).split();
            let world = wire.clone();
            let outside = thread::spawn(move || world.change(|world| world.room += 100));
            let sending = thread::spawn(move || block_on(sender.send("s")).unwrap());
            assert_eq!(block_on(receiver.recv()).unwrap(), Some(Message::text("a")));
            sending.join().unwrap();
            outside.join().unwrap();
            // The pong may be left for the next call that receives.
            let written = wire.written();
            let whole: [&[u8]; 3] = [b"\x81\x01s", b"\x81\x01s\x8a\x01p", b"\x8a\x01p\x81\x01s"];
            assert!(whole.contains(&&written[..]), "{written:x?}");
        });
    }
}
