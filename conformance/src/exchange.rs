//! Many messages one after another, each to be echoed before the next is sent.

use std::borrow::Cow;

use crate::data::Data;
use crate::deflate::Compressor;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) source: Source,
    pub(crate) text: bool,
    pub(crate) length: usize,
    pub(crate) count: usize,
    /// The size of the fragments, before compression has its say; none for whole messages.
    pub(crate) fragment: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Repeated(&'static [u8]),
    /// One piece after another, beginning anew where the data ends.
    Cut(Data),
}

impl Exchange {
    /// Message `n`, counted from 0.
    pub(crate) fn message(&self, n: usize) -> Cow<'static, [u8]> {
        let data = match self.source {
            Source::Cut(data) => data.bytes(),
            Source::Repeated(pattern) => {
                return Cow::Owned(pattern.iter().copied().cycle().take(self.length).collect());
            }
        };
        let from = n.saturating_mul(self.length) % data.len().max(1);
        match data.get(from..from.saturating_add(self.length)) {
            Some(message) => Cow::Borrowed(message),
            None => Cow::Owned(data.iter().copied().cycle().skip(from).take(self.length).collect()),
        }
    }

    /// After so many messages, all that follow are the same again.
    fn period(&self) -> usize {
        match self.source {
            Source::Repeated(_) => 1,
            Source::Cut(data) => {
                let size = data.bytes().len();
                size.checked_div(greatest_common_divisor(size, self.length)).unwrap_or(1)
            }
        }
    }
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    match b {
        0 => a,
        _ => greatest_common_divisor(b, a.checked_rem(b).unwrap_or(0)),
    }
}

/// Compresses the messages of an exchange, each of them at most twice.
///
/// Where the sequence of messages repeats, what was compressed the second time round is sent again in
/// every later round: it refers to at most 32 KiB before it, and these are the same in every round but
/// the first. So what is measured is the peer and not the suite.
#[derive(Debug)]
pub(crate) struct Replay {
    period: usize,
    second_round: Vec<Vec<u8>>,
}

impl Replay {
    pub(crate) fn new(exchange: &Exchange) -> Self {
        Self { period: exchange.period(), second_round: Vec::new() }
    }

    pub(crate) fn compress(
        &mut self,
        exchange: &Exchange,
        n: usize,
        compressor: &mut Compressor,
    ) -> Vec<u8> {
        let again = n.checked_rem(self.period).and_then(|at| self.second_round.get(at));
        if let (Some(again), true) = (again, n / self.period.max(1) >= 2) {
            return again.clone();
        }
        let compressed = compressor.compress(&exchange.message(n));
        if n >= self.period {
            self.second_round.push(compressed.clone());
        }
        compressed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deflate::{Direction, Inflater};

    #[test]
    fn messages_repeated_from_the_second_round_inflate() {
        for no_context_takeover in [false, true] {
            let direction = Direction { no_context_takeover, window_bits: 15 };
            for (data, length) in
                [(Data::Json, 131_072), (Data::Html, 65_536), (Data::Prose, 32_768)]
            {
                let source = Source::Cut(data);
                let exchange =
                    Exchange { source, text: data.is_text(), length, count: 0, fragment: None };
                let (mut there, mut back) = (Compressor::new(direction), Inflater::new(direction));
                let mut replay = Replay::new(&exchange);
                assert!(replay.period < 10);
                for n in 0..40 {
                    let compressed = replay.compress(&exchange, n, &mut there);
                    assert!(back.inflate(&compressed).unwrap() == exchange.message(n).as_ref());
                }
            }
        }
    }

    #[test]
    fn pieces_follow_each_other_around_the_end() {
        let source = Source::Cut(Data::Json);
        let exchange = Exchange { source, text: true, length: 131_072, count: 0, fragment: None };
        let data = Data::Json.bytes();
        assert_eq!(exchange.message(0).as_ref(), &data[..131_072]);
        assert_eq!(exchange.message(1).as_ref(), [&data[131_072..], &data[..65_536]].concat());
        assert_eq!(exchange.message(3), exchange.message(0));
    }
}
