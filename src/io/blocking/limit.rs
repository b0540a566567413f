//! [`TimeLimit`]: when reads or writes have to end, and what a socket's own time limit is for that.

use std::io;
use std::time::{Duration, Instant};

/// When the reads, or the writes, of a stream have to end.
///
/// A socket has a time limit for each call and no deadline, and the program may have set one of its
/// own: [`apply`](Self::apply) sets what keeps both. A stream that keeps deadlines in another way
/// goes by [`deadline`](Self::deadline).
#[derive(Clone, Debug, Default)]
pub struct TimeLimit {
    deadline: Option<Instant>,
    /// The program's own limit for one call.
    own: Option<Duration>,
    /// What this left on the socket, if it was there: anything else is the program's.
    left: Option<Option<Duration>>,
    /// Since when a call of the program waits. What wakes it in between is no end of its limit.
    since: Option<Instant>,
    /// When the last call on the stream began.
    began: Option<Instant>,
}

/// What a call on a stream came to.
#[derive(Debug)]
pub(super) enum Called<T> {
    Done(io::Result<T>),
    /// Nothing, and it is to be tried again: a signal came, or the limit was a little too short.
    Again,
    /// The deadline has passed.
    TimedOut,
    /// The stream is not ready, and no deadline of ours made it say so: it is in non-blocking mode,
    /// or the program's own limit has passed.
    NotReady(io::Error),
}

/// The shortest time limit: zero means none to the operating system.
const MINIMUM: Duration = Duration::from_millis(1);
/// Operating systems keep limits in steps: what is a multiple of this comes back as it was set.
const STEP: Duration = Duration::from_millis(20);

impl TimeLimit {
    /// The moment at which a call has to end, with [`WouldBlock`](io::ErrorKind::WouldBlock) or
    /// [`TimedOut`](io::ErrorKind::TimedOut); it may have passed. `None`: it may wait.
    #[must_use]
    pub const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    pub(super) const fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// Sets the time limit of a socket so that the next call on it ends at the deadline, or when the
    /// limit that the program itself has set there says so, whichever is first. `get` and `set` are
    /// those of the socket, such as [`TcpStream::read_timeout`](std::net::TcpStream::read_timeout)
    /// and [`set_read_timeout`](std::net::TcpStream::set_read_timeout).
    ///
    /// # Errors
    ///
    /// Those of `get` and `set`.
    pub fn apply(
        &mut self,
        get: impl Fn() -> io::Result<Option<Duration>>,
        set: impl FnOnce(Option<Duration>) -> io::Result<()>,
    ) -> io::Result<()> {
        let current = get()?;
        if self.left != Some(current) {
            self.own = current;
        }
        let now = Instant::now();
        self.began = Some(now);
        let since = *self.since.get_or_insert(now);
        let wanted = self.wanted(current, since, now);
        if wanted == current {
            self.left = Some(current);
        } else {
            set(wanted)?;
            self.left = Some(get()?);
        }
        Ok(())
    }

    /// The limit for a call that begins now. The `current` one stays if it wakes the call in good
    /// time: setting another costs a system call, waking once too often does not matter.
    fn wanted(&self, current: Option<Duration>, since: Instant, now: Instant) -> Option<Duration> {
        let until_deadline = self.deadline.map(|at| at.saturating_duration_since(now));
        let waited = now.saturating_duration_since(since);
        let until_own = self.own.map(|own| own.saturating_sub(waited));
        let left = match (until_deadline, until_own) {
            (None, _) if waited.is_zero() => return self.own,
            (Some(deadline), Some(own)) if own <= deadline && waited.is_zero() => return self.own,
            (None, None) => return None,
            (Some(left), None) | (None, Some(left)) => left,
            (Some(deadline), Some(own)) => deadline.min(own),
        };
        let left = left.max(MINIMUM);
        match current {
            Some(current) if current <= left && current.saturating_mul(2) >= left => Some(current),
            _ => Some(rounded(left)),
        }
    }

    /// Puts the program's own limit back.
    pub(super) const fn release(&mut self) {
        (self.deadline, self.since) = (None, None);
    }

    /// What a call under this limit came to.
    pub(super) fn called<T>(&mut self, result: io::Result<T>) -> Called<T> {
        use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
        match result {
            Err(error) => match error.kind() {
                Interrupted => Called::Again,
                WouldBlock | TimedOut => self.not_ready(error, Instant::now()),
                _ => Called::Done(Err(error)),
            },
            done => {
                self.since = None;
                Called::Done(done)
            }
        }
    }

    fn not_ready<T>(&mut self, error: io::Error, now: Instant) -> Called<T> {
        let elapsed = |from: Option<Instant>| {
            from.map_or(Duration::ZERO, |from| now.saturating_duration_since(from))
        };
        // Systems round: half of a limit is more than a stream that does not wait takes.
        let has_waited = |limit: Duration, from| elapsed(from).saturating_mul(2) >= limit;
        let ours = self.left.flatten().filter(|left| Some(*left) != self.own);
        let own = self.own.filter(|own| elapsed(self.since) >= own.saturating_sub(STEP));
        if own.is_some_and(|own| has_waited(own, self.since)) {
            self.since = None;
            Called::NotReady(error)
        } else if self.deadline.is_some_and(|deadline| deadline <= now) {
            Called::TimedOut
        } else if ours.is_some_and(|left| has_waited(left, self.began)) {
            Called::Again
        } else {
            self.since = None;
            Called::NotReady(error)
        }
    }
}

