use std::future::Future;
use std::time::Duration;

/// How long anything in this crate waits before it panics: ten seconds.
///
/// Long enough for a loaded CI machine, because a test that passes never waits for it.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Waits until `condition` holds, asking every few milliseconds.
///
/// # Panics
///
/// If it does not hold within [`PATIENCE`]; the message names `awaited`.
pub async fn eventually(awaited: &str, mut condition: impl AsyncFnMut() -> bool) {
    within(awaited, async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// The result of `future`, or a panic which says what did not happen.
pub(crate) async fn within<T>(awaited: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {PATIENCE:?} for {awaited}, in vain"),
    }
}
