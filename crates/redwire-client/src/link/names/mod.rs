//! The names of one kind that a link subscribes to.

mod entry;

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::table::Standing;
use entry::{Actual, Due, Entry};

/// Which names of one kind are wanted, by how many, and what Redis has confirmed.
///
/// Callers only count; they never touch `actual`. The supervisor alone moves `actual`, one batch at a
/// time, towards what is wanted at that moment. So no order of calls has to be kept.
#[derive(Debug, Default)]
pub(super) struct Names {
    entries: HashMap<Arc<str>, Entry>,
    /// Names whose want may differ from what is; each at most once, as its entry says.
    unsettled: VecDeque<Arc<str>>,
}

/// What to send to Redis next. No name is in both lists.
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

/// What a departure that Redis reports was.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Departure {
    /// The answer to ours.
    Requested,
    /// Redis sent it by itself, of a name that we had.
    Moved(Arc<str>),
    /// Redis sent it by itself, and we had it no longer.
    Unrequested,
}

impl Names {
    /// One more wants it. Whether the supervisor has something to do.
    pub(super) fn add(&mut self, name: &Arc<str>) -> bool {
        let is_news = self.entries.entry(name.clone()).or_default().want();
        is_news && self.unsettle(name)
    }

    /// One less wants it; one too many is ignored. Whether the supervisor has something to do.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        let is_news = self.entries.get_mut(name).is_some_and(Entry::release);
        is_news && self.unsettle(name)
    }

    /// How it stands on this connection.
    pub(super) fn standing(&self, name: &str) -> Standing {
        self.entries.get(name).map_or(Standing::Unconfirmed, Entry::standing)
    }

    /// Who will say how a name stands that is wanted and still on its way.
    pub(super) fn wait(&mut self, name: &str) -> Option<oneshot::Receiver<Standing>> {
        self.entries.get_mut(name).filter(|entry| entry.is_wanted()).map(Entry::wait)
    }

    /// The table's own copy of the name, if anybody wants it.
    pub(super) fn name(&self, name: &str) -> Option<Arc<str>> {
        let (name, entry) = self.entries.get_key_value(name)?;
        entry.is_wanted().then(|| name.clone())
    }

    /// How many names are wanted.
    pub(super) fn wanted(&self) -> usize {
        self.entries.values().filter(|entry| entry.is_wanted()).count()
    }

    /// The connection is gone, and all subscriptions with it. Nobody waits any longer.
    pub(super) fn forget_connection(&mut self) {
        self.entries.retain(|_, entry| entry.is_wanted());
        for entry in self.entries.values_mut() {
            entry.forget_connection();
            entry.queued = true;
        }
        self.unsettled = self.entries.keys().cloned().collect();
    }

    /// Takes the next changes, at most `limit` names.
    pub(super) fn next_batch(&mut self, limit: usize) -> Batch {
        let mut batch = Batch::default();
        while batch.join.len() + batch.leave.len() < limit {
            let Some(name) = self.unsettled.pop_front() else { break };
            let Some(entry) = self.entries.get_mut(&name) else { continue };
            entry.queued = false;
            match entry.due() {
                Due::Nothing => {}
                Due::Join => {
                    entry.actual = Actual::Joining;
                    batch.join.push(name);
                }
                Due::Leave => {
                    entry.actual = Actual::Leaving;
                    batch.leave.push(name);
                }
                Due::Forget => drop(self.entries.remove(&name)),
            }
        }
        batch
    }

    /// Redis has confirmed it. None if that is no news.
    pub(super) fn joined(&mut self, name: &str) -> Option<Arc<str>> {
        self.judge(name, Actual::Subscribed, Standing::Confirmed)
    }

    /// Redis forbids it. None if that is no news.
    pub(super) fn refused(&mut self, name: &str) -> Option<Arc<str>> {
        self.judge(name, Actual::Refused, Standing::Forbidden)
    }

    /// Redis said that another node serves it. None if that is no news.
    pub(super) fn moved(&mut self, name: &str) -> Option<Arc<str>> {
        self.judge(name, Actual::Moved, Standing::Moved)
    }

    /// Our own command to leave them was carried out.
    pub(super) fn left(&mut self, names: &[Arc<str>]) {
        for name in names {
            let Some(entry) = self.entries.get_mut(name) else { continue };
            if entry.actual == Actual::Leaving {
                // Whoever waits wants it since the command was sent, and is told later.
                entry.actual = Actual::Absent;
                self.settle(name);
            }
        }
    }

    /// Redis reports a departure. `leaving`: a command of ours that it may answer is on its way.
    pub(super) fn departed(&mut self, name: &str, leaving: bool) -> Departure {
        let Some((known, entry)) = self.entries.get_key_value(name) else {
            return Departure::Unrequested;
        };
        match entry.actual {
            Actual::Leaving if leaving => Departure::Requested,
            Actual::Subscribed => {
                let name = known.clone();
                if let Some(entry) = self.entries.get_mut(&name) {
                    entry.actual = Actual::Moved;
                }
                Departure::Moved(name)
            }
            _ => Departure::Unrequested,
        }
    }

    /// The answer to a command to join. All who wait are told.
    fn judge(&mut self, name: &str, actual: Actual, verdict: Standing) -> Option<Arc<str>> {
        let name = self.entries.get_key_value(name)?.0.clone();
        if !self.entries.get_mut(&name)?.judge(actual, verdict) {
            return None;
        }
        self.settle(&name);
        Some(name)
    }

    /// After a command: what was wanted in the meantime comes next, what nobody wants is forgotten.
    fn settle(&mut self, name: &Arc<str>) {
        let Some(entry) = self.entries.get_mut(name).filter(|entry| !entry.queued) else { return };
        match entry.due() {
            Due::Nothing => {}
            Due::Join | Due::Leave => {
                self.unsettle(name);
            }
            Due::Forget => drop(self.entries.remove(name)),
        }
    }

    /// Whether it was settled before.
    fn unsettle(&mut self, name: &str) -> bool {
        let Some((name, _)) = self.entries.get_key_value(name) else { return false };
        let name = name.clone();
        let queued = self.entries.get_mut(&name).map(|entry| mem::replace(&mut entry.queued, true));
        let was_settled = queued == Some(false);
        if was_settled {
            self.unsettled.push_back(name);
        }
        was_settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<Arc<str>> {
        names.iter().map(|&name| Arc::from(name)).collect()
    }

    fn add(table: &mut Names, name: &str) -> bool {
        table.add(&Arc::from(name))
    }

    fn subscribed(name: &str) -> Names {
        let mut table = Names::default();
        add(&mut table, name);
        table.next_batch(10);
        table.joined(name);
        table
    }

    #[test]
    fn only_the_first_and_the_last_are_sent() {
        let mut table = Names::default();
        assert!(add(&mut table, "a"));
        assert!(!add(&mut table, "a"));
        assert_eq!(table.next_batch(10), Batch { join: names(&["a"]), leave: vec![] });
        table.joined("a");
        assert!(!table.remove("a"));
        assert!(table.remove("a"));
        assert_eq!(table.next_batch(10), Batch { join: vec![], leave: names(&["a"]) });
    }

    #[test]
    fn a_change_of_mind_sends_nothing() {
        let mut table = subscribed("a");
        table.remove("a");
        add(&mut table, "a");
        assert!(table.next_batch(10).is_empty());
        add(&mut table, "b");
        table.remove("b");
        assert!(table.next_batch(10).is_empty());
        assert_eq!(table.entries.len(), 1);
    }

    #[test]
    fn a_want_that_moves_while_a_command_is_on_its_way_is_not_lost() {
        let mut table = subscribed("a");
        table.remove("a");
        let leaving = table.next_batch(10).leave;
        add(&mut table, "a");
        let mut waiting = table.wait("a").unwrap();
        assert!(table.next_batch(10).is_empty(), "still on its way");
        table.left(&leaving);
        assert_eq!(table.next_batch(10).join, names(&["a"]));
        assert!(waiting.try_recv().is_err());
        table.joined("a");
        assert_eq!(waiting.try_recv(), Ok(Standing::Confirmed));
    }

    #[test]
    fn one_unsubscribe_too_many_is_ignored() {
        let mut table = subscribed("a");
        table.remove("a");
        assert!(!table.remove("a"));
        assert!(add(&mut table, "a") || table.name("a").is_some());
        assert!(!table.remove("never"));
    }

    #[test]
    fn a_lost_connection_wants_everything_again_and_keeps_nobody_waiting() {
        let mut table = subscribed("a");
        add(&mut table, "b");
        let mut waiting = table.wait("b").unwrap();
        table.forget_connection();
        assert!(waiting.try_recv().is_err());
        let mut join = table.next_batch(10).join;
        join.sort();
        assert_eq!(join, names(&["a", "b"]));
    }

    #[test]
    fn a_refused_name_is_told_and_not_tried_again() {
        let mut table = Names::default();
        add(&mut table, "a");
        table.next_batch(10);
        let mut waiting = table.wait("a").unwrap();
        table.refused("a");
        assert_eq!(waiting.try_recv(), Ok(Standing::Forbidden));
        add(&mut table, "a");
        assert!(table.next_batch(10).is_empty());
        assert_eq!(table.standing("a"), Standing::Forbidden);
    }

    #[test]
    fn a_name_that_has_moved_is_tried_when_it_is_wanted_once_more() {
        let mut table = subscribed("a");
        assert_eq!(table.departed("a", true), Departure::Moved("a".into()));
        assert_eq!(table.standing("a"), Standing::Moved);
        assert_eq!(table.departed("a", true), Departure::Unrequested);
        assert!(table.next_batch(10).is_empty());
        assert!(add(&mut table, "a"));
        assert_eq!(table.next_batch(10).join, names(&["a"]));
        table.moved("a");
        assert_eq!(table.standing("a"), Standing::Moved);
        table.remove("a");
        table.remove("a");
        assert!(table.next_batch(10).is_empty());
        assert!(table.entries.is_empty());
    }

    #[test]
    fn a_departure_is_requested_only_while_our_command_is_on_its_way() {
        let mut table = subscribed("a");
        table.remove("a");
        let leaving = table.next_batch(10).leave;
        assert_eq!(table.departed("a", false), Departure::Unrequested);
        assert_eq!(table.departed("a", true), Departure::Requested);
        table.left(&leaving);
        assert!(table.entries.is_empty());
    }
}
