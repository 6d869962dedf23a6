use std::time::Duration;

use tokio::task::JoinSet;

use crate::Result;
use crate::client::contender::Client;
use crate::client::data::Entry;
use crate::client::spent::{Begin, Over, Spent, total};

pub(super) async fn run<C: Client>(client: &C, length: Duration) -> Result<Spent> {
    let begin = Begin::now();
    // In a task as those of the other workloads are: the runtime's main one is in another thread.
    let mut running = JoinSet::new();
    running.spawn(pipeline_after_pipeline(client.clone(), Over::after(length)));
    let operations = total(running).await?;
    Ok(begin.spent(operations))
}

async fn pipeline_after_pipeline<C: Client>(mut client: C, over: Over) -> Result<u64> {
    let entries = Entry::all();
    let mut count = 0;
    loop {
        let values = client.pipeline(entries.iter().map(|entry| entry.key.as_str())).await?;
        if values.len() != entries.len() {
            return Err(
                format!("{} replies to a pipeline of {}", values.len(), entries.len()).into()
            );
        }
        for (entry, value) in entries.iter().zip(&values) {
            entry.check(value)?;
            count += 1;
        }
        if over.is_reached() {
            return Ok(count);
        }
    }
}
