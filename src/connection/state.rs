//! The closing handshake: RFC 6455 sections 5.5.1 and 7.1.
//!
//! ```text
//!               send Close                 receive Close
//!        .-----------------> CloseSent -----------------.
//!        |                       |                      v
//!      Open                      |                    Closed
//!        |                       |                      ^
//!        '--------------> CloseReceived ----------------'
//!          receive Close         |           send Close
//!                                |
//!   any but Closed --------------'-----> Failed <---- Closed
//!      protocol error, end of transport, deadline      our Close did not leave
//! ```

use crate::ProtocolError;

/// How far the closing handshake has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Data flows both ways.
    Open,
    /// We sent a Close frame and wait for the peer's; its messages still arrive.
    CloseSent,
    /// The peer sent a Close frame and waits for ours
    /// ([`Config::auto_close`](crate::Config::auto_close) is off).
    CloseReceived,
    /// Both Close frames have passed: the connection ended cleanly.
    Closed,
    /// The connection has failed (section 7.1.7).
    Failed,
}

/// Who began to close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Initiator {
    /// We sent the first Close frame, or failed the connection.
    Local,
    /// The peer sent the first Close frame, or went away without one.
    Peer,
}

/// The state, and who began to leave [`State::Open`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Closing {
    state: State,
    initiator: Initiator,
    /// Our Close is queued, and whoever writes it has not said that it has left.
    unsent: bool,
}

impl Closing {
    pub(crate) const fn new() -> Self {
        Self { state: State::Open, initiator: Initiator::Local, unsent: false }
    }

    pub(crate) const fn state(&self) -> State {
        self.state
    }

    pub(crate) const fn initiator(&self) -> Initiator {
        self.initiator
    }

    /// Whether frames may be sent: 5.5.1 "The application MUST NOT send any more data frames
    /// after sending a Close frame."
    pub(crate) const fn may_send(&self) -> bool {
        matches!(self.state, State::Open | State::CloseReceived)
    }

    pub(crate) const fn close_sent(&mut self) {
        self.state = match self.state {
            State::Open => {
                self.initiator = Initiator::Local;
                State::CloseSent
            }
            State::CloseReceived => State::Closed,
            state @ (State::CloseSent | State::Closed | State::Failed) => state,
        };
    }

    pub(crate) const fn close_received(&mut self) {
        self.state = match self.state {
            State::Open => {
                self.initiator = Initiator::Peer;
                State::CloseReceived
            }
            State::CloseSent => State::Closed,
            state @ (State::CloseReceived | State::Closed | State::Failed) => state,
        };
    }

    pub(crate) const fn failed(&mut self, error: ProtocolError) {
        match self.state {
            State::Open => {
                self.initiator = match error {
                    ProtocolError::UnexpectedEof => Initiator::Peer,
                    _ => Initiator::Local,
                };
                self.state = State::Failed;
            }
            State::CloseSent | State::CloseReceived => self.state = State::Failed,
            State::Closed | State::Failed => {}
        }
    }

    /// Whether both Close frames have passed, as far as is known: an adapter knows whether ours has
    /// left; otherwise it counts as of when it is in the output.
    pub(crate) const fn is_clean(&self) -> bool {
        matches!(self.state, State::Closed) && !self.unsent
    }

    /// What is queued, perhaps our Close, has not left yet.
    #[cfg(feature = "std")]
    pub(crate) const fn set_unsent(&mut self, unsent: bool) {
        self.unsent = unsent;
    }

    /// Nothing of what is queued will leave. 7.1.4: what counts is that the closing handshake has
    /// taken place, and if our Close is among it, it has not.
    pub(crate) const fn output_lost(&mut self) {
        if matches!(self.state, State::Closed) {
            self.state = State::Failed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transition() {
        use State::*;
        let steps: [fn(&mut Closing); 4] = [
            Closing::close_sent,
            Closing::close_received,
            |closing| closing.failed(ProtocolError::InvalidUtf8),
            Closing::output_lost,
        ];
        // From each state: after sending a Close, after receiving one, after a failure, after the
        // loss of what waits.
        for (from, to) in [
            (Open, [CloseSent, CloseReceived, Failed, Open]),
            (CloseSent, [CloseSent, Closed, Failed, CloseSent]),
            (CloseReceived, [Closed, CloseReceived, Failed, CloseReceived]),
            (Closed, [Closed, Closed, Closed, Failed]),
            (Failed, [Failed, Failed, Failed, Failed]),
        ] {
            for (step, to) in steps.iter().zip(to) {
                let mut closing =
                    Closing { state: from, initiator: Initiator::Local, unsent: false };
                step(&mut closing);
                assert_eq!(closing.state(), to, "from {from:?}");
            }
        }
    }

    #[test]
    fn who_began() {
        let mut closing = Closing::new();
        closing.close_received();
        closing.close_sent();
        assert_eq!((closing.state(), closing.initiator()), (State::Closed, Initiator::Peer));
        let mut closing = Closing::new();
        closing.close_sent();
        closing.close_received();
        assert_eq!((closing.state(), closing.initiator()), (State::Closed, Initiator::Local));
        let mut closing = Closing::new();
        closing.failed(ProtocolError::UnexpectedEof);
        assert_eq!(closing.initiator(), Initiator::Peer);
    }
}
