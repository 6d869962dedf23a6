use std::time::Duration;

use redwire_test::RedisServer;
use tokio::task::JoinSet;

use super::awaiting::gets;
use crate::Result;
use crate::client::contender::Client;
use crate::client::data::{END, LISTS};
use crate::client::spent::{Begin, Over, Spent, total};
use crate::client::traffic;

const TASKS: usize = 64;

pub(super) async fn run<C: Client>(
    client: &C,
    redis: &RedisServer,
    length: Duration,
) -> Result<Spent> {
    let mut waiters = JoinSet::new();
    for list in LISTS {
        waiters.spawn(pop_after_pop::<C>(client.waiter().await?, list));
    }
    let begin = Begin::now();
    let over = Over::after(length);
    let pusher = traffic::push(redis.port(), over.clone());
    let spent = begin.spent(gets(client, TASKS, &over).await?);
    let elsewhere = pusher.await??;
    if total(waiters).await? == 0 {
        return Err("the waiters got nothing".into());
    }
    Ok(spent.without(elsewhere))
}

/// How many elements came, one after the other, before the last one.
async fn pop_after_pop<C: Client>(mut waiter: C::Waiter, list: &str) -> Result<u64> {
    for number in 0_u64.. {
        let element = C::pop(&mut waiter, list).await?;
        if *element == *END {
            return Ok(number);
        }
        if *element != *number.to_string().as_bytes() {
            return Err(format!("element {number} of {list} is another one").into());
        }
    }
    Ok(0)
}
