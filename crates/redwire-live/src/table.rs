use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redwire_protocol::{BackendError, Bounds, Message, Plane, Screen};

use crate::change::{Change, Was};
use crate::pluck::Scalar;
use crate::sheet::Sheet;

/// The newest message of each feature of a layer: what a viewer has to see at once who comes late, or
/// moves the map.
#[derive(Debug, Default)]
pub(crate) struct Table {
    features: Mutex<Features>,
    /// Held by whoever fills it from the hash.
    pub(crate) filling: tokio::sync::Mutex<Filling>,
}

/// What is known to whoever fills a table.
#[derive(Debug, Default)]
pub(crate) struct Filling {
    /// Whether the server itself is subscribed.
    pub(crate) is_retained: bool,
}

#[derive(Debug, Default)]
struct Features {
    entries: Vec<Entry>,
    /// By the text of the feature's id.
    places: HashMap<Box<str>, usize>,
    sheets: Vec<Sheet>,
    /// How many changes there were.
    changes: u64,
    /// How many subjects were ever named.
    subjects: u64,
    is_fresh: bool,
    /// Whether the hash was ever seen with features in it.
    has_hash: bool,
    fill: Option<Fill>,
    /// When the last attempt to fill it failed, and why.
    failed: Option<(Instant, BackendError)>,
    refused: u64,
}

#[derive(Debug)]
struct Entry {
    id: Scalar,
    message: Message,
    change: Change,
}

/// How long a failed attempt counts for whoever comes after it.
const RETRY: Duration = Duration::from_secs(1);

/// Deletions that are remembered during one fill; beyond it the fill is given up and the next viewer
/// begins another.
const MAX_DELETED: usize = 65_536;

/// A reading of the hash that is under way: what was published meanwhile is newer.
#[derive(Debug)]
struct Fill {
    began: u64,
    deleted: HashSet<Box<str>>,
}

impl Table {
    fn features(&self) -> MutexGuard<'_, Features> {
        self.features.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a feature, and notes on the message what that changes.
    pub(crate) fn put(&self, layer: usize, max: usize, id: Scalar, message: &mut Message) {
        let mut features = self.features();
        if let Some(was) = features.put(layer, max, id, message) {
            message.note(Was(was));
        }
    }

    /// Forgets a feature, and notes on the message what that changes.
    pub(crate) fn delete(&self, layer: usize, id: &Scalar, message: &mut Message) {
        let mut features = self.features();
        features.changes += 1;
        if let Some(fill) = &mut features.fill {
            fill.deleted.insert(id.text().into());
            if fill.deleted.len() > MAX_DELETED {
                features.fill = None;
            }
        }
        let entry = features.remove(id.text());
        let subject = entry.as_ref().and_then(|entry| entry.change.subject);
        message.note(Change { layer, number: features.changes, subject, is_deletion: true });
        if let Some(entry) = entry {
            message.note(Was(entry.message));
        }
    }

    /// The features that touch the screen, and the number of the last change that is in them.
    pub(crate) fn snapshot(&self, screen: Option<&Screen>) -> (u64, Vec<Message>) {
        let Some(screen) = screen else {
            let features = self.features();
            let messages = features.entries.iter().map(|entry| entry.message.clone());
            return (features.changes, messages.collect());
        };
        self.lay_out(&screen.plane);
        let features = self.features();
        let mut messages = Vec::new();
        if let Some(sheet) = features.sheets.iter().find(|sheet| sheet.is_of(&screen.plane)) {
            sheet.touching(&screen.bounds, |place| {
                messages.extend(features.entries.get(place).map(|entry| entry.message.clone()));
            });
        }
        (features.changes, messages)
    }

    /// Finds out where everything lies in this plane that has changed since somebody asked last.
    fn lay_out(&self, plane: &Arc<dyn Plane>) {
        let (changes, changed) = {
            let mut features = self.features();
            let changes = features.changes;
            let since = features.sheet(plane).asked();
            let is_new = |entry: &&Entry| entry.change.number > since;
            let new =
                |entry: &Entry| (entry.id.clone(), entry.change.number, entry.message.clone());
            (changes, features.entries.iter().filter(is_new).map(new).collect::<Vec<_>>())
        };
        // Without the lock, which fan-out waits for.
        let extent = |message: &Message| plane.extent(message).unwrap_or(Bounds::EVERYTHING);
        let extents: Vec<_> = changed.iter().map(|(_, _, message)| extent(message)).collect();
        let mut features = self.features();
        for ((id, number, _), extent) in changed.iter().zip(extents) {
            let Some(&place) = features.places.get(id.text()) else { continue };
            let is_same = |entry: &Entry| entry.change.number == *number;
            if features.entries.get(place).is_some_and(is_same) {
                features.sheet(plane).lay(place, &extent);
            }
        }
        features.sheet(plane).laid(changes);
    }

