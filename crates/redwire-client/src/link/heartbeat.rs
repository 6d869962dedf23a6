use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::connection::Connection;

/// Unanswered pings until a connection is given up.
const MISSES: u32 = 2;

/// Below this an interval of zero would be a busy loop.
const SHORTEST: Duration = Duration::from_millis(1);

/// Returns when Redis has been silent for the interval and then did not answer two pings.
///
/// Anything heard counts as an answer: behind a long reply a ping waits although Redis is well. An
/// error that ends the connection is not noticed here but by `Connection::closed`.
pub(super) async fn until_silent(connection: &Connection, interval: Duration) {
    let interval = interval.max(SHORTEST);
    let mut misses = 0;
    while misses < MISSES {
        match interval.checked_sub(connection.pulse().silence()) {
            Some(rest) if misses == 0 => sleep(rest.max(SHORTEST)).await,
            _ if is_answered(connection, interval).await => misses = 0,
            _ => misses += 1,
        }
    }
}

async fn is_answered(connection: &Connection, deadline: Duration) -> bool {
    let ping = redis::cmd("PING");
    match timeout(deadline, connection.call(&ping)).await {
        Ok(reply) => !reply.is_err_and(|error| error.is_io_error()),
        Err(_) => connection.pulse().silence() < deadline,
    }
}
