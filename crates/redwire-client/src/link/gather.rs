//! Commands of many callers, gathered into few writes.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use redis::{Cmd, Pipeline, Value};
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::task::{coop, yield_now};
use tokio::time::timeout;

use super::connection::Connection;
use super::shared::Shared;
use super::state::State;
use crate::lock::lock;

/// Commands in one write: beyond this a larger batch gains nothing, and its first reply waits longer.
const BATCH: usize = 256;

/// What became of a command that has no reply.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// Not a byte of it was written.
    NotSent,
    /// The connection broke before the reply.
    Lost(Arc<str>),
    /// No reply within the time.
    Timeout(Arc<str>),
}

pub(super) type Outcome = Result<Value, Failure>;

/// A command in the queue.
#[derive(Debug)]
struct Entry {
    command: Cmd,
    /// Whether others may share its write, and so wait for its reply.
    fast: bool,
    /// Whether it is sent although nobody waits for the reply.
    detached: bool,
    reply: oneshot::Sender<Outcome>,
}

/// The queue of one link, and how many commands are on their way.
///
/// A command that finds nothing else on its way is sent by its caller, so a lone caller pays nothing
/// for the gathering. All others are sent in order by one task, the fast ones of a moment in one write.
#[derive(Debug)]
pub(super) struct Gather {
    state: Mutex<Queue>,
    ready: Notify,
    permits: Semaphore,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Entry>,
    on_their_way: usize,
    /// On their way, but their callers have gone.
    abandoned: usize,
    closed: bool,
}

impl Gather {
    pub(super) fn new(permits: usize) -> Self {
        let permits = Semaphore::new(permits.clamp(1, Semaphore::MAX_PERMITS));
        Self { state: Mutex::default(), ready: Notify::new(), permits }
    }

    /// Waits until another command may be in the queue or on its way; [`push`](Self::push) or
    /// [`alone`](Self::alone) has to follow.
    pub(super) async fn admit(&self) {
        // The semaphore is never closed, so there is always a permit in the end.
        if let Ok(permit) = self.permits.acquire().await {
            permit.forget();
        }
    }

    pub(super) fn try_admit(&self) -> bool {
        self.permits.try_acquire().map(tokio::sync::SemaphorePermit::forget).is_ok()
    }

    pub(super) fn release(&self, count: usize) {
        self.permits.add_permits(count);
    }

    /// A ticket for a caller that sends by itself; None if others are before it.
    pub(super) fn alone(&self) -> Option<Alone<'_>> {
        let mut queue = lock(&self.state);
        if queue.on_their_way > 0 || !queue.waiting.is_empty() {
            return None;
        }
        queue.on_their_way = 1;
        Some(Alone { gather: self, landed: false })
    }

    pub(super) fn push(
        &self,
        command: Cmd,
        fast: bool,
        detached: bool,
    ) -> oneshot::Receiver<Outcome> {
        let (reply, receiver) = oneshot::channel();
        let mut queue = lock(&self.state);
        if queue.closed {
            drop(queue);
            self.release(1);
            let _ = reply.send(Err(Failure::NotSent));
            return receiver;
        }
        let first = queue.waiting.is_empty();
        queue.waiting.push_back(Entry { command, fast, detached, reply });
        drop(queue);
        if first {
            self.ready.notify_one();
        }
        receiver
    }

    fn landed(&self, count: usize) {
        lock(&self.state).on_their_way -= count;
        self.release(count);
    }

    /// The next commands that go out in one write.
    fn next_batch(&self) -> Option<Vec<Entry>> {
        let mut queue = lock(&self.state);
        let mut batch = Vec::new();
        while let Some(entry) = queue.waiting.front() {
            if !batch.is_empty() && (!entry.fast || batch.len() >= BATCH) {
                break;
            }
            let fast = entry.fast;
            batch.extend(queue.waiting.pop_front());
            if !fast {
                break;
            }
        }
        queue.on_their_way += batch.len();
        (!batch.is_empty()).then_some(batch)
    }

    fn take_abandoned(&self) -> usize {
        mem::take(&mut lock(&self.state).abandoned)
    }

    fn take_waiting(&self) -> VecDeque<Entry> {
        mem::take(&mut lock(&self.state).waiting)
    }
}

