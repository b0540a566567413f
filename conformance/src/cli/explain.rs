//! `ws-conformance explain`: a case read out.

use std::fmt::Write as _;

use clap::Args;

use super::print;
use crate::case::{Case, Cut, Side, Step, Then};
use crate::error::Error;
use crate::exchange::Exchange;
use crate::judge::events;
use crate::sections;
use crate::wire::frame::close_body;
use crate::wire::payload::shown;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The id of the case, such as 6.4.1.
    case: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<bool, Error> {
    let cases = sections::all();
    let case = cases.iter().find(|case| case.id.as_str() == arguments.case);
    let case = case.ok_or_else(|| {
        Error::new(format!("no case is called {}; `list` has them all", arguments.case))
    })?;
    print(&explained(case))?;
    Ok(true)
}

fn explained(case: &Case) -> String {
    let mut text = format!("{} {}\n\n", case.id, case.title);
    let _ = writeln!(text, "{}: {:?}\nfor:  {}\n", case.section, case.sentence, case.role.name());
    if let Some(agreement) = &case.deflate {
        let _ = writeln!(text, "A client offers: {}", agreement.offer());
    }
    if let Some(opening) = &case.opening {
        let request = shown(&opening.request, opening.request.len());
        let _ = writeln!(text, "The suite sends{} the request {request}", cut_text(opening.cut));
        for (behavior, answer) in &opening.allowed {
            let _ = writeln!(text, "  - {behavior}: {}", answer.text());
        }
        let _ = writeln!(text, "\nWhere the connection is opened,");
    }
    let _ = writeln!(text, "The suite");
    for step in &case.steps {
        let _ = writeln!(text, "  - {}", step_text(step));
    }
    let _ = writeln!(text, "\nAllowed are");
    for (behavior, allowed) in &case.allowed {
        let _ = writeln!(text, "  - {behavior}: {}", events(allowed));
    }
    if let Some(Step::Exchange(_)) = case.steps.first() {
        let _ = writeln!(text, "  - OK: each message as it was sent");
    }
    let _ = writeln!(text, "\n{}", closing(case));
    text
}

fn step_text(step: &Step) -> String {
    match step {
        Step::Send { frames, cut } => {
            let frames = frames.iter().map(ToString::to_string).collect::<Vec<_>>();
            format!("sends{} {}", cut_text(*cut), frames.join("; then "))
        }
        Step::Fragments { message, size } => {
            format!("sends in fragments of {size} bytes {message}")
        }
        Step::Part { frame, from, to } => {
            format!("sends bytes {from} to {to} of the payload of one frame {frame}")
        }
        Step::Raw { bytes, cut, .. } => {
            format!("sends{} the bytes {}", cut_text(*cut), shown(bytes, bytes.len()))
        }
        Step::Close { body } => {
            format!("begins the closing handshake: {}", close_body(body.clone()))
        }
        Step::Wait(time) => format!("waits for {} s", time.as_secs_f64()),
        Step::WaitOpen(time, name) => {
            format!(
                "waits for {} s, and goes on if the connection is open ({name})",
                time.as_secs_f64()
            )
        }
        Step::Exchange(exchange) => exchange_text(exchange),
    }
}

fn exchange_text(exchange: &Exchange) -> String {
    let kind = if exchange.text { "text" } else { "binary" };
    let how = match exchange.fragment {
        Some(size) => format!(" in fragments of {size} bytes"),
        None => String::new(),
    };
    format!(
        "sends {} {kind} messages of {} bytes{how}, each when the one before has come back",
        exchange.count, exchange.length
    )
}

fn cut_text(cut: Cut) -> String {
    match cut {
        Cut::Whole => String::new(),
        Cut::Frames => " frame by frame".to_owned(),
        Cut::Octets(size) => format!(" in pieces of {size} bytes"),
    }
}

fn closing(case: &Case) -> String {
    let expected = &case.closing;
    let codes = expected.codes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    let patience = case.patience.as_secs_f64();
    let how = match case.then {
        Then::Fail => "fails the connection",
        Then::Close => "closes",
    };
    let mut text = match expected.by {
        Side::Suite => "Then the suite closes; ".to_owned(),
        Side::Peer => "The peer must fail the connection; ".to_owned(),
    };
    let _ = write!(text, "the peer's Close frame has code {codes}, or none");
    if !expected.clean {
        text.push_str(", or the TCP connection is closed without one");
    }
    let _ = write!(text, ". After {patience} s without all of this the suite {how}.");
    if expected.informational {
        text.push_str(" The RFC leaves the outcome open: it is reported and not judged.");
    }
    text
}
