use std::fmt;
use std::sync::Arc;

use crate::Message;

/// Messages that were published before and still hold: what a connection has to see at once, where
/// others saw it happen.
///
/// It is asked for after the command's new state is in force, in one step with everything that is
/// published: a message is either part of the replay or comes after it. It may be asked more than
/// once; the last answer counts. Frames with a [subject](crate::Subject) that wait for the connection
/// are dropped for it, so it has to say all that still holds of every subject.
#[derive(Clone)]
pub struct Replay(Arc<dyn Fn() -> Vec<Message> + Send + Sync>);

impl Replay {
    /// The messages that `current` returns when its time has come.
    pub fn new(current: impl Fn() -> Vec<Message> + Send + Sync + 'static) -> Self {
        Self(Arc::new(current))
    }

    /// The messages as of now, in the order in which they are to be sent.
    pub fn messages(&self) -> Vec<Message> {
        (self.0)()
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").finish_non_exhaustive()
    }
}
