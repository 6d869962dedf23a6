use redwire::prelude::MemoryBackend;
use redwire_test::{RedisServer, eventually};

/// Where a scenario's data is: every scenario that both backends can play is played on both.
#[derive(Debug)]
pub enum Store {
    /// In the gateway's own memory.
    Memory(MemoryBackend),
    /// In a real Redis of the scenario's own.
    Redis(RedisServer),
}

impl Store {
    /// An empty store of each kind.
    pub async fn both() -> [Self; 2] {
        [Self::memory(), Self::redis().await]
    }

    /// An empty store in memory.
    pub fn memory() -> Self {
        Self::Memory(MemoryBackend::new())
    }

    /// An empty Redis.
    pub async fn redis() -> Self {
        Self::Redis(RedisServer::start().await)
    }

    /// Sets one field of a hash.
    pub async fn hset(&self, key: &str, field: &str, value: impl AsRef<[u8]>) {
        match self {
            Self::Memory(memory) => memory.hset(key, field, value.as_ref().to_vec()),
            Self::Redis(redis) => {
                redis.hset(key, field, value).await;
            }
        }
    }

    /// Deletes one field of a hash.
    pub async fn hdel(&self, key: &str, field: &str) {
        match self {
            Self::Memory(memory) => memory.hdel(key, field),
            Self::Redis(redis) => {
                redis.command(&["HDEL", key, field]).await;
            }
        }
    }

    /// Publishes to whoever has subscribed.
    pub async fn publish(&self, channel: &str, payload: impl AsRef<[u8]>) {
        match self {
            Self::Memory(memory) => memory.publish(channel, payload.as_ref().to_vec()),
            Self::Redis(redis) => {
                redis.publish(channel, payload).await;
            }
        }
    }

    /// Publishes payloads in channels, with nothing between them.
    pub async fn burst(&self, messages: impl IntoIterator<Item = (&str, String)>) {
        match self {
            Self::Memory(memory) => {
                messages.into_iter().for_each(|(channel, text)| memory.publish(channel, text));
            }
            Self::Redis(redis) => {
                let publish =
                    "for i = 1, #ARGV, 2 do redis.call('PUBLISH', ARGV[i], ARGV[i + 1]) end";
                let messages = messages.into_iter();
                let words = messages.flat_map(|(channel, text)| [channel.to_owned(), text]);
                let words: Vec<_> = words.collect();
                let words = words.iter().map(String::as_str);
                let command: Vec<_> = ["EVAL", publish, "0"].into_iter().chain(words).collect();
                redis.command(&command).await;
            }
        }
    }

    /// The Redis, where there is one.
    pub fn as_redis(&self) -> &RedisServer {
        match self {
            Self::Redis(redis) => redis,
            Self::Memory(_) => panic!("this scenario is for Redis"),
        }
    }

    /// Waits until nobody has subscribed to `channel` any more.
    pub async fn until_unsubscribed(&self, channel: &str) {
        if let Self::Redis(redis) = self {
            eventually("the subscription to end", async || redis.subscribers(channel).await == 0)
                .await;
        }
    }
}
