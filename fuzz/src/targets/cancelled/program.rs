//! [`Program`]: the calls that an input makes.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use futures_core::Stream;
use futures_sink::Sink;
use websocket_proto::io::{AsyncTransport, Error};
use websocket_proto::{CloseCode, Message};

use super::super::super::ledger::Ledger;
use super::super::super::script::Script;
use super::super::super::stream::Shared;
use super::held::{Held, polled, polled_elsewhere};

pub struct Program<'a, T> {
    pub held: Held<T>,
    pub wire: Shared<'a>,
    pub ledger: Ledger<'a>,
    pub calls: Script<'a>,
}

/// A call that sends, on the whole or on the sending half.
macro_rules! sends {
    ($program:expr, $polls:expr, $socket:ident => $call:expr) => {
        match &mut $program.held {
            Held::Whole(whole) => {
                let $socket = &mut **whole;
                polled($call, &$program.wire, $polls)
            }
            Held::Halves(_, $socket) | Held::Sender($socket) => {
                polled_elsewhere($call, &$program.wire, $polls)
            }
            Held::Nothing => None,
        }
    };
}

/// A call that receives, on the whole or on the receiving half.
macro_rules! receives {
    ($program:expr, $polls:expr, $socket:ident => $call:expr) => {
        match &mut $program.held {
            Held::Whole(whole) => {
                let $socket = &mut **whole;
                polled($call, &$program.wire, $polls)
            }
            Held::Halves($socket, _) => polled($call, &$program.wire, $polls),
            Held::Sender(_) | Held::Nothing => None,
        }
    };
}

impl<T: AsyncTransport + Unpin> Program<'_, T> {
    pub fn run(mut self) {
        while !self.calls.0.is_empty() {
            self.call();
            self.ledger.check(self.held.connection());
        }
        self.wire.get().stalled = [false; 2];
        let mut behind = 0;
        for _ in 0..600 {
            // Where nothing comes any more, time goes by.
            if self.read(4).is_none() && !self.wire.get().jump() {
                break;
            }
            behind += usize::from(self.ledger.is_over());
            if behind == 3 {
                break;
            }
        }
        self.flush(600);
        if matches!(self.held, Held::Halves(..)) {
            self.held.turn();
        }
        self.ledger.check(self.held.connection());
        self.ledger.finish();
    }

    fn call(&mut self) {
        let call = self.calls.byte();
        let polls = usize::from(call >> 6) + 1;
        match call & 15 {
            1 => drop(self.recv(polls)),
            2 | 4 => self.feed(polls),
            3 => self.flush(polls),
            5 => self.stream(polls),
            6 => self.sink(polls),
            7 => self.send(polls),
            8 => self.close_or_ping(call, polls),
            9 => self.held.turn(),
            10 => self.wire.get().stalled = [call & 16 != 0, call & 32 != 0],
            11 => self.wire.get().now += Duration::from_millis(100 * u64::from(call >> 4)),
            12 => drop(self.wire.get().jump()),
            13 if call >> 4 == 15 => self.ledger.discards |= self.held.drop_receiver(),
            _ => drop(self.read(polls)),
        }
    }

    /// `None`: it was dropped, or there is nobody who receives.
    fn read(&mut self, polls: usize) -> Option<()> {
        let read = match &mut self.held {
            Held::Whole(socket) => {
                let read = async { Ok(socket.read().await?.map(|(it, _)| it.into_owned())) };
                polled(read, &self.wire, polls)
            }
            Held::Halves(receiver, _) => {
                let read = async { Ok(receiver.read().await?.map(|it| it.into_owned())) };
                polled(read, &self.wire, polls)
            }
            Held::Sender(_) | Held::Nothing => None,
        }?;
        let result = read.map(|event| match event {
            Some(event) => self.ledger.saw(event),
            None => self.ledger.ended(self.held.connection()),
        });
        self.ledger.result(true, result);
        Some(())
    }

    fn recv(&mut self, polls: usize) -> Option<()> {
        let received = receives!(self, polls, socket => socket.recv())?;
        self.received(received.transpose());
        Some(())
    }

    fn stream(&mut self, polls: usize) {
        let next = receives!(self, polls, socket =>
            poll_fn(|cx| Pin::new(&mut *socket).poll_next(cx)));
        // The end of a stream may stand behind an error, and says nothing of its own then.
        if let Some(Some(received)) = next {
            self.received(Some(received));
        }
    }

    fn received(&mut self, received: Option<Result<Message<'static>, Error>>) {
        let result = match received {
            Some(message) => message.map(|message| self.ledger.saw_message(message)),
            None => {
                self.ledger.ended(self.held.connection());
                Ok(())
            }
        };
        self.ledger.result(true, result);
    }

    fn feed(&mut self, polls: usize) {
        let message = self.ledger.message(self.calls.byte());
        if let Some(result) = sends!(self, polls, socket => socket.feed(message.clone())) {
            self.queued(message, result);
        }
    }

    fn queued(&mut self, message: Message<'static>, result: Result<(), Error>) {
        if result.is_ok() {
            self.ledger.queued(message, true);
        }
        self.ledger.result(false, result);
    }

    /// Where that is dropped, or fails, the message may have been queued.
    fn send(&mut self, polls: usize) {
        let message = self.ledger.message(self.calls.byte());
        let sent = sends!(self, polls, socket => socket.send(message.clone()));
        self.ledger.queued(message, matches!(sent, Some(Ok(()))));
        self.flushed(sent);
    }

    fn sink(&mut self, polls: usize) {
        let message = self.ledger.message(self.calls.byte());
        let ready = sends!(self, polls, socket =>
            poll_fn(|cx| Sink::<Message<'_>>::poll_ready(Pin::new(&mut *socket), cx)));
        if let Some(Ok(())) = ready {
            let queued = match &mut self.held {
                Held::Whole(socket) => Pin::new(&mut **socket).start_send(message.clone()),
                Held::Halves(_, sender) | Held::Sender(sender) => {
                    Pin::new(sender).start_send(message.clone())
                }
                Held::Nothing => return,
            };
            self.queued(message, queued);
        }
        let flushed = sends!(self, polls, socket =>
            poll_fn(|cx| Sink::<Message<'_>>::poll_flush(Pin::new(&mut *socket), cx)));
        self.flushed(flushed);
    }

    fn flush(&mut self, polls: usize) {
        let flushed = sends!(self, polls, socket => socket.flush());
        self.flushed(flushed);
    }

    fn flushed(&mut self, result: Option<Result<(), Error>>) {
        let Some(result) = result else { return };
        if result.is_ok() {
            self.ledger.flushed();
        }
        self.ledger.result(false, result);
    }

    fn close_or_ping(&mut self, call: u8, polls: usize) {
        let result = match call >> 4 & 3 {
            0 => sends!(self, polls, socket => socket.ping(b"p")),
            1 => sends!(self, polls, socket => socket.send_close(CloseCode::NORMAL, "")),
            2 => sends!(self, polls, socket =>
                poll_fn(|cx| Sink::<Message<'_>>::poll_close(Pin::new(&mut *socket), cx))),
            _ => {
                let Held::Whole(socket) = &mut self.held else { return };
                self.ledger.discards = true;
                polled(socket.close(CloseCode::GOING_AWAY, "bye"), &self.wire, polls * 8)
            }
        };
        if call >> 4 & 3 != 0 && matches!(result, Some(Ok(()))) {
            self.ledger.closed();
        }
        self.flushed(result);
    }
}
