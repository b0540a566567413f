//! The steps of a case, one after another.

use std::time::Duration;

use tokio::time::Instant;

use super::{CLOSING, Session, State};
use crate::case::{Cut, Event, Step, Then};
use crate::exchange::{Exchange, Replay};
use crate::judge::Echoes;
use crate::verdict::Behavior;
use crate::wire::frame::{self, Frame, fragments, frame};
use crate::wire::opcode::{BINARY, TEXT};

impl Session<'_> {
    /// Does all steps, then waits for the end of the connection, for at most `patience`.
    pub(super) async fn steps(&mut self, patience: Duration) {
        let case = self.case;
        let runs = case.deflate.as_ref().is_none_or(|agreement| agreement.is_met_by(self.agreed));
        if !runs {
            self.record.echoes = Some(Echoes {
                behavior: Behavior::Unimplemented,
                why: "the peer did not agree to permessage-deflate as this case needs it"
                    .to_owned(),
            });
            self.close(&frame::close(1000, b""));
        }
        let mut deadline = Instant::now() + patience;
        for step in &case.steps {
            if self.state == State::Closed || !runs {
                break;
            }
            match step {
                Step::Wait(time) => {
                    self.pump(Instant::now() + *time, |_| false).await;
                    deadline = Instant::now() + patience;
                }
                Step::WaitOpen(time, name) => {
                    self.pump(Instant::now() + *time, |session| session.state != State::Open).await;
                    deadline = Instant::now() + patience;
                    if self.state != State::Open {
                        break;
                    }
                    self.log.note(format!("still open: {name}"));
                    self.event(Event::StillOpen(name));
                }
                Step::Exchange(exchange) => self.exchange(exchange, deadline).await,
                step => self.write_step(step),
            }
        }
        self.pump(deadline, |_| false).await;
        if self.state != State::Closed {
            self.log.note("the suite's patience is at its end");
            match case.then {
                Then::Fail => self.fail_with(1001, "no answer in time"),
                Then::Close => self.close(&frame::close_body("")),
            }
        }
        // A peer that began the closing handshake and does not close gets as long as any other.
        self.pump(Instant::now() + 2 * CLOSING, |_| false).await;
        if self.state != State::Closed {
            self.drop_connection();
        }
    }

    fn write_step(&mut self, step: &Step) {
        match step {
            Step::Send { frames, cut } => {
                let encoded: Vec<Vec<u8>> = frames
                    .iter()
                    .map(|frame| {
                        self.log.sent(frame, self.we_are_client);
                        self.encode(frame)
                    })
                    .collect();
                match cut {
                    Cut::Frames => {
                        encoded.into_iter().for_each(|bytes| self.transport.write(bytes))
                    }
                    cut => self.write_cut(&encoded.concat(), *cut),
                }
            }
            Step::Fragments { message, size } => self.write_fragments(message, Some(*size)),
            Step::Part { frame, from, to } => self.write_part(frame, *from, *to),
            Step::Raw { bytes, cut, closes } => {
                self.log.sent_bytes(bytes);
                self.write_cut(bytes, *cut);
                if *closes {
                    self.closing_begun();
                }
            }
            Step::Close { body } => self.close(&frame::close_body(body.clone())),
            Step::Wait(_) | Step::WaitOpen(..) | Step::Exchange(_) => {}
        }
    }

    fn write_cut(&mut self, bytes: &[u8], cut: Cut) {
        match cut {
            Cut::Octets(size) => {
                for part in bytes.chunks(size.max(1)) {
                    self.transport.write(part.to_vec());
                }
            }
            Cut::Whole | Cut::Frames => self.transport.write(bytes.to_vec()),
        }
    }

    fn write_fragments(&mut self, message: &Frame, size: Option<usize>) {
        let frames = match size {
            Some(size) => fragments(message, size),
            None => vec![message.clone()],
        };
        let mut bytes = Vec::new();
        for frame in &frames {
            self.log.sent(frame, self.we_are_client);
            bytes.extend(self.encode(frame));
        }
        self.transport.write(bytes);
    }

    fn write_part(&mut self, frame: &Frame, from: usize, to: usize) {
        let bytes = frame.encode(self.we_are_client, self.part_key);
        let header = bytes.len().saturating_sub(frame.payload.len());
        let start = if from == 0 { 0 } else { header.saturating_add(from) };
        let part = bytes.get(start..header.saturating_add(to)).unwrap_or_default();
        self.log.sent_bytes(part);
        self.transport.write(part.to_vec());
    }

    async fn exchange(&mut self, exchange: &Exchange, deadline: Instant) {
        self.exchanging = true;
        let wrong = self.echoes(exchange, deadline).await.err();
        self.exchanging = false;
        self.record.echoes = Some(match wrong {
            Some(why) => Echoes { behavior: Behavior::Failed, why },
            None => Echoes {
                behavior: Behavior::Ok,
                why: format!("all {} messages came back as they were sent", exchange.count),
            },
        });
        self.close(&frame::close(1000, b""));
    }

    async fn echoes(&mut self, exchange: &Exchange, deadline: Instant) -> Result<(), String> {
        let mut replay = Replay::new(exchange);
        for n in 0..exchange.count {
            self.echo = None;
            self.send_message(exchange, n, &mut replay);
            self.pump(deadline, |session| session.echo.is_some() || session.state != State::Open)
                .await;
            match self.echo.take() {
                Some((text, _)) if text != exchange.text => {
                    return Err(format!("the echo of message {n} is of the other type"));
                }
                Some((_, echo)) if echo != exchange.message(n).as_ref() => {
                    let length = exchange.length;
                    return Err(format!(
                        "the echo of message {n}, {} bytes, is not the {length} bytes that were sent",
                        echo.len()
                    ));
                }
                Some(_) => {}
                None if self.state != State::Open => {
                    return Err(format!(
                        "the connection was closed before the echo of message {n}"
                    ));
                }
                None => return Err(format!("only {n} echoes came in time")),
            }
        }
        Ok(())
    }

    fn send_message(&mut self, exchange: &Exchange, n: usize, replay: &mut Replay) {
        let opcode = if exchange.text { TEXT } else { BINARY };
        let message = match self.compressor.as_mut() {
            Some(compressor) => frame(opcode, replay.compress(exchange, n, compressor)).rsv(4),
            None => frame(opcode, exchange.message(n).into_owned()),
        };
        self.write_fragments(&message, exchange.fragment);
    }
}
