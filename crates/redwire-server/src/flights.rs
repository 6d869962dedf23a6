use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::Hash;
use std::mem::take;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Reads of the same by many at once, as few: one is on its way, and all who ask meanwhile share the
/// next one. So nobody gets what was read before it asked, which may be older than what it has
/// subscribed to.
pub(crate) struct Flights<K, V>(Arc<Shared<K, V>>);

struct Shared<K, V> {
    read: Box<dyn Fn(K) -> BoxFuture<'static, V> + Send + Sync>,
    /// For each read on its way, those who wait for the next one.
    aloft: Mutex<HashMap<K, Vec<oneshot::Sender<V>>>>,
}

/// A read on its way; others follow when it is over, or given up.
struct Flight<K: Clone + Eq + Hash + Send + 'static, V: Clone + Send + 'static> {
    shared: Arc<Shared<K, V>>,
    key: K,
}

impl<K: Clone + Eq + Hash + Send + 'static, V: Clone + Send + 'static> Flights<K, V> {
    pub(crate) fn new(read: impl Fn(K) -> BoxFuture<'static, V> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Shared { read: Box::new(read), aloft: Mutex::default() }))
    }

    /// What a read of `key` finds that begins from now on.
    pub(crate) async fn join(&self, key: K) -> V {
        let next = match self.0.aloft().entry(key.clone()) {
            Entry::Vacant(nobody) => {
                nobody.insert(Vec::new());
                None
            }
            Entry::Occupied(mut waiting) => {
                let (sender, receiver) = oneshot::channel();
                waiting.get_mut().push(sender);
                Some(receiver)
            }
        };
        if let Some(next) = next
            && let Ok(value) = next.await
        {
            return value;
        }
        let flight = Flight { shared: Arc::clone(&self.0), key };
        (flight.shared.read)(flight.key.clone()).await
    }
}

impl<K: Eq + Hash, V> Shared<K, V> {
    /// Those who wait for the next read; if nobody does, there is none.
    fn board(&self, key: &K) -> Option<Vec<oneshot::Sender<V>>> {
        let mut aloft = self.aloft();
        let waiting = take(aloft.get_mut(key)?);
        if waiting.is_empty() {
            aloft.remove(key);
            return None;
        }
        Some(waiting)
    }

    fn aloft(&self) -> MutexGuard<'_, HashMap<K, Vec<oneshot::Sender<V>>>> {
        self.aloft.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads for those who wait. If it fails to, they read for themselves.
async fn follow<K: Clone + Eq + Hash + Send, V: Clone + Send>(
    flight: Flight<K, V>,
    waiting: Vec<oneshot::Sender<V>>,
) {
    let value = (flight.shared.read)(flight.key.clone()).await;
    for asker in waiting {
        // Who has gone needs no answer.
        let _ = asker.send(value.clone());
    }
}

impl<K: Clone + Eq + Hash + Send + 'static, V: Clone + Send + 'static> Drop for Flight<K, V> {
    fn drop(&mut self) {
        let Some(waiting) = self.shared.board(&self.key) else { return };
        match Handle::try_current() {
            Ok(runtime) => {
                let next = Self { shared: Arc::clone(&self.shared), key: self.key.clone() };
                runtime.spawn(follow(next, waiting));
            }
            // Those who wait then read for themselves.
            Err(_) => drop(self.shared.aloft().remove(&self.key)),
        }
    }
}

impl<K, V> Clone for Flights<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, V> fmt::Debug for Flights<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flights").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::FutureExt;
    use futures_util::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    /// Reads that return their number when they are let go.
    fn counted(gate: &Arc<Semaphore>) -> Flights<&'static str, u32> {
        let (gate, reads) = (Arc::clone(gate), Arc::new(AtomicU32::new(0)));
        Flights::new(move |_| {
            let (gate, reads) = (Arc::clone(&gate), Arc::clone(&reads));
            async move {
                let number = reads.fetch_add(1, Ordering::Relaxed);
                gate.acquire().await.unwrap().forget();
                number
            }
            .boxed()
        })
    }

    /// Asks, and has no answer yet.
    fn begun<F: Future>(asking: F) -> Pin<Box<F>> {
        let mut asking = Box::pin(asking);
        assert!(asking.as_mut().now_or_never().is_none());
        asking
    }

    #[tokio::test]
    async fn who_asks_while_a_read_is_on_its_way_gets_the_next_one() {
        let gate = Arc::new(Semaphore::new(0));
        let flights = counted(&gate);
        let first = begun(flights.join("key"));
        let others = begun(join_all((0..100).map(|_| flights.join("key"))));
        gate.add_permits(2);
        assert_eq!(first.await, 0);
        assert_eq!(others.await, [1; 100]);
        gate.add_permits(1);
        assert_eq!(flights.join("key").await, 2, "nothing is kept");
        assert!(flights.0.aloft().is_empty());
    }

    #[tokio::test]
    async fn who_gives_up_leaves_the_others_their_read() {
        let gate = Arc::new(Semaphore::new(0));
        let flights = counted(&gate);
        let first = begun(flights.join("key"));
        let second = begun(flights.join("key"));
        drop(first);
        gate.add_permits(1);
        assert_eq!(second.await, 1);
    }

    #[tokio::test]
    async fn reads_of_other_keys_do_not_wait() {
        let gate = Arc::new(Semaphore::new(0));
        let flights = counted(&gate);
        let first = begun(flights.join("one"));
        // One for each, though the first read is not looked after meanwhile.
        gate.add_permits(2);
        assert_eq!(flights.join("two").await, 1);
        assert_eq!(first.await, 0);
    }

    #[tokio::test]
    async fn who_waits_for_a_read_that_fails_reads_for_itself() {
        let (gate, reads) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicU32::new(0)));
        let opened = Arc::clone(&gate);
        let flights = Flights::new(move |_: &str| {
            let (gate, number) = (Arc::clone(&gate), reads.fetch_add(1, Ordering::Relaxed));
            async move {
                gate.acquire().await.unwrap().forget();
                assert_ne!(number, 1, "the second one fails");
                number
            }
            .boxed()
        });
        let first = begun(flights.join("key"));
        let second = begun(flights.join("key"));
        opened.add_permits(3);
        assert_eq!(first.await, 0);
        assert_eq!(second.await, 2);
        assert!(flights.0.aloft().is_empty());
    }
}
