use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::args::Args;
use crate::error::quoted;
use crate::filters::Filters;
use crate::protocol::Index;
use crate::reply::{Reply, Rule};
use crate::slot::Slot;
use crate::{
    Backend, Content, Context, Envelope, Error, HandlerBase, Limits, Message, Outgoing, Refused,
    Replay, Take,
};

/// What a line is answered with.
#[derive(Debug, Default)]
pub struct Response {
    /// The frames, in order.
    pub frames: Vec<Envelope>,
    /// What the client has to see after them, once the session's new [filters](Session::filters) are
    /// in force.
    pub replay: Option<Replay>,
}

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
        let Response { mut frames, replay } = self.respond(line).await?;
        let replayed = replay.map(|replay| replay.messages(Take::Performance)).unwrap_or_default();
        frames.extend(replayed.iter().filter_map(|message| {
            self.filters.replay(message).map(|outgoing| envelope(&outgoing))
        }));
        Ok(frames)
    }

    /// The same for a server, which fans messages out meanwhile: it publishes the session's new
    /// [`filters`](Self::filters) first and replays then.
    ///
    /// # Errors
    ///
    /// As [`receive`](Self::receive).
    pub async fn respond(&mut self, line: &str) -> Result<Response, Refused> {
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
    ) -> Result<Response, (Error, Option<String>)> {
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
        let mut reply = reply.map_err(|error| (error, client_reference))?;
        let replay = reply.replay.take();
        Ok(Response { frames: self.filter(reply), replay })
    }

    fn filter(&self, reply: Reply) -> Vec<Envelope> {
        if reply.rule == Rule::Unfiltered {
            return reply.frames;
        }
        let (notes, kept) = (reply.notes, reply.rule == Rule::Kept);
        let passed = |frame: Envelope| frame.filtered(&self.filters, &notes, kept);
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
        Some(envelope(&self.filters.apply(message)?))
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

fn envelope(outgoing: &Outgoing<'_>) -> Envelope {
    Envelope::new(outgoing.source(), outgoing.content().clone())
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
