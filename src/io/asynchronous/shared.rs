//! What the two halves of a split connection share: the transport and the sending half behind a
//! lock, and one waker for both tasks.

use std::mem;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

#[cfg(all(test, websocket_loom))]
use loom::sync::Mutex;
#[cfg(not(all(test, websocket_loom)))]
use std::sync::Mutex;

use super::poll::{Out, Outward};
use super::{AsyncTransport, Error};
use crate::connection::send::SendPath;
use crate::io::driver::Sending;
use crate::io::link::Link;
use crate::{ProtocolError, State};

/// Which half calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Receiver,
    Sender,
}

impl Half {
    const fn other(self) -> Self {
        match self {
            Self::Receiver => Self::Sender,
            Self::Sender => Self::Receiver,
        }
    }
}

#[derive(Debug)]
pub(super) struct Shared<T> {
    inner: Mutex<Inner<T>>,
    wakers: Arc<Wakers>,
    waker: Waker,
}

/// What is behind the lock, which is never held across an await.
#[derive(Debug)]
pub(super) struct Inner<T> {
    pub(super) transport: T,
    pub(super) path: SendPath,
    pub(super) link: Link,
    /// The error that one half has met and the other has to learn.
    pub(super) failed: Option<ProtocolError>,
}

/// The tasks that wait. The transport is only ever given one waker, which wakes both: it may
/// keep one for both directions, as TLS does, and the task that it would wake could be the one
/// that has nothing to do.
///
/// A task registers itself before it looks at the transport. What happens between the two wakes
/// it; what happened before, it sees.
#[derive(Debug)]
struct Wakers(Mutex<[Option<Waker>; 2]>);

impl Wakers {
    fn with<R>(&self, f: impl FnOnce(&mut [Option<Waker>; 2]) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn register(&self, half: Half, waker: &Waker) {
        self.with(|[receiver, sender]| {
            let slot = if half == Half::Receiver { receiver } else { sender };
            match slot {
                Some(known) => known.clone_from(waker),
                None => *slot = Some(waker.clone()),
            }
        });
    }

    /// The half does not wait any more. Returns its waker, if it did.
    fn take(&self, half: Half) -> Option<Waker> {
        self.with(|[receiver, sender]| match half {
            Half::Receiver => receiver.take(),
            Half::Sender => sender.take(),
        })
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Outside of the lock: a waker may run anything.
        for waker in self.with(mem::take).into_iter().flatten() {
            waker.wake();
        }
    }
}

/// What one half does that the other may be waiting for.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Signs {
    waiting: usize,
    over: (bool, bool, State),
}

impl<T> Inner<T> {
    fn signs(&self) -> Signs {
        let link = &self.link;
        Signs {
            waiting: link.output.len(),
            over: (link.is_shut(), link.has_ended(), self.path.closing.state()),
        }
    }
}

impl<T> Shared<T> {
    pub(super) fn new(inner: Inner<T>) -> Self {
        let wakers = Arc::new(Wakers(Mutex::new([None, None])));
        let waker = Waker::from(Arc::clone(&wakers));
        Self { inner: Mutex::new(inner), wakers, waker }
    }

    pub(super) fn into_inner(self) -> Inner<T> {
        self.inner.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lends the transport and the sending half, and wakes the other half if it may be waiting
    /// for what was done.
    pub(super) fn with<R>(&self, half: Half, f: impl FnOnce(&mut Out<'_, T>) -> R) -> R {
        // A transport that has panicked is as good as one that fails.
        let mut guard = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let before = guard.signs();
        let Inner { transport, path, link, failed } = &mut *guard;
        let result = f(&mut Out { transport, sending: Sending { path, link }, failed });
        let after = guard.signs();
        drop(guard);
        let changed = match half {
            // The sender waits for room, which the receiver may make when it writes.
            Half::Receiver => before != after,
            // The receiver waits for the peer, and for the end.
            Half::Sender => before.over != after.over,
        };
        if changed && let Some(waker) = self.wakers.take(half.other()) {
            waker.wake();
        }
        result
    }

    /// Polls something that gives the context to the transport.
    pub(super) fn poll<R>(
        &self,
        half: Half,
        cx: &Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        self.wakers.register(half, cx.waker());
        let polled = poll(&mut Context::from_waker(&self.waker));
        if polled.is_ready() {
            self.wakers.take(half);
        }
        polled
    }
}

impl<T: AsyncTransport> Shared<T> {
    /// Writes until `done`; while it waits, deadlines are kept.
    pub(super) fn poll_write_until(
        &self,
        done: impl Fn(&Sending<'_>) -> bool,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Error>> {
        self.poll(Half::Sender, cx, |cx| {
            self.with(Half::Sender, |out| {
                loop {
                    if out.poll_write_until(&done, cx).is_ready() {
                        return Poll::Ready(out.check_writable());
                    }
                    if out.poll_deadline(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
            })
        })
    }
}

impl<T: AsyncTransport> Out<'_, T> {
    /// Whether bytes can still be sent; otherwise why not.
    pub(super) fn check_writable(&mut self) -> Result<(), Error> {
        let writable = self.sending.check_writable(*self.failed);
        if let Err(Error::Io(_)) = writable {
            self.failed.get_or_insert(ProtocolError::UnexpectedEof);
        }
        writable
    }
}

/// The receiver's way to the sending half.
#[derive(Debug)]
pub(super) struct Behind<'a, T>(pub(super) &'a Shared<T>);

impl<T: AsyncTransport> Outward for Behind<'_, T> {
    type Transport = T;

    fn with<R>(&mut self, f: impl FnOnce(&mut Out<'_, T>) -> R) -> R {
        self.0.with(Half::Receiver, f)
    }
}

/// Every interleaving of the two halves and of the world outside, up to three preemptions.
#[cfg(all(test, websocket_loom))]
mod loom_tests {
    use std::io::{self, IoSlice};
    use std::time::Duration;
    use std::vec::Vec;

    use loom::future::block_on;
    use loom::thread;

    use super::*;
    use crate::io::WebSocket;
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
