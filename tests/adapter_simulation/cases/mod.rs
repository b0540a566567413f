//! Small inputs for what the simulation looks for, by the id of the behaviour: each over each
//! transport, and in each form of use where that matters.

mod form;
mod net;
mod pools;
mod quiet;
mod slow;
mod unread;

use websocket_proto::{Config, Connection, DeadlineConfig, Negotiated};

use net::PeerEnd;

use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Frames that a client sends, masked with zeros.
const CLOSE: &[u8] = b"\x88\x82\0\0\0\0\x03\xe8";
const PING: &[u8] = b"\x89\x80\0\0\0\0";
const FAULT: &[u8] = b"\xf1\x80\0\0\0\0";

fn server(config: Config) -> Connection {
    Connection::server(Negotiated::default(), config)
}

/// As the adapters' options have them, written out: a default that changes changes nothing here.
fn deadlines() -> DeadlineConfig {
    let mut deadlines = DeadlineConfig::default();
    deadlines.ping_interval = Some(20 * SECOND);
    deadlines.pong_wait = Some(20 * SECOND);
    deadlines.write = Some(30 * SECOND);
    deadlines.close = Some(10 * SECOND);
    deadlines.linger = Some(SECOND);
    deadlines
}

/// What a server has written, header and payload of each frame.
fn frames(mut bytes: &[u8]) -> Vec<(u8, usize)> {
    let mut frames = Vec::new();
    while let [byte0, len, rest @ ..] = bytes {
        let (len, header) = match len {
            126 => (usize::from(u16::from_be_bytes(*rest.first_chunk().unwrap())), 4),
            127 => (u64::from_be_bytes(*rest.first_chunk().unwrap()) as usize, 10),
            len => (usize::from(*len), 2),
        };
        frames.push((*byte0, len));
        bytes = bytes.get(header + len..).unwrap_or_default();
    }
    frames
}

/// Reads to the end of our Close frame, so many bytes a time.
async fn read_to_close(peer: &mut impl PeerEnd, most: usize, pause: impl AsyncFn()) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A Close frame with a code is the last thing that a server writes.
    while !bytes.ends_with(b"\x88\x02\x03\xe8") {
        let read = peer.read(most).await;
        if read.is_empty() {
            break;
        }
        bytes.extend(read);
        pause().await;
    }
    bytes
}

/// A test for each case, transport and form.
macro_rules! cases {
    ($($case:ident: $($form:ident)*;)*) => {
        $(mod $case {
            mod simulated {
                $(#[test] #[allow(non_snake_case)] fn $form() {
                    crate::cases::net::simulated(|net| super::super::on::$case(net, crate::cases::form::Form::$form));
                })*
            }
            #[cfg(feature = "tokio")]
            mod tokio {
                $(#[test] #[allow(non_snake_case)] fn $form() {
                    crate::cases::net::paused(|net| super::super::on::$case(net, crate::cases::form::Form::$form));
                })*
            }
        })*
    };
}

/// The same over futures-io, which has no virtual time: for cases in which none passes.
macro_rules! cases_without_time {
    ($($name:ident: $case:ident $($form:ident)*;)*) => {
        $(#[cfg(feature = "futures-io")] mod $name {
            $(#[test] #[allow(non_snake_case)] fn $form() {
                crate::cases::net::plain(|net| super::on::$case(net, crate::cases::form::Form::$form));
            })*
        })*
    };
}

pub(crate) use {cases, cases_without_time};
