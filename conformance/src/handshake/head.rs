//! The head of an HTTP message (RFC 9112 2): a start line and fields.

use tokio::time::Instant;

use crate::transport::{Transport, Turn};

/// More than any server or client sends.
const LIMIT: usize = 64 << 10;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) start: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl Head {
    /// Reads until the empty line. What came behind it stays in `buffer`.
    pub(crate) async fn read(
        transport: &mut Transport,
        buffer: &mut Vec<u8>,
        deadline: Instant,
    ) -> Result<Self, String> {
        loop {
            if let Some(end) = end(buffer) {
                let head: Vec<u8> = buffer.drain(..end).collect();
                return Self::parse(&head);
            }
            if buffer.len() > LIMIT {
                return Err("the peer's head does not end".to_owned());
            }
            match transport.turn(buffer, deadline).await {
                Turn::Read | Turn::Wrote => {}
                Turn::End if buffer.is_empty() => {
                    return Err("the peer closed the connection without an answer".to_owned());
                }
                Turn::End => {
                    return Err("the peer closed the connection within its head".to_owned());
                }
                Turn::Reset => return Err("the peer reset the connection".to_owned()),
                Turn::Late => return Err("the peer sent no whole head in time".to_owned()),
            }
        }
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.split("\r\n").take_while(|line| !line.is_empty());
        let start = lines.next().ok_or("the peer's head has no start line")?.to_owned();
        let fields = lines
            .map(|line| match line.split_once(':') {
                Some((name, value)) if !name.is_empty() && !name.contains([' ', '\t']) => {
                    Ok((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()))
                }
                _ => Err(format!("the peer's head has a line that is no field: {line:?}")),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { start, fields })
    }

    /// The status of an answer.
    pub(crate) fn status(&self) -> Option<u16> {
        let mut start = self.start.split(' ');
        start.next().filter(|version| version.starts_with("HTTP/1."))?;
        start.next().filter(|status| status.len() == 3)?.parse().ok()
    }

    /// All of it in one line, for people.
    pub(crate) fn line(&self) -> String {
        self.fields
            .iter()
            .fold(self.start.clone(), |line, (name, value)| format!("{line} | {name}: {value}"))
    }

    /// The values of a field, each as it came.
    pub(crate) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// The value of a field that must not be there twice.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        let mut values = self.all(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// Whether the list of a field has this element, in any case.
    pub(crate) fn lists(&self, name: &str, element: &str) -> bool {
        self.all(name)
            .flat_map(|value| value.split(','))
            .any(|candidate| candidate.trim().eq_ignore_ascii_case(element))
    }
}

fn end(bytes: &[u8]) -> Option<usize> {
    let at = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some(at.saturating_add(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        let head = Head::parse(
            b"HTTP/1.1 101 x\r\nA: 1\r\nConnection: keep-alive, Upgrade\r\na:2\r\n\r\n",
        );
        let head = head.unwrap();
        assert_eq!(head.start, "HTTP/1.1 101 x");
        assert_eq!(head.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(head.one("a"), None);
        assert!(head.lists("connection", "upgrade"));
        for wrong in ["x\r\nno field\r\n\r\n", "x\r\nname : v\r\n\r\n", "\r\n\r\n"] {
            assert!(Head::parse(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
    }
}
