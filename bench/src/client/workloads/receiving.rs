use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redwire_test::RedisServer;
use tokio::time::sleep;

use crate::Result;
use crate::client::contender::Client;
use crate::client::data::Inbox;
use crate::client::spent::{Begin, Over, Spent};
use crate::client::traffic;

/// Each turn has a channel of its own: the last one's subscription may not have ended yet.
static CHANNELS: AtomicU64 = AtomicU64::new(0);

pub(super) async fn run<C: Client>(
    client: &C,
    redis: &RedisServer,
    length: Duration,
) -> Result<Spent> {
    let channel = format!("bench:channel:{}", CHANNELS.fetch_add(1, Ordering::Relaxed));
    let subscription = client.subscribe(&channel).await?;
    // Not every client returns only then.
    while redis.subscribers(&channel).await == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    let inbox = Inbox::default();
    let begin = Begin::now();
    let publisher = traffic::publish(redis.port(), channel, inbox.taken(), Over::after(length));
    let receiver = tokio::spawn(message_after_message::<C>(subscription, inbox));
    let spent = begin.spent(receiver.await??);
    Ok(spent.without(publisher.await??))
}

/// How many messages came before the last one.
async fn message_after_message<C: Client>(
    mut subscription: C::Subscription,
    mut inbox: Inbox,
) -> Result<u64> {
    while !inbox.is_complete() {
        C::receive(&mut subscription, &mut inbox).await?;
    }
    Ok(inbox.count())
}
