use std::any::Any;

use crate::notes::Notes;
use crate::{Content, Envelope, Replay};

/// What a command answers: any number of frames, in order.
#[derive(Debug, Default)]
pub struct Reply {
    pub(crate) frames: Vec<Envelope>,
    pub(crate) rule: Rule,
    pub(crate) notes: Notes,
    pub(crate) replay: Option<Replay>,
}

/// What the filters may do to a reply.
#[derive(Debug, Default, PartialEq)]
pub(crate) enum Rule {
    /// Filters do not look at it.
    #[default]
    Unfiltered,
    /// Filters rewrite and drop; if nothing is left, `null` from this source is sent.
    OrNull { source: Box<str>, client_reference: Option<String> },
    /// Filters rewrite; what they drop is sent all the same.
    Kept,
}

impl Reply {
    /// No frame.
    pub fn none() -> Self {
        Self::default()
    }

    /// One frame about the connection itself, source `websocket`, which no filter sees.
    ///
    /// ```
    /// # use redwire_protocol::Reply;
    /// Reply::status("PONG");
    /// ```
    pub fn status(content: impl Into<serde_json::Value>) -> Self {
        let frame = Envelope::status(Content::from(content.into()));
        Self { frames: vec![frame], ..Self::default() }
    }

    /// All the values of `source`, each a frame; what the filters drop is not sent. The client is
    /// promised at least one frame, so if none is left it gets `null`.
    pub fn values(
        source: &str,
        contents: impl IntoIterator<Item = Content>,
        client_reference: Option<String>,
    ) -> Self {
        let frame = |content| Envelope::new(source, content).referenced(client_reference.clone());
        Self {
            frames: contents.into_iter().map(frame).collect(),
            rule: Rule::OrNull { source: source.into(), client_reference },
            ..Self::default()
        }
    }

    /// The one value that was asked for by name: filters may rewrite it but not drop it.
    pub fn value(
        source: impl Into<Box<str>>,
        content: Content,
        client_reference: Option<String>,
    ) -> Self {
        let frame = Envelope::new(source, content).referenced(client_reference);
        Self { frames: vec![frame], rule: Rule::Kept, ..Self::default() }
    }

    /// Leaves a note for the filters, which find it by its type with
    /// [`Outgoing::note`](crate::Outgoing::note).
    #[must_use]
    pub fn noted<T: Any + Send + Sync>(mut self, note: T) -> Self {
        self.notes = self.notes.with(note);
        self
    }

    /// Lets the client see, after these frames, what was published before and still holds. A server
    /// may put it off for a moment, and sends only the last one of several.
    #[must_use]
    pub fn replaying(mut self, replay: Replay) -> Self {
        self.replay = Some(replay);
        self
    }
}

/// What a command's `async fn` may return inside its `Result`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a command's answer",
    label = "not an answer",
    note = "return `Result<()>` for no frame, or `Result<Reply>`: `Ok(Reply::status(\"any text or JSON\"))`"
)]
pub trait IntoReply {
    /// The frames to send.
    fn into_reply(self) -> Reply;
}

impl IntoReply for Reply {
    fn into_reply(self) -> Reply {
        self
    }
}

impl IntoReply for () {
    fn into_reply(self) -> Reply {
        Reply::none()
    }
}
