use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// Values of any type that go along with a message, newest first.
#[derive(Clone, Default)]
pub(crate) struct Notes(Option<Arc<Note>>);

struct Note {
    value: Box<dyn Any + Send + Sync>,
    older: Notes,
}

impl Notes {
    pub(crate) fn with<T: Any + Send + Sync>(self, note: T) -> Self {
        Self(Some(Arc::new(Note { value: Box::new(note), older: self })))
    }

    /// The newest one of this type.
    pub(crate) fn find<T: Any>(&self) -> Option<&T> {
        let note = self.0.as_ref()?;
        note.value.downcast_ref().or_else(|| note.older.find())
    }
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notes").finish_non_exhaustive()
    }
}
