//! What the commands of a client did.

use std::sync::atomic::{AtomicU64, Ordering};
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

/// Counts for each family.
#[derive(Debug, Default)]
pub(crate) struct Observed([Counters; Family::ALL.len()]);

impl Observed {
    /// Counts a command that was called at `since`.
    pub(crate) fn done(&self, family: Family, since: Instant, reply: &Result<Value, Error>) {
        let Some(counters) = self.0.get(family as usize) else { return };
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
        counters.refused.fetch_add(u64::from(is_refused), Ordering::Relaxed);
    }

    pub(crate) fn stats(&self, family: Family) -> FamilyStats {
        let Some(counters) = self.0.get(family as usize) else { return FamilyStats::default() };
        FamilyStats {
            answered: counters.answered.load(Ordering::Relaxed),
            refused: counters.refused.load(Ordering::Relaxed),
            not_sent: counters.not_sent.load(Ordering::Relaxed),
            unknown: counters.unknown.load(Ordering::Relaxed),
            time: Duration::from_nanos(counters.nanoseconds.load(Ordering::Relaxed)),
        }
    }
}
