use redis::aio::{
    ConnectionLike, ConnectionManager, ConnectionManagerConfig, MultiplexedConnection,
};
use redis::{AsyncCommands as _, AsyncConnectionConfig, PushInfo, PushKind, Value};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::Result;
use crate::client::contender::{Client, DEADLINE};
use crate::client::data::Inbox;

/// A multiplexed connection.
#[derive(Clone)]
pub(crate) struct Multiplexed {
    client: redis::Client,
    connection: MultiplexedConnection,
}

impl Client for Multiplexed {
    type Value = Vec<u8>;
    type Waiter = MultiplexedConnection;
    type Subscription = Pushes<MultiplexedConnection>;

    async fn connect(url: &str) -> Result<Self> {
        let client = redis::Client::open(url_of_resp3(url))?;
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(DEADLINE));
        let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(Self { client, connection })
    }

    async fn get(&mut self, key: &str) -> Result<Vec<u8>> {
        Ok(self.connection.get(key).await?)
    }

    async fn pipeline<'a>(
        &mut self,
        keys: impl Iterator<Item = &'a str> + Send,
    ) -> Result<Vec<Vec<u8>>> {
        pipeline(&mut self.connection, keys).await
    }

    /// A connection of its own: those who share one would wait, too.
    async fn waiter(&self) -> Result<Self::Waiter> {
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        Ok(self.client.get_multiplexed_async_connection_with_config(&config).await?)
    }

    async fn pop(waiter: &mut Self::Waiter, list: &str) -> Result<Vec<u8>> {
        pop(waiter, list).await
    }

    async fn subscribe(&self, channel: &str) -> Result<Self::Subscription> {
        let (sender, pushes) = unbounded_channel();
        let config = AsyncConnectionConfig::new().set_push_sender(sender);
        let mut connection =
            self.client.get_multiplexed_async_connection_with_config(&config).await?;
        connection.subscribe(channel).await?;
        Ok(Pushes { pushes, _connection: connection })
    }

    async fn receive(subscription: &mut Self::Subscription, inbox: &mut Inbox) -> Result<()> {
        subscription.receive(inbox).await
    }
}

/// A connection that reconnects, and subscribes again.
#[derive(Clone)]
pub(crate) struct Managed {
    client: redis::Client,
    connection: ConnectionManager,
}

impl Client for Managed {
    type Value = Vec<u8>;
    type Waiter = ConnectionManager;
    type Subscription = Pushes<ConnectionManager>;

    async fn connect(url: &str) -> Result<Self> {
        let client = redis::Client::open(url_of_resp3(url))?;
        let config = ConnectionManagerConfig::new().set_response_timeout(Some(DEADLINE));
        let connection = client.get_connection_manager_with_config(config).await?;
        Ok(Self { client, connection })
    }

    async fn get(&mut self, key: &str) -> Result<Vec<u8>> {
        Ok(self.connection.get(key).await?)
    }

    async fn pipeline<'a>(
        &mut self,
        keys: impl Iterator<Item = &'a str> + Send,
    ) -> Result<Vec<Vec<u8>>> {
        pipeline(&mut self.connection, keys).await
    }

    async fn waiter(&self) -> Result<Self::Waiter> {
        let config = ConnectionManagerConfig::new().set_response_timeout(None);
        Ok(self.client.get_connection_manager_with_config(config).await?)
    }

    async fn pop(waiter: &mut Self::Waiter, list: &str) -> Result<Vec<u8>> {
        pop(waiter, list).await
    }

    async fn subscribe(&self, channel: &str) -> Result<Self::Subscription> {
        let (sender, pushes) = unbounded_channel();
        let config =
            ConnectionManagerConfig::new().set_push_sender(sender).set_automatic_resubscription();
        let mut connection = self.client.get_connection_manager_with_config(config).await?;
        connection.subscribe(channel).await?;
        Ok(Pushes { pushes, _connection: connection })
    }

    async fn receive(subscription: &mut Self::Subscription, inbox: &mut Inbox) -> Result<()> {
        subscription.receive(inbox).await
    }
}

/// What a connection is told beside replies.
pub(crate) struct Pushes<C> {
    pushes: UnboundedReceiver<PushInfo>,
    _connection: C,
}

impl<C> Pushes<C> {
    async fn receive(&mut self, inbox: &mut Inbox) -> Result<()> {
        let push = self.pushes.recv().await.ok_or("the connection ended")?;
        match (push.kind, <[Value; 2]>::try_from(push.data)) {
            (PushKind::Message, Ok([_channel, Value::BulkString(payload)])) => inbox.put(&payload),
            (PushKind::Subscribe, _) => Ok(()),
            (kind, _) => Err(format!("a push of kind {kind}").into()),
        }
    }
}

/// Messages come as pushes only in RESP3.
fn url_of_resp3(url: &str) -> String {
    format!("{url}/?protocol=resp3")
}

pub(super) async fn pipeline<'a>(
    connection: &mut (impl ConnectionLike + Send),
    keys: impl Iterator<Item = &'a str> + Send,
) -> Result<Vec<Vec<u8>>> {
    let mut pipeline = redis::pipe();
    for key in keys {
        pipeline.get(key);
    }
    Ok(pipeline.query_async(connection).await?)
}

pub(super) async fn pop(
    connection: &mut (impl ConnectionLike + Send + Sync),
    list: &str,
) -> Result<Vec<u8>> {
    let (_list, element): (String, _) = connection.blpop(list, 0.0).await?;
    Ok(element)
}
