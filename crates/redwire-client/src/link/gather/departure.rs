//! The task that sends what is queued.

use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use redis::Pipeline;
use tokio::task::{coop, yield_now};
use tokio::time::timeout;

use super::{Entry, Failure, Gather, Load, outcome};
use crate::link::connection::Connection;
use crate::link::shared::Shared;
use crate::link::state::State;
use crate::lock::lock;

/// Commands in one write: beyond this a larger batch gains nothing, and its first reply waits longer.
const BATCH: usize = 256;

/// Sends what is queued, until the link ends.
pub(in crate::link) async fn run(shared: Arc<Shared>) {
    let gather = &shared.gather;
    let mut state = shared.state.subscribe();
    // Redis answers in order, so they land in order.
    let mut flights = VecDeque::new();
    let mut taken = VecDeque::new();
    let sending = async {
        let mut ready = pin!(gather.ready.notified());
        let mut is_due = false;
        loop {
            tokio::select! {
                biased;
                count = first_landed(&mut flights) => {
                    flights.pop_front();
                    gather.landed(count);
                    continue;
                }
                () = ready.as_mut(), if !is_due => {
                    ready.set(gather.ready.notified());
                    is_due = true;
                    // Whoever was woken together with the first caller is heard, too.
                    yield_now().await;
                }
                // The sender is in `shared`.
                _ = state.changed(), if is_due => {}
            }
            let now = state.borrow_and_update().clone();
            let connection = match now {
                State::Live(connection) if !connection.is_dead() => connection,
                State::Live(_) | State::Connecting => continue,
                State::Down(_) | State::Closed => {
                    is_due = false;
                    refuse(gather);
                    continue;
                }
            };
            is_due = false;
            let patience = shared.config.command_timeout;
            let abandoned = gather.take_abandoned();
            if abandoned > 0 {
                let flight = departed(fence(connection.clone(), abandoned, patience)).await;
                flights.push_back(flight);
            }
            gather.take_off(&mut taken);
            while let Some(batch) = next_batch(&mut taken) {
                let flight = departed(fly(connection.clone(), batch, patience)).await;
                flights.push_back(flight);
            }
        }
    };
    shared.closing.run_until_cancelled(sending).await;
    lock(&gather.state).closed = true;
    refuse(gather);
}

async fn first_landed(flights: &mut VecDeque<Flight>) -> usize {
    match flights.front_mut() {
        Some(flight) => flight.await,
        None => pending().await,
    }
}

/// The next commands that go out in one write.
fn next_batch(waiting: &mut VecDeque<Entry>) -> Option<Vec<Entry>> {
    let is_shareable = |entry: &Entry| entry.load.is_shareable();
    let shareable = waiting.iter().take(BATCH).take_while(|entry| is_shareable(entry)).count();
    let count = shareable.max(1).min(waiting.len());
    (count > 0).then(|| waiting.drain(..count).collect())
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

/// Sends a batch and hands out the replies. Returns how many loads are no longer on their way.
async fn fly(connection: Connection, mut batch: Vec<Entry>, patience: Duration) -> usize {
    let count = batch.len();
    batch.retain(|entry| entry.detached || !entry.reply.is_closed());
    match <[Entry; 1]>::try_from(batch) {
        Ok([Entry { load, reply: caller, .. }]) => {
            let sent = timeout(patience, load.send(&connection)).await;
            let reply = sent.map(|reply| outcome(&connection, reply));
            // A caller that has gone away needs no reply.
            let _ = caller.send(reply.unwrap_or_else(|_| Err(late(&connection))));
        }
        Err(batch) => fly_together(&connection, batch, patience).await,
    }
    count
}

async fn fly_together(connection: &Connection, batch: Vec<Entry>, patience: Duration) {
    let mut commands = Pipeline::with_capacity(batch.len());
    let mut callers = Vec::with_capacity(batch.len());
    for entry in batch {
        if let Load::One { command, .. } = entry.load {
            commands.add_command(command);
            callers.push(entry.reply);
        }
    }
    if callers.is_empty() {
        return;
    }
    let failure = match timeout(patience, connection.call_all(&commands, 0, callers.len())).await {
        Ok(Ok(replies)) if replies.len() == callers.len() => {
            for (caller, reply) in callers.into_iter().zip(replies) {
                let _ = caller.send(Ok(reply));
            }
            return;
        }
        Ok(_) => Failure::Lost(connection.endpoint().clone()),
        Err(_) => late(connection),
    };
    for caller in callers {
        let _ = caller.send(Err(failure.clone()));
    }
}

fn late(connection: &Connection) -> Failure {
    connection.overdue();
    Failure::Timeout(connection.endpoint().clone())
}

/// Returns when all that was sent before has been answered: Redis answers in order.
async fn fence(connection: Connection, count: usize, patience: Duration) -> usize {
    let ping = redis::cmd("PING");
    if timeout(patience, connection.call(&ping)).await.is_err() {
        connection.overdue();
    }
    count
}
