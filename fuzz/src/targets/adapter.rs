//! The blocking adapter, in either role, over a stream that does little at a time, is not ready, is
//! interrupted, ends, breaks, or keeps time limits: what arrives is what a bare connection sees,
//! what leaves is what was sent, an error is for ever, and nothing spins.

use websocket_proto::CloseCode;
use websocket_proto::io::Error;
use websocket_proto::io::blocking::{self, WebSocket};

use super::super::ledger::Ledger;
use super::super::script::Script;
use super::super::setup::Setup;
use super::super::stream::Shared;

/// More than a script can be not ready for, and a peer has events in it that matter.
const MOST_READS: usize = 600;
/// So often is the end looked at.
const BEHIND_THE_END: usize = 3;

pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let (mut calls, faults) = (Script(script.string()), Script(script.string()));
    let setup = Setup::read(&mut script);
    let wire = Shared::new(faults);
    setup.prepare(&wire);
    let Some(mut socket) = open(&setup, &wire) else { return };
    let mut ledger = Ledger::new(&setup, &wire);
    while !calls.0.is_empty() {
        call(&mut socket, &wire, &mut ledger, &mut calls);
        ledger.check(Some(socket.connection()));
    }
    wire.get().stalled = [false; 2];
    let mut behind = 0;
    for _ in 0..MOST_READS {
        wire.get().begin();
        let read = read(&mut socket, &mut ledger);
        ledger.result(true, read);
        behind += usize::from(ledger.is_over());
        if behind == BEHIND_THE_END {
            break;
        }
    }
    ledger.check(Some(socket.connection()));
    ledger.finish();
}

/// With the opening handshake, or without. A handshake that fails has no more to show.
fn open<'a>(setup: &Setup, wire: &Shared<'a>) -> Option<WebSocket<Shared<'a>>> {
    if !setup.opens() {
        let connection = setup.connection(setup.config);
        let socket = WebSocket::from_parts(wire.clone(), connection, &[]);
        return Some(socket.with_deadlines(&setup.deadlines));
    }
    if setup.is_client() {
        let request = Setup::client_request();
        let opened = blocking::client(wire.clone(), request, &setup.client_options());
        return opened.ok().map(|(socket, _)| socket);
    }
    let options = setup.server_options();
    blocking::accept_with(wire.clone(), &options, |request| Ok(options.accept(request))).ok()
}

fn call(
    socket: &mut WebSocket<Shared<'_>>,
    wire: &Shared<'_>,
    ledger: &mut Ledger<'_>,
    calls: &mut Script<'_>,
) {
    let call = calls.byte();
    wire.get().begin();
    let result = match call % 8 {
        2 | 6 => {
            let message = ledger.message(calls.byte());
            let fed = socket.feed(message.clone());
            // A message is queued after there is room for it, or not at all.
            if fed.is_ok() {
                ledger.queued(message, true);
            }
            fed
        }
        3 => flushed(socket.flush(), ledger),
        4 => {
            let pinged = socket.ping(b"p");
            flushed(pinged, ledger)
        }
        5 if call & 8 == 0 => {
            wire.get().stalled = [call & 16 != 0, call & 32 != 0];
            return;
        }
        5 => closed(socket.send_close(CloseCode::NORMAL, ""), ledger),
        7 if call & 8 != 0 => {
            ledger.discards = true;
            let result = socket.close(CloseCode::GOING_AWAY, "bye");
            // Behind the end of the connection it waits for that of the transport.
            if result.as_ref().is_err_and(Error::is_would_block) {
                return;
            }
            closed(result, ledger)
        }
        7 => {
            let received = socket.recv();
            let result = received.map(|it| match it {
                Some(message) => ledger.saw_message(message),
                None => ledger.ended(Some(socket.connection())),
            });
            return ledger.result(true, result);
        }
        _ => {
            let read = read(socket, ledger);
            return ledger.result(true, read);
        }
    };
    ledger.result(false, result);
}

fn flushed(result: Result<(), Error>, ledger: &mut Ledger<'_>) -> Result<(), Error> {
    if result.is_ok() {
        ledger.flushed();
    }
    result
}

fn closed(result: Result<(), Error>, ledger: &mut Ledger<'_>) -> Result<(), Error> {
    if result.is_ok() {
        ledger.closed();
    }
    result
}

fn read(socket: &mut WebSocket<Shared<'_>>, ledger: &mut Ledger<'_>) -> Result<(), Error> {
    match socket.read()? {
        Some((event, _)) => ledger.saw(event.into_owned()),
        None => ledger.ended(Some(socket.connection())),
    }
    Ok(())
}
