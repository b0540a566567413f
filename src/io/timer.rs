//! [`Timer`]: the clock of a blocking adapter, and the time limits that the stream was given.

use std::io;
use std::time::{Duration, Instant};

use super::transport::Transport;

#[derive(Debug)]
pub(super) struct Timer {
    epoch: Instant,
    read: Option<Duration>,
    write: Option<Duration>,
}

impl Timer {
    /// The shortest time limit: zero means none to the operating system.
    pub(super) const MINIMUM: Duration = Duration::from_millis(1);

    pub(super) fn new() -> Self {
        Self { epoch: Instant::now(), read: None, write: None }
    }

    /// The time since the connection began.
    pub(super) fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// Makes reads end when `deadline` is reached.
    pub(super) fn limit_reads<S: Transport>(
        &mut self,
        stream: &mut S,
        deadline: Option<Duration>,
    ) -> io::Result<Limited> {
        let start = self.now();
        let limit = limit(start, deadline, self.read);
        if limit != self.read && stream.set_read_timeout(limit)? {
            self.read = limit;
        }
        Ok(Limited { start, limit: self.read })
    }

    /// The same for writes.
    pub(super) fn limit_writes<S: Transport>(
        &mut self,
        stream: &mut S,
        deadline: Option<Duration>,
    ) -> io::Result<Limited> {
        let start = self.now();
        let limit = limit(start, deadline, self.write);
        if limit != self.write && stream.set_write_timeout(limit)? {
            self.write = limit;
        }
        Ok(Limited { start, limit: self.write })
    }

    /// What a call on the stream came to; `None`: try again.
    ///
    /// # Errors
    ///
    /// The stream is not ready, and it was not our limit that made it say so: it is in
    /// non-blocking mode, or was given a limit of its own.
    pub(super) fn ready<T>(
        &self,
        result: io::Result<T>,
        limited: &Limited,
    ) -> io::Result<Option<io::Result<T>>> {
        use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
        match result {
            Err(error) => match error.kind() {
                Interrupted => Ok(None),
                WouldBlock | TimedOut if limited.has_passed(self.now()) => Ok(None),
                WouldBlock | TimedOut => Err(error),
                _ => Ok(Some(Err(error))),
            },
            done => Ok(Some(done)),
        }
    }
}

/// The time limit that a call on the stream was made under.
#[derive(Debug)]
pub(super) struct Limited {
    start: Duration,
    limit: Option<Duration>,
}

impl Limited {
    /// Operating systems round: half of the limit is more than a stream that does not wait takes.
    fn has_passed(&self, now: Duration) -> bool {
        self.limit.is_some_and(|limit| now.saturating_sub(self.start).saturating_mul(2) >= limit)
    }
}

/// The time limit for a call that must end at `deadline`. The `current` one stays if it wakes the
/// call in good time: setting another costs a system call, waking once too often does not matter.
fn limit(now: Duration, deadline: Option<Duration>, current: Option<Duration>) -> Option<Duration> {
    let left = deadline?.saturating_sub(now).max(Timer::MINIMUM);
    match current {
        Some(current) if current <= left && current.saturating_mul(2) >= left => Some(current),
        _ => Some(left),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_kept_while_it_wakes_in_time() {
        let ms = Duration::from_millis;
        for (now, deadline, current, expected) in [
            (0, None, None, None),
            (0, None, Some(5), None),
            (0, Some(100), None, Some(100)),
            (0, Some(100), Some(100), Some(100)),
            (10, Some(100), Some(100), Some(90)),
            (0, Some(100), Some(50), Some(50)),
            (0, Some(100), Some(49), Some(100)),
            (200, Some(100), Some(50), Some(1)),
        ] {
            let limit = limit(ms(now), deadline.map(ms), current.map(ms));
            assert_eq!(limit, expected.map(ms));
        }
    }
}
