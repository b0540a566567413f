//! Oracles 3, 5, 6 and 7, while nothing can run: whoever waits must have a reason.

use std::time::Duration;

use super::{Call, CallKind};
use crate::frames::{Kind, Mark};
use crate::plan::Limits;
use crate::wire::Link;

/// Deadlines are kept in whole milliseconds.
const SLACK: Duration = Duration::from_millis(20);
/// How slowly bytes that the transport has taken may still be leaving it.
const BYTES_PER_SECOND: u64 = 16 << 10;

impl Link {
    /// Nothing can run: whoever waits must have a reason.
    pub fn idle(&mut self) {
        let Some(limits) = self.book.limits else { return };
        for call in self.book.calls.into_iter().flatten() {
            self.check_dead(call, &limits);
            self.check_told(call, &limits);
            if call.kind == CallKind::Recv {
                self.check_pong();
                self.check_drip(call, &limits);
            }
        }
    }

    /// A peer that does nothing is not waited for beyond the deadlines.
    fn check_dead(&self, call: Call, limits: &Limits) {
        let active = call.since.max(self.last_arrival).max(self.last_take);
        let slow = self.out_frames.left_between(active.saturating_sub(limits.sum()), self.now());
        let slow = Duration::from_secs(slow.div_ceil(BYTES_PER_SECOND));
        let blocked = if self.has_room() { Duration::ZERO } else { limits.write };
        let keepalive = active + limits.ping + limits.pong + slow;
        let due = match self.close_left() {
            Some(left) => left.max(active) + limits.close,
            None if self.book.closed.is_some() => keepalive + blocked + limits.close,
            None => keepalive + blocked,
        };
        // What is there to be read and is not is a program that does not take it.
        let waits_for_program = call.kind != CallKind::Recv && self.has_unread();
        let linger = if call.kind == CallKind::Close { limits.linger } else { Duration::ZERO };
        if !waits_for_program && self.now() > due + linger + SLACK {
            self.report("3 a dead peer is kept", format!("{call:?}, should end at {due:?}"));
        }
    }

    /// The end is told when our last byte has left.
    fn check_told(&self, call: Call, limits: &Limits) {
        let Some((how, sealed)) = self.sealed() else { return };
        let linger = if call.kind == CallKind::Close { limits.linger } else { Duration::ZERO };
        let due = sealed.max(self.last_left).max(call.since) + linger;
        if self.now() > due + SLACK {
            let class = match call.kind {
                CallKind::Close => "3 close lingers too long",
                _ => "3 told late",
            };
            self.report(class, format!("{how}: {call:?}, known at {due:?}"));
        }
    }

    /// Since when it is certain how the connection ends, with nothing left to be sent.
    fn sealed(&self) -> Option<(&'static str, Duration)> {
        if let Some(ended) = self.end_read.filter(|_| self.has_room() || self.is_broken()) {
            return Some(("the transport has ended", ended));
        }
        let left = self.close_left()?;
        let fault = self.in_frames.last(|mark| mark.kind == Kind::Fault);
        let fault = fault.and_then(|mark| mark.read);
        match (self.peer_close_read(), fault) {
            (Some(read), _) => Some(("both Close frames have passed", read.max(left))),
            (None, Some(read)) => Some(("a fault was answered", read.max(left))),
            // Nobody has asked for our Close: it says that the connection has failed.
            (None, None) if self.book.closed.is_none() => Some(("it has failed", left)),
            (None, None) => None,
        }
    }

    /// A ping that was read is answered, where there is room.
    fn check_pong(&self) {
        if !self.has_room() || self.out_frames.close().is_some() || self.is_broken() {
            return;
        }
        if self.peer_close_read().is_some() || self.end_read.is_some() {
            return;
        }
        let ping = self.in_frames.last(|m| matches!(m.kind, Kind::Ping { .. }) && m.read.is_some());
        let Some(asked) = ping.and_then(|mark| mark.read) else { return };
        let pong = self.out_frames.last(|m| m.kind == Kind::Pong && m.left.is_some());
        if pong.and_then(|mark| mark.left).is_none_or(|answered| answered < asked) {
            self.report("5 a pong does not leave", format!("asked for at {asked:?}"));
        }
    }

    /// A message that takes too long is failed.
    fn check_drip(&self, call: Call, limits: &Limits) {
        let Some(limit) = limits.message else { return };
        if !self.has_room() || self.out_frames.close().is_some() || self.is_broken() {
            return;
        }
        let read = |mark: &&Mark| mark.read.is_some();
        let last = self.in_frames.marks.iter().rev().filter(read).find(|mark| {
            matches!(mark.kind, Kind::MessageStart | Kind::MessageEnd | Kind::Close | Kind::Fault)
        });
        let Some(mark) = last.filter(|mark| mark.kind == Kind::MessageStart) else { return };
        let due = mark.read.unwrap_or_default().max(call.since) + limit;
        if self.now() > due + SLACK {
            self.report("7 a drip is kept", format!("due at {due:?}"));
        }
    }
}
