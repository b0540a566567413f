//! The verdicts on a case, from what was seen of it and nothing else.

use std::fmt::Write as _;

use crate::case::{Case, Event, Side};
use crate::handshake::case::Answered;
use crate::session::matches;
use crate::verdict::{Behavior, Closing, Verdict};
use crate::wire::decoder::Breach;

/// What was seen of one connection.
#[derive(Debug)]
pub(crate) struct Record {
    /// Why the connection never opened.
    pub(crate) opened: Result<(), String>,
    pub(crate) events: Vec<Event>,
    /// Who sent the first Close frame, or closed the TCP connection without one.
    pub(crate) begun_by: Side,
    /// The suite failed the connection: the peer broke a rule, or did not answer.
    pub(crate) failed_by_suite: bool,
    pub(crate) dropped_by_suite: bool,
    /// Close frames went both ways, and whoever should close the TCP connection did.
    pub(crate) clean: bool,
    pub(crate) why_unclean: &'static str,
    /// The code in the peer's Close frame, if it sent one, and if there is one in it.
    pub(crate) remote_close: Option<Option<u16>>,
    pub(crate) remote_reason: String,
    /// The frames that the peer sent behind its Close frame.
    pub(crate) after_close: usize,
    pub(crate) reset: bool,
    pub(crate) breach: Option<Breach>,
    /// The answer to the request of the case.
    pub(crate) answered: Option<Answered>,
    /// What came of an exchange.
    pub(crate) echoes: Option<Echoes>,
}

#[derive(Debug)]
pub(crate) struct Echoes {
    pub(crate) behavior: Behavior,
    pub(crate) why: String,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            opened: Err("the connection was never opened".to_owned()),
            events: Vec::new(),
            begun_by: Side::Peer,
            failed_by_suite: false,
            dropped_by_suite: false,
            clean: false,
            why_unclean: "",
            remote_close: None,
            remote_reason: String::new(),
            after_close: 0,
            reset: false,
            breach: None,
            answered: None,
            echoes: None,
        }
    }
}

/// Both verdicts. `suite_is_client`: a server is tested.
pub(crate) fn judge(case: &Case, record: &Record, suite_is_client: bool) -> Verdict {
    if let Some(answered) = record.answered.as_ref().filter(|answered| !answered.open) {
        return refused(case, answered);
    }
    if let Err(why) = &record.opened {
        return Verdict {
            behavior: Behavior::Failed,
            why: why.clone(),
            closing: Closing::Failed,
            closing_why: "the opening handshake was never completed".to_owned(),
        };
    }
    let (mut behavior, mut why) = behavior(case, record);
    if let Some(answered) = record.answered.as_ref().filter(|answered| answered.behavior > behavior)
    {
        behavior = answered.behavior;
        why.clone_from(&answered.why);
    }
    let (mut closing, closing_why) = closing(case, record, suite_is_client);
    let wrong_side = case.closing.wrong_side_is_failure && case.closing.by != record.begun_by;
    let wrong_code = case.closing.wrong_code_is_failure && closing == Closing::WrongCode;
    if wrong_side || wrong_code {
        behavior = Behavior::Failed;
        why.clone_from(&closing_why);
    }
    let judged = matches!(behavior, Behavior::Ok | Behavior::NonStrict);
    if let (true, Some((worse, found))) = (case.closing.strict && judged, beyond(record)) {
        (behavior, why) = (behavior.max(worse), found);
    }
    if case.closing.informational {
        behavior = Behavior::Informational;
        closing = Closing::Informational;
    }
    Verdict { behavior, why, closing, closing_why }
}

/// The connection was not opened, which may be right: there is nothing to close.
fn refused(case: &Case, answered: &Answered) -> Verdict {
    let (mut behavior, mut closing) = (answered.behavior, Closing::Ok);
    if case.closing.informational {
        (behavior, closing) = (Behavior::Informational, Closing::Informational);
    }
    let closing_why = "the connection was not opened".to_owned();
    Verdict { behavior, why: answered.why.clone(), closing, closing_why }
}

