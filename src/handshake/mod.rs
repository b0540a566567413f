//! The opening handshake over HTTP/1.1 (RFC 6455 section 4): bytes in, bytes out, both roles.
//!
//! ```text
//!          client                                                server
//! ClientRequest::start ── GET, Upgrade: websocket ──────► Server::receive
//!                                                               │ Request
//!    Client::receive ◄─── 101 Switching Protocols ─────── Request::accept
//!           │          or 300 to 599 ──────────────────── Request::refuse
//!       Negotiated     or what the fault deserves ─────── (receive itself)   Negotiated
//! ```
//!
//! A [`Connection`](crate::Connection) is made from the [`Negotiated`](crate::Negotiated) that
//! only a successful handshake returns; nothing here can read a frame. What comes behind the
//! request or the 101 is left in the input, for the connection.
//!
//! `receive` borrows the handshake and yields a [`Request`] that outlives the answer, rather than
//! handing itself back by value until it is done: a read loop needs no `match` that puts the state
//! back, and path and headers can still be looked at once the connection is open.
//!
//! # Server
//!
//! ```
//! use websocket_proto::Output;
//! use websocket_proto::handshake::{Accept, Refusal, Server, ServerConfig};
//!
//! let mut output = Output::new();
//! let mut server = Server::new(ServerConfig::default());
//! # let reads: [&[u8]; 2] = [
//! #     b"GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
//! #     b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\x88\x80",
//! # ];
//! # let mut reads = reads.into_iter();
//! # let mut read = || reads.next().unwrap();
//! let (request, frames) = loop {
//!     let mut input: &[u8] = read();
//!     // On an error the response is in the output: write it, then close.
//!     if let Some(request) = server.receive(&mut input, &mut output)? {
//!         break (request, input);
//!     }
//! };
//! if request.path() == "/chat" {
//!     let subprotocol = request.select_subprotocol(&["chat.v2", "chat.v1"]);
//!     let negotiated = request.accept(&Accept::new().subprotocol(subprotocol), &mut output)?;
//!     // write the output; Connection::server(negotiated, config) goes on with `frames`
//!     # assert_eq!(negotiated, websocket_proto::Negotiated::default());
//! } else {
//!     request.refuse(&Refusal::new(404), &mut output)?;
//!     // write the output, then close
//! }
//! # assert!(output.pending().starts_with(b"HTTP/1.1 101 Switching Protocols\r\n"));
//! # assert_eq!(frames, b"\x88\x80");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Client
//!
//! ```
//! use websocket_proto::Output;
//! use websocket_proto::handshake::{ClientRequest, Url};
//!
//! let mut output = Output::new();
//! let url: Url = "ws://example.com/chat".parse()?;
//! let nonce = *b"the sample nonce"; // 16 fresh random bytes
//! let mut client = ClientRequest::from_url(&url).subprotocol("chat").start(nonce, &mut output)?;
//! // connect to (url.host(), url.port()); write the output
//! # let response = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
//! #     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n\x88\x00";
//! # let read = || &response[..];
//! let (negotiated, response, frames) = loop {
//!     let mut input: &[u8] = read();
//!     if let Some((negotiated, response)) = client.receive(&mut input)? {
//!         break (negotiated, response, input);
//!     }
//! };
//! assert_eq!(negotiated.subprotocol.as_deref(), Some("chat"));
//! // Connection::client(negotiated, config, keys) goes on with `frames`
//! # assert_eq!((response.status(), frames), (101, &b"\x88\x00"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is refused, and what is not
//!
//! - Line ends are CR LF; folded lines, a space before a colon, and two spaces in a request line
//!   are faults. Empty lines before a request are skipped (RFC 9112 section 2.2).
//! - `Upgrade: h2c, websocket` is accepted: it is a list (RFC 9110 section 7.8). From a server it
//!   must be `websocket` alone, as RFC 6455 section 4.1 says.
//! - A key whose last base64 character has bits beyond the 16 bytes is accepted: RFC 6455 section
//!   4.1 prints one.
//! - A request with a body gets 400.
//! - A missing reason phrase in a status line is fine, with or without the space before it.

mod answer;
mod client;
#[cfg(feature = "deflate")]
mod deflate;
mod error;
mod extension;
mod fields;
mod head;
mod headers;
mod origin;
mod request;
mod response;
mod rules;
mod server;
mod target;
mod url;

pub use answer::{Accept, Refusal};
pub use client::{Client, ClientRequest};
#[cfg(feature = "deflate")]
pub use deflate::DeflateConfig;
pub use error::HandshakeError;
pub use head::HeadLimits;
pub use origin::{Origin, OriginPolicy};
pub use request::Request;
pub use response::Response;
pub use server::{Server, ServerConfig};
pub use url::Url;
