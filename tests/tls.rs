//! Over real TLS, and over a TLS record that trickles: S91.
#![cfg(all(feature = "std", target_pointer_width = "64"))]

mod common;

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use common::loopback::{LONG, REQUEST, loopback};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
use rustls::{ConnectionCommon, StreamOwned};
use websocket_proto::handshake::{ClientRequest, HandshakeError};
use websocket_proto::io::blocking::{self, WebSocket};
use websocket_proto::io::{ClientOptions, Error, ServerOptions, TimeLimit, Timed, Transport};
use websocket_proto::{CloseCode, Message};

const LIMIT: Duration = Duration::from_secs(1);
/// Each byte comes in time for a limit that is that of one read.
const PAUSE: Duration = Duration::from_millis(50);

/// As the documentation of [`Transport`] says.
#[derive(Debug)]
struct Tls<C: Connects>(StreamOwned<C, Timed<TcpStream>>);

/// The two ends of TLS have different types for one thing.
trait Connects: std::ops::DerefMut<Target = ConnectionCommon<Self::Data>> {
    type Data: rustls::SideData;
}

impl Connects for ClientConnection {
    type Data = rustls::client::ClientConnectionData;
}

impl Connects for ServerConnection {
    type Data = rustls::server::ServerConnectionData;
}

impl<C: Connects> Read for Tls<C> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<C: Connects> Write for Tls<C> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<C: Connects> Transport for Tls<C> {
    fn limit_reads(&mut self, limit: &mut TimeLimit) -> io::Result<bool> {
        self.0.sock.limit_reads(limit)
    }

    fn limit_writes(&mut self, limit: &mut TimeLimit) -> io::Result<bool> {
        self.0.sock.limit_writes(limit)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.0.conn.send_close_notify();
        self.flush()
    }
}

/// A server's and a client's configuration that fit.
fn configs() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let certificate = made.cert.der().clone();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let server = ServerConfig::builder().with_no_client_auth();
    let server = server.with_single_cert(vec![certificate], key).unwrap();
    (server.into(), client.into())
}

fn at_server(stream: TcpStream, config: Arc<ServerConfig>) -> Tls<ServerConnection> {
    let connection = ServerConnection::new(config).unwrap();
    Tls(StreamOwned::new(connection, Timed::new(stream)))
}

fn client_connection(config: Arc<ClientConfig>) -> ClientConnection {
    ClientConnection::new(config, ServerName::try_from("localhost").unwrap()).unwrap()
}

fn limited() -> ServerOptions {
    let mut options = ServerOptions::default();
    options.deadlines.handshake = Some(LIMIT);
    options
}

fn accept<S: Transport>(stream: S) -> Result<WebSocket<S>, Error> {
    let options = limited();
    blocking::accept_with(stream, &options, |request| Ok(options.accept(request)))
}

/// How long it took to find the peer too slow.
fn is_too_slow(stream: TcpStream, config: Arc<ServerConfig>) -> Duration {
    let start = Instant::now();
    let result = accept(at_server(stream, config));
    let late = matches!(result, Err(Error::Handshake(HandshakeError::Timeout)));
    assert!(late, "{:?}", result.map(drop));
    start.elapsed()
}

/// Ends when nobody takes it any more.
fn trickle(mut stream: TcpStream, bytes: Vec<u8>) {
    for byte in bytes {
        if stream.write_all(&[byte]).is_err() {
            return;
        }
        thread::sleep(PAUSE);
    }
}

#[test]
fn an_echo() {
    let (server, client) = configs();
    let (near, far) = loopback();
    let echo = thread::spawn(move || {
        let mut websocket = accept(at_server(far, server)).unwrap();
        while let Some(message) = websocket.recv().unwrap() {
            websocket.send(message).unwrap();
        }
        assert!(websocket.connection().closed().unwrap().clean);
    });
    let stream = Tls(StreamOwned::new(client_connection(client), Timed::new(near)));
    let request = ClientRequest::new("localhost", "/");
    let (mut websocket, _) = blocking::client(stream, request, &ClientOptions::default()).unwrap();
    for message in [Message::text("naïve"), Message::binary(vec![7; 1 << 20])] {
        websocket.send(message.clone()).unwrap();
        assert_eq!(websocket.recv().unwrap(), Some(message));
    }
    websocket.close(CloseCode::NORMAL, "").unwrap();
    assert!(websocket.connection().closed().unwrap().clean);
    drop(websocket);
    echo.join().unwrap();
}

