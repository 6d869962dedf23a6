//! A backend in the test's own memory: it counts subscriptions, and fails or stalls when told to.

#![allow(dead_code, reason = "no suite needs all of it")]

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use redwire_protocol::{Backend, BackendError, Event, Feed, HandlerBase, async_trait};

/// Channels and keys are visible that do not start with `secret`.
#[derive(Clone, Debug)]
pub(crate) struct Public;

impl HandlerBase for Public {
    fn channel_is_allowed(&self, channel: &str) -> bool {
        !channel.starts_with("secret")
    }
}

/// Clones share their data.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory(Arc<Mutex<Data>>);

#[derive(Debug, Default)]
struct Data {
    hashes: BTreeMap<String, BTreeMap<String, Bytes>>,
    subscriptions: BTreeMap<String, i64>,
    error: Option<BackendError>,
    stalls: bool,
}

impl Memory {
    pub(crate) fn with(self, key: &str, field: &str, value: &'static str) -> Self {
        let mut data = self.data();
        data.hashes.entry(key.into()).or_default().insert(field.into(), value.into());
        drop(data);
        self
    }

    /// From now on every read fails.
    pub(crate) fn fail(&self, error: BackendError) {
        self.data().error = Some(error);
    }

    /// From now on nothing that waits for this backend comes to an end.
    pub(crate) fn stall(&self) {
        self.data().stalls = true;
    }

    /// The channels with subscribers, and how many they have.
    pub(crate) fn subscriptions(&self) -> Vec<(String, i64)> {
        let data = self.data();
        let counts = data.subscriptions.iter().filter(|(_, count)| **count != 0);
        counts.map(|(channel, count)| (channel.clone(), *count)).collect()
    }

    fn data(&self) -> MutexGuard<'_, Data> {
        self.0.lock().expect("no test panics while it holds this")
    }

    async fn answer<T>(&self, read: impl FnOnce(&Data) -> T + Send) -> Result<T, BackendError> {
        if self.data().stalls {
            pending::<()>().await;
        }
        let data = self.data();
        data.error.map_or_else(|| Ok(read(&data)), Err)
    }
}

#[async_trait]
impl Backend for Memory {
    async fn hget(&self, key: &str, field: &str) -> Result<Option<Bytes>, BackendError> {
        self.answer(|data| data.hashes.get(key)?.get(field).cloned()).await
    }
    async fn hvals(&self, key: &str) -> Result<Vec<Bytes>, BackendError> {
        let values =
            |data: &Data| data.hashes.get(key).map(|hash| hash.values().cloned().collect());
        self.answer(|data| values(data).unwrap_or_default()).await
    }
    fn subscribe(&self, channel: &str) {
        *self.data().subscriptions.entry(channel.into()).or_default() += 1;
    }
    fn unsubscribe(&self, channel: &str) {
        *self.data().subscriptions.entry(channel.into()).or_default() -= 1;
    }
    async fn confirmed(&self, _: &str) -> Result<(), BackendError> {
        // A subscription that cannot be confirmed is no error.
        let _ = self.answer(|_| ()).await;
        Ok(())
    }
    fn feed(&self) -> Box<dyn Feed> {
        Box::new(Silence)
    }
    fn is_live(&self) -> bool {
        true
    }
}

struct Silence;

#[async_trait]
impl Feed for Silence {
    async fn recv(&mut self, _: &mut Vec<Event>) -> bool {
        false
    }
}
