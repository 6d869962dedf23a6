use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use redis::RedisResult;
use tokio::time::timeout;

use super::connection::Connection;
use super::shared::Shared;
use crate::lock::lock;

/// Channels in one command: large enough that 10,000 take twenty round trips, small enough that
/// replies in between do not wait.
const BATCH: usize = 512;

/// Subscribes to all that is wanted; each batch has this much time. Returns how many commands it took.
pub(super) async fn restore(
    shared: &Shared,
    connection: &Connection,
    deadline: Duration,
) -> RedisResult<usize> {
    let mut batches = 0;
    while timeout(deadline, settle_batch(shared, connection)).await.map_err(io::Error::from)?? {
        batches += 1;
    }
    Ok(batches)
}

/// Keeps subscriptions as they are wanted, until the connection fails.
pub(super) async fn keep(shared: &Shared, connection: &Connection) -> redis::RedisError {
    loop {
        match settle_batch(shared, connection).await {
            Ok(true) => {}
            Ok(false) => shared.unsettled.notified().await,
            Err(error) => return error,
        }
    }
}

/// Sends the next batch and waits until it is confirmed; false if there was nothing to do.
async fn settle_batch(shared: &Shared, connection: &Connection) -> RedisResult<bool> {
    let batch = lock(&shared.table).next_batch(BATCH);
    if batch.is_empty() {
        return Ok(false);
    }
    if !batch.join.is_empty() {
        join(shared, connection, batch.join).await?;
    }
    if !batch.leave.is_empty() {
        connection.unsubscribe(&batch.leave).await?;
        lock(&shared.table).left(&batch.leave);
    }
    Ok(true)
}

/// Subscribes to all that the user may read. Redis refuses a whole command for one forbidden channel,
/// so a refused command is halved until that channel is alone.
async fn join(
    shared: &Shared,
    connection: &Connection,
    channels: Vec<Arc<str>>,
) -> RedisResult<()> {
    let mut parts = vec![channels];
    while let Some(mut part) = parts.pop() {
        match connection.subscribe(&part).await {
            Ok(()) => lock(&shared.table).joined(&part),
            Err(error) if error.code() != Some("NOPERM") => return Err(error),
            Err(_) if part.len() == 1 => {
                tracing::warn!(endpoint = %shared.endpoint(), "redis refused a subscription (NOPERM)");
                shared.counters.refused.fetch_add(1, Ordering::Relaxed);
                lock(&shared.table).refused(&part);
            }
            Err(_) => {
                let half = part.split_off(part.len() / 2);
                parts.extend([part, half]);
            }
        }
    }
    Ok(())
}
