use std::fmt;
use std::sync::Arc;

use crate::outgoing::Occasion;
use crate::{Message, Outgoing, Verdict};

/// The filter of one set in one state.
pub(crate) trait Filter: Send + Sync {
    fn filter(&self, message: &mut Outgoing<'_>) -> Verdict;
}

/// All filters of one connection in the state after its latest command: a value that can be
/// handed to whoever fans messages out, while the session goes on.
#[derive(Clone)]
pub struct Filters(pub(crate) Arc<[Arc<dyn Filter>]>);

impl Filters {
    /// The message as this connection may see it; `None` if a filter drops it.
    pub fn apply<'m>(&self, message: &'m Message) -> Option<Outgoing<'m>> {
        self.apply_on(message, Occasion::Push)
    }

    /// A kept message goes through all filters, whatever the verdicts.
    pub(crate) fn apply_on<'m>(
        &self,
        message: &'m Message,
        occasion: Occasion<'m>,
    ) -> Option<Outgoing<'m>> {
        let mut outgoing = Outgoing::on(message, occasion);
        let kept = outgoing.is_kept();
        let passes =
            |filter: &Arc<dyn Filter>| filter.filter(&mut outgoing) == Verdict::Pass || kept;
        let passed = self.0.iter().all(passes);
        passed.then_some(outgoing)
    }

    /// The same filters, with the one at `place` in its new state.
    pub(crate) fn with(&self, place: usize, filter: &Arc<dyn Filter>) -> Self {
        let replaced = |(i, old)| Arc::clone(if i == place { filter } else { old });
        Self(self.0.iter().enumerate().map(replaced).collect())
    }
}

impl fmt::Debug for Filters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filters").field(&self.0.len()).finish()
    }
}
