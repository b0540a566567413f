//! Our programs: what they do with a connection, and how the oracles look on.

pub mod api;
mod halves;
mod whole;

use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use websocket_proto::io::WebSocket;
use websocket_proto::{Connection, Message};

use crate::executor::{Clock, Executor, Owner, TimerKind};
use crate::oracle::{CallKind, Half, Result};
use crate::payload::{self, From};
use crate::plan::{ConnectionPlan, Usage};
use crate::random::Random;
use crate::wire::{Shared, Wire};

/// What `Debug` may come to.
const DEBUG: usize = 2 << 10;

/// Starts the program on a connection.
pub fn spawn(executor: &mut Executor, plan: &Rc<ConnectionPlan>, link: &Shared) {
    let id = link.borrow().id;
    link.borrow_mut().book.limit(plan.limits);
    let connection = plan.connection(From::Us, true, true);
    let websocket =
        WebSocket::over(Wire::new(link), connection, &[]).with_deadlines(&plan.limits.config());
    let program =
        Program { id, plan: Rc::clone(plan), clock: executor.clock.clone(), link: Rc::clone(link) };
    let owner = Owner::Program(id);
    match plan.usage {
        Usage::Recv => executor.spawn(owner, whole::run(api::ByRecv(websocket), program)),
        Usage::Read => executor.spawn(owner, whole::run(api::ByRead(websocket), program)),
        Usage::StreamSink => executor.spawn(owner, whole::run(api::ByStream(websocket), program)),
        Usage::Split => {
            let (receiver, sender) = api::halves(websocket);
            halves::spawn(executor, receiver, sender, &program);
        }
        Usage::StreamSplit => {
            let (receiver, sender) = api::stream_halves(websocket);
            halves::spawn(executor, receiver, sender, &program);
        }
    }
}

/// What a task of a program has at hand.
#[derive(Clone)]
pub struct Program {
    id: usize,
    plan: Rc<ConnectionPlan>,
    clock: Clock,
    link: Shared,
}

impl Program {
    /// Makes a call with the oracles looking on.
    async fn call<R: Result>(
        &self,
        half: Half,
        kind: CallKind,
        call: impl Future<Output = R>,
    ) -> R {
        self.link.borrow_mut().call_begins(half, kind);
        let result = call.await;
        self.link.borrow_mut().call_ends(half, &result.outcome());
        result
    }

    /// The next message to send.
    fn message(&self) -> Message<'static> {
        let number = self.link.borrow().book.fed;
        payload::message(self.id, From::Us, number, self.plan.len(From::Us, number))
    }

    fn was_queued(&self) {
        self.link.borrow_mut().book.fed += 1;
    }

    fn was_received(&self, message: &Message<'_>) {
        let mut link = self.link.borrow_mut();
        let number = link.book.received;
        link.book.received += 1;
        let len = self.plan.len(From::Peer, number);
        if let Some(fault) = payload::check(message, self.id, From::Peer, number, len) {
            link.report("6 we get other messages", fault);
        }
    }

    fn look_at(&self, connection: &Connection) {
        self.link.borrow_mut().look_at(connection);
    }

    /// Now and then: it takes a while where much is printed.
    fn look_at_debug(&self, random: &mut Random, text: impl FnOnce() -> String) {
        if !random.one_in(8) {
            return;
        }
        let text = text();
        let link = self.link.borrow();
        if payload::is_in_debug(&text) {
            link.report("4 payload in Debug", format!("{} bytes of text", text.len()));
        } else if text.len() > DEBUG {
            link.report("4 Debug is long", format!("{} bytes", text.len()));
        }
    }

    async fn sleep(&self, time: Duration) {
        self.clock.sleep(time, TimerKind::Program).await;
    }

    async fn sleep_until(&self, at: Duration) {
        self.clock.sleep_until(at, TimerKind::Program).await;
    }

    fn random(&self, salt: u64) -> Random {
        Random(self.plan.seed ^ salt)
    }
}
