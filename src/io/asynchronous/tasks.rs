//! [`Tasks`]: who waits for a connection, and whom the transport wakes.

use std::mem;
use std::sync::{Arc, PoisonError};
use std::task::{Wake, Waker};

#[cfg(all(test, websocket_loom))]
use loom::sync::Mutex;
#[cfg(not(all(test, websocket_loom)))]
use std::sync::Mutex;

/// Which direction a task uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Receiver,
    Sender,
}

impl Half {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Receiver => Self::Sender,
            Self::Sender => Self::Receiver,
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::Receiver => 0,
            Self::Sender => 1,
        }
    }
}

/// The tasks that wait, one for each direction. They may be two whichever way the connection is
/// held: as halves of its own, or behind anything that lends `Stream` and `Sink` in turn.
///
/// A transport keeps one waker for each direction, or one for both, as TLS does, where a read may
/// have to write; and what one task does to the transport may be what the other waits for. So once
/// there are two tasks, the transport is only ever given a waker that wakes both.
#[derive(Debug, Default)]
pub(super) struct Tasks(State);

#[derive(Debug, Default)]
enum State {
    #[default]
    Nobody,
    /// One task, for one direction or both: an idle connection should not pay for more.
    One { waker: Waker, waits: [bool; 2] },
    /// There were two at the same time. `waker` wakes both.
    Two { both: Arc<Both>, waker: Waker },
}

impl Tasks {
    /// A task waits for a direction. To be called before it looks at the transport: what happens
    /// after that wakes it, what happened before, it sees. Returns the waker to give to the
    /// transport, if it is not the task's own.
    pub(super) fn register(&mut self, half: Half, waker: &Waker) -> Option<Waker> {
        match &mut self.0 {
            State::Nobody => self.0 = State::one(half, waker),
            State::One { waker: known, waits } if known.will_wake(waker) => {
                if let Some(waits) = waits.get_mut(half.index()) {
                    *waits = true;
                }
            }
            State::One { waker: known, waits } => {
                if waits.get(half.other().index()) == Some(&true) {
                    let both = Arc::new(Both(Mutex::new([None, None])));
                    both.register(half.other(), known);
                    both.register(half, waker);
                    let waker = Waker::from(Arc::clone(&both));
                    self.0 = State::Two { both, waker: waker.clone() };
                    return Some(waker);
                }
                self.0 = State::one(half, waker); // the connection has moved to another task
            }
            State::Two { both, waker: joint } => {
                both.register(half, waker);
                return Some(joint.clone());
            }
        }
        None
    }

    /// The task does not wait for this direction any more.
    pub(super) fn done(&mut self, half: Half) {
        self.take(half);
    }

    /// Wakes the task that waits for this direction, if there is one.
    pub(super) fn wake(&mut self, half: Half) {
        if let Some(waker) = self.take(half) {
            waker.wake();
        }
    }

    /// Whether a task waits for this direction.
    pub(super) fn waits(&self, half: Half) -> bool {
        match &self.0 {
            State::Nobody => false,
            State::One { waits, .. } => waits.get(half.index()) == Some(&true),
            State::Two { both, .. } => both.with(|wakers| slot(wakers, half).is_some()),
        }
    }

    fn take(&mut self, half: Half) -> Option<Waker> {
        match &mut self.0 {
            State::Nobody => None,
            State::One { waker, waits } => {
                let waits = waits.get_mut(half.index())?;
                mem::take(waits).then(|| waker.clone())
            }
            State::Two { both, .. } => both.with(|wakers| slot(wakers, half).take()),
        }
    }
}

impl State {
    fn one(half: Half, waker: &Waker) -> Self {
        let waits = [half == Half::Receiver, half == Half::Sender];
        Self::One { waker: waker.clone(), waits }
    }
}

fn slot(wakers: &mut [Option<Waker>; 2], half: Half) -> &mut Option<Waker> {
    let [receiver, sender] = wakers;
    match half {
        Half::Receiver => receiver,
        Half::Sender => sender,
    }
}

/// The wakers of two tasks, of those that wait.
#[derive(Debug)]
struct Both(Mutex<[Option<Waker>; 2]>);

impl Both {
    fn with<R>(&self, f: impl FnOnce(&mut [Option<Waker>; 2]) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn register(&self, half: Half, waker: &Waker) {
        self.with(|wakers| match slot(wakers, half) {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        });
    }
}

impl Wake for Both {
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

#[cfg(not(websocket_loom))]
#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn task() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (Arc::clone(&count), count.into())
    }

    fn counts(tasks: [&Arc<Count>; 2]) -> [usize; 2] {
        tasks.map(|count| count.0.load(Ordering::Relaxed))
    }

    #[test]
    fn one_task_is_woken_by_its_own_waker() {
        let mut tasks = Tasks::default();
        assert!(!tasks.waits(Half::Receiver) && !tasks.waits(Half::Sender));
        let (count, waker) = task();
        assert!(tasks.register(Half::Receiver, &waker).is_none());
        assert!(tasks.register(Half::Sender, &waker).is_none());
        tasks.wake(Half::Sender);
        tasks.wake(Half::Sender); // it does not wait any more
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert!(tasks.waits(Half::Receiver) && !tasks.waits(Half::Sender));
    }

    #[test]
    fn a_connection_that_moves_needs_no_second_waker() {
        let mut tasks = Tasks::default();
        let ((first, before), (second, after)) = (task(), task());
        assert!(tasks.register(Half::Receiver, &before).is_none());
        assert!(tasks.register(Half::Receiver, &after).is_none());
        tasks.wake(Half::Receiver);
        assert_eq!(counts([&first, &second]), [0, 1]);
    }

    #[test]
    fn two_tasks_are_both_woken() {
        let mut tasks = Tasks::default();
        let ((first, receiver), (second, sender)) = (task(), task());
        assert!(tasks.register(Half::Receiver, &receiver).is_none());
        let joint = tasks.register(Half::Sender, &sender).expect("there are two");
        joint.wake_by_ref();
        assert_eq!(counts([&first, &second]), [1, 1]);
        joint.wake_by_ref(); // nobody waits
        assert_eq!(counts([&first, &second]), [1, 1]);

        assert!(tasks.register(Half::Receiver, &receiver).is_some());
        assert!(tasks.register(Half::Sender, &sender).is_some());
        tasks.done(Half::Sender);
        assert!(tasks.waits(Half::Receiver) && !tasks.waits(Half::Sender));
        joint.wake();
        assert_eq!(counts([&first, &second]), [2, 1]);
    }
}
