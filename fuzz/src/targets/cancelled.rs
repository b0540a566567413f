//! As `adapter`, for the async adapter, whole, split, as `Stream` and `Sink`, with deadlines that
//! pass by a clock that the input moves: in addition every call is dropped after a few polls, and
//! nothing is lost or done twice for it.

mod held;
mod program;

use std::future::pending;

use websocket_proto::io::{AsyncTransport, WebSocket, futures};

use self::held::{Held, polled};
use self::program::Program;
use super::super::ledger::Ledger;
use super::super::script::Script;
use super::super::setup::Setup;
use super::super::stream::Shared;

pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let (calls, faults) = (Script(script.string()), Script(script.string()));
    let setup = Setup::read(&mut script);
    let wire = Shared::new(faults);
    setup.prepare(&wire);
    if !setup.opens() {
        let connection = setup.connection(setup.config);
        let socket = WebSocket::over(wire.clone(), connection, &[]);
        drive(socket.with_deadlines(&setup.deadlines), &setup, wire, calls);
    } else if setup.is_client() {
        open_client(&setup, wire, calls);
    } else {
        open_server(&setup, wire, calls);
    }
}

/// Polls of an opening handshake: more than it can need.
const OPENING: usize = 600;

fn open_client<'a>(setup: &Setup, wire: Shared<'a>, calls: Script<'a>) {
    let (request, options) = (Setup::client_request(), setup.client_options());
    let opening = futures::client(wire.clone(), |_| pending::<()>(), request, &options);
    if let Some(Ok((socket, _))) = polled(opening, &wire, OPENING) {
        drive(socket, setup, wire, calls);
    }
}

fn open_server<'a>(setup: &Setup, wire: Shared<'a>, calls: Script<'a>) {
    let options = setup.server_options();
    let decide = |request: &_| Ok(options.accept(request));
    let opening = futures::accept_with(wire.clone(), |_| pending::<()>(), &options, decide);
    if let Some(Ok(socket)) = polled(opening, &wire, OPENING) {
        drive(socket, setup, wire, calls);
    }
}

fn drive<'a, T: AsyncTransport + Unpin>(
    socket: WebSocket<T>,
    setup: &Setup,
    wire: Shared<'a>,
    calls: Script<'a>,
) {
    let ledger = Ledger::new(setup, &wire);
    Program { held: Held::Whole(Box::new(socket)), wire, ledger, calls }.run();
}
