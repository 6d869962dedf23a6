//! A thousand viewers, who do the same thing at the same time.

use tokio::task::JoinSet;

pub(crate) const VIEWERS: usize = 1_000;

/// Fails early, and says why, where the process may not open two sockets for each viewer.
pub(crate) fn check_file_limit() {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    let files = soft.unwrap_or(usize::MAX);
    assert!(files >= 3 * VIEWERS, "{files} files are too few for this test: ulimit -n 4096");
}

/// Runs `visit` for each viewer, all at the same time, and returns what they made, in order.
pub(crate) async fn all<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    visit: impl Fn(usize) -> F,
) -> Vec<T> {
    let mut visits = JoinSet::new();
    for viewer in 0..VIEWERS {
        let visit = visit(viewer);
        visits.spawn(async move { (viewer, visit.await) });
    }
    let mut made = visits.join_all().await;
    made.sort_unstable_by_key(|(viewer, _)| *viewer);
    made.into_iter().map(|(_, made)| made).collect()
}
