use std::time::{SystemTime, UNIX_EPOCH};

/// The wall clock in milliseconds since the epoch, for envelopes. Deadlines use the monotonic clock.
pub(crate) fn now() -> u64 {
    since_epoch(SystemTime::now())
}

pub(crate) fn since_epoch(time: SystemTime) -> u64 {
    let elapsed = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}