    /// What is remembered of a feature, with the number of the change that led to it.
    pub(crate) fn state(&self, id: &str) -> Option<(u64, Message)> {
        let features = self.features();
        features.entry(id).map(|entry| (entry.change.number, entry.message.clone()))
    }

    /// Whether everything that was published is known.
    pub(crate) fn is_fresh(&self) -> bool {
        self.features().is_fresh
    }

    /// Something may have been missed.
    pub(crate) fn expire(&self) {
        let mut features = self.features();
        features.is_fresh = false;
        features.fill = None;
        features.failed = None;
    }

    /// Why the last attempt to fill it failed, if that was not long ago.
    pub(crate) fn failed_lately(&self) -> Option<BackendError> {
        let (at, error) = self.features().failed?;
        (at.elapsed() < RETRY).then_some(error)
    }

    pub(crate) fn fill_failed(&self, error: BackendError) {
        self.features().failed = Some((Instant::now(), error));
    }

    /// From here on, what is published is newer than what is read.
    pub(crate) fn begin_fill(&self) {
        let mut features = self.features();
        let began = features.changes;
        features.fill = Some(Fill { began, deleted: HashSet::new() });
    }

    /// Takes over what was read. Where nothing ever was, the publisher may not keep a hash at all: then
    /// all that is known stays.
    pub(crate) fn end_fill(&self, layer: usize, max: usize, read: Vec<(Scalar, Message)>) {
        let mut features = self.features();
        // Expired meanwhile: the next viewer has it read again.
        let Some(fill) = features.fill.take() else { return };
        let present: HashSet<_> = read.iter().map(|(id, _)| Box::from(id.text())).collect();
        features.has_hash |= !present.is_empty();
        if features.has_hash {
            let is_gone = |entry: &&Entry| {
                entry.change.number <= fill.began && !present.contains(entry.id.text())
            };
            let gone: Vec<_> =
                features.entries.iter().filter(is_gone).map(|entry| entry.id.clone()).collect();
            gone.iter().for_each(|id| drop(features.remove(id.text())));
        }
        for (id, mut message) in read {
            let known = features.entry(id.text());
            let is_newer = known.is_some_and(|entry| entry.change.number > fill.began);
            if !is_newer && !fill.deleted.contains(id.text()) {
                features.put(layer, max, id, &mut message);
            }
        }
        features.is_fresh = true;
    }

    /// How many features are remembered, and how many were not.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let features = self.features();
        (features.entries.len() as u64, features.refused)
    }
}

impl Features {
    /// The sheet of this plane, made if there is none.
    #[expect(clippy::indexing_slicing, reason = "it was found, or just pushed")]
    fn sheet(&mut self, plane: &Arc<dyn Plane>) -> &mut Sheet {
        let found = self.sheets.iter().position(|sheet| sheet.is_of(plane));
        let place = found.unwrap_or_else(|| {
            self.sheets.push(Sheet::new(plane, self.entries.len()));
            self.sheets.len() - 1
        });
        &mut self.sheets[place]
    }

    /// Drops what nobody asks for any more, and with it what was derived from the messages for whoever
    /// did.
    fn drop_idle_sheets(&mut self) {
        self.sheets.retain(|sheet| !sheet.is_idle());
        for entry in &mut self.entries {
            entry.message = entry.message.copied();
        }
    }

    fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.get(*self.places.get(id)?)
    }

    /// Remembers a feature; returns what it was before.
    fn put(
        &mut self,
        layer: usize,
        max: usize,
        id: Scalar,
        message: &mut Message,
    ) -> Option<Message> {
        // When the last viewer has gone, nobody asks any more.
        if self.sheets.iter().any(Sheet::is_idle) {
            self.drop_idle_sheets();
        }
        let place = self.places.get(id.text()).copied();
        if place.is_none() && self.entries.len() >= max {
            self.refused += 1;
            return None;
        }
        self.changes += 1;
        let known = place.and_then(|place| self.entries.get(place));
        let subject = known.map_or(self.subjects, |entry| entry.change.subject.unwrap_or_default());
        let name = subject | (layer as u64) << 48;
        let change =
            Change { layer, number: self.changes, subject: Some(name), is_deletion: false };
        message.note(change);
        let entry = Entry { id, message: message.clone(), change };
        let Some(place) = place else {
            self.subjects += 1;
            self.sheets.iter_mut().for_each(Sheet::push);
            self.places.insert(entry.id.text().into(), self.entries.len());
            self.entries.push(entry);
            return None;
        };
        self.sheets.iter_mut().for_each(|sheet| sheet.forget(place));
        Some(std::mem::replace(self.entries.get_mut(place)?, entry).message)
    }

    fn remove(&mut self, id: &str) -> Option<Entry> {
        let place = self.places.remove(id)?;
        let entry = self.entries.swap_remove(place);
        if let Some(moved) = self.entries.get(place) {
            self.places.insert(moved.id.text().into(), place);
        }
        self.sheets.iter_mut().for_each(|sheet| sheet.swap_remove(place));
        Some(entry)
    }
}
