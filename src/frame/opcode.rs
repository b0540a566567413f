//! Opcodes: RFC 6455 section 5.2 and 11.8.

/// What a frame is (RFC 6455 section 5.2). Reserved opcodes have no variant: a frame that carries
/// one is refused where its first byte is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Opcode {
    /// `0x0`: goes on with the message of the frames before.
    Continuation = 0x0,
    /// `0x1`: begins a text message.
    Text = 0x1,
    /// `0x2`: begins a binary message.
    Binary = 0x2,
    /// `0x8`: begins or answers the closing handshake.
    Close = 0x8,
    /// `0x9`: asks for a Pong.
    Ping = 0x9,
    /// `0xA`: answers a Ping, or stands alone as a sign of life.
    Pong = 0xA,
}

impl Opcode {
    /// Whether the most significant bit is set: Close, Ping and Pong (section 5.5).
    #[must_use]
    pub const fn is_control(self) -> bool {
        self as u8 & 0x8 != 0
    }
}

impl TryFrom<u8> for Opcode {
    /// The reserved opcode.
    type Error = u8;

    /// The opcode in the low four bits of a frame's first byte, given alone.
    fn try_from(value: u8) -> Result<Self, u8> {
        match value {
            0x0 => Ok(Self::Continuation),
            0x1 => Ok(Self::Text),
            0x2 => Ok(Self::Binary),
            0x8 => Ok(Self::Close),
            0x9 => Ok(Self::Ping),
            0xA => Ok(Self::Pong),
            reserved => Err(reserved),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value() {
        for value in 0..=u8::MAX {
            match Opcode::try_from(value) {
                Ok(opcode) => {
                    assert_eq!(opcode as u8, value);
                    assert_eq!(opcode.is_control(), value >= 8);
                }
                Err(reserved) => {
                    assert_eq!(reserved, value);
                    assert!(matches!(value, 3..=7 | 11..));
                }
            }
        }
    }
}
