//! The peer: the core with a reader, a writer and a list of things to do, each a task.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use websocket_proto::{CloseCode, Connection, Event, Message, Output, SendError, State};

use crate::executor::{Executor, Owner, TimerKind};
use crate::payload::{self, From};
use crate::plan::{Action, ConnectionPlan, Usage};
use crate::wire::Shared;

struct Peer {
    plan: Rc<ConnectionPlan>,
    link: Shared,
    connection: Connection,
    output: Output,
    /// Written behind the output: bytes that break the protocol.
    fault: Vec<u8>,
    sent: u64,
    received: u64,
    pings: Vec<Vec<u8>>,
    /// The pings before this one were answered, or passed over for a newer one.
    answered: usize,
    reads: bool,
    writes: bool,
    /// Nothing more comes from it.
    ended: bool,
}

type Handle = Rc<RefCell<Peer>>;

/// Starts the peer of a connection.
pub fn spawn(executor: &mut Executor, plan: &Rc<ConnectionPlan>, link: &Shared) {
    let id = link.borrow().id;
    let connection = plan.connection(From::Peer, plan.peer.answers_pings, plan.peer.answers_close);
    let peer = Rc::new(RefCell::new(Peer {
        plan: Rc::clone(plan),
        link: Rc::clone(link),
        connection,
        output: Output::new(),
        fault: Vec::new(),
        sent: 0,
        received: 0,
        pings: Vec::new(),
        answered: 0,
        reads: true,
        writes: true,
        ended: false,
    }));
    executor.spawn(Owner::Peer(id), read(Rc::clone(&peer)));
    executor.spawn(Owner::Peer(id), write(Rc::clone(&peer)));
    executor.spawn(Owner::Peer(id), act(Rc::clone(&peer)));
    if let Some(at) = plan.peer.stops_reading {
        let sleep = executor.clock.sleep_until(at, TimerKind::Link);
        executor.spawn(Owner::Peer(id), async move {
            sleep.await;
            peer.borrow_mut().reads = false;
        });
    }
}

/// Waits for something to read; `false`: nothing more will come, or it does not read any more.
async fn readable(peer: &Handle) -> bool {
    poll_fn(|cx| {
        let peer = peer.borrow();
        let mut link = peer.link.borrow_mut();
        if !peer.reads {
            return Poll::Ready(false);
        }
        if link.peer_can_take() {
            return Poll::Ready(true);
        }
        if link.peer_sees_end() {
            return Poll::Ready(false);
        }
        link.keep_peer(0, cx);
        Poll::Pending
    })
    .await
}

async fn read(peer: Handle) {
    let (clock, pace, ends) = {
        let peer = peer.borrow();
        let clock = peer.link.borrow().clock.clone();
        (clock, peer.plan.peer.reads, peer.plan.peer.ends)
    };
    while readable(&peer).await {
        if !pace.every.is_zero() {
            clock.sleep(pace.every, TimerKind::Link).await;
        }
        peer.borrow_mut().read_some(pace.bytes);
        if peer.borrow().connection.state() == State::Closed {
            break;
        }
    }
    // It ends its side where the closing handshake is over, or where we have ended ours.
    let over = {
        let peer = peer.borrow();
        let link = peer.link.borrow();
        peer.reads && (peer.connection.state() == State::Closed || link.peer_sees_end())
    };
    if over && let Some(wait) = ends {
        clock.sleep(wait, TimerKind::Link).await;
        peer.borrow_mut().ended = true;
        peer.borrow().wake_writer();
    }
    // What we still send is read and dropped.
    while readable(&peer).await {
        peer.borrow_mut().read_some(usize::MAX);
    }
}

async fn write(peer: Handle) {
    let (clock, pace) = {
        let peer = peer.borrow();
        let clock = peer.link.borrow().clock.clone();
        (clock, peer.plan.peer.writes)
    };
    while writable(&peer).await {
        if !pace.every.is_zero() {
            clock.sleep(pace.every, TimerKind::Link).await;
        }
        peer.borrow_mut().write_some(pace.bytes);
    }
    let peer = peer.borrow();
    if peer.writes {
        peer.link.borrow_mut().peer_end();
    }
}

