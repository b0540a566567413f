//! The web server behind the page that the browser runs: three documents and a mailbox.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// Path -> media type and content.
pub(crate) type Documents = HashMap<&'static str, (&'static str, String)>;

/// Serves `documents` for as long as the test runs; what is posted comes out of the receiver.
pub(crate) fn serve(listener: TcpListener, documents: Documents) -> Receiver<String> {
    let (sender, posted) = channel();
    let documents = Arc::new(documents);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // A browser opens connections ahead of need, and they stay silent: a thread each.
            let (documents, sender) = (Arc::clone(&documents), sender.clone());
            thread::spawn(move || answer(stream, &documents, &sender));
        }
    });
    posted
}

/// A listener on the loopback interface, and its address.
pub(crate) fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn answer(stream: TcpStream, documents: &Documents, posted: &Sender<String>) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    let mut reader = BufReader::new(&stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let path = head.split(' ').nth(1)?;
    let (status, media, content) = if head.starts_with("POST ") {
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        })?;
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        posted.send(String::from_utf8(body).ok()?).ok()?;
        ("204 No Content", "text/plain", "")
    } else {
        match documents.get(path) {
            Some((media, content)) => ("200 OK", *media, content.as_str()),
            None => ("404 Not Found", "text/plain", ""),
        }
    };
    let length = content.len();
    write!(
        &stream,
        "HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {length}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n{content}"
    )
    .ok()
}
