use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;

use crate::content::Content;
use crate::envelope;
use crate::notes::Notes;

/// One thing published, shared by all connections: cloning it copies a pointer.
///
/// Whatever is derived from it (the parsed JSON, a [memo](crate::Outgoing::memo), a
/// [rewrite](crate::Outgoing::rewrite), the encoded frame) is computed at most once, however many
/// connections look at it and from however many threads.
#[derive(Clone, Debug)]
pub struct Message {
    published: Arc<Published>,
    notes: Notes,
}

/// Why a message goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// It was published.
    Push,
    /// It was published before, and the client has to see it now.
    Replay,
    /// It is part of a reply, and perhaps sent whatever the verdict.
    Reply { kept: bool },
}

#[derive(Debug)]
struct Published {
    source: Arc<str>,
    timestamp: u64,
    original: Version,
    rewritten: Mutex<Vec<Content>>,
    encoded: AtomicU32,
}

impl Message {
    /// A message of `source` (a channel) that was received at `timestamp`, in milliseconds since
    /// the epoch.
    pub fn new(source: impl Into<Arc<str>>, content: Content, timestamp: u64) -> Self {
        let published = Published {
            source: source.into(),
            timestamp,
            original: Version::new(None, content),
            rewritten: Mutex::default(),
            encoded: AtomicU32::new(0),
        };
        Self { published: Arc::new(published), notes: Notes::default() }
    }

    /// The channel.
    pub fn source(&self) -> &str {
        &self.published.source
    }

    /// What was published, before any filter.
    pub fn content(&self) -> &Content {
        &self.published.original.content
    }

    /// The same message with nothing derived from it yet, and with the same notes.
    #[must_use]
    pub fn copied(&self) -> Self {
        let fresh = Self::new(
            Arc::clone(&self.published.source),
            self.content().clone(),
            self.published.timestamp,
        );
        fresh.with_notes(self.notes.clone())
    }

    /// Leaves a note for the filters, which find it by its type with
    /// [`Outgoing::note`](crate::Outgoing::note). It goes along with this handle and its later clones;
    /// earlier clones know nothing of it.
    pub fn note<T: Any + Send + Sync>(&mut self, note: T) {
        self.notes = std::mem::take(&mut self.notes).with(note);
    }

    /// The latest note of this type.
    pub fn noted<T: Any>(&self) -> Option<&T> {
        self.notes.find()
    }

    pub(crate) fn with_notes(self, notes: Notes) -> Self {
        Self { notes, ..self }
    }

    /// What this message has cost so far, all versions together.
    pub fn cost(&self) -> Cost {
        let rewritten = self.published.rewritten.lock().unwrap_or_else(PoisonError::into_inner);
        let contents = rewritten.iter().chain([self.content()]);
        Cost {
            parsed: contents.filter(|content| content.was_parsed()).count(),
            rewritten: rewritten.len(),
            encoded: self.published.encoded.load(Ordering::Relaxed) as usize,
        }
    }

    pub(crate) fn original(&self) -> &Version {
        &self.published.original
    }

    /// `version` under `key`; `None` where the rewrite leaves the content as it is.
    pub(crate) fn rewrite<K>(
        &self,
        version: &Version,
        key: K,
        replace: impl FnOnce(&Content) -> Option<(Option<Arc<str>>, Content)>,
    ) -> Option<Arc<Version>>
    where
        K: Eq + Hash + Any + Send + Sync,
    {
        version.rewritten(key, |content| {
            let (source, content) = replace(content)?;
            let rewritten = &self.published.rewritten;
            rewritten.lock().unwrap_or_else(PoisonError::into_inner).push(content.clone());
            Some(Version::new(source.or_else(|| version.source.clone()), content))
        })
    }

    pub(crate) fn frame(&self, version: &Version) -> Bytes {
        let encoded = || {
            self.published.encoded.fetch_add(1, Ordering::Relaxed);
            let source = version.source.as_ref().unwrap_or(&self.published.source);
            envelope::encode(source, &version.content, self.published.timestamp, None)
        };
        version.frame.get_or_init(encoded).clone()
    }
}

/// How often each kind of work was done for one [`Message`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// JSON texts that were parsed.
    pub parsed: usize,
    /// Versions that were made by filters.
    pub rewritten: usize,
    /// Frames that were encoded.
    pub encoded: usize,
}

/// One content of a message, with everything derived from it.
#[derive(Debug)]
pub(crate) struct Version {
    /// `None`: the message's own.
    pub(crate) source: Option<Arc<str>>,
    pub(crate) content: Content,
    frame: OnceLock<Bytes>,
    memos: Memo,
}

type Rewrites<K> = Mutex<HashMap<K, Arc<OnceLock<Option<Arc<Version>>>>>>;

/// Rewrites of one kind that are kept beside a content. More than are in use at a time: beyond it they
/// are made anew, so that whoever asks for all that there are does not fill the memory with them.
const MAX_REWRITES: usize = 8;

impl Version {
    fn new(source: Option<Arc<str>>, content: Content) -> Self {
        Self { source, content, frame: OnceLock::new(), memos: Memo::default() }
    }

    pub(crate) fn memo<T>(&self, compute: impl FnOnce(&Content) -> T) -> &T
    where
        T: Any + Send + Sync,
    {
        self.memos.find_or_insert(|| compute(&self.content))
    }

    fn rewritten<K>(
        &self,
        key: K,
        rewrite: impl FnOnce(&Content) -> Option<Self>,
    ) -> Option<Arc<Self>>
    where
        K: Eq + Hash + Any + Send + Sync,
    {
        let rewrites: &Rewrites<K> = self.memos.find_or_insert(Rewrites::default);
        let version = {
            let mut rewrites = rewrites.lock().unwrap_or_else(PoisonError::into_inner);
            if rewrites.len() >= MAX_REWRITES && !rewrites.contains_key(&key) {
                rewrites.clear();
            }
            Arc::clone(rewrites.entry(key).or_default())
        };
        // Outside the lock: others may rewrite to other keys meanwhile.
        version.get_or_init(|| Some(Arc::new(rewrite(&self.content)?))).clone()
    }
}

/// Values of any type, one of each: a list that only grows, so that it can hand out references
/// without a lock.
#[derive(Default)]
struct Memo {
    value: OnceLock<Box<dyn Any + Send + Sync>>,
    next: OnceLock<Box<Self>>,
}

impl Memo {
    fn find_or_insert<T: Any + Send + Sync>(&self, compute: impl FnOnce() -> T) -> &T {
        let mut node = self;
        loop {
            // The place is taken before the value is computed, so that computing it may itself look
            // for values of other types.
            let place = node.value.get_or_init(|| Box::new(OnceLock::<T>::new()));
            if let Some(value) = place.downcast_ref::<OnceLock<T>>() {
                return value.get_or_init(compute);
            }
            node = node.next.get_or_init(Box::default);
        }
    }
}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memo").finish_non_exhaustive()
    }
}