/// Waits for something to write and for room; `false`: nothing more will be written.
async fn writable(peer: &Handle) -> bool {
    poll_fn(|cx| {
        let peer = peer.borrow();
        let mut link = peer.link.borrow_mut();
        let empty = peer.output.is_empty() && peer.fault.is_empty();
        if !peer.writes || peer.ended && empty {
            return Poll::Ready(false);
        }
        if !empty && link.peer_room() > 0 {
            return Poll::Ready(true);
        }
        link.keep_peer(1, cx);
        Poll::Pending
    })
    .await
}

async fn act(peer: Handle) {
    let clock = peer.borrow().link.borrow().clock.clone();
    let plan = Rc::clone(&peer.borrow().plan);
    for (wait, action) in &plan.peer.actions {
        clock.sleep(*wait, TimerKind::Link).await;
        match *action {
            Action::Send(count) => {
                for _ in 0..count {
                    send(&peer, 1, clock.sleep(plan.peer.writes.every, TimerKind::Link)).await;
                }
            }
            Action::Pieces(count, pause) => {
                send(&peer, count, clock.sleep(pause, TimerKind::Link)).await;
            }
            action => peer.borrow_mut().act(action),
        }
        peer.borrow().wake_writer();
    }
}

/// Sends the next message in so many pieces, with a pause like this one between them.
async fn send(peer: &Handle, pieces: u64, pause: crate::executor::Sleep) {
    let (clock, pause) = {
        let link = Rc::clone(&peer.borrow().link);
        let clock = link.borrow().clock.clone();
        let pause = pause.at() - clock.now();
        (clock, pause)
    };
    let message = {
        let mut peer = peer.borrow_mut();
        let number = peer.sent;
        peer.sent += 1;
        let link = peer.link.borrow();
        payload::message(link.id, From::Peer, number, peer.plan.len(From::Peer, number))
    };
    for piece in 0..pieces {
        let part = part(&message, piece, pieces);
        loop {
            let result = peer.borrow_mut().send_piece(&part, piece + 1 == pieces, pieces == 1);
            peer.borrow().wake_writer();
            match result {
                Err(SendError::Full(())) => {}
                _ => break,
            }
            clock.sleep(std::time::Duration::from_millis(250), TimerKind::Link).await;
            if !peer.borrow().writes {
                return;
            }
        }
        if piece + 1 < pieces {
            clock.sleep(pause, TimerKind::Link).await;
        }
    }
}

