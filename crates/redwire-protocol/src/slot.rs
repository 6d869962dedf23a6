use std::any::Any;
use std::sync::Arc;

use crate::args::Args;
use crate::command::{Erased, Running};
use crate::filters::{Filter, Observed};
use crate::{CommandSet, Context, Error, Figure, Outgoing, Screen, Verdict};

/// One set of a protocol, without its type: makes the slots of new sessions.
pub(crate) trait Stacked<H>: Send + Sync {
    fn slot(&self) -> Box<dyn Slot<H>>;
}

/// One set of one session, without its type.
pub(crate) trait Slot<H>: Send + Sync {
    fn start<'a>(
        &'a mut self,
        command: usize,
        context: &'a mut Context<H>,
        args: &Args<'_>,
    ) -> Result<Running<'a>, Error>;

    /// The filter in the set's present state.
    fn filter(&self) -> Arc<dyn Filter>;

    /// Whether a command can change the filter at all.
    fn has_state(&self) -> bool;

    fn set(&self) -> &dyn Any;
}

pub(crate) struct StackedSet<C, H> {
    pub(crate) set: C,
    pub(crate) commands: Arc<[Erased<C, H>]>,
}

impl<C: CommandSet<H>, H: 'static> Stacked<H> for StackedSet<C, H> {
    fn slot(&self) -> Box<dyn Slot<H>> {
        Box::new(Self { set: self.set.clone(), commands: Arc::clone(&self.commands) })
    }
}

impl<C: CommandSet<H>, H: 'static> Slot<H> for StackedSet<C, H> {
    fn start<'a>(
        &'a mut self,
        command: usize,
        context: &'a mut Context<H>,
        args: &Args<'_>,
    ) -> Result<Running<'a>, Error> {
        let command = self.commands.get(command).ok_or(Error::EmptyLine)?;
        command(&mut self.set, context, args)
    }

    fn filter(&self) -> Arc<dyn Filter> {
        Arc::new(Published::<C, H> { set: self.set.clone(), handler: std::marker::PhantomData })
    }

    fn has_state(&self) -> bool {
        size_of::<C>() > 0
    }

    fn set(&self) -> &dyn Any {
        &self.set
    }
}

struct Published<C, H> {
    set: C,
    handler: std::marker::PhantomData<fn(H)>,
}

impl<C: CommandSet<H>, H: 'static> Filter for Published<C, H> {
    fn filter(&self, message: &mut Outgoing<'_>) -> Verdict {
        self.set.filter(message)
    }

    fn screen(&self) -> Option<Screen> {
        self.set.screen()
    }

    fn observe(&self, observed: Observed<'_>) {
        self.set.observe(observed);
    }

    fn figures(&self) -> Vec<Figure> {
        self.set.figures()
    }

    fn acts(&self) -> bool {
        C::FILTERS
    }
}