/// What is wrong with the end of a connection although its beginning was right.
fn beyond(record: &Record) -> Option<(Behavior, String)> {
    if let Some(breach) = &record.breach {
        let why = format!("{} ({}: {:?})", breach.found, breach.section, breach.sentence);
        return Some((Behavior::Failed, why));
    }
    if record.after_close > 0 {
        let why = format!("the peer sent {} more frames after its Close frame", record.after_close);
        return Some((Behavior::Failed, why));
    }
    if record.begun_by == Side::Peer && record.remote_close.is_none() {
        // RFC 6455 7.1.7: the endpoint SHOULD send a Close frame with an appropriate status code.
        let why = "the peer failed the connection without a Close frame, which should say why";
        return Some((Behavior::NonStrict, why.to_owned()));
    }
    None
}

fn behavior(case: &Case, record: &Record) -> (Behavior, String) {
    if let Some(echoes) = &record.echoes {
        let breach = record.breach.as_ref().filter(|_| echoes.behavior == Behavior::Failed);
        let why = breach.map_or_else(|| echoes.why.clone(), |breach| breach.found.to_string());
        return (echoes.behavior, why);
    }
    for (behavior, allowed) in &case.allowed {
        if matches(allowed, &record.events) {
            return (*behavior, format!("the peer did what is allowed: {}", events(allowed)));
        }
    }
    let mut why = String::new();
    if let Some(breach) = &record.breach {
        let _ = write!(why, "{} ({}: {:?}); ", breach.found, breach.section, breach.sentence);
    }
    let allowed = case.allowed.iter().map(|(_, allowed)| events(allowed));
    let allowed = allowed.collect::<Vec<_>>().join(", or ");
    let _ = write!(why, "the peer's answer: {}; allowed: {allowed}", events(&record.events));
    (Behavior::Failed, why)
}

fn closing(case: &Case, record: &Record, suite_is_client: bool) -> (Closing, String) {
    let expected = &case.closing;
    let code = record.remote_close.flatten();
    if expected.by != record.begun_by {
        let why = match record.begun_by {
            Side::Suite => "the peer should have failed the connection, and did not",
            Side::Peer => "the peer closed the connection, where the suite should have",
        };
        (Closing::Failed, why.to_owned())
    } else if expected.clean && !record.clean {
        (Closing::Unclean, format!("no complete closing handshake: {}", record.why_unclean))
    } else if let Some(code) = code.filter(|code| !expected.codes.contains(code)) {
        let allowed = expected.codes.iter().map(ToString::to_string).collect::<Vec<_>>();
        (Closing::WrongCode, format!("the peer's code is {code}; allowed: {}", allowed.join(", ")))
    } else if suite_is_client && record.dropped_by_suite {
        let why = "the server did not close the TCP connection, which is its part (RFC 6455 7.1.1)";
        (Closing::FailedByClient, why.to_owned())
    } else {
        let how = match (record.remote_close, code) {
            (_, Some(code)) => format!("closed with code {code}"),
            (Some(_), None) => "closed without a code".to_owned(),
            (None, _) => "the TCP connection was closed without a Close frame".to_owned(),
        };
        (Closing::Ok, how)
    }
}

/// Events for people.
pub(crate) fn events(events: &[Event]) -> String {
    if events.is_empty() {
        return "nothing".to_owned();
    }
    let mut text = String::new();
    for (n, event) in events.iter().enumerate() {
        if n > 0 {
            text.push_str(", then ");
        }
        let _ = match event {
            Event::Text(payload) => write!(text, "text {}", short(payload)),
            Event::Binary(payload) => write!(text, "binary {}", short(payload)),
            Event::Pong(payload) => write!(text, "a Pong {}", short(payload)),
            Event::StillOpen(name) => write!(text, "no fault seen after {name}"),
        };
    }
    text
}

