//! What the peer's frames must obey, whatever a case is about.

use super::decoder::{Breach, Received};
use super::opcode::{self, CONTINUATION};

/// The state that the rules need: the direction, the extension, and whether a message is unfinished.
#[derive(Debug)]
pub(crate) struct Rules {
    /// The peer is a client, whose frames are masked.
    peer_is_client: bool,
    /// permessage-deflate was agreed, which gives RSV1 a meaning.
    deflate: bool,
    inside_message: bool,
}

impl Rules {
    pub(crate) fn new(peer_is_client: bool, deflate: bool) -> Self {
        Self { peer_is_client, deflate, inside_message: false }
    }

    /// The rule that this frame breaks, if any. A frame that breaks none moves the state.
    pub(crate) fn check(&mut self, frame: &Received) -> Result<(), Breach> {
        self.reserved_bits(frame)?;
        self.masking(frame)?;
        if opcode::is_control(frame.opcode) {
            control(frame)?
        } else {
            self.data(frame)?
        }
        if !frame.minimal {
            return Err(Breach::new(
                "RFC 6455 5.2",
                "the minimal number of bytes MUST be used to encode the length",
                format!("the peer said {} bytes in more than were needed", frame.payload.len()),
            ));
        }
        if !opcode::is_control(frame.opcode) {
            self.inside_message = !frame.fin;
        }
        Ok(())
    }

    fn reserved_bits(&self, frame: &Received) -> Result<(), Breach> {
        let first_data = !opcode::is_control(frame.opcode) && frame.opcode != CONTINUATION;
        match frame.rsv {
            0 => Ok(()),
            4 if self.deflate && first_data => Ok(()),
            4 if self.deflate => Err(Breach::new(
                "RFC 7692 6.1",
                "An endpoint MUST NOT set the \"Per-Message Compressed\" bit of control frames and non-first fragments of a data message",
                format!("the peer set RSV1 on a {} frame", opcode::name(frame.opcode)),
            )),
            bits => Err(Breach::new(
                "RFC 6455 5.2",
                "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values",
                format!("the peer set reserved bits {bits:03b}"),
            )),
        }
    }

    fn masking(&self, frame: &Received) -> Result<(), Breach> {
        match (self.peer_is_client, frame.masked) {
            (true, false) => Err(Breach::new(
                "RFC 6455 5.1",
                "a client MUST mask all frames that it sends to the server",
                "the peer, a client, sent a frame that is not masked",
            )),
            (false, true) => Err(Breach::new(
                "RFC 6455 5.1",
                "A server MUST NOT mask any frames that it sends to the client",
                "the peer, a server, sent a masked frame",
            )),
            _ => Ok(()),
        }
    }

    fn data(&self, frame: &Received) -> Result<(), Breach> {
        match (frame.opcode, self.inside_message) {
            (3.., _) => Err(reserved(frame.opcode)),
            (CONTINUATION, false) => Err(Breach::new(
                "RFC 6455 5.4",
                "a single frame with the FIN bit clear and an opcode other than 0, followed by zero or \
                 more frames with the FIN bit clear and the opcode set to 0",
                "the peer sent a continuation frame where no message was begun",
            )),
            (1.., true) => Err(Breach::new(
                "RFC 6455 5.4",
                "The fragments of one message MUST NOT be interleaved between the fragments of another",
                "the peer began a message inside another one",
            )),
            _ => Ok(()),
        }
    }
}

fn control(frame: &Received) -> Result<(), Breach> {
    if frame.opcode > opcode::PONG {
        return Err(reserved(frame.opcode));
    }
    if !frame.fin || frame.payload.len() > 125 {
        return Err(Breach::new(
            "RFC 6455 5.5",
            "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be \
             fragmented",
            format!(
                "the peer sent a {} frame of {} bytes with FIN {}",
                opcode::name(frame.opcode),
                frame.payload.len(),
                u8::from(frame.fin)
            ),
        ));
    }
    Ok(())
}

fn reserved(opcode: u8) -> Breach {
    Breach::new(
        "RFC 6455 5.2",
        "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_",
        format!("the peer sent a frame with reserved opcode {opcode}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::decoder::Decoder;
    use crate::wire::frame::{Frame, Length, Mask, continuation, frame, ping, text};
    use crate::wire::payload::Payload;

    fn check(deflate: bool, frames: &[Frame]) -> Result<(), Breach> {
        let mut rules = Rules::new(false, deflate);
        let mut decoder = Decoder::default();
        for frame in frames {
            decoder.buffer().extend_from_slice(&frame.encode(false, [1, 2, 3, 4]));
            rules.check(&decoder.next().unwrap().unwrap())?;
        }
        Ok(())
    }

    #[test]
    fn what_is_allowed() {
        check(false, &[text("a").more(), ping("x"), continuation("b"), text("c")]).unwrap();
        check(true, &[text("a").rsv(4).more(), continuation("b"), text("not compressed")]).unwrap();
        check(false, &[text(Payload::repeated(b"x", 126)).length(Length::In16)]).unwrap();
    }

    #[test]
    fn each_rule_is_seen_broken() {
        for (section, deflate, frames) in [
            ("RFC 6455 5.2", false, vec![text("a").rsv(4)]),
            ("RFC 6455 5.2", true, vec![text("a").rsv(2)]),
            ("RFC 7692 6.1", true, vec![ping("a").rsv(4)]),
            ("RFC 7692 6.1", true, vec![text("a").rsv(4).more(), continuation("").rsv(4)]),
            ("RFC 6455 5.1", false, vec![text("a").mask(Mask::Always)]),
            ("RFC 6455 5.4", false, vec![continuation("a")]),
            ("RFC 6455 5.4", false, vec![text("a").more(), text("b")]),
            ("RFC 6455 5.2", false, vec![frame(3, "")]),
            ("RFC 6455 5.2", false, vec![frame(11, "")]),
            ("RFC 6455 5.5", false, vec![ping("a").more()]),
            ("RFC 6455 5.5", false, vec![ping(Payload::repeated(b"x", 126))]),
            ("RFC 6455 5.2", false, vec![text("a").length(Length::In64)]),
        ] {
            let breach = check(deflate, &frames).expect_err(section);
            assert_eq!(breach.section, section, "{breach:?}");
        }
        let mut of_a_client = Rules::new(true, false);
        let mut decoder = Decoder::default();
        decoder.buffer().extend_from_slice(&text("a").encode(false, [0; 4]));
        assert!(of_a_client.check(&decoder.next().unwrap().unwrap()).is_err());
    }
}
