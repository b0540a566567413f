//! A client that receives anything: as `server`, with the roles exchanged.

pub fn run(data: &[u8]) {
    super::server::received(false, data);
}