fn short(payload: &crate::wire::payload::Payload) -> String {
    if payload.len() == 0 { "without payload".to_owned() } else { payload.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::payload::Payload;

    fn text(payload: &'static str) -> Event {
        Event::Text(payload.into())
    }

    fn opened() -> Record {
        Record { opened: Ok(()), ..Record::default() }
    }

    fn verdict(case: &Case, record: &Record) -> (Behavior, Closing) {
        let verdict = judge(case, record, true);
        (verdict.behavior, verdict.closing)
    }

    /// A case in which all goes well, and each way in which it does not.
    #[test]
    fn a_polite_end() {
        let case = Case::new("1", "", "", "").expect([text("a")]);
        let good = || Record {
            events: vec![text("a")],
            begun_by: Side::Suite,
            clean: true,
            remote_close: Some(Some(1000)),
            ..opened()
        };
        assert_eq!(verdict(&case, &good()), (Behavior::Ok, Closing::Ok));
        let without_code = Record { remote_close: Some(None), ..good() };
        assert_eq!(verdict(&case, &without_code), (Behavior::Ok, Closing::Ok));
        let never = Record::default();
        assert_eq!(verdict(&case, &never), (Behavior::Failed, Closing::Failed));
        let other = Record { events: vec![text("b")], ..good() };
        assert_eq!(verdict(&case, &other), (Behavior::Failed, Closing::Ok));
        let too_much = Record { events: vec![text("a"), text("a")], ..good() };
        assert_eq!(verdict(&case, &too_much), (Behavior::Failed, Closing::Ok));
        let wrong_side = Record { begun_by: Side::Peer, ..good() };
        assert_eq!(verdict(&case, &wrong_side), (Behavior::Ok, Closing::Failed));
        let unclean = Record { clean: false, ..good() };
        assert_eq!(verdict(&case, &unclean), (Behavior::Ok, Closing::Unclean));
        let code = Record { remote_close: Some(Some(1001)), ..good() };
        assert_eq!(verdict(&case, &code), (Behavior::Ok, Closing::WrongCode));
        let dropped = Record { dropped_by_suite: true, ..good() };
        assert_eq!(verdict(&case, &dropped), (Behavior::Ok, Closing::FailedByClient));
        assert_eq!(judge(&case, &dropped, false).closing, Closing::Ok);
    }

    #[test]
    fn a_failed_connection() {
        let case = Case::new("1", "", "", "").expect([]).peer_fails(1007).wrong_side_is_failure();
        let dropped = opened();
        assert_eq!(verdict(&case, &dropped), (Behavior::Ok, Closing::Ok));
        let code = Record { remote_close: Some(Some(1007)), clean: true, ..opened() };
        assert_eq!(verdict(&case, &code), (Behavior::Ok, Closing::Ok));
        let unseen = Record { begun_by: Side::Suite, clean: true, ..opened() };
        assert_eq!(verdict(&case, &unseen), (Behavior::Failed, Closing::Failed));
    }

    #[test]
    fn what_is_late_and_what_is_open() {
        let late = [Event::StillOpen("A"), Event::StillOpen("B")];
        let case = Case::new("1", "", "", "")
            .expect([Event::StillOpen("A")])
            .or_not_strict(late.clone())
            .peer_fails(1007);
        let record = Record { events: late.into(), ..opened() };
        assert_eq!(verdict(&case, &record).0, Behavior::NonStrict);
        let case = Case::new("1", "", "", "").expect([]).informational();
        assert_eq!(verdict(&case, &opened()), (Behavior::Informational, Closing::Informational));
        let case = Case::new("1", "", "", "").expect([]).closes_by_itself();
        let record = Record {
            begun_by: Side::Suite,
            clean: true,
            remote_close: Some(Some(1002)),
            ..opened()
        };
        assert_eq!(verdict(&case, &record), (Behavior::Failed, Closing::WrongCode));
    }

    #[test]
    fn large_payloads_are_compared_and_not_made() {
        let case = Case::new("1", "", "", "").expect([Event::Binary(Payload::repeated(b"ab", 5))]);
        let record = Record { events: vec![Event::Binary("ababa".into())], ..opened() };
        assert_eq!(verdict(&case, &record).0, Behavior::Ok);
    }
}
