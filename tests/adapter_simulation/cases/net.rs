//! Where a case runs: over the transport of the simulation, over tokio's `duplex` with a paused
//! clock, and over a stream of `futures-io`.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use websocket_proto::io::WebSocket;
use websocket_proto::{Connection, DeadlineConfig};

use crate::executor::{Clock, Executor, Observer, Owner, TimerKind};
use crate::findings::Findings;
use crate::program::api::Transport;
use crate::random::Random;
use crate::wire::{Link, LinkPlan, Shared, Wire};

pub trait Net: Clone + 'static {
    type Transport: Transport + 'static;
    type Peer: PeerEnd + 'static;

    /// A connection of ours, and the other end of a pipe that holds so much.
    fn connect(
        &self,
        capacity: usize,
        connection: Connection,
        deadlines: &DeadlineConfig,
    ) -> (WebSocket<Self::Transport>, Self::Peer);
    fn now(&self) -> Duration;
    async fn sleep(&self, time: Duration);
}

pub trait PeerEnd {
    async fn write(&mut self, bytes: &[u8]);
    /// At least one byte; none at the end.
    async fn read(&mut self, most: usize) -> Vec<u8>;
    /// Ends its sending side.
    async fn end(&mut self);
    /// Is gone, with what was written to it.
    fn vanish(self);
}

// ---- the simulation's

#[derive(Clone)]
pub struct Simulated {
    clock: Clock,
}

pub struct ByHand(Shared);

impl PeerEnd for ByHand {
    async fn write(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = poll_fn(|cx| {
                let mut link = self.0.borrow_mut();
                link.keep_peer(1, cx);
                if link.peer_room() > 0 { Poll::Ready(link.peer_room()) } else { Poll::Pending }
            })
            .await;
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.0.borrow_mut().peer_put(now, false);
            bytes = later;
        }
    }

    async fn read(&mut self, most: usize) -> Vec<u8> {
        poll_fn(|cx| {
            let mut link = self.0.borrow_mut();
            link.keep_peer(0, cx);
            if link.peer_can_take() || link.peer_sees_end() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        self.0.borrow_mut().peer_take(most)
    }

    async fn end(&mut self) {
        self.0.borrow_mut().peer_end();
    }

    fn vanish(self) {
        self.0.borrow_mut().peer_reset();
    }
}

fn link(clock: &Clock, capacity: usize) -> Shared {
    let plan = LinkPlan {
        out_capacity: capacity,
        in_capacity: capacity,
        room_step: 1,
        read_chunk: usize::MAX,
        write_chunk: usize::MAX,
        hold: 0,
        one_waker: false,
        read_writes: 0,
        spurious: 0,
        append: true,
    };
    let clock = clock.clone();
    let link =
        Link::new(0, String::new(), plan, clock, Findings::default(), Random(0), Rc::default());
    Rc::new(RefCell::new(link))
}

impl Net for Simulated {
    type Transport = Wire;
    type Peer = ByHand;

    fn connect(
        &self,
        capacity: usize,
        connection: Connection,
        deadlines: &DeadlineConfig,
    ) -> (WebSocket<Wire>, ByHand) {
        let link = link(&self.clock, capacity);
        let websocket = WebSocket::over(Wire::new(&link), connection, &[]);
        (websocket.with_deadlines(deadlines), ByHand(link))
    }

    fn now(&self) -> Duration {
        self.clock.now()
    }

    async fn sleep(&self, time: Duration) {
        self.clock.sleep(time, TimerKind::Program).await;
    }
}

struct NobodyLooks;

impl Observer for NobodyLooks {
    fn idle(&mut self) {}

    fn wants_probe(&mut self, _: Option<TimerKind>) -> bool {
        false
    }

    fn progress(&self, _: usize) -> u64 {
        0
    }

    fn lost_wake_up(&mut self, _: usize) {}
}

fn on_the_executor(case: impl Future<Output = ()> + 'static, mut executor: Executor) {
    executor.spawn(Owner::Program(0), case);
    let end = executor.run(&mut NobodyLooks, 10_000_000);
    assert_eq!(end, crate::executor::End::Done);
}

pub fn simulated<F: Future<Output = ()> + 'static>(case: impl FnOnce(Simulated) -> F) {
    let executor = Executor::new(Random(0), 0);
    let net = Simulated { clock: executor.clock.clone() };
    on_the_executor(within(net.clone(), case(net)), executor);
}

