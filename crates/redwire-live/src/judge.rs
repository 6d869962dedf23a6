use std::sync::Arc;

use redwire_protocol::{Message, Outgoing, Screen, Subject, Verdict};

use crate::change::{Change, Was};
use crate::facts::{Facts, Kind, deleted};
use crate::layer::Layer;
use crate::live::{Live, Wanted};
use crate::pluck::Scalar;

/// The name of the rewrite that makes a deletion of a feature.
#[derive(PartialEq, Eq, Hash)]
struct Left;

/// The name of the rewrite that changes nothing but the channel's name.
#[derive(PartialEq, Eq, Hash)]
struct Renamed;

/// What each viewer gets to see.
impl Live {
    pub(crate) fn screen_of_box(&self) -> Option<Screen> {
        let Screen { plane, bounds } = self.geo.screen()?;
        Some(Screen { plane: self.options.planes.over(&plane), bounds })
    }

    /// Whether the viewer's box and attributes show the message; it is projected on the way.
    fn shows(&self, message: &mut Outgoing<'_>) -> bool {
        let is_wanted = message.is_kept() || self.wants(message);
        is_wanted && self.geo.judge(message) == Verdict::Pass
    }

    fn wants(&self, message: &Outgoing<'_>) -> bool {
        if self.wanted.is_empty() {
            return true;
        }
        let facts = self.facts(message);
        let is_wanted = |wanted: &Wanted| {
            let value = facts.attribute(wanted.attribute);
            value.is_some_and(|value| wanted.values.iter().any(|wanted| **wanted == *value))
        };
        !matches!(facts.kind, Kind::Feature(_)) || self.wanted.iter().all(is_wanted)
    }

    fn facts<'m>(&self, message: &'m Outgoing<'_>) -> &'m Facts {
        message.memo(|content| self.options.reader.read(content))
    }

    pub(crate) fn judge(&self, message: &mut Outgoing<'_>) -> Verdict {
        let Some(&change) = message.note::<Change>() else {
            return if self.shows(message) { Verdict::Pass } else { Verdict::Drop };
        };
        let is_old = self.seen.as_ref().is_some_and(|seen| change.number <= seen.of(change.layer));
        let is_old = is_old && !message.is_replayed();
        if !change.is_deletion && self.shows(message) {
            if is_old {
                // The snapshot said as much, or more.
                return Verdict::Drop;
            }
            change.subject.into_iter().for_each(|subject| message.about(Subject::State(subject)));
            return Verdict::Pass;
        }
        self.take_back(change, is_old, message)
    }

    /// A viewer who saw the feature learns that it has gone. A snapshot does not say that: it says what is
    /// there. But what has come back since and is part of one is not taken back.
    fn take_back(&self, change: Change, is_old: bool, message: &mut Outgoing<'_>) -> Verdict {
        let Some(Was(was)) = message.note() else {
            // Of a feature that nobody knows, everybody may.
            return if change.is_deletion { Verdict::Pass } else { Verdict::Drop };
        };
        if !self.shows(&mut Outgoing::new(was)) {
            return Verdict::Drop;
        }
        let Some(layer) = self.options.layers.get(change.layer) else { return Verdict::Drop };
        let was = Outgoing::new(was);
        let Kind::Feature(Some(id)) = &self.facts(&was).kind else { return Verdict::Drop };
        if is_old && self.has_come_back(change.layer, layer, id) {
            return Verdict::Drop;
        }
        if !change.is_deletion {
            let (source, content) = self.options.deletion(layer, id);
            message.redirect(Left, |_| (source, content));
        }
        change.subject.into_iter().for_each(|subject| message.about(Subject::End(subject)));
        Verdict::Pass
    }

    /// Whether the last snapshot showed the feature. If it has changed since, a message that is still on its
    /// way says what became of it.
    fn has_come_back(&self, place: usize, layer: &Layer, id: &Scalar) -> bool {
        let seen = self.seen.as_ref().map_or(0, |seen| seen.of(place));
        layer
            .table
            .state(id.text())
            .is_some_and(|(number, state)| number <= seen && self.shows(&mut Outgoing::new(&state)))
    }

    /// The viewer of a variant that `BBOX` chose knows it by the names of the layer in whose place it is.
    pub(crate) fn rename(&self, message: &mut Outgoing<'_>) {
        let source = message.source();
        let Some(name) = self.options.known_as(source).cloned() else { return };
        let is_published = message.note::<Change>().is_some();
        if is_published && self.implied.iter().any(|implied| **implied == *source) {
            message.redirect(Renamed, |content| (name, content.clone()));
        }
    }

    /// Puts what is published into its layer's table, which notes on it what that changes.
    pub(crate) fn remember(&self, message: &mut Message) {
        let source = message.source();
        let is_deletions = |deletions: &Option<Arc<str>>| deletions.as_deref() == Some(source);
        let layers = self.options.layers.iter().enumerate();
        for (place, layer) in layers {
            if *layer.channel == *source {
                let outgoing = Outgoing::new(message);
                match &self.facts(&outgoing).kind {
                    Kind::Feature(Some(id)) => {
                        let id = id.clone();
                        layer.table.put(place, layer.max_features, id, message);
                    }
                    Kind::Deleted(id) => {
                        let id = id.clone();
                        layer.table.delete(place, &id, message);
                    }
                    _ => {}
                }
                return;
            }
            if is_deletions(&layer.deletions) {
                let id = deleted(message.content(), self.facts(&Outgoing::new(message)));
                if let Some(id) = id {
                    layer.table.delete(place, &id, message);
                }
                return;
            }
        }
    }
}
