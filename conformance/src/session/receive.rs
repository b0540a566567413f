//! What the peer sends, and what it means for the connection.

use super::{Session, State, Unfinished};
use crate::case::{Event, Side};
use crate::wire::close;
use crate::wire::decoder::{Breach, Received};
use crate::wire::frame;
use crate::wire::opcode::{self, CLOSE, CONTINUATION, PING, PONG, TEXT};

impl Session<'_> {
    /// Takes all frames that are there.
    pub(super) fn receive(&mut self) {
        while self.state != State::Closed {
            match self.decoder.next() {
                Ok(Some(frame)) => self.take(frame),
                Ok(None) => return,
                Err(breach) => {
                    // Where the next frame begins is not known.
                    self.decoder.buffer().clear();
                    self.fail(breach);
                    return;
                }
            }
        }
    }

    fn take(&mut self, frame: Received) {
        self.log.received(&frame);
        if self.record.remote_close.is_some() {
            self.record.after_close = self.record.after_close.saturating_add(1);
        }
        let ok = match self.rules.check(&frame) {
            Ok(()) => true,
            Err(breach) => {
                self.fail(breach);
                false
            }
        };
        match frame.opcode {
            // A faulty connection is still closed in good order, if it can be.
            CLOSE if self.state != State::Closed => self.take_close(&frame.payload),
            PING if ok && self.state == State::Open => self.send(&frame::pong(frame.payload)),
            PONG if ok => self.event(Event::Pong(frame.payload.into())),
            _ if ok && !opcode::is_control(frame.opcode) && !self.record.failed_by_suite => {
                self.take_data(frame);
            }
            _ => {}
        }
    }

    fn take_data(&mut self, frame: Received) {
        let mut message = match self.message.take() {
            Some(mut message) if frame.opcode == CONTINUATION => {
                message.bytes.extend_from_slice(&frame.payload);
                message
            }
            _ => Unfinished {
                text: frame.opcode == TEXT,
                compressed: frame.rsv == 4,
                bytes: frame.payload,
            },
        };
        if !frame.fin {
            self.message = Some(message);
            return;
        }
        if let (true, Some(inflater)) = (message.compressed, self.inflater.as_mut()) {
            match inflater.inflate(&message.bytes) {
                Ok(inflated) => message.bytes = inflated,
                Err(breach) => return self.fail(breach),
            }
        }
        if message.text && std::str::from_utf8(&message.bytes).is_err() {
            return self.fail(
                Breach::new(
                    "RFC 6455 5.6",
                    "the whole message MUST contain valid UTF-8",
                    "the peer's text message is not valid UTF-8",
                )
                .invalid_payload(),
            );
        }
        if self.exchanging {
            self.echo = Some((message.text, message.bytes));
        } else if message.text {
            self.event(Event::Text(message.bytes.into()));
        } else {
            self.event(Event::Binary(message.bytes.into()));
        }
    }

    pub(super) fn event(&mut self, event: Event) {
        self.record.events.push(event);
        self.close_when_done();
    }

    fn take_close(&mut self, body: &[u8]) {
        if self.record.remote_close.is_some() {
            return;
        }
        let code = match close::parse(body) {
            Ok((code, reason)) => {
                self.record.remote_reason = reason;
                code
            }
            Err(breach) => {
                self.fail(breach);
                body.first_chunk().copied().map(u16::from_be_bytes)
            }
        };
        self.record.remote_close = Some(code);
        match self.state {
            State::Closing => {
                self.record.clean = true;
                self.timer = None;
                if self.we_are_client {
                    // RFC 6455 7.1.1: the server closes the TCP connection, the client waits for it.
                    self.start_timer("the server did not close the TCP connection in time");
                } else {
                    self.drop_connection();
                }
            }
            State::Open => {
                self.record.begun_by = Side::Peer;
                self.record.clean = true;
                self.send(&frame::close(1000, b""));
                self.state = State::Closing;
                if !self.we_are_client {
                    self.drop_connection();
                }
            }
            State::Closed => {}
        }
    }
}
