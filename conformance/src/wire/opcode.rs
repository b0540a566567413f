//! Opcodes (RFC 6455 5.2). The suite sends reserved ones too, so they are plain numbers with names.

pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// Control frames are those with the most significant bit set (5.5).
pub(crate) fn is_control(opcode: u8) -> bool {
    opcode & 8 != 0
}

pub(crate) fn name(opcode: u8) -> &'static str {
    match opcode {
        CONTINUATION => "Continuation",
        TEXT => "Text",
        BINARY => "Binary",
        CLOSE => "Close",
        PING => "Ping",
        PONG => "Pong",
        3..=7 => "reserved data opcode",
        _ => "reserved control opcode",
    }
}
