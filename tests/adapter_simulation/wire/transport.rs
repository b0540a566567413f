//! Our end of a link, through the trait.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use websocket_proto::io::AsyncTransport;

use super::Shared;
use crate::executor::{Sleep, TimerKind};

/// Our end.
pub struct Wire {
    pub link: Shared,
    sleep: Option<Pin<Box<Sleep>>>,
}

/// The clock of a transport counts from any moment.
const EPOCH: Duration = Duration::from_secs(1000);

impl Wire {
    pub fn new(link: &Shared) -> Self {
        Self { link: Rc::clone(link), sleep: None }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl AsyncTransport for Wire {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut link = self.link.borrow_mut();
        link.inspect(buffer);
        let Poll::Ready(count) = link.poll_readable(cx, buffer.len()) else {
            return Poll::Pending;
        };
        let count = count?;
        for (place, byte) in buffer.iter_mut().zip(link.input.drain(..count)) {
            *place = byte;
        }
        if count > 0 {
            link.took(count);
        }
        Poll::Ready(Ok(count))
    }

    fn poll_append(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<u8>,
        most: usize,
    ) -> Option<Poll<io::Result<usize>>> {
        let mut link = self.link.borrow_mut();
        if !link.plan.append {
            return None;
        }
        let Poll::Ready(count) = link.poll_readable(cx, most) else {
            return Some(Poll::Pending);
        };
        if let Ok(count @ 1..) = count {
            buffer.extend(link.input.drain(..count));
            link.took(count);
        }
        Some(Poll::Ready(count))
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.link.borrow_mut().write(cx, slices)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.link.borrow_mut().flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.link.borrow_mut().shutdown(cx)
    }

    fn now(&self) -> Duration {
        let mut link = self.link.borrow_mut();
        let now = link.now();
        // Who looks at the clock need not wait for the timer to learn that a deadline has passed.
        if self.sleep.as_ref().is_some_and(|sleep| sleep.at() <= now)
            && link.candidates.last().is_none_or(|last| last.at < now)
        {
            let snapshot = link.snapshot();
            link.candidates.push(snapshot);
        }
        EPOCH + now
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>, deadline: Option<Duration>) -> Poll<()> {
        let Some(deadline) = deadline else {
            self.sleep = None;
            return Poll::Pending;
        };
        let at = deadline.saturating_sub(EPOCH);
        if self.sleep.as_ref().is_none_or(|sleep| sleep.at() != at) {
            let clock = self.link.borrow().clock.clone();
            self.sleep = Some(Box::pin(clock.sleep_until(at, TimerKind::Deadline)));
        }
        let Some(sleep) = &mut self.sleep else { return Poll::Pending };
        let polled = sleep.as_mut().poll(cx);
        if polled.is_ready() {
            let mut link = self.link.borrow_mut();
            let snapshot = link.snapshot();
            link.trace(|| "a deadline of ours has passed".to_owned());
            link.candidates.push(snapshot);
            link.progress += 1;
        }
        polled
    }
}