fn part(message: &Message<'static>, piece: u64, pieces: u64) -> Message<'static> {
    let len = message.as_bytes().len();
    let (from, to) =
        (len * piece as usize / pieces as usize, len * (piece as usize + 1) / pieces as usize);
    match message.as_text() {
        Some(text) => Message::text(text[from..to].to_owned()),
        None => Message::binary(message.as_bytes()[from..to].to_owned()),
    }
}

impl Peer {
    fn wake_writer(&self) {
        self.link.borrow_mut().wake_peer_writer();
    }

    fn read_some(&mut self, most: usize) {
        let mut bytes = self.link.borrow_mut().peer_take(most);
        let mut input = &mut bytes[..];
        loop {
            let event = match self.connection.receive(&mut input, &mut self.output) {
                Ok(Some(event)) => event.into_owned(),
                Ok(None) => break,
                Err(error) => {
                    // It may have failed before by itself; that it finds fault with us must not be.
                    if self.fault.is_empty() {
                        self.link
                            .borrow()
                            .report("6 the peer finds fault with us", error.to_string());
                    }
                    break;
                }
            };
            self.event(event);
        }
        self.wake_writer();
    }

    fn event(&mut self, event: Event<'static>) {
        match event {
            Event::Pong(payload) => self.pong(&payload),
            Event::Text(_) | Event::Binary(_) => {
                let Ok(message) = Message::try_from(event) else { return };
                let number = self.received;
                self.received += 1;
                let len = self.plan.len(From::Us, number);
                let link = self.link.borrow();
                if let Some(fault) = payload::check(&message, link.id, From::Us, number, len) {
                    link.report("6 the peer gets other messages", fault);
                }
            }
            Event::Close(_) => {
                // What was queued before it comes before it. One message more may be on its way to
                // be reported.
                let link = self.link.borrow();
                let fed = link.book.fed;
                // A sink that was split off keeps one itself.
                let kept = u64::from(self.plan.usage == Usage::StreamSplit);
                if !(fed.saturating_sub(kept)..=fed + 1).contains(&self.received) {
                    let detail = format!("{} of {fed} before our Close", self.received);
                    link.report("6 the peer misses messages", detail);
                }
            }
            _ => {}
        }
    }

    /// 5.5.3: a Pong may be left out for a newer one, but answers a Ping that was sent. One that
    /// was answered twice or never sent is none.
    fn pong(&mut self, payload: &[u8]) {
        match self.pings[self.answered..].iter().position(|ping| ping == payload) {
            Some(passed) => self.answered += passed + 1,
            None => self.link.borrow().report("6 a pong for no ping", format!("{payload:02x?}")),
        }
    }

    fn write_some(&mut self, most: usize) {
        let mut link = self.link.borrow_mut();
        let mut left = most.min(link.peer_room());
        if !self.writes {
            return;
        }
        while left > 0 && !self.output.is_empty() {
            let pending = self.output.pending();
            let count = pending.len().min(left);
            link.peer_put(&pending[..count], false);
            self.output.advance(count);
            left -= count;
        }
        if left > 0 && !self.fault.is_empty() {
            link.peer_put(&std::mem::take(&mut self.fault), true);
            self.ended = false;
        }
        self.connection.send_owed(&mut self.output);
    }

    fn send_piece(
        &mut self,
        piece: &Message<'static>,
        last: bool,
        whole: bool,
    ) -> Result<(), SendError> {
        if self.output.len() > 100_000 {
            return Err(SendError::Full(()));
        }
        let sent = if whole {
            self.connection.send(piece.clone(), &mut self.output)
        } else {
            self.connection.send_fragment(piece.clone(), last, &mut self.output)
        };
        sent.map_err(|error| match error {
            SendError::Full(_) => SendError::Full(()),
            SendError::Misuse(misuse) => SendError::Misuse(misuse),
        })
    }

    fn act(&mut self, action: Action) {
        self.link.borrow().trace(|| format!("the peer: {action:?}"));
        match action {
            Action::Ping => {
                let payload = self.pings.len().to_be_bytes().to_vec();
                if self.connection.ping(&payload, &mut self.output).is_ok() {
                    self.pings.push(payload);
                }
            }
            Action::Close { reads_on } => {
                let code = CloseCode::new(4321).unwrap();
                if self.connection.close(code, "enough", &mut self.output).is_ok() {
                    self.link.borrow_mut().book.peer_code = Some(code.get());
                }
                self.reads &= reads_on;
            }
            Action::Reset => {
                (self.reads, self.writes) = (false, false);
                self.link.borrow_mut().peer_reset();
            }
            Action::HalfClose => self.ended = true,
            Action::Leave => {
                (self.reads, self.writes) = (false, false);
                self.link.borrow_mut().peer_leave();
            }
            Action::Fault if self.connection.state() == State::Open => {
                // Reserved bits, which no extension has agreed on.
                let masked = !self.plan.client;
                self.fault = if masked { vec![0xB1, 0x80, 0, 0, 0, 0] } else { vec![0xB1, 0] };
            }
            Action::Fault => {}
            Action::Silence => (self.reads, self.writes) = (false, false),
            Action::Send(_) | Action::Pieces(..) => {}
        }
    }
}
