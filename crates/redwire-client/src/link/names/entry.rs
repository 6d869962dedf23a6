//! One name.

use tokio::sync::oneshot;

use crate::link::table::Standing;

/// How many want a name, and how it stands with Redis.
#[derive(Debug, Default)]
pub(super) struct Entry {
    wanted: usize,
    pub(super) actual: Actual,
    /// Whether its name is among the unsettled ones.
    pub(super) queued: bool,
    waiting: Vec<oneshot::Sender<Standing>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Actual {
    #[default]
    Absent,
    /// The command for it is on its way.
    Joining,
    Subscribed,
    /// As `Joining`.
    Leaving,
    /// The user may not read it. Not tried again on this connection.
    Refused,
    /// Another node serves it. Not tried again on this connection, unless it is wanted once more.
    Moved,
}

/// What brings a name nearer to what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Join,
    Leave,
    /// Nobody needs the entry.
    Forget,
}

impl Entry {
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted > 0
    }

    /// One more wants it. Whether that is news.
    pub(super) fn want(&mut self) -> bool {
        self.wanted += 1;
        let has_moved = self.actual == Actual::Moved;
        if has_moved {
            self.actual = Actual::Absent;
        }
        self.wanted == 1 || has_moved
    }

    /// One less wants it; one too many is ignored. Whether that is news.
    pub(super) fn release(&mut self) -> bool {
        let before = self.wanted;
        self.wanted = before.saturating_sub(1);
        before == 1
    }

    pub(super) fn due(&self) -> Due {
        match (self.is_wanted(), self.actual) {
            (true, Actual::Absent) => Due::Join,
            (false, Actual::Subscribed) => Due::Leave,
            (false, Actual::Absent | Actual::Refused | Actual::Moved) => Due::Forget,
            (true, Actual::Subscribed | Actual::Refused | Actual::Moved)
            | (_, Actual::Joining | Actual::Leaving) => Due::Nothing,
        }
    }

    pub(super) fn standing(&self) -> Standing {
        match self.actual {
            _ if !self.is_wanted() => Standing::Unconfirmed,
            Actual::Subscribed => Standing::Confirmed,
            Actual::Refused => Standing::Forbidden,
            Actual::Moved => Standing::Moved,
            Actual::Absent | Actual::Joining | Actual::Leaving => Standing::Unconfirmed,
        }
    }

    /// Who will say how it stands.
    pub(super) fn wait(&mut self) -> oneshot::Receiver<Standing> {
        let (sender, receiver) = oneshot::channel();
        self.waiting.push(sender);
        receiver
    }

    /// The answer to a command to join. All who wait are told. False if there was no such command.
    pub(super) fn judge(&mut self, actual: Actual, verdict: Standing) -> bool {
        if self.actual != Actual::Joining {
            return false;
        }
        self.actual = actual;
        for waiting in self.waiting.drain(..) {
            let _ = waiting.send(verdict);
        }
        true
    }

    /// The connection is gone. Nobody waits any longer.
    pub(super) fn forget_connection(&mut self) {
        self.actual = Actual::Absent;
        self.waiting.clear();
    }
}
