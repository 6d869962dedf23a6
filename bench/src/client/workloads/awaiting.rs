use std::time::Duration;

use tokio::task::JoinSet;

use crate::Result;
use crate::client::contender::Client;
use crate::client::data::Entry;
use crate::client::spent::{Begin, Over, Spent, total};

pub(super) async fn run<C: Client>(client: &C, tasks: usize, length: Duration) -> Result<Spent> {
    let begin = Begin::now();
    let operations = gets(client, tasks, &Over::after(length)).await?;
    Ok(begin.spent(operations))
}

/// How many `GET`s so many tasks got answered until it was over.
pub(super) async fn gets<C: Client>(client: &C, tasks: usize, over: &Over) -> Result<u64> {
    let mut running = JoinSet::new();
    for task in 0..tasks {
        running.spawn(get_after_get(client.clone(), Entry::of(task), over.clone()));
    }
    total(running).await
}

async fn get_after_get<C: Client>(mut client: C, entry: Entry, over: Over) -> Result<u64> {
    let mut count = 0;
    loop {
        entry.check(&client.get(&entry.key).await?)?;
        count += 1;
        if over.is_reached() {
            return Ok(count);
        }
    }
}