/// A command that its caller sends. If the caller goes away before the reply, the command stays counted
/// until Redis has answered what came after it.
pub(super) struct Alone<'a> {
    gather: &'a Gather,
    landed: bool,
}

impl Alone<'_> {
    pub(super) fn landed(mut self) {
        self.landed = true;
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        if self.landed {
            self.gather.landed(1);
        } else {
            lock(&self.gather.state).abandoned += 1;
            self.gather.ready.notify_one();
        }
    }
}

/// Sends what is queued, until the link ends.
pub(super) async fn run(shared: Arc<Shared>) {
    let gather = &shared.gather;
    let mut state = shared.state.subscribe();
    let mut flights = FuturesUnordered::new();
    let sending = async {
        loop {
            tokio::select! {
                Some(count) = flights.next() => gather.landed(count),
                () = gather.ready.notified() => {
                    // Whoever was woken together with the first caller is heard, too.
                    yield_now().await;
                }
                // The sender is in `shared`.
                _ = state.changed() => {}
            }
            let now = state.borrow_and_update().clone();
            let connection = match now {
                State::Live(connection) => connection,
                State::Connecting => continue,
                State::Down(_) | State::Closed => {
                    refuse(gather);
                    continue;
                }
            };
            let patience = shared.config.command_timeout;
            let abandoned = gather.take_abandoned();
            if abandoned > 0 {
                let flight = departed(fence(connection.clone(), abandoned, patience)).await;
                flights.push(flight);
            }
            while let Some(batch) = gather.next_batch() {
                let flight = departed(fly(connection.clone(), batch, patience)).await;
                flights.push(flight);
            }
        }
    };
    shared.closing.run_until_cancelled(sending).await;
    lock(&gather.state).closed = true;
    refuse(gather);
}

type Flight = Pin<Box<dyn Future<Output = usize> + Send>>;

/// Writes in the order of these calls: the first poll puts a batch into the connection's own queue,
/// which has room for more batches than can be on their way.
async fn departed(flight: impl Future<Output = usize> + Send + 'static) -> Flight {
    let mut flight: Flight = Box::pin(coop::unconstrained(flight));
    let arrived = poll_fn(|context| match flight.as_mut().poll(context) {
        Poll::Ready(count) => Poll::Ready(Some(count)),
        Poll::Pending => Poll::Ready(None),
    });
    match arrived.await {
        Some(count) => Box::pin(std::future::ready(count)),
        None => flight,
    }
}

fn refuse(gather: &Gather) {
    let (waiting, abandoned) = (gather.take_waiting(), gather.take_abandoned());
    gather.release(waiting.len());
    if abandoned > 0 {
        gather.landed(abandoned);
    }
    for entry in waiting {
        // A caller that has gone away needs no answer.
        let _ = entry.reply.send(Err(Failure::NotSent));
    }
}

/// Sends a batch and hands out the replies. Returns how many commands are no longer on their way.
async fn fly(connection: Connection, batch: Vec<Entry>, patience: Duration) -> usize {
    let count = batch.len();
    let mut commands = Pipeline::with_capacity(count);
    let mut callers = Vec::with_capacity(count);
    for entry in batch.into_iter().filter(|entry| entry.detached || !entry.reply.is_closed()) {
        commands.add_command(entry.command);
        callers.push(entry.reply);
    }
    if callers.is_empty() {
        return count;
    }
    let failure = match timeout(patience, connection.call_all(&commands)).await {
        Ok(Ok(replies)) if replies.len() == callers.len() => {
            for (caller, reply) in callers.into_iter().zip(replies) {
                // A caller that has gone away needs no reply.
                let _ = caller.send(Ok(reply));
            }
            return count;
        }
        Ok(_) => Failure::Lost(connection.endpoint().clone()),
        Err(_) => {
            connection.overdue();
            Failure::Timeout(connection.endpoint().clone())
        }
    };
    for caller in callers {
        let _ = caller.send(Err(failure.clone()));
    }
    count
}

/// Returns when all that was sent before has been answered: Redis answers in order.
async fn fence(connection: Connection, count: usize, patience: Duration) -> usize {
    let ping = redis::cmd("PING");
    if timeout(patience, connection.call(&ping)).await.is_err() {
        connection.overdue();
    }
    count
}
