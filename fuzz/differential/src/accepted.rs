//! The disagreements that are known, each with the sentence that decides it. Anything else is a
//! finding; so is an entry that nothing meets any more.

use websocket_proto::ProtocolError;

use crate::{End, Ours, Outcome, Seen};

/// A disagreement that is known.
pub struct Entry {
    /// Who disagrees; all of them if empty.
    who: &'static str,
    /// Why they are not followed.
    pub why: &'static str,
    is: fn(&Ours, &Outcome) -> bool,
}

pub const ALL: &[Entry] = &[
    Entry {
        who: "tungstenite",
        why: "takes a length that is not in its shortest form. RFC 6455 5.2: \"the minimal number \
              of bytes MUST be used to encode the length\"",
        is: |ours, theirs| {
            use ProtocolError::{LengthNotMinimal, LongControl};
            theirs.seen.starts_with(&ours.outcome.seen)
                && matches!(ours.error, Some(LengthNotMinimal | LongControl(_)))
        },
    },
    Entry {
        who: "tungstenite",
        why: "reports a Close code that must not be sent as a Close with 1002, which it also \
              answers; we fail with 1002. RFC 6455 7.4.1: \"MUST NOT be set as a status code in a \
              Close control frame by an endpoint\"",
        is: |ours, theirs| {
            matches!(ours.error, Some(ProtocolError::CloseCodeNotAllowed(_)))
                && theirs.end == End::Closed
                && is_violation(theirs)
                && theirs.seen.starts_with(&ours.outcome.seen)
        },
    },
    Entry {
        who: "tungstenite",
        why: "does not know Close code 1014. RFC 6455 7.4.2: 1000-2999 are defined by \"this \
              protocol, its future revisions, and extensions\", and the IANA registry has 1014",
        is: |ours, theirs| {
            let last = ours.outcome.seen.last();
            matches!(last, Some(Seen::Close(Some((1014, _))))) && is_violation(theirs)
        },
    },
    Entry {
        who: "tokio-websockets",
        why: "delivers text that ends within a character before an empty last fragment. RFC 6455 \
              8.1: \"finds that the byte stream is not, in fact, a valid UTF-8 stream, that \
              endpoint MUST _Fail the WebSocket Connection_\"",
        is: |ours, theirs| {
            let next = theirs.seen.get(ours.outcome.seen.len());
            ours.error == Some(ProtocolError::InvalidUtf8)
                && theirs.seen.starts_with(&ours.outcome.seen)
                && matches!(next, Some(Seen::BadText(_)))
        },
    },
    Entry {
        who: "",
        why: "reports the other one of two faults in a frame. RFC 6455 7.1.7: \"SHOULD send a \
              Close frame with an appropriate status code\"; each is",
        is: |ours, theirs| {
            theirs.seen == ours.outcome.seen
                && ours.outcome.end == End::Failed(1002)
                && match theirs.end {
                    End::Failed(1009) => ours.oversized,
                    End::Failed(1007) => {
                        matches!(ours.error, Some(ProtocolError::CloseCodeNotAllowed(_)))
                    }
                    _ => false,
                }
        },
    },
];

fn is_violation(theirs: &Outcome) -> bool {
    let violation = Seen::Close(Some((1002, "Protocol violation".to_owned())));
    theirs.seen.last() == Some(&violation)
}

pub(crate) fn why(name: &str, ours: &Ours, theirs: &Outcome) -> Option<&'static str> {
    let concerns = |entry: &&Entry| entry.who.is_empty() || entry.who == name;
    ALL.iter().filter(concerns).find(|entry| (entry.is)(ours, theirs)).map(|entry| entry.why)
}
