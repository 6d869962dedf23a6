use std::fmt;
use std::sync::Arc;

use crate::Message;

/// Messages that were published before and still hold: what a connection has to see at once, where
/// others saw it happen.
///
/// It is asked for after the command's new state is in force, in one step with everything that is
/// published: a message is either part of the replay or comes after it. Frames with a [subject](crate::Subject) that wait for the connection
/// are dropped for it, so it has to say all that still holds of every subject.
#[derive(Clone)]
pub struct Replay(Arc<dyn Fn(Take) -> Vec<Message> + Send + Sync>);

/// What the messages of a [`Replay`] are taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// To derive from them what sending them will need, outside of that one step. Nothing is sent.
    Rehearsal,
    /// To send them.
    Performance,
}

impl Replay {
    /// The messages that `current` returns when its time has come. It may be asked more than once.
    pub fn new(current: impl Fn(Take) -> Vec<Message> + Send + Sync + 'static) -> Self {
        Self(Arc::new(current))
    }

    /// The messages as of now, in the order in which they are to be sent.
    pub fn messages(&self, take: Take) -> Vec<Message> {
        (self.0)(take)
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").finish_non_exhaustive()
    }
}
