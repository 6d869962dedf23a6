use redwire_protocol::Message;

/// What the table knows of a message, left on it as a note.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) layer: usize,
    /// The number of the change in its layer, from 1.
    pub(crate) number: u64,
    /// The name of the feature's frames in the outbox; `None` for one that is not remembered.
    pub(crate) subject: Option<u64>,
    pub(crate) is_deletion: bool,
}

/// What was known of the feature before the change.
#[derive(Debug)]
pub(crate) struct Was(pub(crate) Message);
