//! A server that receives anything does what the plain [`Model`] does, and answers as it must.

use websocket_proto::{Event, Output};

use super::super::common::{self, feed};
use super::super::model::{Model, frames};
use super::super::script::Script;

pub fn run(data: &[u8]) {
    received(true, data);
}

pub(super) fn received(is_server: bool, data: &[u8]) {
    let mut script = Script(data);
    let config = script.config();
    let new = if is_server { common::server } else { common::client };
    let mut connection = new(config);
    let log = feed(&mut connection, [script.0]).join_chunks();
    let model = Model::receive(is_server, &config, script.0);
    assert_eq!(log.events, model.events);
    assert_eq!(log.error.map(|error| error.close_code().get()), model.failed);
    assert_eq!(connection.statistics().received.messages, model.messages);
    model.check_answers(&config, &frames(&log.output, !is_server));
    // Whatever it was, the end of the transport is taken, and nothing comes after it.
    let end = connection.receive_eof();
    let closed = matches!(model.events.last(), Some(Event::Close(_)));
    assert_eq!(end.is_ok(), closed && model.failed.is_none());
    assert_eq!(connection.closed().is_some_and(|it| it.clean), closed && config.auto_close);
    let mut output = Output::new();
    let mut ping = [0x89, 0x80, 1, 2, 3, 4];
    let after = connection.receive(&mut &mut ping[..], &mut output);
    assert_eq!((after, output.len()), (end.map(|()| None), 0));
}
