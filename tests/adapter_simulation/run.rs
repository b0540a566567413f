//! One run: from the seed to what is wrong.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::thread;

use crate::executor::{End, Executor, Observer, TimerKind};
use crate::findings::{Finding, Findings};
use crate::plan::Plan;
use crate::random::Random;
use crate::wire::{Link, Shared};
use crate::{peer, program};

const MOST_POLLS: u64 = 400_000;

#[derive(Debug)]
pub struct Run {
    pub findings: Vec<Finding>,
    pub trace: Vec<String>,
    pub polls: u64,
}

/// On a thread of its own: what a run leaves in the thread's pools is not the next one's.
pub fn on_its_own_thread(seed: u64, findings: fn() -> Findings) -> Run {
    let run = move || {
        let findings = findings();
        let ran = panic::catch_unwind(AssertUnwindSafe(|| run(seed, &findings)));
        let polls = ran.unwrap_or_else(|cause| {
            let text = cause.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or("?");
            findings.add("0 a panic", 0, std::time::Duration::ZERO, text.to_owned());
            0
        });
        Run { findings: findings.take(), trace: findings.take_trace(), polls }
    };
    thread::Builder::new().name(format!("seed {seed}")).spawn(run).unwrap().join().unwrap()
}

fn run(seed: u64, findings: &Findings) -> u64 {
    let plan = Plan::new(seed);
    let mut random = Random(seed ^ 0xEC);
    let mut executor = Executor::new(random.fork(), plan.spurious);
    let last_reader = Rc::new(Cell::new(usize::MAX));
    let mut links = Vec::new();
    for (id, connection) in plan.connections.into_iter().enumerate() {
        let connection = Rc::new(connection);
        let link = Rc::new(RefCell::new(Link::new(
            id,
            format!("{:?} {:?}", connection.usage, connection.script),
            connection.link.clone(),
            executor.clock.clone(),
            findings.clone(),
            random.fork(),
            Rc::clone(&last_reader),
        )));
        peer::spawn(&mut executor, &connection, &link);
        program::spawn(&mut executor, &connection, &link);
        links.push(link);
    }
    let mut looks = Looks { links, random: random.fork(), probe: plan.probe };
    let class = match executor.run(&mut looks, MOST_POLLS) {
        End::Done => return executor.polls(),
        End::Stuck => "5 nothing can run",
        End::Endless => "0 it does not end",
    };
    findings.add(class, 0, executor.clock.now(), String::new());
    executor.polls()
}

/// The oracles look on while nothing can run.
struct Looks {
    links: Vec<Shared>,
    random: Random,
    probe: u64,
}

impl Observer for Looks {
    fn idle(&mut self) {
        self.links.iter().for_each(|link| link.borrow_mut().idle());
    }

    fn wants_probe(&mut self, kind: Option<TimerKind>) -> bool {
        kind != Some(TimerKind::Link) || self.random.one_in(self.probe)
    }

    fn progress(&self, connection: usize) -> u64 {
        let link = self.links[connection].borrow();
        // What was fed may wait for the next call, and so for a poll without a reason.
        if link.book.unflushed { link.progress } else { link.progress + link.written }
    }

    fn lost_wake_up(&mut self, connection: usize) {
        let link = self.links[connection].borrow();
        link.report("5 a wake-up is lost", link.calls());
    }
}
