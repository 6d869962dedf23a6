use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use redwire_client::{Connections, Error, Invalidated, Link, Outcome, Tracking};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Cache, Mark};

/// Reads of hashes, of which a cache keeps what Redis watches over.
#[derive(Debug)]
pub(crate) struct Reads {
    link: Link,
    tracking: Tracking,
    cache: Arc<Cache<Connections>>,
    _ends_the_arming: DropGuard,
}

impl Reads {
    /// Reads over one link and hears of changes over the one that brings what is published. Keeps so many
    /// bytes.
    pub(crate) fn new(link: Link, hears: Link, bytes: usize) -> Self {
        let cache = Arc::new(Cache::new(bytes));
        let heard = Arc::clone(&cache);
        let tracking = Tracking::new(link.clone(), hears, move |what| match what {
            // The keys that are read here are texts.
            Invalidated::Key(key) => {
                if let Ok(key) = str::from_utf8(key) {
                    heard.invalidate(key);
                }
            }
            Invalidated::All => heard.invalidate_all(),
        });
        let ending = CancellationToken::new();
        let arming = keep_armed(tracking.clone(), Arc::clone(&cache));
        tokio::spawn(ending.clone().run_until_cancelled_owned(arming));
        Self { link, tracking, cache, _ends_the_arming: ending.drop_guard() }
    }

    /// The field's value, if it is kept.
    pub(crate) fn kept_field(&self, key: &str, field: &str) -> Option<Option<Bytes>> {
        self.cache.field(self.tracking.connections()?, key, field)
    }

    /// All values, if they are kept.
    pub(crate) fn kept_values(&self, key: &str) -> Option<Vec<Bytes>> {
        self.cache.values(self.tracking.connections()?, key)
    }

    /// Reads the field, unless somebody else has just done so: unlike a read that is on its way, what is
    /// kept is not older than any subscription that stands.
    pub(crate) async fn hget(&self, key: &str, field: &str) -> Result<Option<Bytes>, Error> {
        if let Some(value) = self.kept_field(key, field) {
            return Ok(value);
        }
        let mark = self.tracked(key).await;
        let value = self.link.hget(key, field).await?;
        if let (Some(mark), Some(now)) = (mark, self.tracking.connections()) {
            mark.keep_field(now, field, value.clone());
        }
        Ok(value)
    }

    /// The same of all values.
    pub(crate) async fn hvals(&self, key: &str) -> Result<Vec<Bytes>, Error> {
        if let Some(values) = self.kept_values(key) {
            return Ok(values);
        }
        let mark = self.tracked(key).await;
        let values = self.link.hvals(key).await?;
        if let (Some(mark), Some(now)) = (mark, self.tracking.connections()) {
            mark.keep_values(now, values.clone());
        }
        Ok(values)
    }

    /// With the mark, what is read from now on may be kept.
    async fn tracked(&self, key: &str) -> Option<Mark<Connections>> {
        let mark = self.cache.mark(self.tracking.connections()?, key)?;
        if !mark.is_tracked() {
            timeout(PATIENCE, self.tracking.track(key)).await.ok()?.ok()?;
            mark.set_tracked();
        }
        Some(mark)
    }
}

/// How long a read waits for Redis to track the key: if one connection hangs, there is still the other.
const PATIENCE: Duration = Duration::from_millis(250);

/// Between attempts that failed although nobody refused anything for good: Redis was too slow or not
/// ready, or too much was on its way.
const PAUSE: Duration = Duration::from_secs(1);

/// Opens the cache whenever Redis tracks what is read, and closes it when that ends.
async fn keep_armed(tracking: Tracking, cache: Arc<Cache<Connections>>) {
    let mut is_told = false;
    loop {
        let connections = tracking.connected().await;
        match tracking.arm(connections).await {
            Ok(()) => {
                cache.open(connections);
                is_told = false;
                tracing::debug!("redis tracks what is read");
            }
            Err(error) if is_final(&error) && is_told => {
                tracing::debug!(%error, "reads are still not cached");
            }
            Err(error) if is_final(&error) => {
                tracing::warn!(%error, "reads are not cached");
                is_told = true;
            }
            Err(error) => {
                tracing::debug!(%error, "reads are not cached yet");
                let _ = timeout(PAUSE, tracking.parted(connections)).await;
                continue;
            }
        }
        tracking.parted(connections).await;
        cache.close();
    }
}

/// What Redis says to reads that it will answer soon: while it loads what it had saved or runs a script,
/// and as a replica until it has its master's data.
const NOT_YET: [&str; 3] = ["BUSY", "LOADING", "MASTERDOWN"];

/// Whether there is no use in trying again on the same connections.
fn is_final(error: &Error) -> bool {
    match error {
        Error::Server { code, .. } => !NOT_YET.contains(&code.as_str()),
        Error::Invalid { .. } => true,
        _ => error.outcome() == Outcome::Answered,
    }
}
