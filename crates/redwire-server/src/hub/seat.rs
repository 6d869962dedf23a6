use std::sync::Arc;

use bytes::Bytes;
use redwire_protocol::{Backend, BackendError, Feed, async_trait};

use super::{Hub, Member};

/// One session's backend: the real one, where a subscription also takes its place in the hub.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) hub: Arc<Hub>,
    pub(crate) member: Arc<Member>,
}

#[async_trait]
impl Backend for Seat {
    async fn hget(&self, key: &str, field: &str) -> Result<Option<Bytes>, BackendError> {
        self.hub.backend().hget(key, field).await
    }
    async fn hvals(&self, key: &str) -> Result<Vec<Bytes>, BackendError> {
        self.hub.backend().hvals(key).await
    }
    fn subscribe(&self, channel: &str) {
        self.hub.join(channel, &self.member);
    }
    fn unsubscribe(&self, channel: &str) {
        self.hub.leave(channel, &self.member);
    }
    fn retain(&self, channel: &str) {
        self.hub.backend().retain(channel);
    }
    async fn confirmed(&self, channel: &str) -> Result<(), BackendError> {
        self.hub.backend().confirmed(channel).await
    }
    fn feed(&self) -> Box<dyn Feed> {
        self.hub.backend().feed()
    }
    fn is_live(&self) -> bool {
        self.hub.backend().is_live()
    }
}
