//! A case about the opening handshake: a request as bytes, and the answers that are allowed.

use tokio::time::Instant;

use super::accept;
use super::head::Head;
use crate::case::Cut;
use crate::log::Log;
use crate::transport::Transport;
use crate::verdict::Behavior;

/// A request that may be wrong, and what a server may make of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) request: Vec<u8>,
    pub(crate) cut: Cut,
    /// The key in it, for the answer to a request that is accepted.
    pub(crate) key: &'static str,
    /// The first that fits is the verdict; nothing else is allowed.
    pub(crate) allowed: Vec<(Behavior, Answer)>,
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Status 101 and all that belongs to it, whatever it says about extensions.
    Open,
    /// Likewise, with permessage-deflate agreed to, or declined.
    OpenWith { deflate: bool },
    /// One of these statuses.
    Status(Vec<u16>),
    /// A status that says that the request is at fault, or that the server cannot do it.
    Refusal,
    /// A refusal that says which version the server speaks.
    RefusalWithVersion,
    /// The connection is closed without an answer.
    Silence,
}

/// What came back, and the verdict on it.
#[derive(Debug)]
pub(crate) struct Answered {
    /// The connection is open, so the steps of the case follow.
    pub(crate) open: bool,
    pub(crate) behavior: Behavior,
    pub(crate) why: String,
}

impl Opening {
    pub(crate) async fn run(
        &self,
        transport: &mut Transport,
        buffer: &mut Vec<u8>,
        log: &mut Log,
        deadline: Instant,
    ) -> Answered {
        log.sent_bytes(&self.request);
        match self.cut {
            Cut::Octets(size) => {
                for part in self.request.chunks(size.max(1)) {
                    transport.write(part.to_vec());
                }
            }
            Cut::Whole | Cut::Frames => transport.write(self.request.clone()),
        }
        let head = Head::read(transport, buffer, deadline).await;
        match &head {
            Ok(head) => log.note(format!("answer: {}", head.line())),
            Err(why) => log.note(why.clone()),
        }
        self.judge(head.as_ref().map_err(String::as_str))
    }

    fn judge(&self, head: Result<&Head, &str>) -> Answered {
        let seen =
            head.map_or_else(str::to_owned, |head| format!("the answer is {:?}", head.start));
        let open = head.is_ok_and(|head| opens(head, self.key));
        let verdict = self.allowed.iter().find(|(_, answer)| answer.fits(head, open));
        match verdict {
            Some((behavior, _)) => Answered { open, behavior: *behavior, why: seen },
            None => {
                let allowed = self.allowed.iter().map(|(_, answer)| answer.text());
                let allowed = allowed.collect::<Vec<_>>().join(", or ");
                let why = format!("{seen}; allowed: {allowed}");
                Answered { open, behavior: Behavior::Failed, why }
            }
        }
    }
}

fn opens(head: &Head, key: &str) -> bool {
    head.status() == Some(101)
        && head.one("sec-websocket-accept") == Some(accept(key).as_str())
        && head.lists("upgrade", "websocket")
        && head.lists("connection", "upgrade")
}

impl Answer {
    fn fits(&self, head: Result<&Head, &str>, open: bool) -> bool {
        let Ok(head) = head else { return *self == Self::Silence };
        let deflate = || {
            head.all("sec-websocket-extensions").any(|value| value.contains("permessage-deflate"))
        };
        let status = head.status().unwrap_or(0);
        let refused = (400..600).contains(&status);
        match self {
            Self::Open => open,
            Self::OpenWith { deflate: expected } => open && deflate() == *expected,
            Self::Status(statuses) => statuses.contains(&status),
            Self::Refusal => refused,
            Self::RefusalWithVersion => refused && head.lists("sec-websocket-version", "13"),
            Self::Silence => false,
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::Open => "101 with all that belongs to it".to_owned(),
            Self::OpenWith { deflate: true } => "101 with permessage-deflate".to_owned(),
            Self::OpenWith { deflate: false } => "101 without permessage-deflate".to_owned(),
            Self::Status(statuses) => {
                statuses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
            }
            Self::Refusal => "a status from 400 to 599".to_owned(),
            Self::RefusalWithVersion => {
                "a status from 400 to 599 with Sec-WebSocket-Version: 13".to_owned()
            }
            Self::Silence => "a connection that is closed without an answer".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(start: &str, fields: &[(&str, &str)]) -> Head {
        let fields = fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Head { start: start.into(), fields }
    }

    #[test]
    fn answers_and_their_verdicts() {
        let opening = Opening {
            request: Vec::new(),
            cut: Cut::Whole,
            key: "dGhlIHNhbXBsZSBub25jZQ==",
            allowed: vec![
                (Behavior::Ok, Answer::OpenWith { deflate: false }),
                (Behavior::Ok, Answer::Status(vec![426])),
                (Behavior::NonStrict, Answer::RefusalWithVersion),
                (Behavior::NonStrict, Answer::Silence),
            ],
        };
        let good = [
            ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            ("upgrade", "websocket"),
            ("connection", "Upgrade"),
        ];
        let deflate = [&good[..], &[("sec-websocket-extensions", "permessage-deflate")]].concat();
        for (head, expected) in [
            (Ok(head("HTTP/1.1 101 x", &good)), (Behavior::Ok, true)),
            (Ok(head("HTTP/1.1 101 x", &good[1..])), (Behavior::Failed, false)),
            (Ok(head("HTTP/1.1 101 x", &deflate)), (Behavior::Failed, true)),
            (Ok(head("HTTP/1.1 426 x", &[])), (Behavior::Ok, false)),
            (Ok(head("HTTP/1.1 400 x", &[])), (Behavior::Failed, false)),
            (
                Ok(head("HTTP/1.1 400", &[("sec-websocket-version", "8, 13")])),
                (Behavior::NonStrict, false),
            ),
            (Err("closed"), (Behavior::NonStrict, false)),
        ] {
            let answered = opening.judge(head.as_ref().map_err(|why| *why));
            assert_eq!((answered.behavior, answered.open), expected, "{head:?}");
        }
    }
}
