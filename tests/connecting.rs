//! `connect`, `connect_with` and `connect_tcp` over loopback. Names with addresses of the test's
//! making, black holes and silent resolvers are in `src/io/dial/tests.rs`.
#![cfg(feature = "std")]

mod common;

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::thread;

use common::loopback::LIMIT;
use websocket_proto::ApiMisuse;
use websocket_proto::handshake::{ClientRequest, HandshakeError, Response, Url};
use websocket_proto::io::{ClientOptions, Error, ServerOptions, blocking};

/// What `connect_with` of an adapter came to, with the address at the other end.
type Connected = Result<(String, Response), Error>;
type Adapter = fn(&Url, ClientRequest, &ClientOptions) -> Connected;

const PROTOCOL: &str = "sec-websocket-protocol";

const ADAPTERS: &[Adapter] = &[
    |url, request, options| {
        let (websocket, response) = blocking::connect_with(url, request, options)?;
        assert!(websocket.stream().nodelay().unwrap());
        assert_eq!(websocket.subprotocol().map(str::as_bytes), response.header(PROTOCOL));
        Ok((websocket.stream().peer_addr().unwrap().to_string(), response))
    },
    #[cfg(feature = "tokio")]
    |url, request, options| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let connecting = websocket_proto::io::tokio::connect_with(url, request, options);
        let (websocket, response) = runtime.block_on(connecting)?;
        assert!(websocket.stream().nodelay().unwrap());
        assert_eq!(websocket.subprotocol().map(str::as_bytes), response.header(PROTOCOL));
        Ok((websocket.stream().peer_addr().unwrap().to_string(), response))
    },
];

fn parse(url: &str) -> Url {
    url.parse().unwrap()
}

/// Accepts connections for as long as the test runs.
fn serve(listener: TcpListener) {
    thread::spawn(move || {
        let mut options = ServerOptions::default();
        options.subprotocols = vec!["chat".to_owned()];
        for stream in listener.incoming() {
            // One that is gone already, too.
            let _: Result<_, Error> = blocking::accept_with(stream.unwrap(), &options, |request| {
                Ok(options.accept(request))
            });
        }
    });
}

/// A name, too: where it has an address of the other family as well, nobody listens there.
#[test]
fn connects_with_a_request() {
    for (bind, hosts) in [("127.0.0.1:0", &["127.0.0.1", "localhost"][..]), ("[::1]:0", &["[::1]"])]
    {
        let Ok(listener) = TcpListener::bind(bind) else {
            assert!(bind.starts_with('['), "no loopback");
            continue; // a machine without IPv6
        };
        let address = listener.local_addr().unwrap();
        serve(listener);
        for (host, connect) in hosts.iter().flat_map(|host| ADAPTERS.iter().map(move |a| (host, a)))
        {
            let url = parse(&format!("ws://{host}:{}/", address.port()));
            let request = ClientRequest::from_url(&url).subprotocol("chat");
            let (peer, response) = connect(&url, request, &ClientOptions::default()).unwrap();
            assert_eq!(peer, address.to_string());
            assert_eq!(response.status(), 101);
            assert_eq!(response.header(PROTOCOL), Some(&b"chat"[..]));
        }
    }
}

#[test]
fn connects_by_the_url_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    serve(listener);
    blocking::connect(&url).unwrap();
    #[cfg(feature = "tokio")]
    {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(websocket_proto::io::tokio::connect(&url)).unwrap();
    }
}

#[test]
fn a_refusal_names_the_address() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let url = parse(&format!("ws://{address}/"));
    let mut options = ClientOptions::default();
    for limit in [Some(common::loopback::LONG), None] {
        options.deadlines.handshake = limit;
        for connect in ADAPTERS {
            let result = connect(&url, ClientRequest::from_url(&url), &options);
            let Err(Error::Io(error)) = result else { panic!("{result:?}") };
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
            assert!(error.to_string().contains(&address.to_string()), "{error}");
        }
    }
}

/// The transport is there at once; nobody answers the request.
#[test]
fn a_silent_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = parse(&format!("ws://{}/", listener.local_addr().unwrap()));
    let mut options = ClientOptions::default();
    options.deadlines.handshake = Some(LIMIT);
    for connect in ADAPTERS {
        let result = connect(&url, ClientRequest::from_url(&url), &options);
        assert!(matches!(result, Err(Error::Handshake(HandshakeError::Timeout))), "{result:?}");
    }
    let stream: TcpStream = blocking::connect_tcp(&url, &options).unwrap();
    assert_eq!(stream.peer_addr().unwrap(), listener.local_addr().unwrap());
}

/// Nothing is looked up, and nothing connected to.
#[test]
fn a_secure_url() {
    let url = parse("wss://name.invalid/");
    let options = ClientOptions::default();
    for connect in ADAPTERS {
        let result = connect(&url, ClientRequest::from_url(&url), &options);
        assert!(matches!(result, Err(Error::Misuse(ApiMisuse::SecureUrl))), "{result:?}");
    }
    let result = blocking::connect_tcp(&url, &options);
    assert!(matches!(result, Err(Error::Misuse(ApiMisuse::SecureUrl))), "{result:?}");
}
