//! `Url` and `Origin`: what parses prints to what parses to the same, and can be sent as it is.

use websocket_proto::Output;
use websocket_proto::handshake::{ClientRequest, Origin, OriginPolicy, Server, ServerConfig, Url};

pub fn run(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    if let Ok(url) = text.parse::<Url>() {
        assert_eq!(url.to_string().parse().as_ref(), Ok(&url));
        assert!(url.target().starts_with('/') && !url.host().is_empty());
        assert!(url.authority().contains(url.host()));
        let request = ClientRequest::from_url(&url);
        check(request, OriginPolicy::SameHost, Some((url.authority(), url.target())));
    }
    if let Ok(origin) = text.parse::<Origin>() {
        let request = ClientRequest::new("elsewhere", "/").origin(text);
        check(request.clone(), OriginPolicy::List(vec![origin]), Some(("elsewhere", "/")));
        let other = "https://an.other".parse::<Origin>().expect("an origin");
        if Ok(&other) != text.parse::<Origin>().as_ref() {
            check(request, OriginPolicy::List(vec![other]), None);
        }
    }
}

/// Whether the request is accepted under the policy, and what it then says.
fn check(request: ClientRequest, policy: OriginPolicy, expected: Option<(&str, &str)>) {
    let mut config = ServerConfig::default();
    config.origin = policy;
    let mut output = Output::new();
    request.start(*b"the sample nonce", &mut output).expect("it can be sent");
    let request = Server::new(config).receive(&mut output.pending(), &mut Output::new());
    match request {
        Ok(request) => {
            let request = request.expect("all of it");
            assert_eq!(Some((request.host(), request.target())), expected);
        }
        Err(error) => assert_eq!((error.status(), expected), (403, None)),
    }
}
