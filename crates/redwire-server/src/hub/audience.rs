use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use redwire_protocol::{Bounds, Boxes, Message, Plane, Screen};

use super::Member;
use super::run::Mask;

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

/// Where each message of a run lies, in each plane that an audience looks at.
#[derive(Debug)]
pub(super) struct Extents(Vec<(Arc<dyn Plane>, Extent)>);

/// Of one message after the other: `None` if it lies nowhere in the plane.
type Extent = Vec<Option<Bounds>>;

/// Those whom messages of a run may concern.
#[derive(Debug)]
pub(super) struct Candidates {
    members: Arc<Vec<Arc<Member>>>,
    /// Of how many messages.
    run: usize,
    /// Where somebody is whom some of them may concern, in any order of the places; `None`: all of them
    /// may concern everybody.
    places: Option<Vec<(usize, Mask)>>,
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

    /// Whom to ask about `run` messages that lie there.
    pub(super) fn candidates(&self, run: usize, extents: &Extents) -> Vec<Candidates> {
        self.groups.iter().map(|group| group.candidates(run, extents)).collect()
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

    fn candidates(&self, run: usize, extents: &Extents) -> Candidates {
        let members = Arc::clone(&self.members);
        let places = self.plane.as_ref().and_then(|plane| match extents.of(plane)? {
            [extent] => extent.as_ref().map(|extent| self.touching(extent)),
            extents => Some(self.touching_some(extents)),
        });
        Candidates { members, run, places }
    }

    /// Who looks at a message.
    fn touching(&self, extent: &Bounds) -> Vec<(usize, Mask)> {
        let mut places = Vec::new();
        self.boxes.touching(extent, |place| places.push((place, 1)));
        places
    }

    /// Who looks at which of several messages; everybody does at those that lie nowhere.
    fn touching_some(&self, extents: &[Option<Bounds>]) -> Vec<(usize, Mask)> {
        let nowhere = bits(extents.iter().map(Option::is_none));
        let mut masks = vec![nowhere; self.members.len()];
        for (message, extent) in extents.iter().enumerate() {
            let Some(extent) = extent else { continue };
            self.boxes.touching(extent, |place| {
                masks.get_mut(place).into_iter().for_each(|mask| *mask |= 1 << message);
            });
        }
        masks.into_iter().enumerate().filter(|(_, mask)| *mask > 0).collect()
    }
}

fn extent(plane: &dyn Plane, message: &Message) -> Option<Bounds> {
    // A panic in a user's plane is a reason to ask every filter, not to stop.
    catch_unwind(AssertUnwindSafe(|| plane.extent(message))).unwrap_or(None)
}

fn bits(set: impl Iterator<Item = bool>) -> Mask {
    set.enumerate().fold(0, |mask, (place, is_set)| mask | Mask::from(is_set) << place)
}

impl Extents {
    /// Where `messages` lie in `planes`.
    pub(super) fn locate(planes: Vec<Arc<dyn Plane>>, messages: &[Message]) -> Self {
        let locate = |plane: Arc<dyn Plane>| {
            let extent = messages.iter().map(|message| extent(&*plane, message)).collect();
            (plane, extent)
        };
        Self(planes.into_iter().map(locate).collect())
    }

    fn of(&self, plane: &Arc<dyn Plane>) -> Option<&[Option<Bounds>]> {
        Some(&self.0.iter().find(|(own, _)| Arc::ptr_eq(own, plane))?.1)
    }
}

impl Candidates {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<Member>, Mask)> {
        let everything = Mask::MAX.checked_shr(Mask::BITS - self.run as u32).unwrap_or_default();
        let all = if self.places.is_none() { &self.members[..] } else { &[] };
        let some = self.places.iter().flatten();
        let some = some.filter_map(|&(place, mask)| Some((self.members.get(place)?, mask)));
        all.iter().map(move |member| (member, everything)).chain(some)
    }
}
