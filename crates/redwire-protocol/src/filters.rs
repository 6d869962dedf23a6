use std::fmt;
use std::sync::Arc;

use crate::message::Occasion;
use crate::{Figure, Message, Outgoing, Screen, Verdict};

/// One set in one state, as whoever fans messages out sees it.
pub(crate) trait Filter: Send + Sync {
    fn filter(&self, message: &mut Outgoing<'_>) -> Verdict;

    fn screen(&self) -> Option<Screen>;

    fn observe(&self, observed: Observed<'_>);

    fn figures(&self) -> Vec<Figure>;

    /// Whether its filter does anything at all.
    fn acts(&self) -> bool;
}

/// All filters of one connection in the state after its latest command: a value that can be
/// handed to whoever fans messages out, while the session goes on.
#[derive(Clone)]
pub struct Filters(pub(crate) Arc<[Arc<dyn Filter>]>);

/// What a [`CommandSet`](crate::CommandSet) can observe.
#[derive(Debug)]
#[non_exhaustive]
pub enum Observed<'m> {
    /// Something was published; [notes](Message::note) that are left on it reach every filter.
    Message(&'m mut Message),
    /// Messages of any channel may have been lost since then, in milliseconds since the epoch.
    Gap {
        /// When the loss may have begun.
        since: u64,
    },
}

impl Filters {
    /// The message as this connection may see it; `None` if a filter drops it.
    pub fn apply<'m>(&self, message: &'m Message) -> Option<Outgoing<'m>> {
        self.apply_on(message, Occasion::Push)
    }

    /// The same for a message of a [`Replay`](crate::Replay).
    pub fn replay<'m>(&self, message: &'m Message) -> Option<Outgoing<'m>> {
        self.apply_on(message, Occasion::Replay)
    }

    /// A kept message goes through all filters, whatever the verdicts.
    pub(crate) fn apply_on<'m>(
        &self,
        message: &'m Message,
        occasion: Occasion,
    ) -> Option<Outgoing<'m>> {
        let mut outgoing = Outgoing::on(message, occasion);
        let kept = outgoing.is_kept();
        let passes =
            |filter: &Arc<dyn Filter>| filter.filter(&mut outgoing) == Verdict::Pass || kept;
        let passed = self.acting().all(passes);
        passed.then_some(outgoing)
    }

    /// A coarse and quick first judgement: a message that does not touch it would be dropped. `None`:
    /// there is no such judgement.
    pub fn screen(&self) -> Option<Screen> {
        // Later sets see what earlier ones made of the message, so only the first one counts.
        self.acting().next()?.screen()
    }

    /// Lets all sets see what is published, once and before any connection's filters do.
    pub fn observe(&self, mut observed: Observed<'_>) {
        for filter in &*self.0 {
            filter.observe(match &mut observed {
                Observed::Message(message) => Observed::Message(message),
                Observed::Gap { since } => Observed::Gap { since: *since },
            });
        }
    }

    /// What all sets have to tell whoever runs the server.
    pub fn figures(&self) -> Vec<Figure> {
        self.0.iter().flat_map(|filter| filter.figures()).collect()
    }

    /// The same filters, with the one at `place` in its new state.
    pub(crate) fn with(&self, place: usize, filter: &Arc<dyn Filter>) -> Self {
        let replaced = |(i, old)| Arc::clone(if i == place { filter } else { old });
        Self(self.0.iter().enumerate().map(replaced).collect())
    }

    fn acting(&self) -> impl Iterator<Item = &Arc<dyn Filter>> {
        self.0.iter().filter(|filter| filter.acts())
    }
}

impl fmt::Debug for Filters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filters").field(&self.0.len()).finish()
    }
}
