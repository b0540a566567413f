//! The cases over tokio.

use std::error::Error;

use tokio::net::TcpStream;
use websocket_proto::io::tokio::{WebSocket, connect_with};
use websocket_proto::{CloseCode, io};

use super::{CASE_COUNT, Suite};

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn run(suite: &Suite<'_>) -> Result<(), Box<dyn Error>> {
    let mut websocket = connect(suite, CASE_COUNT).await?;
    let message = websocket.recv().await?.ok_or("the server closed without a case count")?;
    let count = message.as_text().ok_or("the case count is not text")?.parse()?;
    while websocket.recv().await?.is_some() {}

    for case in 1..=count {
        let websocket = connect(suite, &suite.run_case(case)).await?;
        // As for blocking sockets.
        if let Err(error) = answer(websocket).await {
            eprintln!("case {case}: {error}");
        }
    }

    let mut reports = connect(suite, &suite.update_reports()).await?;
    while reports.recv().await?.is_some() {}
    Ok(())
}

async fn connect(suite: &Suite<'_>, target: &str) -> Result<WebSocket<TcpStream>, io::Error> {
    let (url, request) = suite.request(target)?;
    let (websocket, _) = connect_with(&url, request, &suite.options).await?;
    Ok(websocket)
}

/// 7.1.1: a client leaves it to the server to end the transport, so it waits for that.
async fn answer(mut websocket: WebSocket<TcpStream>) -> Result<(), io::Error> {
    let echoed = echo(&mut websocket).await;
    echoed.and(websocket.close(CloseCode::NORMAL, "").await)
}

async fn echo(websocket: &mut WebSocket<TcpStream>) -> Result<(), io::Error> {
    while let Some(message) = websocket.recv().await? {
        websocket.feed(message).await?;
    }
    Ok(())
}
