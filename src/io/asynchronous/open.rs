//! The opening handshake over async streams.

use std::boxed::Box;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::string::String;
use std::task::{Context, Poll, ready};

use super::endpoint::Endpoint;
use super::pump::{READS, Slot, poll_link};
use super::{AsyncTransport, WebSocket};
use crate::deadlines::{DeadlineConfig, Deadlines};
use crate::handshake::{Accept, ClientRequest, Refusal, Request, Response, Server};
use crate::io::driver::Driver;
use crate::io::error::Error;
use crate::io::link::{Io, Link};
use crate::io::opening::{Handshake, Opening, Step};
use crate::io::options::{ClientOptions, ServerOptions};
use crate::io::pool;
use crate::{ApiMisuse, Connection, MaskKeys, Negotiated, Output};

/// A handshake under way.
struct Pending<T, H> {
    transport: T,
    opening: Opening<H>,
    slot: Slot,
}

/// A task is as large as the largest thing it ever waits for, and should not keep room for a
/// handshake while it is idle: so that is boxed.
type Boxed<F> = Pin<Box<F>>;

pub(in crate::io) fn client<'o, T: AsyncTransport>(
    transport: T,
    request: ClientRequest,
    options: &'o ClientOptions,
) -> Boxed<impl Future<Output = Result<(WebSocket<T>, Response), Error>> + use<'o, T>> {
    Box::pin(open_client(transport, request, options))
}

pub(in crate::io) fn accept<'o, T: AsyncTransport, D>(
    transport: T,
    options: &'o ServerOptions,
    decide: D,
) -> Boxed<impl Future<Output = Result<WebSocket<T>, Error>> + use<'o, T, D>>
where
    D: FnOnce(&Request) -> Result<Accept<'o>, Refusal<'o>>,
{
    Box::pin(open_server(transport, options, decide))
}

async fn open_client<T: AsyncTransport>(
    transport: T,
    request: ClientRequest,
    options: &ClientOptions,
) -> Result<(WebSocket<T>, Response), Error> {
    let mut keys = MaskKeys::from_os()?;
    let mut output = Output::new();
    let handshake = request.start(keys.nonce(), &mut output)?;
    let mut link = link(&transport, &options.deadlines);
    link.output = output;
    let mut pending = Pending { transport, opening: Opening::new(handshake, link), slot: None };
    let (negotiated, response) = poll_fn(|cx| pending.poll_open(cx)).await?;
    let websocket = pending
        .opened(negotiated, |negotiated| Connection::client(negotiated, options.config, keys));
    Ok((websocket, response))
}

async fn open_server<'o, T: AsyncTransport>(
    transport: T,
    options: &'o ServerOptions,
    decide: impl FnOnce(&Request) -> Result<Accept<'o>, Refusal<'o>>,
) -> Result<WebSocket<T>, Error> {
    let link = link(&transport, &options.deadlines);
    let handshake = Server::new(options.handshake.clone());
    let mut pending = Pending { transport, opening: Opening::new(handshake, link), slot: None };
    let request = poll_fn(|cx| pending.poll_open(cx)).await?;
    let answer = pending.opening.answer(&request, decide(&request));
    drop(request);
    match answer {
        Ok(negotiated) => {
            poll_fn(|cx| pending.poll_flush(cx)).await;
            Ok(pending
                .opened(negotiated, |negotiated| Connection::server(negotiated, options.config)))
        }
        Err(error) => {
            pending.opening.refuse(error);
            Err(match poll_fn(|cx| pending.poll_open(cx)).await {
                Err(error) => error,
                Ok(_) => ApiMisuse::Closing.into(), // not reached: a refusal does not open
            })
        }
    }
}

pub(super) fn link<T: AsyncTransport>(transport: &T, deadlines: &DeadlineConfig) -> Link {
    Link::new(Deadlines::new(deadlines, transport.now()))
}

impl<T: AsyncTransport, H: Handshake> Pending<T, H> {
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Result<H::Open, Error>> {
        loop {
            match self.opening.step(self.slot.as_deref_mut()) {
                Step::Open(open) => return Poll::Ready(Ok(open)),
                Step::Failed(error) => {
                    self.drain(cx);
                    return Poll::Ready(Err(error));
                }
                Step::Io(io) => ready!(self.poll_turn(io, cx)),
            }
        }
    }

    /// Reads and drops what has arrived behind a request that was refused, without waiting: were it
    /// left unread, the system would reset the connection, and the answer might be lost with it.
    fn drain(&mut self, cx: &mut Context<'_>) {
        let Self { transport, opening, slot } = self;
        for _ in 0..READS {
            if opening.link.has_ended()
                || poll_link(transport, &mut opening.link, slot, Io::Read, cx).is_pending()
            {
                break;
            }
        }
        pool::give_window(slot);
    }

    /// Writes the answer. Where that fails, the first call on the connection tells.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(io) = self.opening.link.next_to_flush() {
            ready!(self.poll_turn(io, cx));
        }
        Poll::Ready(())
    }

    fn poll_turn(&mut self, io: Io, cx: &mut Context<'_>) -> Poll<()> {
        let Self { transport, opening, slot } = self;
        if poll_link(transport, &mut opening.link, slot, io, cx).is_pending() {
            opening.observe(transport.now());
            let deadline = opening.link.deadlines.next_deadline();
            ready!(transport.poll_deadline(cx, deadline));
        }
        opening.tick(transport.now());
        Poll::Ready(())
    }

    fn opened(
        self,
        negotiated: Negotiated,
        connection: impl FnOnce(Negotiated) -> Connection,
    ) -> WebSocket<T> {
        let subprotocol = negotiated.subprotocol.clone().map(String::into_boxed_str);
        let Self { transport, opening, slot } = self;
        let mut link = opening.link;
        link.deadlines.opened(transport.now());
        let driver = Driver::new(connection(negotiated), link);
        WebSocket { endpoint: Endpoint::new(transport, driver, slot), subprotocol }
    }
}
