//! What the commands of a client did.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use redis::Value;

use crate::catalogue::Family;
use crate::{Error, Outcome};

/// What the commands of one family did since the client was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FamilyStats {
    /// Commands that were answered, also by an error.
    pub answered: u64,
    /// Of them, those that Redis refused.
    pub refused: u64,
    /// Commands that were not sent.
    pub not_sent: u64,
    /// Commands that may have been carried out, and have no reply.
    pub unknown: u64,
    /// From call to reply, of all that were answered together. Divided by `answered` it is the mean.
    pub time: Duration,
}

#[derive(Debug, Default)]
struct Counters {
    answered: AtomicU64,
    refused: AtomicU64,
    not_sent: AtomicU64,
    unknown: AtomicU64,
    nanoseconds: AtomicU64,
}

/// Counts for each family, of some threads.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Share([Counters; Family::ALL.len()]);

/// Counts for each family. Threads that wrote the same ones would wait for each other at every command.
#[derive(Debug, Default)]
pub(crate) struct Observed([Share; SHARES]);

const SHARES: usize = 8;

static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static SHARE: usize = THREADS.fetch_add(1, Ordering::Relaxed) % SHARES;
}

impl Observed {
    /// Counts a command that was called at `since`.
    pub(crate) fn done(&self, family: Family, since: Instant, reply: &Result<Value, Error>) {
        let share = SHARE.with(|share| self.0.get(*share));
        let Some(counters) = share.and_then(|share| share.0.get(family as usize)) else { return };
        let outcome = match reply {
            Ok(_) => Outcome::Answered,
            Err(error) => error.outcome(),
        };
        let is_refused = matches!(reply, Ok(Value::ServerError(_)))
            || outcome == Outcome::Answered && reply.is_err();
        match outcome {
            Outcome::NotSent => &counters.not_sent,
            Outcome::Unknown => &counters.unknown,
            Outcome::Answered => {
                let time = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
                counters.nanoseconds.fetch_add(time, Ordering::Relaxed);
                &counters.answered
            }
        }
        .fetch_add(1, Ordering::Relaxed);
        if is_refused {
            counters.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn stats(&self, family: Family) -> FamilyStats {
        let counters = || self.0.iter().filter_map(|share| share.0.get(family as usize));
        let sum = |counter: fn(&Counters) -> &AtomicU64| {
            counters().map(|counters| counter(counters).load(Ordering::Relaxed)).sum()
        };
        FamilyStats {
            answered: sum(|counters| &counters.answered),
            refused: sum(|counters| &counters.refused),
            not_sent: sum(|counters| &counters.not_sent),
            unknown: sum(|counters| &counters.unknown),
            time: Duration::from_nanos(sum(|counters| &counters.nanoseconds)),
        }
    }
}
