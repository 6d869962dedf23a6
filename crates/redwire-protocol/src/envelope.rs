use bytes::Bytes;

use crate::message::Occasion;
use crate::notes::Notes;
use crate::{Content, Filters, Message};

/// The source of everything that speaks about the connection itself.
const STATUS_SOURCE: &str = "websocket";

/// One frame to one client, before its time is stamped on it.
#[derive(Debug)]
pub struct Envelope {
    source: Box<str>,
    content: Content,
    client_reference: Option<String>,
}

impl Envelope {
    /// A frame with data: `source` is the channel, the key, or `"key field"`.
    pub fn new(source: impl Into<Box<str>>, content: Content) -> Self {
        Self { source: source.into(), content, client_reference: None }
    }

    /// A frame about the connection itself: greeting, `PONG`, errors, gaps.
    pub fn status(content: Content) -> Self {
        Self::new(STATUS_SOURCE, content)
    }

    /// Sets the reference that the client gave with its command.
    #[must_use]
    pub fn referenced(mut self, client_reference: Option<String>) -> Self {
        self.client_reference = client_reference;
        self
    }

    /// Where the content comes from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What is said.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The reference that the client gave with its command.
    pub fn client_reference(&self) -> Option<&str> {
        self.client_reference.as_deref()
    }

    /// The JSON text on the wire, with `timestamp` in milliseconds since the epoch.
    ///
    /// ```
    /// use redwire_protocol::{Content, Envelope};
    ///
    /// let envelope = Envelope::new("trains", Content::parse(r#"{"speed":1.10}"#)?);
    /// assert_eq!(
    ///     envelope.encode(1795225523212),
    ///     r#"{"source":"trains","content":{"speed":1.10},"timestamp":1795225523212,"client_reference":null}"#,
    /// );
    /// # Ok::<(), redwire_protocol::NotJson>(())
    /// ```
    pub fn encode(&self, timestamp: u64) -> Bytes {
        encode(&self.source, &self.content, timestamp, self.client_reference.as_deref())
    }
}

/// Writes the four members in the order that clients of the original protocol rely on.
pub(crate) fn encode(
    source: &str,
    content: &Content,
    timestamp: u64,
    client_reference: Option<&str>,
) -> Bytes {
    let source = serde_json::Value::from(source);
    let client_reference = serde_json::Value::from(client_reference);
    let content = content.text();
    format!(
        r#"{{"source":{source},"content":{content},"timestamp":{timestamp},"client_reference":{client_reference}}}"#
    )
    .into()
}

impl Envelope {
    /// This frame after filters; `None` if they drop it.
    pub(crate) fn filtered(self, filters: &Filters, notes: &Notes, kept: bool) -> Option<Self> {
        let message = Message::new(&*self.source, self.content, 0).with_notes(notes.clone());
        let content = filters.apply_on(&message, Occasion::Reply { kept })?.content().clone();
        Some(Self { content, ..self })
    }
}
