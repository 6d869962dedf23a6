use std::collections::HashMap;
use std::sync::Arc;

use redwire_protocol::{Bounds, Boxes, Plane, Screen};

use super::Member;

/// The members of one channel, arranged by what they look at: one pass over the boxes of a plane
/// finds those whom a message may concern.
#[derive(Debug, Default)]
pub(super) struct Audience {
    groups: Vec<Group>,
}

/// Members with screens in one plane, or without one.
#[derive(Debug)]
struct Group {
    plane: Option<Arc<dyn Plane>>,
    /// Behind a pointer, so that a message goes to those who were there when it came while others
    /// come and go.
    members: Arc<Vec<Arc<Member>>>,
    /// In the same order; empty without a plane.
    boxes: Boxes,
    places: HashMap<u64, usize>,
}

/// Where a message lies in each plane that an audience looks at.
#[derive(Debug, Default)]
pub(super) struct Extents(pub(super) Vec<(Arc<dyn Plane>, Option<Bounds>)>);

/// Those whom a message may concern.
#[derive(Debug)]
pub(super) struct Candidates {
    members: Arc<Vec<Arc<Member>>>,
    /// `None`: all of them.
    places: Option<Vec<usize>>,
}

impl Audience {
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.groups.iter().map(|group| group.members.len()).sum()
    }

    pub(super) fn contains(&self, id: u64) -> bool {
        self.groups.iter().any(|group| group.places.contains_key(&id))
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.groups.iter().flat_map(|group| &*group.members)
    }

    pub(super) fn planes(&self) -> impl Iterator<Item = &Arc<dyn Plane>> {
        self.groups.iter().filter_map(|group| group.plane.as_ref())
    }

    /// Takes the member in, or puts it where its screen belongs now.
    pub(super) fn place(&mut self, member: &Arc<Member>, screen: Option<&Screen>) {
        let (plane, bounds) = (screen.map(|s| &s.plane), screen.map(|s| &s.bounds));
        let group = self.groups.iter_mut().find(|group| group.is_of(plane));
        if let Some(group) = group
            && let Some(&place) = group.places.get(&member.id)
        {
            if let Some(bounds) = bounds {
                group.boxes.set(place, bounds);
            }
            return;
        }
        self.remove(member.id);
        let group = match self.groups.iter_mut().position(|group| group.is_of(plane)) {
            Some(group) => self.groups.get_mut(group),
            None => {
                self.groups.push(Group::of(plane.cloned()));
                self.groups.last_mut()
            }
        };
        if let Some(group) = group {
            group.push(member, bounds);
        }
    }

    pub(super) fn remove(&mut self, id: u64) {
        for group in &mut self.groups {
            group.remove(id);
        }
        self.groups.retain(|group| !group.members.is_empty());
    }

    /// Whom to ask about a message that lies there.
    pub(super) fn candidates(&self, extents: &Extents) -> Vec<Candidates> {
        self.groups.iter().map(|group| group.candidates(extents)).collect()
    }
}

impl Group {
    fn of(plane: Option<Arc<dyn Plane>>) -> Self {
        Self { plane, members: Arc::default(), boxes: Boxes::default(), places: HashMap::new() }
    }

    fn is_of(&self, plane: Option<&Arc<dyn Plane>>) -> bool {
        match (&self.plane, plane) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (None, None) => true,
            _ => false,
        }
    }

    fn push(&mut self, member: &Arc<Member>, bounds: Option<&Bounds>) {
        self.places.insert(member.id, self.members.len());
        Arc::make_mut(&mut self.members).push(Arc::clone(member));
        if let Some(bounds) = bounds {
            self.boxes.push(bounds);
        }
    }

    fn remove(&mut self, id: u64) {
        let Some(place) = self.places.remove(&id) else { return };
        let members = Arc::make_mut(&mut self.members);
        members.swap_remove(place);
        if let Some(moved) = members.get(place) {
            self.places.insert(moved.id, place);
        }
        self.boxes.swap_remove(place);
    }

    fn candidates(&self, extents: &Extents) -> Candidates {
        let members = Arc::clone(&self.members);
        let extent = self.plane.as_ref().and_then(|plane| extents.of(plane));
        let places = extent.map(|extent| {
            let mut places = Vec::new();
            self.boxes.touching(&extent, |place| places.push(place));
            places
        });
        Candidates { members, places }
    }
}

impl Extents {
    fn of(&self, plane: &Arc<dyn Plane>) -> Option<Bounds> {
        self.0.iter().find(|(own, _)| Arc::ptr_eq(own, plane))?.1
    }
}

impl Candidates {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Member>> {
        let all = if self.places.is_none() { &self.members[..] } else { &[] };
        let some = self.places.iter().flatten().filter_map(|&place| self.members.get(place));
        all.iter().chain(some)
    }
}
