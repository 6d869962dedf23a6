use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Whether replies are in step with requests.
///
/// Redis 7 sends `sunsubscribe` by itself when a sharded channel's slot leaves the node. It looks like
/// a reply, and redis-rs 1.8.1 (`multiplexed_connection.rs`, `send_result`) takes it for the reply to
/// the oldest request in flight: every later one then gets its predecessor's. So such a push ends the
/// connection, unless nothing was in flight; and while we leave sharded channels ourselves, when it
/// cannot be told from the answer, all replies are held back until it is known that none was shifted.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// Requests that may be in flight. One whose caller gave up counts for ever: redis-rs does not say
    /// when its reply came.
    unanswered: AtomicUsize,
    held: AtomicBool,
    /// Pushes since `held` that may be the answers to ours.
    farewells: AtomicUsize,
    lost: AtomicBool,
    released: Notify,
}

impl Step {
    pub(super) fn sent(&self) {
        self.unanswered.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn answered(&self) {
        self.unanswered.fetch_sub(1, Ordering::Relaxed);
    }

    /// A push that looks like a reply came unasked. Whether a request has taken it for its own.
    pub(super) fn intruded(&self) -> bool {
        let is_lost = self.unanswered.load(Ordering::Relaxed) > 0;
        if is_lost {
            self.lost.store(true, Ordering::Release);
        }
        is_lost
    }

    /// Replies are held back from now on.
    pub(super) fn hold(&self) {
        self.farewells.store(0, Ordering::Relaxed);
        self.held.store(true, Ordering::Release);
    }

    /// A push came that may be the answer to ours.
    pub(super) fn said_farewell(&self) {
        self.farewells.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn farewells(&self) -> usize {
        self.farewells.load(Ordering::Relaxed)
    }

    pub(super) fn is_held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    /// All replies up to now were in step.
    pub(super) fn release(&self) {
        self.held.store(false, Ordering::Release);
        self.released.notify_waiters();
    }

    /// Returns when it is known that a reply which has just come was in step; never if it was not.
    pub(super) async fn verified(&self) {
        while self.is_held() || self.lost.load(Ordering::Acquire) {
            let released = self.released.notified();
            if self.is_held() || self.lost.load(Ordering::Acquire) {
                released.await;
            }
        }
    }
}
