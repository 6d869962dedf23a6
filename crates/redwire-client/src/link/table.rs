use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::sync::oneshot;

/// Which channels are wanted, by how many, and what Redis has confirmed.
///
/// Callers only count; they never touch `actual`. The supervisor alone moves `actual`, one batch at a
/// time, towards what is wanted at that moment. So no order of calls has to be kept.
#[derive(Debug, Default)]
pub(super) struct Table {
    channels: HashMap<Arc<str>, Entry>,
    /// Channels whose want may differ from what is; each at most once, as its entry says.
    unsettled: VecDeque<Arc<str>>,
    live: bool,
}

#[derive(Debug, Default)]
struct Entry {
    wanted: usize,
    actual: Actual,
    queued: bool,
    waiting: Vec<oneshot::Sender<Standing>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Actual {
    #[default]
    Absent,
    /// A command for it is on its way.
    Moving,
    Subscribed,
    /// The user may not read this channel. Not tried again on this connection.
    Refused,
}

/// What to send to Redis next. No channel is in both lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) join: Vec<Arc<str>>,
    pub(super) leave: Vec<Arc<str>>,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.join.is_empty() && self.leave.is_empty()
    }
}

/// How a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Redis has confirmed it.
    Confirmed,
    /// Not yet, or nobody wants it: the link is down, or Redis did not answer in time.
    Unconfirmed,
    /// Redis' own rules (ACL) forbid the channel. Not tried again on this connection.
    Forbidden,
}

/// How a subscription stands, or who will say it.
#[derive(Debug)]
pub(super) enum Confirmation {
    Known(Standing),
    Awaited(oneshot::Receiver<Standing>),
}

impl Table {
    /// One more wants it. Whether the supervisor has something to do.
    pub(super) fn add(&mut self, channel: &str) -> bool {
        match self.channels.get_mut(channel) {
            Some(entry) => {
                entry.wanted += 1;
                entry.wanted == 1 && self.unsettle(channel)
            }
            None => {
                let entry = Entry { wanted: 1, ..Entry::default() };
                self.channels.insert(Arc::from(channel), entry);
                self.unsettle(channel)
            }
        }
    }

    /// One less wants it; one too many is ignored. Whether the supervisor has something to do.
    pub(super) fn remove(&mut self, channel: &str) -> bool {
        match self.channels.get_mut(channel) {
            Some(entry) if entry.wanted > 0 => {
                entry.wanted -= 1;
                entry.wanted == 0 && self.unsettle(channel)
            }
            _ => false,
        }
    }

    pub(super) fn confirmation(&mut self, channel: &str) -> Confirmation {
        let live = self.live;
        match self.channels.get_mut(channel) {
            Some(entry) if live && entry.wanted > 0 => match entry.actual {
                Actual::Subscribed => Confirmation::Known(Standing::Confirmed),
                Actual::Refused => Confirmation::Known(Standing::Forbidden),
                Actual::Absent | Actual::Moving => {
                    let (sender, receiver) = oneshot::channel();
                    entry.waiting.push(sender);
                    Confirmation::Awaited(receiver)
                }
            },
            _ => Confirmation::Known(Standing::Unconfirmed),
        }
    }

    /// The table's own copy of the name, if anybody wants the channel.
    pub(super) fn name(&self, channel: &str) -> Option<Arc<str>> {
        let (name, entry) = self.channels.get_key_value(channel)?;
        (entry.wanted > 0).then(|| name.clone())
    }

    /// How many channels are wanted.
    pub(super) fn wanted(&self) -> usize {
        self.channels.values().filter(|entry| entry.wanted > 0).count()
    }

    pub(super) fn set_live(&mut self) {
        self.live = true;
    }

    /// The connection is gone, and all subscriptions with it. Nobody waits any longer.
    pub(super) fn forget_connection(&mut self) {
        self.live = false;
        self.channels.retain(|_, entry| entry.wanted > 0);
        for entry in self.channels.values_mut() {
            entry.actual = Actual::Absent;
            entry.queued = true;
            entry.waiting.clear();
        }
        self.unsettled = self.channels.keys().cloned().collect();
    }

    /// Takes the next changes, at most `limit` channels.
    pub(super) fn next_batch(&mut self, limit: usize) -> Batch {
        let mut batch = Batch::default();
        while batch.join.len() + batch.leave.len() < limit {
            let Some(channel) = self.unsettled.pop_front() else { break };
            let Some(entry) = self.channels.get_mut(&channel) else { continue };
            entry.queued = false;
            match (entry.wanted > 0, entry.actual) {
                (true, Actual::Absent) => {
                    entry.actual = Actual::Moving;
                    batch.join.push(channel);
                }
                (false, Actual::Subscribed) => {
                    entry.actual = Actual::Moving;
                    batch.leave.push(channel);
                }
                (false, Actual::Absent | Actual::Refused) => {
                    self.channels.remove(&channel);
                }
                (true, Actual::Subscribed | Actual::Refused) | (_, Actual::Moving) => {}
            }
        }
        batch
    }

