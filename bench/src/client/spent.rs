use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::{Result, cpu};

/// What so many operations took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    operations: u64,
    wall: Duration,
    cpu: Duration,
}

impl Spent {
    /// Operations a second.
    pub(crate) fn rate(&self) -> f64 {
        self.operations as f64 / self.wall.as_secs_f64()
    }

    /// CPU time of one operation in microseconds: that of a million in seconds.
    pub(crate) fn cpu_microseconds(&self) -> f64 {
        cpu::nanoseconds(self.cpu, self.operations as f64) / 1e3
    }

    /// Without the CPU time of a thread that is not the client's.
    pub(crate) fn without(self, elsewhere: Duration) -> Self {
        Self { cpu: self.cpu.saturating_sub(elsewhere), ..self }
    }
}

/// A point in time, on both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begin {
    wall: Instant,
    cpu: Duration,
}

impl Begin {
    pub(crate) fn now() -> Self {
        Self { wall: Instant::now(), cpu: cpu::of_process() }
    }

    pub(crate) fn spent(self, operations: u64) -> Spent {
        let cpu = cpu::of_process().saturating_sub(self.cpu);
        Spent { operations, wall: self.wall.elapsed(), cpu }
    }
}

/// Becomes true when a turn is over. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Over(Arc<AtomicBool>);

impl Over {
    pub(crate) fn after(length: Duration) -> Self {
        let over = Self::default();
        let flag = over.0.clone();
        tokio::spawn(async move {
            sleep(length).await;
            flag.store(true, Ordering::Relaxed);
        });
        over
    }

    pub(crate) fn is_reached(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Waits for all of them: the sum of what they count.
pub(crate) async fn total(mut tasks: JoinSet<Result<u64>>) -> Result<u64> {
    let mut total = 0;
    while let Some(count) = tasks.join_next().await {
        total += count??;
    }
    Ok(total)
}
