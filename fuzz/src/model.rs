//! The receiver of RFC 6455 once more, as plain as can be: the whole input at once, every byte
//! copied, every limit recomputed. What the connection does is held against it.

use websocket_proto::frame::{Header, Opcode, Parsed};
use websocket_proto::{CloseCode, CloseFrame, Config, Delivery, Event};

/// What an endpoint that receives `input` has to see.
#[derive(Debug, Default)]
pub struct Model {
    /// Messages as wholes, in either delivery mode.
    pub events: Vec<Event<'static>>,
    /// The code that the connection fails with.
    pub failed: Option<u16>,
    /// Data messages that ended.
    pub messages: u64,
}

/// A message in progress.
#[derive(Default)]
struct Partial {
    text: bool,
    data: Vec<u8>,
    declared: u64,
    fragments: u32,
    empty: u32,
}

/// What a frame's header says.
struct Head {
    fin: bool,
    opcode: u8,
    key: [u8; 4],
    len: u64,
}

impl Model {
    /// `masked`: the receiver is a server.
    pub fn receive(masked: bool, config: &Config, input: &[u8]) -> Self {
        let mut model = Self::default();
        model.failed = model.run(masked, config, input).err();
        model
    }

    fn run(&mut self, masked: bool, config: &Config, mut input: &[u8]) -> Result<(), u16> {
        let mut partial: Option<Partial> = None;
        while let Some(head) = header(&mut input, masked, config, partial.as_ref())? {
            let available = usize::try_from(head.len).unwrap_or(usize::MAX).min(input.len());
            let whole = available as u64 == head.len;
            let mut payload = input.split_off(..available).unwrap_or_default().to_vec();
            unmask(head.key, &mut payload);
            match head.opcode {
                8 => return self.close(&payload, whole),
                9 if whole => self.events.push(Event::Ping(payload.into())),
                10 if whole => self.events.push(Event::Pong(payload.into())),
                9 | 10 => {}
                opcode => {
                    let message = partial.get_or_insert_default();
                    message.text |= opcode == 1;
                    message.data.extend(payload);
                    message.declared += head.len;
                    message.fragments += 1;
                    message.empty = if head.len == 0 { message.empty + 1 } else { 0 };
                    let ends = head.fin && whole;
                    // 8.1, at the first byte that cannot be completed to a character
                    if message.text && !utf8(&message.data, ends) {
                        return Err(1007);
                    }
                    if let Some(Partial { text, data, .. }) = partial.take_if(|_| ends) {
                        self.messages += 1;
                        self.events.push(if text {
                            Event::Text(String::from_utf8(data).expect("just looked at").into())
                        } else {
                            Event::Binary(data.into())
                        });
                    }
                }
            }
        }
        Ok(())
    }

    /// 5.5.1, 7.4
    fn close(&mut self, body: &[u8], whole: bool) -> Result<(), u16> {
        if let Some((code, reason)) = body.split_first_chunk() {
            let code = u16::from_be_bytes(*code);
            if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                return Err(1002);
            }
            if !utf8(reason, whole) {
                return Err(1007);
            }
            if whole {
                let frame = CloseFrame::new(
                    CloseCode::new(code).expect("in the list"),
                    core::str::from_utf8(reason).expect("just looked at"),
                );
                self.events.push(Event::Close(Some(frame.expect("at most 123 bytes"))));
            }
        } else if whole {
            self.events.push(Event::Close(None));
        }
        Ok(())
    }
}

/// Whether it is UTF-8, or may still become so where it is not the whole text.
fn utf8(text: &[u8], whole: bool) -> bool {
    core::str::from_utf8(text).map_or_else(|error| !whole && error.error_len().is_none(), |_| true)
}

