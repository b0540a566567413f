use std::io::{Read, Write};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use websocket_sans_io::{
    FrameInfo, Opcode, WebsocketFrameDecoder, WebsocketFrameEncoder, WebsocketFrameEvent,
};

use crate::engine::{Engine, Kind, Role, Sink};
use crate::memory::{Memory, READ};

pub struct WebsocketSansIo {
    decoder: WebsocketFrameDecoder,
    encoder: WebsocketFrameEncoder,
    memory: Memory,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    message: Vec<u8>,
    keys: Option<StdRng>,
}

impl Engine for WebsocketSansIo {
    const NAME: &'static str = "websocket-sans-io";
    const HOW: &'static str = "frames only, no checks: payload pieces are joined in one buffer used again; \
                               no UTF-8 check, so no text";

    fn receives(_: Role, kind: Kind, _: bool) -> bool {
        kind == Kind::Binary
    }

    fn new(role: Role, memory: Memory) -> Self {
        Self {
            decoder: WebsocketFrameDecoder::new(),
            encoder: WebsocketFrameEncoder::new(),
            memory,
            buffer: vec![0; READ].into(),
            start: 0,
            end: 0,
            message: Vec::new(),
            keys: (role == Role::Client).then(|| StdRng::from_seed([7; 32])),
        }
    }

    fn receive<S: Sink>(&mut self, messages: u64, sink: &mut S) {
        let mut left = messages;
        while left > 0 {
            let input = &mut self.buffer[self.start..self.end];
            let result = self.decoder.add_data(input).expect("infallible");
            let (piece, _) = input.split_at(result.consumed_bytes);
            self.start += piece.len();
            match result.event {
                Some(WebsocketFrameEvent::PayloadChunk { .. }) => {
                    self.message.extend_from_slice(piece);
                }
                Some(WebsocketFrameEvent::End { frame_info, .. }) if frame_info.fin => {
                    sink.message(Kind::Binary, &self.message);
                    self.message.clear();
                    left -= 1;
                }
                Some(_) => {}
                None if self.start == self.end => {
                    self.end = self.memory.read(&mut self.buffer).expect("memory");
                    self.start = 0;
                }
                None => {}
            }
        }
    }

    fn send(&mut self, payload: &Bytes, messages: u64) {
        for _ in 0..messages {
            let mask = self.keys.as_mut().map(|keys| keys.next_u32().to_ne_bytes());
            let header = self.encoder.start_frame(&FrameInfo {
                opcode: Opcode::Binary,
                payload_length: payload.len() as u64,
                mask,
                fin: true,
                reserved: 0,
            });
            self.message.clear();
            self.message.extend_from_slice(&header);
            self.message.extend_from_slice(payload);
            self.encoder.transform_frame_payload(&mut self.message[header.len()..]);
            self.memory.write_all(&self.message).expect("memory");
        }
        self.message.clear();
    }
}
