//! Commands of many callers, gathered into few writes.

mod departure;

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex};

use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisResult, ServerErrorKind, Value};
use tokio::sync::{Notify, Semaphore, oneshot};

use super::connection::Connection;
use crate::lock::lock;
pub(super) use departure::run;

/// More than anybody has memory for, and within what tokio counts.
pub(super) const MOST_IN_FLIGHT: usize = 1 << 24;

/// What became of a command that has no reply.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// Not a byte of it was written.
    NotSent,
    /// The connection broke before the reply.
    Lost(Arc<str>),
    /// No reply within the time.
    Timeout(Arc<str>),
    /// Redis refused a transaction as a whole.
    Aborted(Arc<str>, RedisError),
}

pub(super) type Outcome = Result<Value, Failure>;

/// What is sent as one.
#[derive(Clone, Debug)]
pub(super) enum Load {
    /// A command; whether others may share its write, and so wait for its reply.
    One { command: Cmd, fast: bool },
    /// A pipeline, whose replies are an array: so many, after so many others.
    Many { pipeline: Pipeline, skip: usize, count: usize },
}

impl Load {
    fn is_shareable(&self) -> bool {
        matches!(self, Self::One { fast: true, .. })
    }

    /// Sends it alone.
    pub(super) async fn send(&self, connection: &Connection) -> RedisResult<Value> {
        match self {
            Self::One { command, .. } => connection.call(command).await,
            Self::Many { pipeline, skip, count } => {
                connection.call_all(pipeline, *skip, *count).await.map(Value::Array)
            }
        }
    }
}

/// What became of a load that was sent alone.
pub(super) fn outcome(connection: &Connection, reply: RedisResult<Value>) -> Outcome {
    let endpoint = || connection.endpoint().clone();
    reply.map_err(|error| match error.kind() {
        ErrorKind::Server(ServerErrorKind::ExecAbort) => Failure::Aborted(endpoint(), error),
        _ => Failure::Lost(endpoint()),
    })
}

/// A load in the queue.
#[derive(Debug)]
struct Entry {
    number: u64,
    load: Load,
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
    most: usize,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Entry>,
    /// Of the next entry.
    number: u64,
    on_their_way: usize,
    /// On their way, but their callers have gone.
    abandoned: usize,
    closed: bool,
}

impl Gather {
    pub(super) fn new(permits: usize) -> Self {
        let most = permits.clamp(1, MOST_IN_FLIGHT);
        let permits = Semaphore::new(most);
        Self { state: Mutex::default(), ready: Notify::new(), permits, most }
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

    /// Whether a caller with a permit may be the only one who has one.
    pub(super) fn may_be_idle(&self) -> bool {
        self.permits.available_permits() + 1 >= self.most
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

    /// Returns its number, and what will hear of its outcome.
    pub(super) fn push(&self, load: Load, detached: bool) -> (u64, oneshot::Receiver<Outcome>) {
        let (reply, receiver) = oneshot::channel();
        let mut queue = lock(&self.state);
        if queue.closed {
            drop(queue);
            self.release(1);
            let _ = reply.send(Err(Failure::NotSent));
            return (0, receiver);
        }
        let first = queue.waiting.is_empty();
        let number = queue.number;
        queue.number += 1;
        queue.waiting.push_back(Entry { number, load, detached, reply });
        drop(queue);
        if first {
            self.ready.notify_one();
        }
        (number, receiver)
    }

    /// Takes it out of the queue. False if it is on its way, or was.
    pub(super) fn withdraw(&self, number: u64) -> bool {
        let mut queue = lock(&self.state);
        let place = queue.waiting.iter().position(|entry| entry.number == number);
        let withdrawn = place.and_then(|place| queue.waiting.remove(place)).is_some();
        drop(queue);
        if withdrawn {
            self.release(1);
        }
        withdrawn
    }

    fn landed(&self, count: usize) {
        lock(&self.state).on_their_way -= count;
        self.release(count);
    }

    /// Puts all that wait on their way.
    fn take_off(&self, taken: &mut VecDeque<Entry>) {
        let mut queue = lock(&self.state);
        mem::swap(&mut queue.waiting, taken);
        queue.on_their_way += taken.len();
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