/// 5.2: a header, `None` where input ends before it does. Each byte is judged before the next.
fn header(
    input: &mut &[u8],
    masked: bool,
    config: &Config,
    partial: Option<&Partial>,
) -> Result<Option<Head>, u16> {
    let Some(byte0) = input.split_off_first().copied() else { return Ok(None) };
    let (fin, opcode) = (byte0 & 0x80 != 0, byte0 & 0x0F);
    let continues = match opcode {
        0..=2 => opcode == 0,
        8..=10 if fin => false,
        _ => return Err(1002),
    };
    let data = opcode < 8;
    if byte0 & 0x70 != 0 || data && continues != partial.is_some() {
        return Err(1002);
    }
    let kept = config.delivery == Delivery::Messages;
    if continues && kept && partial.is_some_and(|it| it.fragments == config.max_fragments) {
        return Err(1008);
    }
    let Some(byte1) = input.split_off_first().copied() else { return Ok(None) };
    let short = byte1 & 0x7F;
    if (byte1 & 0x80 != 0) != masked || !data && short > 125 || opcode == 8 && short == 1 {
        return Err(1002);
    }
    let no_empty_left = partial.is_some_and(|it| it.empty == config.max_empty_fragments);
    if data && short == 0 && no_empty_left {
        return Err(1008);
    }
    let so_far = partial.map_or(0, |message| message.declared);
    let allowed = config.max_frame_size.min(config.max_message_size - so_far);
    let Some(len) = length(input, short, if data { allowed } else { u64::MAX })? else {
        return Ok(None);
    };
    let key = match masked {
        true if input.len() < 4 => return Ok(None),
        true => *input.split_off(..4).unwrap_or_default().first_chunk().expect("four bytes"),
        false => [0; 4],
    };
    Ok(Some(Head { fin, opcode, key, len }))
}

/// The payload length. After each of its bytes the least and the largest value that it can still
/// become say whether it is at fault.
fn length(input: &mut &[u8], short: u8, allowed: u64) -> Result<Option<u64>, u16> {
    let (width, shortest) = match short {
        126 => (2, 126),
        127 => (8, 65_536),
        len if u64::from(len) > allowed => return Err(1009),
        len => return Ok(Some(len.into())),
    };
    let mut least = 0_u128;
    for index in 0..width {
        let Some(byte) = input.split_off_first().copied() else { return Ok(None) };
        let unit = 1_u128 << (8 * (width - 1 - index));
        least += u128::from(byte) * unit;
        if least >= 1 << 63 || least + unit - 1 < shortest {
            return Err(1002);
        }
        if least > allowed.into() {
            return Err(1009);
        }
    }
    Ok(u64::try_from(least).ok())
}

impl Model {
    /// Holds the frames that an endpoint answered with against what it has to answer.
    pub fn check_answers(&self, config: &Config, sent: &[Frame]) {
        let (mut pongs, mut end) =
            (Vec::new(), self.failed.map(|code| code.to_be_bytes().to_vec()));
        for event in &self.events {
            match event {
                Event::Ping(payload) if config.auto_pong => pongs.push(payload.to_vec()),
                Event::Close(None) if config.auto_close => end = Some(Vec::new()),
                Event::Close(Some(frame)) if config.auto_close => {
                    end = Some(frame.code().get().to_be_bytes().to_vec());
                }
                _ => {}
            }
        }
        let (sent_pongs, rest) =
            sent.split_at(sent.iter().take_while(|it| it.opcode == Opcode::Pong).count());
        let mut sent_pongs = sent_pongs.iter().map(|frame| &frame.payload);
        if config.output_soft_limit < Config::default().output_soft_limit {
            // 5.5.3: an older Ping may go without an answer where there is no room for it.
            let mut pongs = pongs.iter();
            assert!(sent_pongs.all(|sent| pongs.any(|pong| pong == sent)));
        } else {
            assert!(sent_pongs.eq(&pongs), "5.5.3: a Pong has the payload of its Ping, in order");
        }
        let end: Vec<_> = end
            .into_iter()
            .map(|payload| Frame { fin: true, opcode: Opcode::Close, payload })
            .collect();
        assert_eq!(rest, end, "5.5.1: one Close and nothing behind it");
    }
}

/// A frame that was sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    pub fin: bool,
    pub opcode: Opcode,
    pub payload: Vec<u8>,
}

/// The frames in what an endpoint sent, unmasked; `masked`: it is a client.
pub fn frames(mut bytes: &[u8], masked: bool) -> Vec<Frame> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let Ok(Parsed::Done { header, len }) = Header::parse(bytes) else {
            panic!("half a header was sent: {bytes:02x?}");
        };
        assert_eq!(header.mask.is_some(), masked, "5.1: a client masks and a server does not");
        bytes = &bytes[len..];
        let payload_len = usize::try_from(header.payload_len).expect("it is in memory");
        let mut payload = bytes.split_off(..payload_len).expect("a whole payload").to_vec();
        unmask(header.mask.unwrap_or_default(), &mut payload);
        frames.push(Frame { fin: header.fin, opcode: header.opcode, payload });
    }
    frames
}

/// 5.3, as it stands there: "transformed-octet-i = original-octet-i XOR
/// masking-key-octet-(i MOD 4)".
pub fn unmask(key: [u8; 4], payload: &mut [u8]) {
    payload.iter_mut().enumerate().for_each(|(i, octet)| *octet ^= key[i % 4]);
}
