//! A program that has the two halves of a connection in two tasks.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::Program;
use super::api::{Halves, Receives, Sends};
use crate::executor::{Executor, Owner};
use crate::oracle::{CallKind, Half};
use crate::plan::{Receiving, Script};
use crate::random::Random;
use crate::wire::Wire;

/// The halves that are done with: whoever comes second puts them together.
struct Rest<R, S> {
    receiver: Option<R>,
    sender: Option<S>,
    sender_done: bool,
    waker: Option<Waker>,
}

type Shared<R, S> = Rc<RefCell<Rest<R, S>>>;

pub fn spawn<R, S>(executor: &mut Executor, receiver: R, sender: S, program: &Program)
where
    R: Receives + 'static,
    S: Sends + Halves<Wire, Other = R> + 'static,
{
    let rest = Rest { receiver: None, sender: None, sender_done: false, waker: None };
    let rest = Rc::new(RefCell::new(rest));
    let owner = Owner::Program(program.id);
    executor.spawn(owner, receive(receiver, program.clone(), Rc::clone(&rest)));
    executor.spawn(owner, send(sender, program.clone(), rest));
}

async fn receive<R: Receives, S: Halves<Wire, Other = R>>(
    mut receiver: R,
    program: Program,
    rest: Shared<R, S>,
) {
    match program.plan.receiving {
        Receiving::Steady => while recv(&mut receiver, &program).await {},
        Receiving::Busy(pause) => {
            while recv(&mut receiver, &program).await {
                program.sleep(pause).await;
            }
        }
        Receiving::Dropped(after) => {
            for _ in 0..after {
                if !recv(&mut receiver, &program).await {
                    break;
                }
            }
            program.link.borrow_mut().book.dropped = true;
            return;
        }
        Receiving::Unpolled => {
            poll_fn(|cx| {
                let mut rest = rest.borrow_mut();
                rest.waker = Some(cx.waker().clone());
                if rest.sender_done { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            while recv(&mut receiver, &program).await {}
        }
    }
    rest.borrow_mut().receiver = Some(receiver);
    reunite(&program, &rest);
}

async fn recv<R: Receives>(receiver: &mut R, program: &Program) -> bool {
    let received = program.call(Half::Receiver, CallKind::Recv, receiver.recv()).await;
    let Ok(Some(message)) = received else { return false };
    program.was_received(&message);
    true
}

async fn send<R, S: Sends + Halves<Wire, Other = R>>(
    sender: S,
    program: Program,
    rest: Shared<R, S>,
) {
    let random = program.random(2);
    let mut task = Sending { sender, program: program.clone(), random };
    if task.script().await {
        let _ = task.call(CallKind::SendClose, async |sender| sender.send_close().await).await;
    }
    let mut mine = rest.borrow_mut();
    mine.sender = Some(task.sender);
    mine.sender_done = true;
    mine.waker.take().into_iter().for_each(Waker::wake);
    drop(mine);
    reunite(&program, &rest);
}

fn reunite<R, S: Halves<Wire, Other = R>>(program: &Program, rest: &Shared<R, S>) {
    let mut rest = rest.borrow_mut();
    if rest.sender.is_none() || rest.receiver.is_none() {
        return;
    }
    let (Some(sender), Some(receiver)) = (rest.sender.take(), rest.receiver.take()) else { return };
    program.look_at(sender.reunite(receiver).connection());
}

struct Sending<S> {
    sender: S,
    program: Program,
    random: Random,
}

impl<S: Sends + Halves<Wire>> Sending<S> {
    /// Returns whether the connection still goes.
    async fn script(&mut self) -> bool {
        let plan = self.program.plan.clone();
        match plan.script {
            Script::SendOnly | Script::SendCloseRead => {
                for _ in 0..plan.messages {
                    if !self.send().await {
                        return false;
                    }
                    self.program.sleep(plan.pause).await;
                }
            }
            Script::FeedClose => {
                for _ in 0..plan.messages {
                    if !self.feed().await {
                        return false;
                    }
                }
            }
            Script::ReceiveOnly | Script::Echo => self.program.sleep_until(plan.patience).await,
            Script::Mixed => {
                for _ in 0..plan.messages * 2 {
                    if !self.mixed().await {
                        return false;
                    }
                }
            }
        }
        true
    }

    async fn mixed(&mut self) -> bool {
        match self.random.below(6) {
            0 | 1 => self.send().await,
            2 => self.feed().await,
            3 => self.call(CallKind::Flush, async |sender| sender.flush().await).await,
            4 => self.call(CallKind::Ping, async |sender| sender.ping().await).await,
            _ => {
                self.program.sleep(self.program.plan.pause).await;
                true
            }
        }
    }

    async fn call(
        &mut self,
        kind: CallKind,
        call: impl AsyncFnOnce(&mut S) -> Result<(), websocket_proto::io::Error>,
    ) -> bool {
        let result = self.program.call(Half::Sender, kind, call(&mut self.sender)).await;
        if let Some(text) = self.sender.debug() {
            self.program.look_at_debug(&mut self.random, || text);
        }
        result.is_ok()
    }

    async fn send(&mut self) -> bool {
        let message = self.program.message();
        let program = self.program.clone();
        self.call(CallKind::Send, async |sender| {
            let sent = sender.send(message).await;
            if sent.is_ok() {
                program.was_queued();
            }
            sent
        })
        .await
    }

    async fn feed(&mut self) -> bool {
        let message = self.program.message();
        let fed = self.call(CallKind::Feed, async |sender| sender.feed(message).await).await;
        if fed {
            self.program.was_queued();
        }
        fed
    }
}
