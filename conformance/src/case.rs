//! What a case is: a title, the sentence of the RFC that decides it, what is sent and what is allowed.
//!
//! Cases are data. One interpreter runs them, one function judges them, and `explain` reads them out.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::time::Duration;

use crate::deflate::Agreement;
use crate::exchange::Exchange;
use crate::handshake::case::Opening;
use crate::verdict::Behavior;
use crate::wire::frame::Frame;
use crate::wire::payload::Payload;

/// The id of a case, such as `6.4.1` or `H.12`. Ids are in the order that people count in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Id(String);

impl Id {
    pub(crate) fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the first dot: `6` of `6.4.1`.
    pub fn section(&self) -> &str {
        self.0.split('.').next().unwrap_or_default()
    }

    fn parts(&self) -> impl Iterator<Item = (u64, &str)> {
        // Numbers before letters, and numbers by their value.
        self.0.split('.').map(|part| (part.parse().unwrap_or(u64::MAX), part))
    }
}

impl Ord for Id {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(other.parts())
    }
}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Which peers a case is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Both,
    Server,
    Client,
}

impl Role {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Both => "server and client",
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) id: Id,
    pub(crate) title: String,
    pub(crate) section: Cow<'static, str>,
    pub(crate) sentence: &'static str,
    pub(crate) role: Role,
    /// The extension as it is offered and accepted; nothing is offered without.
    pub(crate) deflate: Option<Agreement>,
    /// The opening handshake, where the case is about it.
    pub(crate) opening: Option<Opening>,
    pub(crate) steps: Vec<Step>,
    /// What the peer may do, by the verdict that it earns. Anything else fails.
    pub(crate) allowed: Vec<(Behavior, Vec<Event>)>,
    pub(crate) closing: Expected,
    /// How long an answer may take when all steps are done, and what is done then.
    pub(crate) patience: Duration,
    pub(crate) then: Then,
}

/// What the suite does. A write to the transport is one step, or several where it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Send {
        frames: Vec<Frame>,
        cut: Cut,
    },
    /// One message in fragments of so many bytes, all in one write.
    Fragments {
        message: Frame,
        size: usize,
    },
    /// A part of one frame: the header goes with the payload's first byte.
    Part {
        frame: Frame,
        from: usize,
        to: usize,
    },
    /// Bytes as they are. If there is a Close frame in them, the closing handshake is begun.
    Raw {
        bytes: Vec<u8>,
        cut: Cut,
        closes: bool,
    },
    /// Begins the closing handshake.
    Close {
        body: Payload,
    },
    /// Time passes, in which the peer may answer.
    Wait(Duration),
    /// Likewise; that the connection was still open then is an event. If it was not, nothing follows.
    WaitOpen(Duration, &'static str),
    /// Messages one after another, each sent when the echo of the one before has come.
    Exchange(Exchange),
}

/// How the bytes of one step are cut into writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Whole,
    Frames,
    Octets(usize),
}

/// What a peer is seen to do. Pings of the peer's own are answered and are no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Text(Payload),
    Binary(Payload),
    Pong(Payload),
    StillOpen(&'static str),
}

/// How the connection shall end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// Who begins the closing handshake, or ends the connection without one.
    pub(crate) by: Side,
    /// The codes that the peer's Close frame may have. One without a code is always allowed.
    pub(crate) codes: Vec<u16>,
    /// Whether the closing handshake must be complete.
    pub(crate) clean: bool,
    /// The wrong side shows that the peer did not see the fault: the behaviour is wrong too.
    pub(crate) wrong_side_is_failure: bool,
    /// Likewise for a wrong code, where the case is about the code.
    pub(crate) wrong_code_is_failure: bool,
    /// Beyond what Autobahn looks at: a failed connection says why, nothing follows a Close frame, and no
    /// frame of the peer breaks a rule.
    pub(crate) strict: bool,
    /// The RFC leaves all of it open.
    pub(crate) informational: bool,
    /// The suite does not begin the closing handshake by itself when all has come.
    pub(crate) scripted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Suite,
    Peer,
}

