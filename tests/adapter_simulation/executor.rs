//! A single-threaded executor with virtual time: time stands still while a task can run, and then
//! jumps to the next timer.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::random::Random;

/// What a timer is for: where only a deadline of the crate is left to happen, a task that sleeps
/// with work to do would sleep until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerKind {
    Deadline,
    Program,
    Link,
}

type Key = (Duration, u64);

#[derive(Debug, Default)]
struct Timers {
    due: BTreeMap<Key, (TimerKind, Waker)>,
    made: u64,
}

/// The virtual clock and its timers.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    now: Rc<Cell<Duration>>,
    timers: Rc<RefCell<Timers>>,
}

impl Clock {
    pub fn now(&self) -> Duration {
        self.now.get()
    }

    pub fn sleep_until(&self, at: Duration, kind: TimerKind) -> Sleep {
        Sleep { clock: self.clone(), at, kind, key: None }
    }

    pub fn sleep(&self, time: Duration, kind: TimerKind) -> Sleep {
        self.sleep_until(self.now() + time, kind)
    }

    fn next(&self) -> Option<(Duration, TimerKind)> {
        self.timers.borrow().due.first_key_value().map(|((at, _), (kind, _))| (*at, *kind))
    }

    /// Jumps to the next timer and wakes all that are due then: which of them runs first is the
    /// executor's choice.
    fn jump(&self) -> bool {
        let Some((at, _)) = self.next() else { return false };
        self.now.set(at.max(self.now()));
        let mut due = Vec::new();
        let mut timers = self.timers.borrow_mut();
        while let Some(entry) = timers.due.first_entry()
            && entry.key().0 <= self.now()
        {
            due.push(entry.remove().1);
        }
        drop(timers);
        due.into_iter().for_each(Waker::wake);
        true
    }
}

/// Ready at its time. One that is dropped is forgotten.
#[derive(Debug)]
pub struct Sleep {
    clock: Clock,
    at: Duration,
    kind: TimerKind,
    key: Option<Key>,
}

impl Sleep {
    pub fn at(&self) -> Duration {
        self.at
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let timers = Rc::clone(&self.clock.timers);
        let mut timers = timers.borrow_mut();
        if let Some(key) = self.key.take() {
            timers.due.remove(&key);
        }
        if self.clock.now() >= self.at {
            return Poll::Ready(());
        }
        timers.made += 1;
        let key = (self.at, timers.made);
        timers.due.insert(key, (self.kind, cx.waker().clone()));
        self.key = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.clock.timers.borrow_mut().due.remove(&key);
        }
    }
}

/// `future`, unless `at` comes first: then it is dropped.
pub async fn until<F: Future>(sleep: Sleep, future: F) -> Option<F::Output> {
    let (mut sleep, mut future) = (std::pin::pin!(sleep), std::pin::pin!(future));
    std::future::poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        sleep.as_mut().poll(cx).map(|()| None)
    })
    .await
}

/// Whose task it is: the peer of a connection, or our program on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    Program(usize),
    Peer(usize),
}

struct Task {
    owner: Owner,
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    waker: Arc<TaskWaker>,
}

#[derive(Debug)]
struct TaskWaker {
    id: usize,
    woken: AtomicBool,
    ready: Arc<Mutex<Vec<usize>>>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        if !self.woken.swap(true, Ordering::Relaxed) {
            self.ready.lock().unwrap().push(self.id);
        }
    }
}

/// What looks on while nothing can run.
pub trait Observer {
    /// All is quiet; time is about to jump.
    fn idle(&mut self);
    /// Time is about to jump to a timer of this kind. Whether each waiting program is to be polled
    /// without a reason.
    fn wants_probe(&mut self, kind: Option<TimerKind>) -> bool;
    /// How much has been done on this connection, whatever it is.
    fn progress(&self, connection: usize) -> u64;
    /// A task that nobody had woken got on when it was polled.
    fn lost_wake_up(&mut self, connection: usize);
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Done,
    /// Nothing can run and no timer is set.
    Stuck,
    /// Too many polls.
    Endless,
}

pub struct Executor {
    pub clock: Clock,
    tasks: Vec<Task>,
    ready: Arc<Mutex<Vec<usize>>>,
    random: Random,
    /// How seldom a task is polled that nobody has woken.
    spurious: u64,
    polls: u64,
}

impl Executor {
    pub fn new(random: Random, spurious: u64) -> Self {
        Self {
            clock: Clock::default(),
            tasks: Vec::new(),
            ready: Arc::default(),
            random,
            spurious,
            polls: 0,
        }
    }

    pub fn spawn(&mut self, owner: Owner, future: impl Future<Output = ()> + 'static) {
        let id = self.tasks.len();
        let waker = TaskWaker { id, woken: AtomicBool::new(true), ready: Arc::clone(&self.ready) };
        let future: Pin<Box<dyn Future<Output = ()>>> = Box::pin(future);
        self.tasks.push(Task { owner, future: Some(future), waker: Arc::new(waker) });
        self.ready.lock().unwrap().push(id);
    }

    pub const fn polls(&self) -> u64 {
        self.polls
    }

    /// Runs until all programs have ended.
    pub fn run(&mut self, observer: &mut dyn Observer, most_polls: u64) -> End {
        loop {
            while let Some(id) = self.next_ready() {
                self.poll(id);
                if self.polls > most_polls {
                    return End::Endless;
                }
            }
            if self.is_done() {
                return End::Done;
            }
            observer.idle();
            let next = self.clock.next();
            if observer.wants_probe(next.map(|(_, kind)| kind)) && self.probe(observer) {
                continue;
            }
            if !self.clock.jump() {
                return End::Stuck;
            }
        }
    }

    fn is_done(&self) -> bool {
        let runs = |task: &Task| task.future.is_some() && matches!(task.owner, Owner::Program(_));
        !self.tasks.iter().any(runs)
    }

    fn next_ready(&mut self) -> Option<usize> {
        let mut ready = self.ready.lock().unwrap();
        if ready.is_empty() {
            return None;
        }
        if self.spurious > 0 && self.random.one_in(self.spurious) {
            return Some(self.random.below(self.tasks.len() as u64) as usize);
        }
        let index = self.random.below(ready.len() as u64) as usize;
        let id = ready.swap_remove(index);
        drop(ready);
        self.tasks[id].waker.woken.store(false, Ordering::Relaxed);
        Some(id)
    }

    fn poll(&mut self, id: usize) {
        self.polls += 1;
        let task = &mut self.tasks[id];
        let Some(future) = &mut task.future else { return };
        let waker = Waker::from(Arc::clone(&task.waker));
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            task.future = None;
        }
    }

    /// Polls each waiting program once, for no reason: one that gets on has missed its wake-up.
    /// Returns whether one did.
    fn probe(&mut self, observer: &mut dyn Observer) -> bool {
        let mut found = false;
        for id in 0..self.tasks.len() {
            let Owner::Program(connection) = self.tasks[id].owner else { continue };
            // What one task does when it is polled may have woken this one.
            let woken = self.tasks[id].waker.woken.load(Ordering::Relaxed);
            if self.tasks[id].future.is_none() || woken {
                continue;
            }
            let before = observer.progress(connection);
            self.poll(id);
            if observer.progress(connection) != before {
                observer.lost_wake_up(connection);
                found = true;
            }
        }
        found || !self.ready.lock().unwrap().is_empty()
    }
}