/// M13: many reads of the socket are one of TLS.
#[test]
fn s91_a_hello_that_trickles() {
    let (server, client) = configs();
    let (near, far) = loopback();
    let mut hello = Vec::new();
    client_connection(client).write_tls(&mut hello).unwrap();
    let peer = thread::spawn(move || trickle(near, hello));
    let took = is_too_slow(far, server);
    assert!((LIMIT..4 * LIMIT).contains(&took), "{took:?}");
    peer.join().unwrap();
}

/// The same with the record of the request, after a handshake that was quick.
#[test]
fn s91_a_request_that_trickles() {
    let (server, client) = configs();
    let (near, far) = loopback();
    let peer = thread::spawn(move || {
        let mut stream = StreamOwned::new(client_connection(client), near);
        stream.conn.complete_io(&mut stream.sock).unwrap();
        stream.conn.writer().write_all(REQUEST).unwrap();
        let mut record = Vec::new();
        stream.conn.write_tls(&mut record).unwrap();
        trickle(stream.sock, record);
    });
    let took = is_too_slow(far, server);
    assert!((LIMIT..LONG).contains(&took), "{took:?}");
    peer.join().unwrap();
}

/// A peer that has asked for nothing is not waited for after its time.
#[test]
fn s91_no_hello_at_all() {
    let (near, far) = loopback();
    let took = is_too_slow(far, configs().0);
    assert!((LIMIT..4 * LIMIT).contains(&took), "{took:?}");
    drop(near);
}

/// In virtual time, so to the millisecond.
#[cfg(feature = "tokio")]
#[tokio::test(start_paused = true)]
async fn s91_over_tokio() {
    use tokio::io::{AsyncWriteExt, duplex};
    use tokio_rustls::TlsAcceptor;
    use websocket_proto::io::tokio::accept_with;

    let (server, client) = configs();
    let (ours, mut theirs) = duplex(1 << 16);
    let mut client = client_connection(client);
    let (accepted, ()) = tokio::join!(TlsAcceptor::from(server).accept(ours), async {
        handshake(&mut client, &mut theirs).await;
    });
    client.writer().write_all(REQUEST).unwrap();
    let mut record = Vec::new();
    client.write_tls(&mut record).unwrap();
    let start = tokio::time::Instant::now();
    let (options, stream) = (limited(), accepted.unwrap());
    let opening = accept_with(stream, &options, |request| Ok(options.accept(request)));
    let trickle = async {
        for byte in record {
            theirs.write_all(&[byte]).await.unwrap();
            tokio::time::sleep(PAUSE).await;
        }
    };
    let opened = tokio::select! { opened = opening => opened, () = trickle => panic!("it waits") };
    let late = matches!(opened, Err(Error::Handshake(HandshakeError::Timeout)));
    assert!(late, "{:?}", opened.map(drop));
    assert!((LIMIT..LIMIT + PAUSE).contains(&start.elapsed()), "{:?}", start.elapsed());
}

/// The client's part, by hand, so that what it sends next can be cut.
#[cfg(feature = "tokio")]
async fn handshake(client: &mut ClientConnection, stream: &mut tokio::io::DuplexStream) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    while client.is_handshaking() || client.wants_write() {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        stream.write_all(&bytes).await.unwrap();
        if client.is_handshaking() {
            let mut read = vec![0; 1 << 14];
            let count = stream.read(&mut read).await.unwrap();
            client.read_tls(&mut &read[..count]).unwrap();
            client.process_new_packets().unwrap();
        }
    }
}
