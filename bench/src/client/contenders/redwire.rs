use redis::AsyncCommands as _;
use redwire_client::{Config, Event, Redis, Subscriber};

use super::redis_rs;
use crate::Result;
use crate::client::contender::{Client, DEADLINE};
use crate::client::data::Inbox;

#[derive(Clone)]
pub(crate) struct Redwire {
    redis: Redis,
}

impl Client for Redwire {
    type Value = Vec<u8>;
    type Waiter = Redis;
    type Subscription = Subscriber;

    async fn connect(url: &str) -> Result<Self> {
        let config = Config::from_url(url)?.command_timeout(DEADLINE);
        Ok(Self { redis: Redis::connect_with(config).await? })
    }

    async fn get(&mut self, key: &str) -> Result<Vec<u8>> {
        Ok(self.redis.get(key).await?)
    }

    async fn pipeline<'a>(
        &mut self,
        keys: impl Iterator<Item = &'a str> + Send,
    ) -> Result<Vec<Vec<u8>>> {
        redis_rs::pipeline(&mut self.redis, keys).await
    }

    async fn waiter(&self) -> Result<Redis> {
        Ok(self.redis.clone())
    }

    async fn pop(redis: &mut Redis, list: &str) -> Result<Vec<u8>> {
        redis_rs::pop(redis, list).await
    }

    async fn subscribe(&self, channel: &str) -> Result<Subscriber> {
        let subscriber = self.redis.subscriber().await?;
        subscriber.subscribe([channel]).await?;
        Ok(subscriber)
    }

    async fn receive(subscriber: &mut Subscriber, inbox: &mut Inbox) -> Result<()> {
        match subscriber.next().await? {
            Event::Message { payload, .. } => inbox.put(&payload),
            Event::Subscribed { .. } => Ok(()),
            other => Err(format!("{other:?}").into()),
        }
    }
}
