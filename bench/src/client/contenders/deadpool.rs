use deadpool_redis::{Manager, Pool, Runtime};
use futures_util::StreamExt as _;
use redis::aio::PubSubStream;
use redis::{AsyncCommands as _, AsyncConnectionConfig};

use super::redis_rs;
use crate::Result;
use crate::client::contender::{Client, DEADLINE};
use crate::client::data::{Inbox, LISTS};

/// Connections for `GET`s. Its default, twice the number of cores, would be fewer than ask.
const CONNECTIONS: usize = 16;

/// A connection from the pool for each command.
#[derive(Clone)]
pub(crate) struct Pooled {
    pool: Pool,
    /// Another pool for commands that block: they need connections without a deadline.
    waiting: Pool,
    client: redis::Client,
}

impl Client for Pooled {
    type Value = Vec<u8>;
    type Waiter = Pool;
    /// The pool's connections cannot subscribe: this is redis-rs' own way in RESP2.
    type Subscription = PubSubStream;

    async fn connect(url: &str) -> Result<Self> {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(DEADLINE));
        let patient = AsyncConnectionConfig::new().set_response_timeout(None);
        Ok(Self {
            pool: pool(Manager::new_with_config(url, config)?, CONNECTIONS)?,
            waiting: pool(Manager::new_with_config(url, patient)?, LISTS.len())?,
            client: redis::Client::open(url)?,
        })
    }

    async fn get(&mut self, key: &str) -> Result<Vec<u8>> {
        Ok(self.pool.get().await?.get(key).await?)
    }

    async fn pipeline<'a>(
        &mut self,
        keys: impl Iterator<Item = &'a str> + Send,
    ) -> Result<Vec<Vec<u8>>> {
        redis_rs::pipeline(&mut self.pool.get().await?, keys).await
    }

    async fn waiter(&self) -> Result<Pool> {
        Ok(self.waiting.clone())
    }

    async fn pop(waiting: &mut Pool, list: &str) -> Result<Vec<u8>> {
        redis_rs::pop(&mut waiting.get().await?, list).await
    }

    async fn subscribe(&self, channel: &str) -> Result<PubSubStream> {
        let mut messages = self.client.get_async_pubsub().await?;
        messages.subscribe(channel).await?;
        Ok(messages.into_on_message())
    }

    async fn receive(messages: &mut PubSubStream, inbox: &mut Inbox) -> Result<()> {
        let message = messages.next().await.ok_or("the connection ended")?;
        inbox.put(message.get_payload_bytes())
    }
}

fn pool(manager: Manager, size: usize) -> Result<Pool> {
    Ok(Pool::builder(manager).max_size(size).runtime(Runtime::Tokio1).build()?)
}
