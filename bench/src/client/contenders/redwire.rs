use redis::AsyncCommands as _;
use redwire_client::{Config, Feed, Link, LinkEvent, Redis};

use super::redis_rs;
use crate::Result;
use crate::client::contender::{Client, DEADLINE};
use crate::client::data::Inbox;

#[derive(Clone)]
pub(crate) struct Redwire {
    redis: Redis,
    url: String,
}

impl Client for Redwire {
    type Value = Vec<u8>;
    type Waiter = Redis;
    type Subscription = Subscription;

    async fn connect(url: &str) -> Result<Self> {
        let config = Config::from_url(url)?.command_timeout(DEADLINE);
        Ok(Self { redis: Redis::connect_with(config).await?, url: url.to_owned() })
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

    async fn subscribe(&self, channel: &str) -> Result<Subscription> {
        let link = Link::connect(&self.url).await?;
        let feed = link.feed();
        link.subscribe(channel);
        Ok(Subscription { feed, events: Vec::new(), _link: link })
    }

    async fn receive(subscription: &mut Subscription, inbox: &mut Inbox) -> Result<()> {
        if !subscription.feed.recv(&mut subscription.events).await {
            return Err("the link ended".into());
        }
        subscription.events.drain(..).try_for_each(|event| match event {
            LinkEvent::Message { payload, .. } => inbox.put(&payload),
            other => Err(format!("{other:?}").into()),
        })
    }
}

pub(crate) struct Subscription {
    feed: Feed,
    events: Vec<LinkEvent>,
    _link: Link,
}
