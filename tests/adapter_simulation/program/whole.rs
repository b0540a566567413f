//! A program that has the connection in one task.

use super::Program;
use super::api::Whole;
use crate::executor::{TimerKind, until};
use crate::oracle::{CallKind, Half, Result};
use crate::plan::Script;
use crate::random::Random;

/// The connection is over, and the program was told.
struct Over;

type Goes = std::result::Result<(), Over>;

struct Task<W> {
    websocket: W,
    program: Program,
    random: Random,
}

pub async fn run<W: Whole>(websocket: W, program: Program) {
    let random = program.random(1);
    let mut task = Task { websocket, program, random };
    if task.script().await.is_ok() {
        task.close().await;
    } else {
        task.after_the_end().await;
    }
    task.look();
    let link = task.program.link.clone();
    drop(task);
    link.borrow().trace(|| "the program has ended".to_owned());
}

impl<W: Whole> Task<W> {
    async fn script(&mut self) -> Goes {
        let plan = self.program.plan.clone();
        match plan.script {
            Script::SendOnly => {
                for _ in 0..plan.messages {
                    self.send().await?;
                    self.program.sleep(plan.pause).await;
                }
                Ok(())
            }
            Script::FeedClose => {
                for _ in 0..plan.messages {
                    self.feed().await?;
                }
                Ok(())
            }
            Script::ReceiveOnly => self.receive_until_patience_ends(false).await,
            Script::Echo => self.receive_until_patience_ends(true).await,
            Script::SendCloseRead => {
                for _ in 0..plan.messages.min(3) {
                    self.send().await?;
                }
                self.call(CallKind::SendClose, async |websocket| websocket.send_close().await)
                    .await?;
                loop {
                    self.recv().await?;
                }
            }
            Script::Mixed => self.mixed().await,
        }
    }

    async fn receive_until_patience_ends(&mut self, echo: bool) -> Goes {
        let plan = self.program.plan.clone();
        while self.recv_until(plan.patience, echo).await? {
            if !echo && self.random.one_in(4) {
                self.program.sleep(plan.pause).await;
            }
        }
        Ok(())
    }

    async fn mixed(&mut self) -> Goes {
        let plan = self.program.plan.clone();
        for _ in 0..plan.messages * 2 {
            match self.random.below(8) {
                0 | 1 => self.send().await?,
                2 => self.feed().await?,
                3 => self.call(CallKind::Flush, async |websocket| websocket.flush().await).await?,
                4 => self.call(CallKind::Ping, async |websocket| websocket.ping().await).await?,
                5 => self.program.sleep(plan.pause).await,
                _ => {
                    let wait = self.random.pick(&[plan.pause, plan.limits.ping * 3]);
                    let at = self.program.clock.now() + wait;
                    let echo = self.random.one_in(3);
                    self.recv_until(at, echo).await?;
                }
            }
        }
        Ok(())
    }

    /// Makes a call that sends.
    async fn call(
        &mut self,
        kind: CallKind,
        call: impl AsyncFnOnce(&mut W) -> std::result::Result<(), websocket_proto::io::Error>,
    ) -> Goes {
        let result = self.program.call(Half::Receiver, kind, call(&mut self.websocket)).await;
        self.look();
        result.map_err(|_| Over)
    }

    async fn send(&mut self) -> Goes {
        let message = self.program.message();
        let program = self.program.clone();
        // It is queued before it is written, so that it counts when the call ends.
        self.call(CallKind::Send, async |websocket| {
            let sent = websocket.send(message).await;
            if sent.is_ok() {
                program.was_queued();
            }
            sent
        })
        .await
    }

    async fn feed(&mut self) -> Goes {
        let message = self.program.message();
        self.call(CallKind::Feed, async |websocket| websocket.feed(message).await).await?;
        self.program.was_queued();
        Ok(())
    }

    async fn recv(&mut self) -> Goes {
        let recv = self.websocket.recv();
        let received = self.program.call(Half::Receiver, CallKind::Recv, recv).await;
        self.look();
        let Ok(Some(message)) = received else { return Err(Over) };
        self.program.was_received(&message);
        Ok(())
    }

    /// Receives a message, and answers it if it is to, unless `at` comes first: `false`.
    async fn recv_until(
        &mut self,
        at: std::time::Duration,
        echo: bool,
    ) -> std::result::Result<bool, Over> {
        let sleep = self.program.clock.sleep_until(at, TimerKind::Program);
        let answer = echo.then(|| self.program.message());
        self.program.link.borrow_mut().call_begins(Half::Receiver, CallKind::Recv);
        let websocket = &mut self.websocket;
        let received = until(sleep, async {
            match answer {
                Some(answer) => websocket.answer(answer).await,
                None => (websocket.recv().await, None),
            }
        })
        .await;
        let Some((received, back)) = received else {
            self.program.link.borrow_mut().call_dropped(Half::Receiver);
            self.look();
            return Ok(false);
        };
        self.program.link.borrow_mut().call_ends(Half::Receiver, &received.outcome());
        self.look();
        let Ok(Some(message)) = received else { return Err(Over) };
        self.program.was_received(&message);
        match back {
            Some(_) => self.feed().await?,
            None if echo => self.program.was_queued(),
            None => {}
        }
        Ok(true)
    }

    async fn close(&mut self) {
        let close = self.websocket.close();
        let _ = self.program.call(Half::Receiver, CallKind::Close, close).await;
    }

    /// What is called after the end comes back, and takes nothing.
    async fn after_the_end(&mut self) {
        let message = self.program.message();
        let sent = self.websocket.send(message);
        if self.program.call(Half::Receiver, CallKind::Feed, sent).await.is_ok() {
            let link = self.program.link.borrow();
            link.report("1 a message is taken after the end", String::new());
        }
        let recv = self.websocket.recv();
        if let Ok(Some(_)) = self.program.call(Half::Receiver, CallKind::Recv, recv).await {
            // A call that sends may have told of the end first; what was read before still comes.
            self.program.link.borrow_mut().book.dropped = true;
        }
    }

    fn look(&mut self) {
        self.program.look_at(self.websocket.connection());
        self.program.look_at_debug(&mut self.random, || self.websocket.debug());
    }
}
