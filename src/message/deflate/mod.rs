//! The compression engine of permessage-deflate (RFC 7692 sections 6 and 7): plain bytes to the
//! payload of a compressed message and back. It knows neither frames nor header text.
//!
//! # How a connection drives it
//!
//! One [`Inflater`] and one [`Deflater`] per connection, made from what was agreed: `new` allocates
//! nothing. Only messages whose first frame has RSV1 set go through them; every other message goes
//! past them and leaves no trace in either window.
//!
//! **Receiving.** For each piece of (unmasked) payload, wherever frames and reads cut it:
//!
//! - whole messages: [`Inflater::inflate`] with `max = usize::MAX` appends to the message's buffer
//!   until the piece is used up;
//! - pieces as they arrive: the same call with `max` = the size of a chunk. On [`Progress::Full`]
//!   deliver the chunk, clear the buffer and call again, *before* more payload is read and also
//!   when the piece is used up: up to 258 bytes wait inside. What the call left of the piece is
//!   the caller's to keep. A `Full` that was followed by nothing yields an empty chunk.
//!
//! Say with the last piece that it is the last, if that is known: one call of the backend is saved.
//! After the last piece of the last frame, and once the answer was [`Progress::NeedInput`], call
//! [`Inflater::finish`]: it yields no bytes, it only says whether the message was whole. Check it
//! before the message, or its last chunk, is made visible. After an error the connection has
//! failed and the engine must not be used again; what is in the buffer is correct as far as it
//! goes, never longer than the limit, and does not depend on how the input was cut, so text before
//! a corrupt byte can be validated, but nothing of it is delivered as a message.
//!
//! **Sending.** Decide first whether a message is compressed (its length, the caller's wish): from
//! the first byte that was given to the [`Deflater`] on, the message has entered the window and must
//! be sent as compressed. [`Deflater::compress`] takes a whole message or the last piece of one,
//! [`Deflater::push`] each piece before. What they append is payload, ready to be cut into frames
//! anywhere; RSV1 is set on the first frame only (6.1). Of an empty piece `push` makes nothing: do
//! not send a frame then.
//!
//! # Memory
//!
//! KiB of backend state, as `tests/deflate_memory.rs` measures it on 64 bits. An inflater
//! takes 47 KiB, always: it keeps the whole 32 KiB window even where a smaller one was agreed, so
//! that a peer that forgets to shrink its own is understood. A deflater takes, by window bits and
//! memory level:
//!
//! | | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 |
//! |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|
//! | 9 | 135 | 135 | 137 | 141 | 148 | 162 | 190 | 246 | 358 |
//! | 10 | 137 | 137 | 139 | 143 | 150 | 164 | 192 | 248 | 360 |
//! | 11 | 141 | 141 | 143 | 147 | 154 | 168 | 196 | 252 | 364 |
//! | 12 | 149 | 149 | 151 | 155 | 162 | 176 | 204 | 260 | 372 |
//! | 13 | 165 | 165 | 167 | 171 | 178 | 192 | 220 | 276 | 388 |
//! | 14 | 197 | 197 | 199 | 203 | 210 | 224 | 252 | 308 | 420 |
//! | 15 | 261 | 261 | 263 | 267 | 274 | 288 | 316 | 372 | 484 |
//!
//! There is none before the first compressed message. With context takeover it is kept from then
//! on; without, it is taken from a pool for the length of a message and given back, reset. The
//! pool (with feature `std`) is one per process and keeps at most 16 spent states of each kind: at
//! window bits 15 and memory level 8, 6.5 MiB in all.
//!
//! # Security
//!
//! Compression shows in the length of a frame how much of a message repeats what went before. A
//! message that mixes a secret with text that an attacker chooses gives the secret away, piece by
//! piece (CRIME, BREACH); with context takeover, so do two such messages on one connection. Send
//! those uncompressed (RFC 7692 section 8).

mod deflater;
mod inflater;
mod pool;
mod room;
mod sink;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

pub(crate) use deflater::{BackendFailed, Deflater, most_compressed};
pub(crate) use inflater::{Inflater, Progress};
pub(crate) use room::room_for;
pub(crate) use sink::Sink;

/// 7.2.1: "Remove 4 octets (that are 0x00 0x00 0xff 0xff) from the tail end."
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// What a counter of the backend advanced by. Each call is given slices only, so it fits.
fn advanced(before: u64, after: u64) -> usize {
    usize::try_from(after.saturating_sub(before)).unwrap_or(usize::MAX)
}
