//! Each implementation as a function from bytes to an [`Outcome`].

use std::io::{self, ErrorKind, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use websocket_proto::{Config, Connection, Event, MaskKeys, Negotiated, Output};

use crate::{End, LIMIT, Ours, Outcome, Seen};

type Run = fn(bool, &[u8]) -> Outcome;

pub(crate) const OTHERS: &[(&str, Run)] =
    &[("tungstenite", tungstenite), ("tokio-websockets", tokio_websockets)];

pub(crate) fn ours(is_server: bool, input: &[u8]) -> Ours {
    let mut config = Config::default();
    config.max_message_size = LIMIT as u64;
    config.max_frame_size = LIMIT as u64;
    // Others have no such limits.
    config.max_fragments = u32::MAX;
    config.max_empty_fragments = u32::MAX;
    let mut connection = if is_server {
        Connection::server(Negotiated::default(), config)
    } else {
        Connection::client(Negotiated::default(), config, MaskKeys::from_seed([7; 32]))
    };
    let (mut bytes, mut output) = (input.to_vec(), Output::new());
    let mut input = &mut bytes[..];
    let (mut seen, mut end) = (Vec::new(), End::Open);
    loop {
        match connection.receive(&mut input, &mut output) {
            Ok(Some(event)) => seen.push(match event {
                Event::Text(text) => Seen::Text(text.into_owned()),
                Event::Binary(data) => Seen::Binary(data.into_owned()),
                Event::Ping(data) => Seen::Ping(data.into_owned()),
                Event::Pong(data) => Seen::Pong(data.into_owned()),
                Event::Close(frame) => {
                    end = End::Closed;
                    Seen::Close(frame.map(|it| (it.code().get(), it.reason().to_owned())))
                }
                event => panic!("{event:?} is new"),
            }),
            Ok(None) => break,
            Err(error) => {
                end = End::Failed(error.close_code().get());
                break;
            }
        }
    }
    let (outcome, error) = (Outcome { seen, end }, connection.error());
    Ours { is_server, outcome, error, oversized: false }
}

/// A stream that has `input` and no more yet, and takes what is written.
struct Memory<'a>(&'a [u8]);

impl Read for Memory<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() { Err(ErrorKind::WouldBlock.into()) } else { self.0.read(buffer) }
    }
}

impl Write for Memory<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn tungstenite(is_server: bool, input: &[u8]) -> Outcome {
    use tungstenite::protocol::{Role, WebSocket, WebSocketConfig};
    use tungstenite::{Error, Message};

    let role = if is_server { Role::Server } else { Role::Client };
    let config =
        WebSocketConfig::default().max_message_size(Some(LIMIT)).max_frame_size(Some(LIMIT));
    let mut socket = WebSocket::from_raw_socket(Memory(input), role, Some(config));
    let mut seen = Vec::new();
    let end = loop {
        seen.push(match socket.read() {
            Ok(Message::Text(text)) => Seen::Text(text.as_str().to_owned()),
            Ok(Message::Binary(data)) => Seen::Binary(data.to_vec()),
            Ok(Message::Ping(data)) => Seen::Ping(data.to_vec()),
            Ok(Message::Pong(data)) => Seen::Pong(data.to_vec()),
            Ok(Message::Close(frame)) => {
                seen.push(Seen::Close(
                    frame.map(|it| (u16::from(it.code), it.reason.as_str().to_owned())),
                ));
                break End::Closed;
            }
            Ok(Message::Frame(frame)) => panic!("{frame} is not delivered by a read"),
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => break End::Open,
            Err(Error::Protocol(_)) => break End::Failed(1002),
            Err(Error::Utf8(_)) => break End::Failed(1007),
            Err(Error::Capacity(_)) => break End::Failed(1009),
            Err(error) => panic!("tungstenite: {error}"),
        });
    };
    Outcome { seen, end }
}

impl AsyncRead for Memory<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.0.is_empty() {
            return Poll::Pending;
        }
        let len = self.0.len().min(buffer.remaining());
        buffer.put_slice(self.0.split_off(..len).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Memory<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn tokio_websockets(is_server: bool, input: &[u8]) -> Outcome {
    use tokio_websockets::proto::ProtocolError;
    use tokio_websockets::{ClientBuilder, Error, Limits, ServerBuilder};

    let limits = Limits::default().max_payload_len(Some(LIMIT));
    let mut socket = if is_server {
        ServerBuilder::new().limits(limits).serve(Memory(input))
    } else {
        ClientBuilder::new().limits(limits).take_over(Memory(input))
    };
    let mut context = Context::from_waker(Waker::noop());
    let mut seen = Vec::new();
    let end = loop {
        let message = match Pin::new(&mut socket).poll_next(&mut context) {
            Poll::Ready(Some(Ok(message))) => message,
            Poll::Ready(Some(Err(Error::Protocol(ProtocolError::InvalidUtf8)))) => {
                break End::Failed(1007);
            }
            Poll::Ready(Some(Err(Error::Protocol(_)))) => break End::Failed(1002),
            Poll::Ready(Some(Err(Error::PayloadTooLong { .. }))) => break End::Failed(1009),
            Poll::Ready(other) => panic!("tokio-websockets: {other:?}"),
            Poll::Pending => break End::Open,
        };
        if let Some((code, reason)) = message.as_close() {
            let close = (u16::from(code), reason.to_owned());
            seen.push(Seen::Close(Some(close).filter(|(code, _)| *code != 1005)));
            break End::Closed;
        }
        seen.push(if message.is_ping() {
            Seen::Ping(message.as_payload().to_vec())
        } else if message.is_pong() {
            Seen::Pong(message.as_payload().to_vec())
        } else if message.is_text() {
            // Its bytes, and not its `str`: that one cannot be relied on to be UTF-8.
            match String::from_utf8(message.as_payload().to_vec()) {
                Ok(text) => Seen::Text(text),
                Err(error) => Seen::BadText(error.into_bytes()),
            }
        } else {
            Seen::Binary(message.as_payload().to_vec())
        });
    };
    Outcome { seen, end }
}
