//! [`Reply`]: answers to an event while it lives.

use super::driver::Driver;
use crate::{ApiMisuse, CloseCode, Connection, Message, Prepared, SendError};

/// Queues answers while an event that `read` has lent is alive. They are written before the next
/// read, all that belong to one read in one write.
///
/// Nothing here waits, so a queue that is full ([`SendError::Full`]) hands the message back: let
/// the event go, and send it on the adapter.
#[derive(Debug)]
pub struct Reply<'a> {
    driver: &'a mut Driver,
}

impl<'a> Reply<'a> {
    pub(super) fn new(driver: &'a mut Driver) -> Self {
        Self { driver }
    }

    /// Queues a message, see [`Connection::send`].
    ///
    /// # Errors
    ///
    /// As [`Connection::send`].
    #[inline]
    pub fn send<'m>(
        &mut self,
        message: impl Into<Message<'m>>,
    ) -> Result<(), SendError<Message<'m>>> {
        self.driver.connection.send(message.into(), &mut self.driver.link.output)
    }

    /// Queues a prepared message, see [`Connection::send_prepared`].
    ///
    /// # Errors
    ///
    /// As [`Connection::send_prepared`].
    pub fn send_prepared(&mut self, prepared: &Prepared) -> Result<(), SendError> {
        self.driver.connection.send_prepared(prepared, &mut self.driver.link.output)
    }

    /// Queues a Pong, where [`Config::auto_pong`](crate::Config::auto_pong) is off.
    ///
    /// # Errors
    ///
    /// As [`Connection::pong`].
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.driver.connection.pong(payload, &mut self.driver.link.output)
    }

    /// Queues a Close frame, see [`Connection::close`].
    ///
    /// # Errors
    ///
    /// As [`Connection::close`].
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), ApiMisuse> {
        self.driver.queue_close(Some((code, reason)))
    }

    /// Answers the peer's Close, where [`Config::auto_close`](crate::Config::auto_close) is off.
    ///
    /// # Errors
    ///
    /// As [`Connection::reply_close`].
    pub fn reply_close(&mut self) -> Result<(), ApiMisuse> {
        self.driver.queue_reply()
    }

    /// The connection: its state, statistics.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.driver.connection
    }
}
