use std::mem;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::topology::{Member, Topology};
use super::trouble::Trouble;
use crate::backoff::Backoff;
use crate::{Error, Outcome};

/// How often one command follows `MOVED` and `ASK`. With the pauses, its time is over first: nodes that
/// are busy were seen to contradict each other for more than a second.
const MOST_REDIRECTIONS: u32 = 64;
/// The first redirections are followed at once. After more, nodes may be of different opinions for a
/// while, and each pause is longer than the last.
const FREE_REDIRECTIONS: u32 = 2;
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Where a command goes next.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop {
    /// None stands for whoever has the slot.
    pub(super) member: Option<Arc<Member>>,
    /// Whether it has to be told that it was named by `ASK`.
    pub(super) asking: bool,
}

/// The way of a command, or of a pipeline, from node to node until one carries it out.
#[derive(Debug)]
pub(super) struct Trip<'a> {
    topology: &'a Arc<Topology>,
    name: &'a str,
    window: Duration,
    until: Instant,
    redirections: u32,
    backoff: Backoff,
    is_first: bool,
    before_next: Pause,
    /// The first attempt that may have been carried out.
    lost: Option<Error>,
}

/// What has to be waited for before the next attempt; the later, the longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Pause {
    None,
    Redirected,
    Busy,
    Refresh,
}

impl<'a> Trip<'a> {
    pub(super) fn new(topology: &'a Arc<Topology>, name: &'a str, window: Duration) -> Self {
        Self {
            topology,
            name,
            window,
            until: Instant::now() + window,
            redirections: 0,
            backoff: Backoff::new(SHORTEST_PAUSE, LONGEST_PAUSE),
            is_first: true,
            before_next: Pause::None,
            lost: None,
        }
    }

    /// Remembers an attempt that may have been carried out.
    pub(super) fn failed(&mut self, error: &Error) {
        if self.lost.is_none() && error.outcome() == Outcome::Unknown {
            self.lost = Some(error.clone());
        }
    }

    /// What is to be said at last: that a later attempt was not sent does not take back an earlier one.
    pub(super) fn verdict(&mut self, error: Error) -> Error {
        match error.outcome() {
            Outcome::NotSent => self.lost.take().unwrap_or(error),
            Outcome::Unknown | Outcome::Answered => error,
        }
    }

    /// Who is at that stop for this slot. Waits for the first map of the cluster.
    pub(super) async fn member(
        &self,
        stop: &Stop,
        slot: Option<u16>,
    ) -> Result<Arc<Member>, Error> {
        if let Some(member) = &stop.member {
            return Ok(member.clone());
        }
        self.topology.owner_in_time(slot, self.name, self.until).await
    }

    /// Within what is left, if this is not the first attempt.
    pub(super) async fn within<T>(
        &self,
        member: &Member,
        attempt: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        if self.is_first {
            return attempt.await;
        }
        timeout_at(self.until, attempt).await.unwrap_or_else(|_| {
            let (endpoint, command) = (member.endpoint.to_string().into(), self.name.to_owned());
            Err(Error::Timeout { endpoint, command, after: self.window })
        })
    }

    /// Time runs anew, for what may wait for long without anything being wrong.
    pub(super) fn start_again(&mut self) {
        self.until = Instant::now() + self.window;
    }

    /// Where to go after this; [`go_on`](Self::go_on) has to follow.
    pub(super) fn heed(&mut self, trouble: Trouble) -> Stop {
        let (member, asking, pause) = match trouble {
            Trouble::Moved { slot, to } => {
                self.topology.moved(slot, &to);
                self.topology.refresh();
                (self.topology.member(&to, self.name).ok(), false, Pause::Redirected)
            }
            // The slot has not moved yet, so the map is right.
            Trouble::Ask { to } => {
                (self.topology.member(&to, self.name).ok(), true, Pause::Redirected)
            }
            Trouble::Busy => (None, false, Pause::Busy),
            Trouble::Stale => (None, false, Pause::Refresh),
        };
        self.before_next = self.before_next.max(pause);
        Stop { asking: asking && member.is_some(), member }
    }

    /// Waits as long as what was heeded asks for. False if there is no use in going on.
    pub(super) async fn go_on(&mut self) -> bool {
        self.is_first = false;
        match mem::replace(&mut self.before_next, Pause::None) {
            Pause::None => {}
            Pause::Redirected => {
                self.redirections += 1;
                if self.redirections > FREE_REDIRECTIONS {
                    sleep(self.backoff.pause()).await;
                }
            }
            Pause::Busy => {
                // It was sent on to somebody who knows what to do with it, only not yet.
                self.redirections = 0;
                sleep(self.backoff.pause()).await;
            }
            // If it fails, the next attempt does, too.
            Pause::Refresh => drop(timeout_at(self.until, self.topology.refreshed()).await),
        }
        self.redirections <= MOST_REDIRECTIONS && Instant::now() < self.until
    }
}
