//! [`Response`]: what a server answered a client.

use super::head::Head;

/// The response of a server: status and headers. The body is never read.
///
/// `Debug` shows no header values: they may be secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    status: u16,
    head: Head,
}

impl Response {
    pub(crate) const fn new(status: u16, head: Head) -> Self {
        Self { status, head }
    }

    pub(crate) const fn head(&self) -> &Head {
        &self.head
    }

    /// The status code, 101 to 599.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The first value of a header, compared without regard to case, without spaces at its ends.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.head.all(name).next()
    }

    /// All headers in the order in which they came.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.head.fields()
    }
}
