use futures_util::StreamExt as _;
use rustis::client::{BatchPreparedCommand as _, ExclusiveClient, PubSubStream};
use rustis::commands::{BlockingCommands as _, PubSubCommands as _, StringCommands as _};
use rustis::resp::BulkString;

use crate::Result;
use crate::client::contender::Client;
use crate::client::data::Inbox;

#[derive(Clone)]
pub(crate) struct Rustis {
    client: rustis::client::Client,
    url: String,
}

impl Client for Rustis {
    type Value = BulkString;
    type Waiter = ExclusiveClient;
    type Subscription = PubSubStream;

    async fn connect(url: &str) -> Result<Self> {
        Ok(Self { client: rustis::client::Client::connect(url).await?, url: url.to_owned() })
    }

    async fn get(&mut self, key: &str) -> Result<BulkString> {
        Ok(self.client.get(key).await?)
    }

    async fn pipeline<'a>(
        &mut self,
        keys: impl Iterator<Item = &'a str> + Send,
    ) -> Result<Vec<BulkString>> {
        let mut pipeline = self.client.create_pipeline();
        for key in keys {
            pipeline.get::<()>(key).queue();
        }
        Ok(pipeline.execute().await?)
    }

    async fn waiter(&self) -> Result<ExclusiveClient> {
        Ok(ExclusiveClient::connect(self.url.as_str()).await?)
    }

    async fn pop(waiter: &mut ExclusiveClient, list: &str) -> Result<BulkString> {
        let popped: Option<(String, _)> = waiter.blpop(list, 0.0).await?;
        let (_list, element) = popped.ok_or("BLPOP without a deadline ended")?;
        Ok(element)
    }

    async fn subscribe(&self, channel: &str) -> Result<PubSubStream> {
        Ok(self.client.subscribe(channel).await?)
    }

    async fn receive(messages: &mut PubSubStream, inbox: &mut Inbox) -> Result<()> {
        inbox.put(messages.next().await.ok_or("the connection ended")??.payload())
    }
}
