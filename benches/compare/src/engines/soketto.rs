use bytes::Bytes;
use futures_util::io::{BufReader, BufWriter};
use soketto::Data;
use soketto::connection::{Builder, Mode, Receiver, Sender};

use crate::engine::{Engine, Kind, LIMIT, Role, Sink};
use crate::memory::{Memory, now};

type Buffered = BufReader<BufWriter<Memory>>;

pub struct Soketto {
    sender: Sender<Buffered>,
    receiver: Receiver<Buffered>,
    message: Vec<u8>,
}

impl Engine for Soketto {
    const NAME: &'static str = "soketto";
    const HOW: &'static str = "async only, behind `BufReader<BufWriter>` as its examples do; one message \
                               buffer used again; text is checked with `std::str::from_utf8`, as its users must";

    fn new(role: Role, memory: Memory) -> Self {
        let mode = match role {
            Role::Client => Mode::Client,
            Role::Server => Mode::Server,
        };
        let mut builder = Builder::new(BufReader::new(BufWriter::new(memory)), mode);
        builder.set_max_message_size(LIMIT);
        builder.set_max_frame_size(LIMIT);
        let (sender, receiver) = builder.finish();
        Self { sender, receiver, message: Vec::new() }
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
