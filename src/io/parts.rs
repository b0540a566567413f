//! [`Parts`]: what an adapter is made of.

use std::vec::Vec;

use super::driver::Driver;
use super::window::Window;
use crate::{Connection, Event};

/// What `into_parts` of an adapter returns, for a program that goes on by other means.
#[derive(Debug)]
#[non_exhaustive]
pub struct Parts<S> {
    /// The stream.
    pub stream: S,
    /// The connection.
    pub connection: Connection,
    /// An event that was received already, which comes before those in `leftover`: an async
    /// adapter reads on while it waits to write.
    pub event: Option<Event<'static>>,
    /// Bytes that were read and not used: the first input of the connection.
    pub leftover: Vec<u8>,
}

impl<S> Parts<S> {
    pub(super) fn new(stream: S, mut driver: Driver, window: Option<&mut Window>) -> Self {
        let (mut event, mut leftover) = (None, Vec::new());
        if let Some(window) = window {
            // A failure stays with the connection, which tells it again.
            event = driver.event(window).ok().flatten().map(Event::into_owned);
            leftover = window.unread().to_vec();
        }
        Self { stream, connection: driver.into_connection(), event, leftover }
    }
}
