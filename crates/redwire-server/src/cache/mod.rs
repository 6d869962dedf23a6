//! What was read of hashes, as long as Redis has not said that it changed.

mod reads;
mod shelf;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

pub(crate) use reads::Reads;
use shelf::Shelf;

/// How long a value is served without being read anew. Redis says of every change, but not always at
/// once of keys that expire, and never of `SWAPDB`.
const AGE: Duration = Duration::from_secs(5);

/// Values of hashes, bounded in bytes.
///
/// It serves and keeps only while Redis watches over it: on the connections `C` that it was opened on. Who
/// reads leaves a [`Mark`] first. An invalidation takes marks away as it does values, and without its mark
/// a reply is not kept: it may be older than the invalidation.
pub(crate) struct Cache<C>(Mutex<State<C>>);

struct State<C> {
    open_on: Option<C>,
    shelf: Shelf,
}

/// Somebody reads this key, and has since before Redis was told to track it.
pub(crate) struct Mark<C> {
    cache: Arc<Cache<C>>,
    key: Box<str>,
    /// Of the hash in the shelf: one that was dropped and came again has another.
    token: u64,
    begun: Instant,
}

impl<C: Copy + Eq> Cache<C> {
    /// For so many bytes: of keys, fields and values, and of what keeping them takes.
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Mutex::new(State { open_on: None, shelf: Shelf::new(bytes) }))
    }

    /// From now on what is read on these connections may be kept.
    pub(crate) fn open(&self, on: C) {
        let mut state = self.lock();
        state.open_on = Some(on);
        let gone = state.shelf.clear();
        drop(state);
        drop(gone);
    }

    /// Drops everything. Nothing is kept until it is opened again.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.open_on = None;
        let gone = state.shelf.clear();
        drop(state);
        drop(gone);
    }

    /// What was read of this key is no longer true.
    pub(crate) fn invalidate(&self, key: &str) {
        // Whatever it held is freed after the lock.
        let _gone = self.lock().shelf.remove(key);
    }

    /// Nothing that was read is true.
    pub(crate) fn invalidate_all(&self) {
        let _gone = self.lock().shelf.clear();
    }

    /// The field's value, also if there is none. `now` are the connections of the moment.
    pub(crate) fn field(&self, now: C, key: &str, field: &str) -> Option<Option<Bytes>> {
        self.opened_on(now)?.shelf.field(key, field)
    }

    /// All values. They may be many, so the lock is let go before they are copied: whoever reads what
    /// Redis publishes may wait for it.
    pub(crate) fn values(&self, now: C, key: &str) -> Option<Vec<Bytes>> {
        let values = self.opened_on(now)?.shelf.values(key)?;
        Some(Vec::clone(&values))
    }

    /// To be called before Redis is told to track the key, and it is read. None if nothing is kept now.
    pub(crate) fn mark(self: &Arc<Self>, now: C, key: &str) -> Option<Mark<C>> {
        // Before, so that whatever is kept is younger than it seems.
        let begun = Instant::now();
        let token = self.opened_on(now)?.shelf.mark(key);
        Some(Mark { cache: Arc::clone(self), key: key.into(), token, begun })
    }

    fn opened_on(&self, now: C) -> Option<MutexGuard<'_, State<C>>> {
        Some(self.lock()).filter(|state| state.open_on == Some(now))
    }
}

impl<C> Cache<C> {
    fn lock(&self) -> MutexGuard<'_, State<C>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Copy + Eq> Mark<C> {
    /// Whether Redis tracks the key already, since an earlier read.
    pub(crate) fn is_tracked(&self) -> bool {
        self.cache.lock().shelf.is_tracked(&self.key, self.token)
    }

    /// Notes that it does.
    pub(crate) fn set_tracked(&self) {
        self.cache.lock().shelf.set_tracked(&self.key, self.token);
    }

    /// Keeps a field's value, unless the key was invalidated or the connections changed in the meantime.
    pub(crate) fn keep_field(&self, now: C, field: &str, value: Option<Bytes>) {
        if let Some(mut state) = self.cache.opened_on(now) {
            state.shelf.keep_field((&self.key, self.token), field, value, self.begun);
        }
    }

    /// The same of all values.
    pub(crate) fn keep_values(&self, now: C, values: Vec<Bytes>) {
        let values = Arc::new(values);
        if let Some(mut state) = self.cache.opened_on(now) {
            state.shelf.keep_values((&self.key, self.token), values, self.begun);
        }
    }
}

impl<C> Drop for Mark<C> {
    fn drop(&mut self) {
        self.cache.lock().shelf.unmark(&self.key, self.token);
    }
}

