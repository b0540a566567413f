//! How a case ended: what the peer did, and how the connection was closed, apart.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::case::{Case, Id};
use crate::judge::Record;
use crate::log::Log;

/// What the peer did with what it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub enum Behavior {
    /// As the RFC wants it.
    #[serde(rename = "OK")]
    Ok,
    /// Allowed, but later or less than the RFC recommends.
    #[serde(rename = "NON-STRICT")]
    NonStrict,
    /// The RFC leaves it open: reported, not judged.
    #[serde(rename = "INFORMATIONAL")]
    Informational,
    /// The peer has not got what the case needs, such as an extension.
    #[serde(rename = "UNIMPLEMENTED")]
    Unimplemented,
    /// A rule was broken.
    #[serde(rename = "FAILED")]
    Failed,
}

/// How the connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub enum Closing {
    /// By the right side, with an allowed code, completely where that is demanded.
    #[serde(rename = "OK")]
    Ok,
    /// The RFC leaves it open: reported, not judged.
    #[serde(rename = "INFORMATIONAL")]
    Informational,
    /// The suite, as client, had to close the TCP connection: the server should do that (RFC 6455 7.1.1).
    #[serde(rename = "FAILED BY CLIENT")]
    FailedByClient,
    /// The Close frame had another code than those allowed.
    #[serde(rename = "WRONG CODE")]
    WrongCode,
    /// No complete closing handshake, where the peer could have made one.
    #[serde(rename = "UNCLEAN")]
    Unclean,
    /// By the wrong side, or never.
    #[serde(rename = "FAILED")]
    Failed,
}

impl Behavior {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::NonStrict => "NON-STRICT",
            Self::Informational => "INFORMATIONAL",
            Self::Unimplemented => "UNIMPLEMENTED",
            Self::Failed => "FAILED",
        }
    }
}

impl Closing {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Informational => "INFORMATIONAL",
            Self::FailedByClient => "FAILED BY CLIENT",
            Self::WrongCode => "WRONG CODE",
            Self::Unclean => "UNCLEAN",
            Self::Failed => "FAILED",
        }
    }

    /// Whether a rule was broken, where nothing else is expected.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::WrongCode | Self::Unclean | Self::Failed)
    }
}

impl fmt::Display for Behavior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Both verdicts on one case, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What the peer did.
    pub behavior: Behavior,
    /// Why, for people.
    pub why: String,
    /// How the connection ended.
    pub closing: Closing,
    /// Why, for people.
    pub closing_why: String,
}

impl Verdict {
    /// Whether a rule was broken. What is expected of a peer may say otherwise.
    pub fn is_failure(&self) -> bool {
        self.behavior == Behavior::Failed || self.closing.is_failure()
    }
}

/// One case that ran.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which case.
    pub id: Id,
    /// The case's title.
    pub title: String,
    /// The section of the RFC that the case is about, such as `RFC 6455 5.4`.
    pub section: Cow<'static, str>,
    /// The sentence there that decides.
    pub sentence: &'static str,
    /// Who was tested: the `Server` field of its answer, or the name that a client gave itself.
    pub agent: String,
    /// How it ended.
    pub verdict: Verdict,
    /// The code in the peer's Close frame.
    pub remote_close_code: Option<u16>,
    /// From the opened connection to its end.
    pub duration: Duration,
    pub(crate) log: Log,
}

impl Outcome {
    pub(crate) fn new(
        case: &Case,
        verdict: Verdict,
        record: &Record,
        agent: &str,
        duration: Duration,
        log: Log,
    ) -> Self {
        Self {
            id: case.id.clone(),
            title: case.title.clone(),
            section: case.section.clone(),
            sentence: case.sentence,
            agent: agent.to_owned(),
            verdict,
            remote_close_code: record.remote_close.flatten(),
            duration,
            log,
        }
    }
}
