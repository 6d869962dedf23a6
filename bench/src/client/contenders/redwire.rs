use std::ops::Deref;

use futures_util::future::try_join_all;
use redis::Value;
use redis::aio::MultiplexedConnection;
use redwire_client::{Feed, Link, LinkEvent};

use super::redis_rs;
use crate::Result;
use crate::client::contender::Client;
use crate::client::data::Inbox;

#[derive(Clone)]
pub(crate) struct Redwire {
    link: Link,
    url: String,
}

/// What a link answers, once it is known to be bytes.
pub(crate) struct Answer(Vec<u8>);

impl Deref for Answer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Client for Redwire {
    type Value = Answer;
    type Waiter = MultiplexedConnection;
    type Subscription = (Feed, Vec<LinkEvent>, Link);

    async fn connect(url: &str) -> Result<Self> {
        Ok(Self { link: Link::connect(url).await?, url: url.to_owned() })
    }

    async fn get(&mut self, key: &str) -> Result<Answer> {
        get(&self.link, key).await
    }

    async fn pipeline<'a>(
        &mut self,
        keys: impl Iterator<Item = &'a str> + Send,
    ) -> Result<Vec<Answer>> {
        try_join_all(keys.map(|key| get(&self.link, key))).await
    }

    async fn waiter(&self) -> Result<MultiplexedConnection> {
        let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
        let client = redis::Client::open(self.url.as_str())?;
        Ok(client.get_multiplexed_async_connection_with_config(&config).await?)
    }

    async fn pop(waiter: &mut MultiplexedConnection, list: &str) -> Result<Answer> {
        redis_rs::pop(waiter, list).await.map(Answer)
    }

    async fn subscribe(&self, channel: &str) -> Result<Self::Subscription> {
        let link = Link::connect(&self.url).await?;
        let feed = link.feed();
        link.subscribe(channel);
        link.confirmed(channel).await;
        Ok((feed, Vec::new(), link))
    }

    async fn receive(
        (feed, events, _link): &mut Self::Subscription,
        inbox: &mut Inbox,
    ) -> Result<()> {
        if !feed.recv(events).await {
            return Err("the link ended".into());
        }
        for event in events.drain(..) {
            match event {
                LinkEvent::Message { payload, .. } => inbox.put(&payload)?,
                other => return Err(format!("{other:?}").into()),
            }
        }
        Ok(())
    }
}

async fn get(link: &Link, key: &str) -> Result<Answer> {
    match link.command(redis::cmd("GET").arg(key)).await? {
        Value::BulkString(bytes) => Ok(Answer(bytes)),
        other => Err(format!("GET answered {other:?}").into()),
    }
}
