use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::args::Args;
use crate::error::quoted;
use crate::filters::Filters;
use crate::outgoing::Occasion;
use crate::protocol::Index;
use crate::reply::{Reply, Rule};
use crate::slot::Slot;
use crate::{Backend, Content, Context, Envelope, Error, HandlerBase, Limits, Message, Refused};

/// One connection without a socket: lines in, frames out.
pub struct Session<H: HandlerBase> {
    slots: Vec<Box<dyn Slot<H>>>,
    filters: Filters,
    index: Arc<Index>,
    context: Context<H>,
}

impl<H: HandlerBase> Session<H> {
    pub(crate) fn new(
        slots: Vec<Box<dyn Slot<H>>>,
        filters: Filters,
        index: Arc<Index>,
        handler: H,
        backend: Arc<dyn Backend>,
        limits: &Limits,
    ) -> Self {
        let mut context = Context::new(handler, backend, limits);
        context.handler.on_open();
        Self { slots, filters, index, context }
    }

    /// The first frame of every connection.
    pub fn greeting() -> Envelope {
        Envelope::status(Content::from(serde_json::json!({"status": "open"})))
    }

    /// Carries out one line: one command, its words separated by any white space.
    ///
    /// # Errors
    ///
    /// If the line is malformed, its command unknown, or the command fails. Nothing was changed
    /// then, unless the command's own set says otherwise.
    pub async fn receive(&mut self, line: &str) -> Result<Vec<Envelope>, Refused> {
        let mut words = line.split(is_separator).filter(|word| !word.is_empty());
        let name = words.next();
        let result = self.run(name, words).await;
        result.map_err(|(error, client_reference)| {
            let refused = Refused { command: name.map(quoted), client_reference, error };
            self.context.handler.on_error(&refused);
            refused
        })
    }

    async fn run<'w>(
        &mut self,
        name: Option<&'w str>,
        words: impl Iterator<Item = &'w str>,
    ) -> Result<Vec<Envelope>, (Error, Option<String>)> {
        let name = name.ok_or((Error::EmptyLine, None))?;
        let unknown = || (Error::UnknownCommand { name: quoted(name) }, None);
        let entry = self.index.commands.get(name).ok_or_else(unknown)?;
        let (args, bound) = Args::bind(&entry.usage, words);
        let client_reference = args.client_reference();
        if let Err(error) = bound {
            return Err((error, client_reference));
        }
        let slot = self.slots.get_mut(entry.set).ok_or_else(unknown)?;
        let reply = match slot.start(entry.command, &mut self.context, &args) {
            Ok(running) => running.await,
            Err(error) => Err(error),
        };
        if slot.has_state() {
            self.filters = self.filters.with(entry.set, &slot.filter());
        }
        let reply = reply.map_err(|error| (error, client_reference))?;
        Ok(self.filter(reply))
    }

    fn filter(&self, reply: Reply) -> Vec<Envelope> {
        if reply.rule == Rule::Unfiltered {
            return reply.frames;
        }
        let note = reply.note.as_deref();
        let occasion = Occasion::Reply { kept: reply.rule == Rule::Kept, note };
        let passed = |frame: Envelope| frame.filtered(&self.filters, occasion);
        let mut frames: Vec<_> = reply.frames.into_iter().filter_map(passed).collect();
        if let (Rule::OrNull { source, client_reference }, true) = (reply.rule, frames.is_empty()) {
            frames.push(Envelope::new(source, Content::null()).referenced(client_reference));
        }
        frames
    }

    /// The frame that this connection gets for a published message; `None` if it is not
    /// subscribed or a filter drops it. A server with many connections uses
    /// [`filters`](Self::filters) and shares the encoded frames.
    pub fn deliver(&self, message: &Message) -> Option<Envelope> {
        if !self.context.is_subscribed(message.source()) {
            return None;
        }
        let content = self.filters.apply(message)?.content().clone();
        Some(Envelope::new(message.source(), content))
    }

    /// The filters in their state after the latest command.
    pub fn filters(&self) -> &Filters {
        &self.filters
    }

    /// This connection's clone of a stacked set; the first one of that type.
    pub fn set<C: Any>(&self) -> Option<&C> {
        self.slots.iter().find_map(|slot| slot.set().downcast_ref())
    }

    /// The handler, the backend and the subscriptions.
    pub fn context(&self) -> &Context<H> {
        &self.context
    }
}

/// Unicode white space, and the four separators that Python's `str.split` adds to it: the original
/// server was written in Python.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

impl<H: HandlerBase> Drop for Session<H> {
    fn drop(&mut self) {
        self.context.handler.on_close();
    }
}

impl<H: HandlerBase> fmt::Debug for Session<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("context", &self.context).finish_non_exhaustive()
    }
}
