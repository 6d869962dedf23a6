use redwire_protocol::{Bounds, Content};

use crate::feature::Item;
use crate::geometry::Geometry;
use crate::tape::Tape;

/// Where a message is on the map, without its text: kept beside the message for all viewers.
#[derive(Debug)]
pub(crate) enum Located {
    /// Nothing to locate: everybody gets it.
    Anywhere,
    Geometry(Geometry),
    /// Everybody who gets one of them gets it.
    AnyOf(Vec<Self>),
}

impl Located {
    pub(crate) fn of(content: &Content) -> Self {
        let tape = Tape::read(content.text());
        tape.root().map_or(Self::Anywhere, |root| Item::read(root).into())
    }

    /// A box around all of it; `None` if a part is anywhere.
    pub(crate) fn extent(&self) -> Option<Bounds> {
        match self {
            Self::Anywhere => None,
            Self::Geometry(geometry) => {
                Some(geometry.bounds().map_or(Bounds::NOTHING, Bounds::from))
            }
            Self::AnyOf(members) => members
                .iter()
                .try_fold(Bounds::NOTHING, |all, member| Some(all.around(&member.extent()?))),
        }
    }

    pub(crate) fn passes(&self, inside: impl Fn(&Geometry) -> bool + Copy) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Geometry(geometry) => inside(geometry),
            Self::AnyOf(members) => members.iter().any(|member| member.passes(inside)),
        }
    }
}

impl From<Item<'_>> for Located {
    fn from(item: Item<'_>) -> Self {
        match item {
            Item::Alien | Item::Feature(_, None) => Self::Anywhere,
            Item::Feature(_, Some((_, geometry))) => Self::Geometry(geometry),
            Item::Collection(_, items) => Self::AnyOf(items.into_iter().map(Self::from).collect()),
        }
    }
}
