//! [`Endpoint`]: the calls of a connection, the same for the whole and for its halves.

use std::boxed::Box;
use std::future::{Future, poll_fn};
use std::io;
use std::task::{Context, Poll, ready};

use super::AsyncTransport;
use super::pump::{Pump, Slot};
use crate::connection::send::SendPath;
use crate::io::driver::Driver;
use crate::io::error::Error;
use crate::io::pool;
use crate::io::window::Window;
use crate::{CloseCode, Message, Output, SendError};

/// A connection over its transport, and the window that it reads into.
#[derive(Debug)]
pub(super) struct Endpoint<T> {
    pub(super) pump: Pump<T>,
    pub(super) slot: Slot,
}

impl<T> Endpoint<T> {
    pub(super) fn new(transport: T, driver: Driver, slot: Option<Box<Window>>) -> Self {
        Self { pump: Pump::new(transport, driver), slot }
    }

    /// Queues a Close frame; without a body where there is none to be sent.
    pub(super) fn queue_close(&mut self, close: Option<(CloseCode, &str)>) -> Result<(), Error> {
        let driver = &mut self.pump.driver;
        driver.queue_close(close).map_err(|misuse| driver.blame(misuse))?;
        self.pump.wake_receiver();
        Ok(())
    }

    /// Answers the peer's Close.
    pub(super) fn queue_reply(&mut self) -> Result<(), Error> {
        let driver = &mut self.pump.driver;
        driver.queue_reply().map_err(|misuse| driver.blame(misuse))?;
        self.pump.wake_receiver();
        Ok(())
    }
}

impl<T: AsyncTransport> Endpoint<T> {
    pub(super) fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Message<'static>>, Error>> {
        self.pump.poll_message(&mut self.slot, cx)
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.pump.poll_flush(&mut self.slot, cx)
    }

    /// Waits until not too much waits.
    pub(super) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let driver = &mut self.pump.driver;
        if driver.link.is_broken() {
            return Poll::Ready(driver.check_writable());
        }
        if !driver.is_over_soft_limit() {
            return Poll::Ready(Ok(()));
        }
        self.pump.poll_write_until(&mut self.slot, |driver| !driver.is_over_soft_limit(), cx)
    }

    /// Drops what arrives until the connection is over.
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Self { pump, slot } = self;
        pump.driver.connection.discard_data();
        while ready!(pump.poll_event(slot, cx)).map_err(|error| *error)? {
            if let Some(window) = slot {
                let _ = pump.driver.event(window); // a failure stays with the connection
            }
        }
        Poll::Ready(pump.driver.check_closed())
    }

    pub(super) fn queue<M>(
        &mut self,
        item: M,
        mut queue: impl FnMut(&mut SendPath, M, &mut Output) -> Result<(), SendError<M>>,
    ) -> impl Future<Output = Result<(), Error>> {
        let mut item = Some(item);
        poll_fn(move |cx| self.poll_queue(cx, &mut item, &mut queue))
    }

    /// Waits for room and queues `item`, at once where there is room.
    #[inline]
    pub(super) fn poll_queue<M>(
        &mut self,
        cx: &mut Context<'_>,
        item: &mut Option<M>,
        mut queue: impl FnMut(&mut SendPath, M, &mut Output) -> Result<(), SendError<M>>,
    ) -> Poll<Result<(), Error>> {
        ready!(self.poll_room(cx))?;
        loop {
            let Some(message) = item.take() else { return Poll::Ready(Ok(())) };
            let driver = &mut self.pump.driver;
            pool::lend_output(&mut driver.link.output);
            let sent = queue(&mut driver.connection.send, message, &mut driver.link.output);
            if let Some(result) = driver.queued(sent, item) {
                return Poll::Ready(result);
            }
            if driver.link.output.is_empty() {
                // Not reached: one message fits into an empty output.
                return Poll::Ready(Err(io::Error::from(io::ErrorKind::WouldBlock).into()));
            }
            let empty = |driver: &Driver| driver.link.output.is_empty();
            ready!(self.pump.poll_write_until(&mut self.slot, empty, cx))?;
        }
    }
}