fn rounded(left: Duration) -> Duration {
    if left < STEP.saturating_mul(4) {
        return left;
    }
    let steps = left.as_millis().checked_div(STEP.as_millis()).unwrap_or(0);
    STEP.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// A socket's time limit.
    #[derive(Default)]
    struct Socket {
        limit: Cell<Option<Duration>>,
        set: Cell<usize>,
    }

    impl Socket {
        fn apply(&self, limit: &mut TimeLimit, deadline: Option<Duration>) -> Option<Duration> {
            limit.set_deadline(deadline.map(|after| Instant::now() + after));
            let set = |value| {
                assert_ne!(value, Some(Duration::ZERO), "zero is none");
                self.set.set(self.set.get() + 1);
                self.limit.set(value);
                Ok(())
            };
            limit.apply(|| Ok(self.limit.get()), set).expect("it can");
            self.limit.get()
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_deadline_becomes_a_limit_that_is_not_later() {
        let (socket, mut limit) = (Socket::default(), TimeLimit::default());
        assert_eq!(socket.apply(&mut limit, None), None);
        let set = socket.apply(&mut limit, Some(20 * SECOND)).expect("a limit");
        assert!(set <= 20 * SECOND && set > 19 * SECOND, "{set:?}");
        let times = socket.set.get();
        for _ in 0..10 {
            socket.apply(&mut limit, Some(20 * SECOND));
        }
        assert_eq!(socket.set.get(), times, "it wakes in good time");
        let set = socket.apply(&mut limit, Some(SECOND)).expect("a limit");
        assert!(set <= SECOND, "{set:?}");
        let set = socket.apply(&mut limit, Some(Duration::ZERO)).expect("a limit");
        assert_eq!(set, MINIMUM);
        assert_eq!(socket.apply(&mut limit, None), None, "nothing is left behind");
    }

    /// S90: whichever is first, and what the program has set is there again in the end.
    #[test]
    fn the_programs_own_limit_is_kept() {
        let (socket, mut limit) = (Socket::default(), TimeLimit::default());
        socket.limit.set(Some(SECOND));
        assert_eq!(socket.apply(&mut limit, Some(20 * SECOND)), Some(SECOND));
        assert!(matches!(limit.called(Ok(())), Called::Done(Ok(()))));
        let set = socket.apply(&mut limit, Some(SECOND / 2)).expect("a limit");
        assert!(set <= SECOND / 2, "{set:?}");
        limit.release();
        assert_eq!(socket.apply(&mut limit, None), Some(SECOND));
        // It changes its mind while ours is there.
        socket.apply(&mut limit, Some(SECOND / 2));
        assert!(matches!(limit.called(Ok(())), Called::Done(Ok(()))));
        socket.limit.set(Some(SECOND / 4));
        assert_eq!(socket.apply(&mut limit, Some(20 * SECOND)), Some(SECOND / 4));
    }

    #[test]
    fn whose_limit_it_was() {
        let not_ready = || io::Result::<()>::Err(io::ErrorKind::WouldBlock.into());
        let mut limit = TimeLimit::default();
        assert!(matches!(limit.called(not_ready()), Called::NotReady(_)), "non-blocking");
        let socket = Socket::default();
        socket.apply(&mut limit, Some(20 * SECOND));
        assert!(matches!(limit.called(not_ready()), Called::NotReady(_)), "it did not wait");
        socket.apply(&mut limit, Some(Duration::ZERO));
        assert!(matches!(limit.called(not_ready()), Called::TimedOut));
        socket.apply(&mut limit, Some(20 * SECOND));
        limit.began = Some(Instant::now() - 15 * SECOND);
        assert!(matches!(limit.called(not_ready()), Called::Again), "woken early");
        let interrupted = io::Result::<()>::Err(io::ErrorKind::Interrupted.into());
        assert!(matches!(limit.called(interrupted), Called::Again));

        // The program's limit counts from when its call began to wait, whatever woke it since.
        let (socket, mut limit) = (Socket::default(), TimeLimit::default());
        socket.limit.set(Some(30 * SECOND));
        socket.apply(&mut limit, Some(20 * SECOND));
        limit.since = Some(Instant::now() - 20 * SECOND);
        let set = socket.apply(&mut limit, Some(20 * SECOND)).expect("a limit");
        assert!(set <= 10 * SECOND, "{set:?}");
        limit.since = Some(Instant::now() - 30 * SECOND);
        assert!(matches!(limit.called(not_ready()), Called::NotReady(_)));
        assert_eq!(limit.since, None, "the next call has all of it again");
    }
}
