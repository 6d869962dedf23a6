use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use redis::{RedisResult, Value};
use tokio::time::timeout;

use super::connection::Connection;
use super::names::Batch;
use super::shared::Shared;
use crate::lock::lock;
use crate::topic::TopicKind;

/// Names in one command: large enough that 10,000 take twenty round trips, small enough that
/// replies in between do not wait.
const BATCH: usize = 512;

/// What a node says that does not serve the slot of a sharded channel.
const ELSEWHERE: [&str; 4] = ["ASK", "CLUSTERDOWN", "MOVED", "TRYAGAIN"];

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
    let Some((kind, Batch { join, leave })) = lock(&shared.table).next_batch(BATCH) else {
        return Ok(false);
    };
    match kind {
        _ if join.is_empty() => {}
        TopicKind::Sharded => subscribe_sharded(shared, connection, &join).await?,
        _ => subscribe(shared, connection, kind, join).await?,
    }
    match kind {
        _ if leave.is_empty() => return Ok(true),
        TopicKind::Sharded => connection.unsubscribe_sharded(&leave).await?,
        _ => connection.unsubscribe(kind, &leave).await?,
    }
    lock(&shared.table).left(kind, &leave);
    Ok(true)
}

/// Subscribes to all that the user may read. Redis refuses a whole command for one forbidden name, so a
/// refused command is halved until that name is alone. What is confirmed, the listener has heard.
async fn subscribe(
    shared: &Shared,
    connection: &Connection,
    kind: TopicKind,
    names: Vec<Arc<str>>,
) -> RedisResult<()> {
    let mut parts = vec![names];
    while let Some(mut part) = parts.pop() {
        match (connection.subscribe(kind, &part).await, part.as_slice()) {
            (Ok(()), _) => {}
            (Err(error), _) if error.code() != Some("NOPERM") => return Err(error),
            (Err(_), [name]) => refused(shared, kind, name, "NOPERM"),
            (Err(_), _) => {
                let half = part.split_off(part.len() / 2);
                parts.extend([part, half]);
            }
        }
    }
    Ok(())
}

async fn subscribe_sharded(
    shared: &Shared,
    connection: &Connection,
    names: &[Arc<str>],
) -> RedisResult<()> {
    let replies = connection.subscribe_sharded(names).await?;
    for (name, reply) in names.iter().zip(replies) {
        match reply {
            Value::ServerError(error) if ELSEWHERE.contains(&error.code()) => shared.moved(name),
            Value::ServerError(error) => refused(shared, TopicKind::Sharded, name, error.code()),
            _ => {}
        }
    }
    Ok(())
}

fn refused(shared: &Shared, kind: TopicKind, name: &str, code: &str) {
    tracing::warn!(endpoint = %shared.endpoint, code, "redis refused a subscription");
    shared.counters.refused.fetch_add(1, Ordering::Relaxed);
    shared.refused(kind, name);
}
