use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use tokio::sync::Notify;

use crate::lock::lock;

/// The most events that are taken at once; more would hold the queue's lock for too long.
const BATCH: usize = 1024;

/// What a [`Queue`] holds.
pub(crate) trait Queued {
    /// In bytes of payload.
    fn size(&self) -> usize;

    /// Since when messages may be missing, if that is what the event says.
    fn since(&self) -> Option<SystemTime>;

    fn gap(since: SystemTime) -> Self;
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

/// One reader's bounded queue. Full, it drops events until its reader has taken everything that it
/// holds; then comes one gap with the time of the first drop.
#[derive(Debug)]
pub(crate) struct Queue<E> {
    state: Mutex<State<E>>,
    /// Wakes the one reader; a permit is kept if it isn't waiting.
    pub(crate) ready: Arc<Notify>,
    limits: Limits,
}

#[derive(Debug)]
struct State<E> {
    events: VecDeque<E>,
    bytes: usize,
    /// Set from the first drop until its gap has been read.
    dropping_since: Option<SystemTime>,
    closed: bool,
}

pub(crate) enum Taken {
    Some,
    Nothing,
    Closed,
}

impl<E: Queued> Queue<E> {
    pub(crate) fn new(limits: Limits) -> Self {
        let state =
            State { events: VecDeque::new(), bytes: 0, dropping_since: None, closed: false };
        Self { state: Mutex::new(state), ready: Arc::default(), limits }
    }

    /// Whether it was taken; otherwise a gap will be reported.
    pub(crate) fn push(&self, event: E) -> bool {
        let mut state = lock(&self.state);
        let accepted = state.dropping_since.is_none() && self.has_room(&state, &event);
        let was_idle = state.events.is_empty() && state.dropping_since.is_none();
        if accepted {
            state.bytes += event.size();
            state.events.push_back(event);
        } else {
            state.fold(&event);
        }
        drop(state);
        if was_idle {
            self.ready.notify_one();
        }
        accepted
    }

    pub(crate) fn close(&self) {
        lock(&self.state).closed = true;
        self.ready.notify_one();
    }

    /// As [`close`](Self::close), and what was not read is gone.
    pub(crate) fn abandon(&self) {
        let mut state = lock(&self.state);
        (state.events, state.bytes, state.dropping_since) = (VecDeque::new(), 0, None);
        drop(state);
        self.close();
    }

    fn has_room(&self, state: &State<E>, event: &E) -> bool {
        state.events.len() < self.limits.messages
            && state.bytes.saturating_add(event.size()) <= self.limits.bytes
    }

    pub(crate) fn take(&self, into: &mut impl Extend<E>) -> Taken {
        let mut state = lock(&self.state);
        let count = state.events.len().min(BATCH);
        let bytes: usize = state.events.iter().take(count).map(Queued::size).sum();
        state.bytes -= bytes;
        into.extend(state.events.drain(..count));
        let mut is_empty = count == 0;
        if state.events.is_empty()
            && let Some(since) = mem::take(&mut state.dropping_since)
        {
            into.extend([E::gap(since)]);
            is_empty = false;
        }
        match (is_empty, state.closed) {
            (false, _) => Taken::Some,
            (true, true) => Taken::Closed,
            (true, false) => Taken::Nothing,
        }
    }
}

impl<E: Queued> State<E> {
    /// Makes a dropped event part of the gap to come.
    fn fold(&mut self, event: &E) {
        let since = event.since().unwrap_or_else(SystemTime::now);
        let earlier = self.dropping_since.map_or(since, |known| known.min(since));
        self.dropping_since = Some(earlier);
    }
}
