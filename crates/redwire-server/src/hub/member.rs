use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use redwire_protocol::{Filters, Message, Outgoing, Replay, Screen, Take};

use crate::Close;
use crate::outbox::{Flush, Outbox, Push};
use crate::websocket::{Deflated, Frame};

/// One connection, as fan-out sees it.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) id: u64,
    pub(crate) outbox: Outbox,
    state: Mutex<State>,
}

/// Held while a message is judged and queued, so that a replay is one step.
#[derive(Debug)]
struct State {
    filters: Filters,
    screen: Option<Screen>,
}

impl Member {
    pub(crate) fn new(id: u64, outbox: Outbox, filters: Filters) -> Self {
        let screen = filters.screen();
        Self { id, outbox, state: Mutex::new(State { filters, screen }) }
    }

    /// Judges messages by `filters` from now on; whether the screen is another one.
    pub(super) fn publish_state(&self, filters: Filters) -> bool {
        let mut state = self.state();
        let screen = filters.screen();
        let has_changed = screen != state.screen;
        *state = State { filters, screen };
        has_changed
    }

    pub(super) fn screen(&self) -> Option<Screen> {
        self.state().screen.clone()
    }

    /// Queues those of the messages that the filters pass, if `is_here` holds and nobody else is about
    /// to queue something; how many those were, and what has to be done for them to leave. `leave`:
    /// nothing is to leave together with them. `pushes` is empty before and after.
    pub(super) fn deliver<'m>(
        &self,
        messages: impl Iterator<Item = &'m Message>,
        pushes: &mut Vec<Push>,
        leave: bool,
        is_here: impl FnOnce() -> bool,
    ) -> (usize, Flush) {
        let state = self.state();
        if !is_here() {
            return (0, Flush::No);
        }
        // A panic in a user's filter ends its own connection, not the shard of all others.
        let judged = catch_unwind(AssertUnwindSafe(|| {
            let passed = messages.filter_map(|message| state.filters.apply(message));
            pushes.extend(passed.map(|outgoing| self.push(&outgoing)));
        }));
        let passed = pushes.len();
        let flush = if passed > 0 { self.outbox.push_all(pushes, leave) } else { Flush::No };
        if judged.is_err() {
            self.outbox.close(Close::Failed);
        }
        (passed, flush)
    }

    /// Waits until a delivery that has begun is over.
    pub(super) fn settle(&self) {
        drop(self.state());
    }

    /// Queues all that still holds, in one step: what is delivered before is part of it, what comes
    /// after is newer.
    pub(crate) fn replay(&self, replay: &Replay) {
        let filters = self.state().filters.clone();
        // Once without the lock: what is derived from the messages is kept beside them, so that the
        // shard does not wait for it below.
        for message in replay.messages(Take::Rehearsal) {
            if let Some(outgoing) = filters.replay(&message) {
                self.frame(&outgoing);
            }
        }
        let state = self.state();
        self.outbox.forget_states();
        for message in replay.messages(Take::Performance) {
            if let Some(outgoing) = state.filters.replay(&message) {
                // Whoever asked for it flushes when all of it is there.
                let _ = self.outbox.push(self.push(&outgoing));
            }
        }
        self.outbox.replayed();
    }

    fn push(&self, outgoing: &Outgoing<'_>) -> Push {
        Push { frame: self.frame(outgoing), subject: outgoing.subject() }
    }

    /// The message as the filters left it, compressed at most once for all who can read that.
    fn frame(&self, outgoing: &Outgoing<'_>) -> Frame {
        let text = outgoing.frame();
        match &self.outbox.compression {
            Some(compression) => {
                compression.shared_frame(text, outgoing.memo(|_| Deflated::default()))
            }
            None => Frame::text(text),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