/// A case that goes on for a day is one that hangs.
async fn within<N: Net>(net: N, case: impl Future<Output = ()>) {
    let day = Duration::from_secs(86_400);
    let ended = either(case, net.sleep(day)).await;
    assert!(ended.is_some(), "somebody sleeps for ever");
}

/// The outcome of the first, unless the second is ready before.
pub async fn either<F: Future>(first: F, second: impl Future) -> Option<F::Output> {
    use futures_util::future::{Either, select};
    let (first, second) = (std::pin::pin!(first), std::pin::pin!(second));
    match select(first, second).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

// ---- tokio's

#[cfg(feature = "tokio")]
mod over_tokio {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::{Instant, sleep};
    use websocket_proto::io::tokio::Tokio;

    use super::*;

    #[derive(Clone)]
    pub struct Paused(Instant);

    impl PeerEnd for DuplexStream {
        async fn write(&mut self, bytes: &[u8]) {
            self.write_all(bytes).await.unwrap();
        }

        async fn read(&mut self, most: usize) -> Vec<u8> {
            let mut bytes = vec![0; most.min(1 << 16)];
            let count = AsyncReadExt::read(self, &mut bytes).await.unwrap();
            bytes.truncate(count);
            bytes
        }

        async fn end(&mut self) {
            self.shutdown().await.unwrap();
        }

        fn vanish(self) {}
    }

    impl Net for Paused {
        type Transport = Tokio<DuplexStream>;
        type Peer = DuplexStream;

        fn connect(
            &self,
            capacity: usize,
            connection: Connection,
            deadlines: &DeadlineConfig,
        ) -> (WebSocket<Self::Transport>, DuplexStream) {
            let (ours, theirs) = duplex(capacity);
            let websocket = WebSocket::over(Tokio::new(ours), connection, &[]);
            (websocket.with_deadlines(deadlines), theirs)
        }

        fn now(&self) -> Duration {
            self.0.elapsed()
        }

        async fn sleep(&self, time: Duration) {
            sleep(time).await;
        }
    }

    pub fn paused<F: Future<Output = ()>>(case: impl FnOnce(Paused) -> F) {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let net = Paused(Instant::now());
            within(net.clone(), case(net)).await;
        });
    }
}

#[cfg(feature = "tokio")]
pub use over_tokio::paused;

// ---- a stream of futures-io, whose connection has a clock of its own and no timer

#[cfg(feature = "futures-io")]
mod over_futures {
    use std::io;
    use std::pin::Pin;
    use std::task::Context;

    use futures_util::io::{AsyncRead, AsyncWrite};
    use websocket_proto::io::AsyncTransport;
    use websocket_proto::io::futures::{self, Futures};

    use super::*;

    #[derive(Clone)]
    pub struct Plain(Simulated);

    #[derive(Debug)]
    pub struct Stream(Wire);

    impl AsyncRead for Stream {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffer: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            self.0.poll_read(cx, buffer)
        }
    }

    impl AsyncWrite for Stream {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.0.poll_write(cx, &[io::IoSlice::new(bytes)])
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.0.poll_flush(cx)
        }

        fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.0.poll_shutdown(cx)
        }
    }

    type Never = std::future::Pending<()>;

    impl Net for Plain {
        type Transport = Futures<Stream, fn(Duration) -> Never, Never>;
        type Peer = ByHand;

        fn connect(
            &self,
            capacity: usize,
            connection: Connection,
            _: &DeadlineConfig,
        ) -> (WebSocket<Self::Transport>, ByHand) {
            let link = link(&self.0.clock, capacity);
            let never: fn(Duration) -> Never = |_| std::future::pending();
            let stream = Stream(Wire::new(&link));
            let websocket = futures::WebSocket::from_parts(stream, never, connection, &[]);
            (websocket, ByHand(link))
        }

        fn now(&self) -> Duration {
            self.0.now()
        }

        async fn sleep(&self, time: Duration) {
            self.0.sleep(time).await;
        }
    }

    pub fn plain<F: Future<Output = ()> + 'static>(case: impl FnOnce(Plain) -> F) {
        let executor = Executor::new(Random(0), 0);
        let net = Plain(Simulated { clock: executor.clock.clone() });
        on_the_executor(within(net.clone(), case(net)), executor);
    }
}

#[cfg(feature = "futures-io")]
pub use over_futures::plain;
