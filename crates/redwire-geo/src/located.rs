use redwire_protocol::Bounds;

use crate::geometry::Geometry;

/// Where a message is on the map.
#[derive(Debug)]
pub(crate) enum Located {
    /// Nothing to locate: everybody gets it.
    Anywhere,
    Geometry(Geometry),
    /// Everybody who gets one of them gets it.
    AnyOf(Vec<Self>),
}

impl Located {
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

    /// Visits the geometries in the order of the text.
    pub(crate) fn visit<'l>(&'l self, visit: &mut impl FnMut(&'l Geometry)) {
        match self {
            Self::Anywhere => {}
            Self::Geometry(geometry) => visit(geometry),
            Self::AnyOf(members) => members.iter().for_each(|member| member.visit(visit)),
        }
    }
}
