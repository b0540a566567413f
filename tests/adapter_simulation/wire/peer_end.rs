//! The peer's end of a link, by hand.

use std::task::{Context, Waker};

use super::Link;

impl Link {
    /// Keeps the waker of one of the peer's tasks until something changes.
    pub fn keep_peer(&mut self, task: usize, cx: &Context<'_>) {
        self.peer[task] = Some(cx.waker().clone());
    }

    pub fn wake_peer_writer(&mut self) {
        self.peer[1].take().into_iter().for_each(Waker::wake);
    }

    pub fn peer_can_take(&self) -> bool {
        !self.out.is_empty()
    }

    /// Our side has ended and all of it was read.
    pub fn peer_sees_end(&self) -> bool {
        self.is_reset || self.out_ended && self.out.is_empty() && self.held.is_empty()
    }

    pub fn peer_take(&mut self, most: usize) -> Vec<u8> {
        let (now, count) = (self.now(), most.min(self.out.len()));
        let bytes: Vec<u8> = self.out.drain(..count).collect();
        self.out_frames.take(count, now);
        self.last_take = now;
        self.trace(|| format!("the peer reads {count}"));
        if self.room() > 0 {
            self.wake_writer();
        }
        bytes
    }

    /// How many bytes the peer can put.
    pub fn peer_room(&self) -> usize {
        if self.is_reset || self.in_ended {
            return 0;
        }
        self.plan.in_capacity.saturating_sub(self.input.len())
    }

    pub fn peer_put(&mut self, bytes: &[u8], fault: bool) {
        let now = self.now();
        self.input.extend(bytes);
        if fault {
            self.in_frames.fault(now);
        }
        self.in_frames.put(bytes, now);
        self.in_frames.leave(bytes.len(), now);
        self.last_arrival = now;
        self.trace(|| {
            format!("the peer writes {}{}", bytes.len(), if fault { ", a fault" } else { "" })
        });
        self.wake_reader();
    }

    /// The peer ends its sending side.
    pub fn peer_end(&mut self) {
        self.in_ended = true;
        self.trace(|| "the peer ends its side".to_owned());
        self.wake_reader();
    }

    /// The peer is gone, in order: what it sent can be read, what we send fails.
    pub fn peer_leave(&mut self) {
        self.peer_end();
        self.out_broken = true;
        self.trace(|| "the peer leaves".to_owned());
        self.wake_writer();
    }

    /// The peer is gone, with all that was on the way.
    pub fn peer_reset(&mut self) {
        self.is_reset = true;
        self.in_ended = true;
        self.input.clear();
        self.trace(|| "the peer resets".to_owned());
        self.wake_reader();
        self.wake_writer();
        self.wake_peer();
    }
}
