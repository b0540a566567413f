//! [`Script`]: choices read from the front of a fuzzer's input.

#[cfg(feature = "deflate")]
use websocket_proto::DeflateParams;
use websocket_proto::handshake::HeadLimits;
use websocket_proto::{Config, Delivery, Negotiated};

/// The rest of an input. An input that has ended chooses zero.
#[derive(Clone, Debug)]
pub struct Script<'a>(pub &'a [u8]);

impl<'a> Script<'a> {
    pub fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or_default()
    }

    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// At most `len` bytes.
    pub fn bytes(&mut self, len: usize) -> &'a [u8] {
        self.0.split_off(..len.min(self.0.len())).unwrap_or_default()
    }

    /// A byte with the length, then as many bytes.
    pub fn string(&mut self) -> &'a [u8] {
        let len = self.byte().into();
        self.bytes(len)
    }

    /// Limits and policies, one bit each; 0 is the default.
    pub fn config(&mut self) -> Config {
        let bits = self.byte();
        let bit = |index: u8| bits >> index & 1 == 1;
        let mut config = Config::default();
        if bit(0) {
            config.delivery = Delivery::Chunks;
        }
        if bit(1) {
            config.max_message_size = 300;
            config.max_frame_size = 200;
        }
        if bit(2) {
            config.max_fragments = 5;
            config.max_empty_fragments = 2;
        }
        if bit(3) {
            config.output_soft_limit = 64;
            config.output_hard_limit = 256;
        }
        if bit(4) {
            config.fragment_size = 7;
        }
        #[cfg(feature = "deflate")]
        if bit(7) {
            config.compression_threshold = 0;
        }
        config.auto_pong = !bit(5);
        config.auto_close = !bit(6);
        config
    }

    /// The same without limits on what is received, for peers that must get on with each other.
    pub fn unlimited(&mut self) -> Config {
        let bits = self.byte() & !0b110;
        Script(&[bits]).config()
    }

    /// What was agreed: permessage-deflate if the byte is not 0, with parameters by its bits.
    pub fn negotiated(&mut self) -> Negotiated {
        let bits = self.byte();
        #[cfg_attr(not(feature = "deflate"), allow(unused_mut, reason = "the extension is off"))]
        let mut negotiated = Negotiated::default();
        #[cfg(feature = "deflate")]
        (negotiated.deflate = (bits != 0).then_some(DeflateParams {
            server_no_context_takeover: bits & 2 != 0,
            client_no_context_takeover: bits & 4 != 0,
            server_max_window_bits: 9 + (bits >> 3 & 3) * 2,
            client_max_window_bits: 9 + (bits >> 5 & 3) * 2,
        }));
        let _: u8 = bits;
        negotiated
    }

    /// Limits of a head: 0 is the default.
    pub fn limits(&mut self, choice: u8) -> HeadLimits {
        let mut limits = HeadLimits::default();
        match choice {
            0 => {}
            1 => {
                (limits.max_head_size, limits.max_line_size) = (200, 70);
                (limits.max_headers, limits.max_interim_responses) = (6, 1);
            }
            2 => (limits.max_head_size, limits.max_line_size) = (100_000, 90_000),
            _ => {
                limits.max_head_size = u32::from(self.byte()) << 4;
                limits.max_line_size = u32::from(self.byte()) << 2;
                limits.max_headers = self.byte().into();
                limits.max_interim_responses = self.byte().into();
            }
        }
        limits
    }

    /// All that is left, with a header behind its first line that makes it larger: so many times
    /// 512 bytes. 0 leaves it as it is.
    pub fn grown(&mut self) -> Vec<u8> {
        let more = usize::from(self.byte()) << 9;
        let rest = std::mem::take(&mut self.0);
        match rest.windows(2).position(|it| it == b"\r\n") {
            Some(at) if more != 0 => {
                let (line, behind) = rest.split_at(at + 2);
                [line, b"X: ", &b"y".repeat(more), b"\r\n", behind].concat()
            }
            _ => rest.to_vec(),
        }
    }

    /// How to cut what follows: lengths, used in turn. No lengths cut it byte by byte.
    pub fn cuts(&mut self) -> Cuts<'a> {
        Cuts(self.string())
    }
}

/// The lengths of pieces, used in turn.
#[derive(Clone, Copy, Debug)]
pub struct Cuts<'a>(&'a [u8]);

impl<'a> Cuts<'a> {
    /// Cuts `input`. A piece may be empty, as a read may bring nothing, but not all are.
    pub fn of<'i>(self, mut input: &'i [u8]) -> impl Iterator<Item = &'i [u8]> + use<'a, 'i> {
        let lens = if self.0.iter().all(|len| *len == 0) { &[1] } else { self.0 };
        lens.iter().cycle().map_while(move |len| {
            if input.is_empty() {
                return None;
            }
            input.split_off(..usize::from(*len).min(input.len()))
        })
    }
}
