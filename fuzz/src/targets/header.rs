//! `frame::Header`: any bytes parse as the picture in RFC 6455 section 5.2 says, and what was
//! parsed encodes to its shortest form.

use websocket_proto::frame::{Header, MAX_HEADER_LEN, Opcode, Parsed};

pub fn run(data: &[u8]) {
    let parsed = Header::parse(data);
    let (Some(&byte0), Some(&byte1)) = (data.first(), data.get(1)) else {
        return assert_eq!(parsed, Ok(Parsed::Partial(2 - data.len())));
    };
    let extended = [2, 8].get(usize::from(byte1 & 0x7F).wrapping_sub(126)).copied().unwrap_or(0);
    let key = 2 + extended;
    let len = key + if byte1 & 0x80 == 0 { 0 } else { 4 };
    let Ok(opcode) = Opcode::try_from(byte0 & 0x0F) else {
        return assert_eq!(parsed, Err(byte0 & 0x0F));
    };
    if data.len() < len {
        return assert_eq!(parsed, Ok(Parsed::Partial(len - data.len())));
    }
    let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let header = Header {
        fin: byte0 & 0x80 != 0,
        rsv1: byte0 & 0x40 != 0,
        opcode,
        mask: data[key..len].first_chunk().copied(),
        payload_len: if extended == 0 { (byte1 & 0x7F).into() } else { number(&data[2..key]) },
    };
    assert_eq!(parsed, Ok(Parsed::Done { header, len }));
    let mut buffer = [0; MAX_HEADER_LEN];
    let encoded = header.encode(&mut buffer);
    assert!(encoded <= len, "the shortest form");
    assert_eq!(Header::parse(&buffer[..encoded]), Ok(Parsed::Done { header, len: encoded }));
}