    pub(super) fn joined(&mut self, channels: &[Arc<str>]) {
        self.settle(channels, Actual::Subscribed, Some(Standing::Confirmed));
    }

    pub(super) fn refused(&mut self, channels: &[Arc<str>]) {
        self.settle(channels, Actual::Refused, Some(Standing::Forbidden));
    }

    pub(super) fn left(&mut self, channels: &[Arc<str>]) {
        self.settle(channels, Actual::Absent, None);
    }

    /// Whoever waits is told, except by a departure: they want the channel since it was sent.
    fn settle(&mut self, channels: &[Arc<str>], actual: Actual, verdict: Option<Standing>) {
        for channel in channels {
            let Some(entry) = self.channels.get_mut(channel) else { continue };
            entry.actual = actual;
            if let Some(verdict) = verdict {
                for waiting in entry.waiting.drain(..) {
                    let _ = waiting.send(verdict);
                }
            }
            let is_wanted = entry.wanted > 0;
            let is_settled = is_wanted == (actual != Actual::Absent);
            if !is_settled && !entry.queued {
                entry.queued = true;
                self.unsettled.push_back(channel.clone());
            } else if !is_wanted && !entry.queued {
                self.channels.remove(channel);
            }
        }
    }

    fn unsettle(&mut self, channel: &str) -> bool {
        let Some((name, _)) = self.channels.get_key_value(channel) else { return false };
        let name = name.clone();
        match self.channels.get_mut(channel) {
            Some(entry) if !entry.queued => {
                entry.queued = true;
                self.unsettled.push_back(name);
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(channels: &[&str]) -> Vec<Arc<str>> {
        channels.iter().map(|&channel| Arc::from(channel)).collect()
    }

    fn subscribed(channel: &str) -> Table {
        let mut table = Table::default();
        table.set_live();
        table.add(channel);
        let batch = table.next_batch(10);
        table.joined(&batch.join);
        table
    }

    #[test]
    fn only_the_first_and_the_last_are_sent() {
        let mut table = Table::default();
        assert!(table.add("a"));
        assert!(!table.add("a"));
        assert_eq!(table.next_batch(10), Batch { join: names(&["a"]), leave: vec![] });
        table.joined(&names(&["a"]));
        assert!(!table.remove("a"));
        assert!(table.remove("a"));
        assert_eq!(table.next_batch(10), Batch { join: vec![], leave: names(&["a"]) });
    }

    #[test]
    fn a_change_of_mind_sends_nothing() {
        let mut table = subscribed("a");
        table.remove("a");
        table.add("a");
        assert!(table.next_batch(10).is_empty());
        table.add("b");
        table.remove("b");
        assert!(table.next_batch(10).is_empty());
        assert_eq!(table.channels.len(), 1);
    }

    #[test]
    fn wanting_it_again_while_leaving_joins_after_leaving() {
        let mut table = subscribed("a");
        table.remove("a");
        let leaving = table.next_batch(10).leave;
        table.add("a");
        assert!(matches!(table.confirmation("a"), Confirmation::Awaited(_)));
        table.left(&leaving);
        assert_eq!(table.next_batch(10).join, names(&["a"]));
    }

    #[test]
    fn a_want_that_moves_while_a_command_is_on_its_way_is_not_lost() {
        let mut table = subscribed("a");
        table.remove("a");
        let leaving = table.next_batch(10).leave;
        table.add("a");
        assert!(table.next_batch(10).is_empty(), "still on its way");
        table.left(&leaving);
        assert_eq!(table.next_batch(10).join, names(&["a"]));
    }

    #[test]
    fn one_unsubscribe_too_many_is_ignored() {
        let mut table = subscribed("a");
        table.remove("a");
        assert!(!table.remove("a"));
        assert!(table.add("a") || table.name("a").is_some());
        assert!(!table.remove("never"));
    }

    #[test]
    fn a_lost_connection_wants_everything_again_and_keeps_nobody_waiting() {
        let mut table = subscribed("a");
        table.add("b");
        let Confirmation::Awaited(mut waiting) = table.confirmation("b") else { panic!() };
        table.forget_connection();
        assert!(waiting.try_recv().is_err());
        assert!(matches!(table.confirmation("a"), Confirmation::Known(Standing::Unconfirmed)));
        let mut join = table.next_batch(10).join;
        join.sort();
        assert_eq!(join, names(&["a", "b"]));
    }

    #[test]
    fn a_refused_channel_is_told_and_not_tried_again() {
        let mut table = Table::default();
        table.set_live();
        table.add("a");
        let join = table.next_batch(10).join;
        let Confirmation::Awaited(mut waiting) = table.confirmation("a") else { panic!() };
        table.refused(&join);
        assert_eq!(waiting.try_recv(), Ok(Standing::Forbidden));
        table.add("a");
        assert!(table.next_batch(10).is_empty());
    }
}