/// What the suite does when its patience ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Fails the connection.
    Fail,
    /// Begins the closing handshake.
    Close,
}

/// How long most cases wait for an answer.
const PATIENCE: Duration = Duration::from_secs(1);

impl Case {
    pub(crate) fn new(
        id: impl Into<String>,
        title: impl Into<String>,
        section: impl Into<Cow<'static, str>>,
        sentence: &'static str,
    ) -> Self {
        Self {
            id: Id::new(id),
            title: title.into(),
            section: section.into(),
            sentence,
            role: Role::Both,
            deflate: None,
            opening: None,
            steps: Vec::new(),
            allowed: Vec::new(),
            closing: Expected {
                by: Side::Suite,
                codes: vec![1000],
                clean: true,
                wrong_side_is_failure: false,
                wrong_code_is_failure: false,
                strict: false,
                informational: false,
                scripted: false,
            },
            patience: PATIENCE,
            then: Then::Fail,
        }
    }

    pub(crate) fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Sends frames in one write.
    pub(crate) fn send(self, frames: impl Into<Vec<Frame>>) -> Self {
        self.send_cut(frames, Cut::Whole)
    }

    pub(crate) fn send_cut(self, frames: impl Into<Vec<Frame>>, cut: Cut) -> Self {
        self.step(Step::Send { frames: frames.into(), cut })
    }

    /// The peer answers with this, and the suite closes. What was allowed before remains so.
    pub(crate) fn expect(mut self, events: impl Into<Vec<Event>>) -> Self {
        self.allowed.push((Behavior::Ok, events.into()));
        self
    }

    pub(crate) fn or_not_strict(mut self, events: impl Into<Vec<Event>>) -> Self {
        self.allowed.push((Behavior::NonStrict, events.into()));
        self
    }

    /// The peer fails the connection, with this code if it sends a Close frame.
    pub(crate) fn peer_fails(mut self, code: u16) -> Self {
        self.closing.by = Side::Peer;
        self.closing.codes = vec![code];
        self.closing.clean = false;
        self
    }

    pub(crate) fn close_codes(mut self, codes: impl Into<Vec<u16>>) -> Self {
        self.closing.codes = codes.into();
        self
    }

    /// A connection without a complete closing handshake is right too.
    pub(crate) fn may_end_unclean(mut self) -> Self {
        self.closing.clean = false;
        self
    }

    /// The steps begin the closing handshake, and the code that comes back is what is tested.
    pub(crate) fn closes_by_itself(mut self) -> Self {
        self.closing.scripted = true;
        self.closing.wrong_code_is_failure = true;
        self
    }

    pub(crate) fn wrong_side_is_failure(mut self) -> Self {
        self.closing.wrong_side_is_failure = true;
        self
    }

    pub(crate) fn strict(mut self) -> Self {
        self.closing.strict = true;
        self
    }

    pub(crate) fn informational(mut self) -> Self {
        self.closing.informational = true;
        self
    }

    /// When nothing is as expected for so long, the suite closes politely.
    pub(crate) fn close_after(mut self, seconds: f64) -> Self {
        self.patience = Duration::from_secs_f64(seconds);
        self.then = Then::Close;
        self
    }

    /// Likewise, and the suite fails the connection.
    pub(crate) fn fail_after(mut self, seconds: f64) -> Self {
        self.patience = Duration::from_secs_f64(seconds);
        self.then = Then::Fail;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_in_the_order_that_people_count_in() {
        let mut ids: Vec<Id> =
            ["H.2", "10.1.1", "2.11", "2.2", "H.10", "2.2.1"].map(Id::new).into();
        ids.sort();
        let ids: Vec<_> = ids.iter().map(Id::as_str).collect();
        assert_eq!(ids, ["2.2", "2.2.1", "2.11", "10.1.1", "H.2", "H.10"]);
    }
}
