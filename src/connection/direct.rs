//! What spares large messages copies and allocations: [`Connection::direct`] and
//! [`Connection::recycle`].

use alloc::vec::Vec;

use super::Connection;
use crate::{Event, Output, ProtocolError};

impl Connection {
    /// The binary message in progress, for bytes from the peer to be appended to it as they are,
    /// and how many at most: so they are not copied out of a read buffer. `None` where that does
    /// not pay or cannot be, and the next bytes go to [`receive`](Self::receive).
    ///
    /// It is `Some` after 4 KiB of the message have been received and until the end of the frame
    /// that is on its way, if that has 4 KiB or more, where the message is delivered whole
    /// ([`Delivery::Messages`]) and not compressed. There is memory for that many bytes: as many
    /// as the frame lacks, but not more than keeps it at twice of what was received, and 32 KiB at
    /// a time where they are masked. Text has to be checked on its way and comes through `receive`.
    ///
    /// With memory that was handed back ([`recycle`](Self::recycle)) it begins earlier: after the
    /// first byte of payload, if the frame lacks 4 KiB or more and they have room. Who hands it
    /// back does well to read little, 512 bytes, after each message that was completed here:
    /// if the next one is as large, only those bytes are copied; if not, the read after that is a
    /// full one again. 16 KiB a message take two thirds of the time so.
    ///
    /// Any way to append will do: `extend_from_slice`, a `read_to_end` after [`Read::take`],
    /// tokio's `read_buf` after [`BufMut::limit`]. Fewer bytes or none are fine, and so is
    /// a read that fails or is cancelled. Call [`direct_done`](Self::direct_done) next; if it is
    /// left out, the next [`receive`](Self::receive) takes the bytes all the same.
    ///
    /// Append no more than that, and remove nothing. Where it makes the connection lose track of
    /// the frames on the wire, it fails with [`ProtocolError::DirectMisuse`].
    ///
    /// ```
    /// use std::io::Read;
    /// use websocket_proto::{Config, Connection, Event, Negotiated, Output};
    ///
    /// // A server's frame with 100,000 bytes of payload, read in pieces of 8 KiB at most.
    /// let frame = [&[0x82, 127, 0, 0, 0, 0, 0, 1, 0x86, 0xA0], &[b'x'; 100_000][..]].concat();
    /// let mut stream = &frame[..];
    ///
    /// # let keys = websocket_proto::MaskKeys::from_seed([0; 32]);
    /// let mut client = Connection::client(Negotiated::default(), Config::default(), keys);
    /// let (mut buffer, mut output) = ([0; 8192], Output::new());
    /// let event = loop {
    ///     if let Some((message, room)) = client.direct() {
    ///         (&mut stream).take(room as u64).read_to_end(message)?;
    ///         if let Some(event) = client.direct_done(&mut output)? {
    ///             break event;
    ///         }
    ///     } else {
    ///         let count = stream.read(&mut buffer)?;
    ///         let mut input = &mut buffer[..count];
    ///         if let Some(event) = client.receive(&mut input, &mut output)? {
    ///             break event.into_owned();
    ///         }
    ///     }
    /// };
    /// assert_eq!(event, Event::Binary(vec![b'x'; 100_000].into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// [`Delivery::Messages`]: crate::Delivery::Messages
    /// [`Read::take`]: https://doc.rust-lang.org/std/io/trait.Read.html#method.take
    /// [`BufMut::limit`]: bytes::BufMut::limit
    pub fn direct(&mut self) -> Option<(&mut Vec<u8>, usize)> {
        self.receive.direct()
    }

    /// Takes the bytes that were appended after [`direct`](Self::direct): as
    /// [`receive`](Self::receive), with these bytes as its input. Returns the message if they
    /// complete it.
    ///
    /// # Errors
    ///
    /// [`ProtocolError::DirectMisuse`], or the error that the connection has failed with.
    pub fn direct_done(
        &mut self,
        output: &mut Output,
    ) -> Result<Option<Event<'static>>, ProtocolError> {
        self.receive(&mut Default::default(), output)
    }

    /// Hands back the memory of a message that the application is done with. The next message
    /// that is neither lent nor compressed is put into it, unless it is less than a quarter as
    /// long, and no memory has to grow. [`direct`](Self::direct) begins earlier with it.
    ///
    /// One buffer of at most 1 MiB is kept, until then or until the connection closes or fails;
    /// others are freed at once. It comes on top of what the peer can make a connection take.
    ///
    /// ```
    /// use std::borrow::Cow;
    /// # use websocket_proto::{Config, Connection, Event, Negotiated, Output};
    /// # let mut connection = Connection::server(Negotiated::default(), Config::default());
    /// # let event = Event::Binary(Cow::Owned(vec![0; 100]));
    /// if let Event::Binary(Cow::Owned(data)) = event {
    ///     connection.recycle(data);
    /// }
    /// ```
    pub fn recycle(&mut self, spent: Vec<u8>) {
        self.receive.recycle(spent);
    }
}
