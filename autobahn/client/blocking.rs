//! The cases over blocking sockets.

use std::error::Error;
use std::net::TcpStream;

use websocket_proto::io::blocking::{WebSocket, client, connect_tcp};
use websocket_proto::{CloseCode, io};

use super::{CASE_COUNT, Suite};

pub(crate) fn run(suite: &Suite<'_>) -> Result<(), Box<dyn Error>> {
    let mut websocket = connect(suite, CASE_COUNT)?;
    let message = websocket.recv()?.ok_or("the server closed without a case count")?;
    let count = message.as_text().ok_or("the case count is not text")?.parse()?;
    while websocket.recv()?.is_some() {}

    for case in 1..=count {
        let websocket = connect(suite, &suite.run_case(case))?;
        // Many cases break the protocol on purpose: only the suite can tell whether this is right.
        if let Err(error) = answer(websocket) {
            eprintln!("case {case}: {error}");
        }
    }

    let mut reports = connect(suite, &suite.update_reports())?;
    while reports.recv()?.is_some() {}
    Ok(())
}

fn connect(suite: &Suite<'_>, target: &str) -> Result<WebSocket<TcpStream>, io::Error> {
    let (url, request) = suite.request(target)?;
    let stream = connect_tcp(&url, &suite.options)?;
    let (websocket, _) = client(stream, request, &suite.options)?;
    Ok(websocket)
}

/// 7.1.1: a client leaves it to the server to end the transport, so it waits for that.
fn answer(mut websocket: WebSocket<TcpStream>) -> Result<(), io::Error> {
    let echoed = echo(&mut websocket);
    echoed.and(websocket.close(CloseCode::NORMAL, ""))
}

fn echo(websocket: &mut WebSocket<TcpStream>) -> Result<(), io::Error> {
    while let Some(message) = websocket.recv()? {
        websocket.feed(message)?;
    }
    Ok(())
}