impl<C> fmt::Debug for Cache<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("bytes", &self.lock().shelf.bytes()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    /// Opened on connections that are called 1.
    fn cache() -> Arc<Cache<u8>> {
        let cache = Arc::new(Cache::new(1 << 20));
        cache.open(1);
        cache
    }

    fn keep(cache: &Arc<Cache<u8>>, key: &str, field: &str, value: &'static str) {
        cache.mark(1, key).unwrap().keep_field(1, field, Some(value.into()));
    }

    #[test]
    fn what_was_kept_is_served_until_its_key_is_invalidated() {
        let cache = cache();
        keep(&cache, "hash", "one", "1");
        cache.mark(1, "hash").unwrap().keep_field(1, "none", None);
        cache.mark(1, "hash").unwrap().keep_values(1, vec!["1".into()]);
        keep(&cache, "other", "one", "2");
        assert_eq!(cache.field(1, "hash", "one"), Some(Some("1".into())));
        assert_eq!(cache.field(1, "hash", "none"), Some(None), "that there is none is known");
        assert_eq!(cache.values(1, "hash"), Some(vec!["1".into()]));
        assert_eq!(cache.field(1, "hash", "never read"), None);
        cache.invalidate("hash");
        assert_eq!(cache.field(1, "hash", "one"), None);
        assert_eq!(cache.field(1, "hash", "none"), None);
        assert_eq!(cache.values(1, "hash"), None);
        assert_eq!(cache.field(1, "other", "one"), Some(Some("2".into())));
        cache.invalidate_all();
        assert_eq!(cache.field(1, "other", "one"), None);
    }

    #[test]
    fn a_reply_that_an_invalidation_overtook_is_not_kept() {
        let cache = cache();
        let [early, late] = [(); 2].map(|()| cache.mark(1, "hash").unwrap());
        cache.invalidate("hash");
        let again = cache.mark(1, "hash").unwrap();
        early.keep_field(1, "one", Some("old".into()));
        assert_eq!(cache.field(1, "hash", "one"), None);
        again.keep_field(1, "one", Some("new".into()));
        late.keep_field(1, "one", Some("old".into()));
        drop((early, late));
        assert_eq!(cache.field(1, "hash", "one"), Some(Some("new".into())));
        let read = cache.mark(1, "hash").unwrap();
        cache.invalidate_all();
        read.keep_values(1, vec!["old".into()]);
        assert_eq!(cache.values(1, "hash"), None);
    }

    #[test]
    fn other_connections_are_served_nothing_and_keep_nothing() {
        let cache = cache();
        keep(&cache, "hash", "one", "1");
        assert_eq!(cache.field(2, "hash", "one"), None);
        assert!(cache.mark(2, "hash").is_none());
        let read = cache.mark(1, "hash").unwrap();
        read.keep_field(2, "two", Some("2".into()));
        assert_eq!(cache.field(1, "hash", "two"), None, "it came over another connection");
        cache.open(2);
        read.keep_field(2, "one", Some("1".into()));
        assert_eq!(cache.field(2, "hash", "one"), None);
        cache.close();
        assert!(cache.mark(2, "hash").is_none());
    }

    #[test]
    fn a_key_is_tracked_until_it_is_invalidated_or_nothing_of_it_is_kept() {
        let cache = cache();
        let read = cache.mark(1, "hash").unwrap();
        assert!(!read.is_tracked());
        read.set_tracked();
        assert!(cache.mark(1, "hash").unwrap().is_tracked(), "for other fields, too");
        cache.invalidate("hash");
        read.set_tracked();
        assert!(!read.is_tracked() && !cache.mark(1, "hash").unwrap().is_tracked());
        let read = cache.mark(1, "hash").unwrap();
        read.set_tracked();
        drop(read);
        assert!(!cache.mark(1, "hash").unwrap().is_tracked());
    }

    #[test]
    fn who_gives_up_reading_leaves_nothing_behind() {
        let cache = cache();
        drop(cache.mark(1, "hash").unwrap());
        assert!(cache.lock().shelf.is_empty());
        keep(&cache, "hash", "one", "1");
        drop(cache.mark(1, "hash").unwrap());
        assert_eq!(cache.field(1, "hash", "one"), Some(Some("1".into())));
        cache.invalidate("hash");
        assert!(cache.lock().shelf.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_served_beyond_its_age_counted_from_when_it_was_asked_for() {
        let cache = cache();
        let read = cache.mark(1, "hash").unwrap();
        advance(Duration::from_secs(1)).await;
        read.keep_field(1, "one", Some("1".into()));
        read.keep_values(1, vec!["1".into()]);
        advance(AGE - Duration::from_millis(1001)).await;
        assert!(cache.field(1, "hash", "one").is_some() && cache.values(1, "hash").is_some());
        advance(Duration::from_millis(1)).await;
        assert!(cache.field(1, "hash", "one").is_none() && cache.values(1, "hash").is_none());
        drop(read);
        keep(&cache, "other", "one", "1");
        cache.invalidate("other");
        assert!(cache.lock().shelf.is_empty(), "what is too old goes when something is kept");
    }
}
