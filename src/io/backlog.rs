//! [`Backlog`]: how much of what was written may still be on its way to the peer.

use std::time::Duration;

use crate::deadlines::SLOWEST;

/// The most that a transport is assumed to hold: what Linux lets a socket's buffer grow to.
const MOST: u64 = 4 << 20;

/// The bytes that a transport may hold: what it was given, less what the slowest peer that is
/// waited for takes in the time since. A ping stands behind them, and its answer comes so much
/// later (S80). How much it really holds is not to be had: Linux would tell (`SIOCOUTQ`), but only
/// to unsafe code, and only of a socket.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    level: u32,
    /// Written since the level was looked at.
    written: u32,
    /// When that was, in seconds.
    looked: u32,
}

impl Backlog {
    #[inline]
    pub(super) fn written(&mut self, count: usize) {
        self.written = self.written.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
    }

    /// The level at `now`.
    pub(super) fn level(&mut self, now: Duration) -> u64 {
        let now = u32::try_from(now.as_secs()).unwrap_or(u32::MAX);
        let drained = SLOWEST.saturating_mul(now.saturating_sub(self.looked).into());
        let level = u64::from(self.level).saturating_add(self.written.into());
        let level = level.saturating_sub(drained).min(MOST);
        self.level = u32::try_from(level).unwrap_or(u32::MAX);
        (self.written, self.looked) = (0, now);
        level
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_drains_as_slowly_as_the_slowest_peer() {
        let at = Duration::from_secs;
        let mut backlog = Backlog::default();
        assert_eq!(backlog.level(at(1_000)), 0);
        backlog.written(1_000_000);
        assert_eq!(backlog.level(at(1_000)), 1_000_000);
        assert_eq!(backlog.level(at(1_010)), 1_000_000 - 10 * SLOWEST);
        backlog.written(10);
        assert_eq!(backlog.level(at(1_010)), 1_000_010 - 10 * SLOWEST);
        assert_eq!(backlog.level(at(1_100)), 0, "it does not go below");
        for _ in 0..3 {
            backlog.written(usize::MAX);
        }
        assert_eq!(backlog.level(at(1_100)), MOST);
        assert_eq!(backlog.level(at(0)), MOST, "a clock that goes back");
    }
}
