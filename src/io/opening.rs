//! The pump of the opening handshake, written once for both roles and all adapters.

use std::time::Duration;

use super::error::Error;
use super::link::{Io, Link, Loss};
use super::window::Window;
use crate::deadlines::Expired;
use crate::handshake::{Accept, Client, HandshakeError, Refusal, Request, Response, Server};
use crate::{Negotiated, Output};

/// One side's opening handshake.
pub(crate) trait Handshake {
    /// What it yields.
    type Open;
    /// Whether a failure is answered, so that the peer is given time to read why.
    const ANSWERS: bool;

    fn receive(
        &mut self,
        input: &mut &[u8],
        output: &mut Output,
    ) -> Result<Option<Self::Open>, HandshakeError>;
    fn receive_eof(&mut self) -> HandshakeError;
    fn timeout(&mut self, output: &mut Output) -> HandshakeError;
}

impl Handshake for Server {
    type Open = Request;
    const ANSWERS: bool = true;

    fn receive(
        &mut self,
        input: &mut &[u8],
        output: &mut Output,
    ) -> Result<Option<Request>, HandshakeError> {
        self.receive(input, output)
    }

    fn receive_eof(&mut self) -> HandshakeError {
        self.receive_eof()
    }

    fn timeout(&mut self, output: &mut Output) -> HandshakeError {
        self.timeout(output)
    }
}

impl Handshake for Client {
    type Open = (Negotiated, Response);
    const ANSWERS: bool = false;

    fn receive(
        &mut self,
        input: &mut &[u8],
        _: &mut Output,
    ) -> Result<Option<Self::Open>, HandshakeError> {
        self.receive(input)
    }

    fn receive_eof(&mut self) -> HandshakeError {
        self.receive_eof()
    }

    fn timeout(&mut self, _: &mut Output) -> HandshakeError {
        self.timeout()
    }
}

/// What the adapter does next.
#[derive(Debug)]
pub(crate) enum Step<O> {
    /// Something with the transport.
    Io(Io),
    /// The handshake has succeeded. A server decides and answers now.
    Open(O),
    /// It has failed; the answer that says so was written.
    Failed(Error),
}

/// An opening handshake and its link.
#[derive(Debug)]
pub(crate) struct Opening<H> {
    handshake: H,
    pub(crate) link: Link,
    error: Option<Error>,
    /// The request was accepted: nothing else can be said any more.
    accepted: bool,
}

impl<H: Handshake> Opening<H> {
    pub(crate) fn new(handshake: H, link: Link) -> Self {
        Self { handshake, link, error: None, accepted: false }
    }

    /// Decides what comes next. `window` is what was read, if anything; it keeps what comes
    /// behind the handshake.
    pub(crate) fn step(&mut self, window: Option<&mut Window>) -> Step<H::Open> {
        if let Some(open) = self.receive(window) {
            return Step::Open(open);
        }
        match self.error.take() {
            None => Step::Io(self.link.next_to_flush().unwrap_or(Io::Read)),
            Some(error) => match self.next_to_answer() {
                None => Step::Failed(error),
                Some(io) => {
                    self.error = Some(error);
                    Step::Io(io)
                }
            },
        }
    }

    /// What is left to do before a failure is told: the answer leaves, and the end behind it.
    fn next_to_answer(&mut self) -> Option<Io> {
        if !H::ANSWERS {
            return None;
        }
        self.link.next_to_flush().or_else(|| self.link.next_to_end())
    }

    fn receive(&mut self, window: Option<&mut Window>) -> Option<H::Open> {
        let window = window.filter(|window| !window.is_empty());
        if self.error.is_some() {
            // Behind a fault, input is read so that the answer is not lost, and dropped.
            if let Some(window) = window {
                window.take(usize::MAX);
            }
            return None;
        }
        if let Some(window) = window {
            let mut input: &[u8] = window.unread();
            let before = input.len();
            let received = self.handshake.receive(&mut input, &mut self.link.output);
            let used = before.saturating_sub(input.len());
            window.take(used);
            match received {
                Ok(None) => {}
                Ok(open) => return open,
                Err(error) => self.error = Some(error.into()),
            }
        } else if let Some(Ok(error)) = self.link.take_broken() {
            self.error = Some(error.into());
        } else if self.link.has_ended() {
            self.error = Some(self.handshake.receive_eof().into());
        }
        None
    }

    /// The application refuses: what it has put into the output is written, then the handshake
    /// has failed.
    pub(crate) fn refuse(&mut self, error: Error) {
        self.error = Some(error);
    }

    /// As [`Driver::observe`](super::driver::Driver::observe).
    pub(crate) fn observe(&mut self, now: Duration) {
        self.link.observe(None, now);
        if self.link.is_ending() {
            self.link.deadlines.lingering(now);
        } else if self.error.is_some() {
            self.link.deadlines.closing(now);
        }
    }

    /// As [`Driver::tick`](super::driver::Driver::tick).
    pub(crate) fn tick(&mut self, now: Duration) {
        self.observe(now);
        let Self { link, .. } = self;
        while let Some(expired) = link.deadlines.on_deadline(now) {
            if self.accepted {
                link.give_up(Loss::Write); // the peer does not take our response
                continue;
            }
            if expired == Expired::Linger {
                link.end();
                continue;
            }
            if self.error.is_none() {
                self.error = Some(self.handshake.timeout(&mut link.output).into());
            }
            if expired == Expired::Handshake {
                // It has had its time. Over TLS it may be in the middle of a handshake yet, which a
                // write would have to wait for.
                link.deadlines.late(now);
            } else {
                link.give_up(Loss::Write); // the peer does not take the answer
            }
        }
    }
}

impl Opening<Server> {
    /// Puts the application's answer into the output. An error is what the handshake fails with:
    /// hand it to [`refuse`](Self::refuse).
    pub(crate) fn answer(
        &mut self,
        request: &Request,
        decision: Result<Accept<'_>, Refusal<'_>>,
    ) -> Result<Negotiated, Error> {
        let output = &mut self.link.output;
        let error = match decision {
            Ok(accept) => match request.accept(&accept, output) {
                Ok(negotiated) => {
                    self.accepted = true;
                    return Ok(negotiated);
                }
                Err(misuse) => misuse.into(),
            },
            Err(refusal) => match request.refuse(&refusal, output) {
                Ok(()) => return Err(Error::Refused(refusal.status())),
                Err(misuse) => Error::Misuse(misuse),
            },
        };
        // The client is told that it is not to blame; unless the application has answered by
        // itself, which fails here too and writes nothing.
        let _ = request.refuse(&Refusal::new(500), output);
        Err(error)
    }
}
