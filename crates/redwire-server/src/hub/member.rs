use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use redwire_protocol::{Filters, Message};

use crate::Close;
use crate::outbox::Outbox;

/// One connection, as fan-out sees it.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) id: u64,
    pub(crate) outbox: Outbox,
    filters: Mutex<Filters>,
}

impl Member {
    pub(crate) fn new(id: u64, outbox: Outbox, filters: Filters) -> Self {
        Self { id, outbox, filters: Mutex::new(filters) }
    }

    /// Judges messages by `filters` from now on.
    pub(crate) fn publish_state(&self, filters: Filters) {
        *self.filters.lock().unwrap_or_else(PoisonError::into_inner) = filters;
    }

    /// Queues the message unless a filter drops it; whether it was queued.
    pub(super) fn deliver(&self, message: &Message) -> bool {
        let filters = self.filters.lock().unwrap_or_else(PoisonError::into_inner);
        // A panic in a user's filter ends its own connection, not the shard of all others.
        let frame = catch_unwind(AssertUnwindSafe(|| Some(filters.apply(message)?.frame())));
        drop(filters);
        match frame {
            Ok(Some(frame)) => {
                self.outbox.push(frame);
                true
            }
            Ok(None) => false,
            Err(_) => {
                self.outbox.close(Close::Failed);
                false
            }
        }
    }
}
