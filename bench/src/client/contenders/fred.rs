use std::sync::Arc;

use fred::bytes::Bytes;
use fred::prelude::{
    Builder, ClientLike as _, Config, EventInterface as _, FredResult, KeysInterface as _,
    ListInterface as _, PubsubInterface as _, Value,
};
use fred::types::Message;
use tokio::sync::broadcast::Receiver;

use crate::Result;
use crate::client::contender::Client;
use crate::client::data::Inbox;

/// Messages that may wait. The default of 32 loses some of each burst.
const CAPACITY: usize = 8192;

#[derive(Clone)]
pub(crate) struct Fred {
    connection: Arc<Connection>,
}

impl Client for Fred {
    type Value = Bytes;
    type Waiter = Connection;
    type Subscription = (Receiver<Message>, Connection);

    async fn connect(url: &str) -> Result<Self> {
        let client = Builder::from_config(Config::from_url(url)?)
            .with_performance_config(|config| config.broadcast_channel_capacity = CAPACITY)
            .build()?;
        Ok(Self { connection: Arc::new(Connection::open(client).await?) })
    }

    async fn get(&mut self, key: &str) -> Result<Bytes> {
        Ok(self.connection.client.get(key).await?)
    }

    async fn pipeline<'a>(
        &mut self,
        keys: impl Iterator<Item = &'a str> + Send,
    ) -> Result<Vec<Bytes>> {
        let pipeline = self.connection.client.pipeline();
        for key in keys {
            let _queued: () = pipeline.get(key).await?;
        }
        Ok(pipeline.all().await?)
    }

    async fn waiter(&self) -> Result<Connection> {
        self.another().await
    }

    async fn pop(waiter: &mut Connection, list: &str) -> Result<Bytes> {
        let (_list, element): (String, _) = waiter.client.blpop(list, 0.0).await?;
        Ok(element)
    }

    async fn subscribe(&self, channel: &str) -> Result<Self::Subscription> {
        let connection = self.another().await?;
        let messages = connection.client.message_rx();
        connection.client.subscribe(channel).await?;
        Ok((messages, connection))
    }

    async fn receive((messages, _): &mut Self::Subscription, inbox: &mut Inbox) -> Result<()> {
        match messages.recv().await?.value {
            Value::Bytes(payload) => inbox.put(&payload),
            Value::String(payload) => inbox.put(payload.as_bytes()),
            other => Err(format!("a message of {other:?}").into()),
        }
    }
}

impl Fred {
    async fn another(&self) -> Result<Connection> {
        Ok(Connection::open(self.connection.client.clone_new()).await?)
    }
}

/// A client that ends when it is dropped: by themselves, they go on.
pub(crate) struct Connection {
    client: fred::clients::Client,
}

impl Connection {
    async fn open(client: fred::clients::Client) -> FredResult<Self> {
        client.init().await?;
        Ok(Self { client })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let client = self.client.clone();
        tokio::spawn(async move { client.quit().await });
    }
}
