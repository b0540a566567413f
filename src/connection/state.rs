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
    progress: Progress,
    initiator: Initiator,
}

/// [`State`], and whether our Close has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Open,
    CloseSent,
    CloseReceived,
    /// Closed as of when ours has left, which who writes it says ([`Closing::left`]).
    #[cfg_attr(not(feature = "std"), allow(dead_code, reason = "for adapters"))]
    Leaving,
    Closed,
    Failed,
}

impl Closing {
    pub(crate) const fn new() -> Self {
        Self { progress: Progress::Open, initiator: Initiator::Local }
    }

    pub(crate) const fn state(&self) -> State {
        match self.progress {
            Progress::Open => State::Open,
            Progress::CloseSent => State::CloseSent,
            Progress::CloseReceived => State::CloseReceived,
            Progress::Leaving | Progress::Closed => State::Closed,
            Progress::Failed => State::Failed,
        }
    }

    /// Whether both Close frames have passed. Ours counts as of when it is in the output, unless an
    /// adapter has said that it waits there.
    pub(crate) const fn is_clean(&self) -> bool {
        matches!(self.progress, Progress::Closed)
    }

    /// What is in the output, perhaps our Close, has not left.
    #[cfg(feature = "std")]
    pub(crate) const fn waits(&mut self) {
        if matches!(self.progress, Progress::Closed) {
            self.progress = Progress::Leaving;
        }
    }

    /// All has left.
    #[cfg(feature = "std")]
    pub(crate) const fn left(&mut self) {
        if matches!(self.progress, Progress::Leaving) {
            self.progress = Progress::Closed;
        }
    }

    pub(crate) const fn initiator(&self) -> Initiator {
        self.initiator
    }

    /// Whether frames may be sent: 5.5.1 "The application MUST NOT send any more data frames
    /// after sending a Close frame."
    pub(crate) const fn may_send(&self) -> bool {
        matches!(self.progress, Progress::Open | Progress::CloseReceived)
    }

    pub(crate) const fn close_sent(&mut self) {
        self.progress = match self.progress {
            Progress::Open => {
                self.initiator = Initiator::Local;
                Progress::CloseSent
            }
            Progress::CloseReceived => Progress::Closed,
            done => done,
        };
    }

    pub(crate) const fn close_received(&mut self) {
        self.progress = match self.progress {
            Progress::Open => {
                self.initiator = Initiator::Peer;
                Progress::CloseReceived
            }
            Progress::CloseSent => Progress::Closed,
            done => done,
        };
    }

    pub(crate) const fn failed(&mut self, error: ProtocolError) {
        match self.progress {
            Progress::Open => {
                self.initiator = match error {
                    ProtocolError::UnexpectedEof => Initiator::Peer,
                    _ => Initiator::Local,
                };
                self.progress = Progress::Failed;
            }
            Progress::CloseSent | Progress::CloseReceived => self.progress = Progress::Failed,
            Progress::Leaving | Progress::Closed | Progress::Failed => {}
        }
    }

    /// Nothing of what is queued will leave. 7.1.4: what counts is that the closing handshake has
    /// taken place, and if our Close is among it, it has not.
    pub(crate) const fn output_lost(&mut self) {
        if matches!(self.progress, Progress::Leaving | Progress::Closed) {
            self.progress = Progress::Failed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transition() {
        use Progress::*;
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
            (Leaving, [Leaving, Leaving, Leaving, Failed]),
            (Closed, [Closed, Closed, Closed, Failed]),
            (Failed, [Failed, Failed, Failed, Failed]),
        ] {
            for (step, to) in steps.iter().zip(to) {
                let mut closing = Closing { progress: from, initiator: Initiator::Local };
                step(&mut closing);
                assert_eq!(closing.progress, to, "from {from:?}");
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
