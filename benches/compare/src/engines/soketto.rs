use bytes::Bytes;
use futures_util::io::{BufReader, BufWriter};
use soketto::Data;
use soketto::connection::{Builder, Mode, Receiver, Sender};

#[cfg(feature = "c-zlib")]
use crate::engine::Deflate;
use crate::engine::{Engine, Kind, LIMIT, Role, Sink};
use crate::memory::{Memory, now};

type Buffered = BufReader<BufWriter<Memory>>;

pub struct Soketto {
    sender: Sender<Buffered>,
    receiver: Receiver<Buffered>,
    message: Vec<u8>,
}

impl Soketto {
    fn builder(role: Role, memory: Memory) -> Builder<Buffered> {
        let mut builder = Builder::new(BufReader::new(BufWriter::new(memory)), mode(role));
        builder.set_max_message_size(LIMIT);
        builder.set_max_frame_size(LIMIT);
        builder
    }
}

fn mode(role: Role) -> Mode {
    match role {
        Role::Client => Mode::Client,
        Role::Server => Mode::Server,
    }
}

impl Engine for Soketto {
    const NAME: &'static str = "soketto";
    const HOW: &'static str = "async only, behind `BufReader<BufWriter>` as its examples do; one message \
                               buffer used again; text is checked with `std::str::from_utf8`, as its users must";

    fn new(role: Role, memory: Memory) -> Self {
        let (sender, receiver) = Self::builder(role, memory).finish();
        Self { sender, receiver, message: Vec::new() }
    }

    /// Without takeover and at level 1: it knows nothing else.
    #[cfg(feature = "c-zlib")]
    fn deflated(role: Role, memory: Memory, deflate: Deflate) -> Option<Self> {
        use soketto::extension::deflate::Deflate as Extension;
        use soketto::extension::{Extension as _, Param};

        if deflate.takeover || deflate.level != 1 {
            return None;
        }
        let mut extension = Extension::new(mode(role));
        let no_takeover = ["server_no_context_takeover", "client_no_context_takeover"];
        extension.configure(&no_takeover.map(Param::new)).expect("known parameters");
        let mut builder = Self::builder(role, memory);
        let extension: Box<dyn soketto::extension::Extension + Send> = Box::new(extension);
        builder.add_extensions([extension]);
        let (sender, receiver) = builder.finish();
        Some(Self { sender, receiver, message: Vec::new() })
    }

    fn receive<S: Sink>(&mut self, messages: u64, sink: &mut S) {
        now(async {
            for _ in 0..messages {
                self.message.clear();
                let data = self.receiver.receive_data(&mut self.message).await;
                match data.expect("a good peer") {
                    Data::Binary(_) => sink.message(Kind::Binary, &self.message),
                    Data::Text(_) => {
                        let text = std::str::from_utf8(&self.message).expect("a good peer");
                        sink.message(Kind::Text, text.as_bytes());
                    }
                }
            }
        });
    }

    fn send(&mut self, payload: &Bytes, messages: u64) {
        now(async {
            for _ in 0..messages {
                self.sender.send_binary(payload).await.expect("memory");
                self.sender.flush().await.expect("memory");
            }
        });
    }
}
