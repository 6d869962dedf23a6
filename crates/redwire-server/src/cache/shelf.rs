use std::collections::{BTreeMap, HashMap};
use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::AGE;

/// What keeping one value takes beside its bytes, at the most: its places in the maps, and those of its
/// hash if it is the only one. Measured: 900; 200 in a hash of which many are kept.
const ENTRY: usize = 1024;

/// What each of all values of a hash takes beside its bytes.
const PART: usize = 96;

/// The part of all bytes above which a single value is not kept: it would drive out most others.
const LARGEST: usize = 8;

/// Values of hashes, and who is reading them. The oldest go first: soon they would be read anew anyway.
pub(super) struct Shelf {
    hashes: HashMap<Arc<str>, Hash>,
    /// All values by age.
    order: BTreeMap<u64, Label>,
    /// How many numbers were given away.
    numbers: u64,
    bytes: usize,
    most: usize,
}

pub(super) struct Hash {
    key: Arc<str>,
    token: u64,
    /// Whether Redis is known to tell of its next change.
    tracked: bool,
    /// How many read it at the moment.
    marks: usize,
    fields: HashMap<Arc<str>, Kept<Option<Bytes>>>,
    values: Option<Kept<Arc<Vec<Bytes>>>>,
}

struct Kept<T> {
    value: T,
    place: Place,
}

#[derive(Clone, Copy)]
struct Place {
    number: u64,
    begun: Instant,
    size: usize,
}

/// What a place is for.
struct Label {
    key: Arc<str>,
    /// None: all values.
    field: Option<Arc<str>>,
    begun: Instant,
}

impl Shelf {
    pub(super) fn new(most: usize) -> Self {
        Self { hashes: HashMap::new(), order: BTreeMap::new(), numbers: 0, bytes: 0, most }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.hashes.is_empty() && self.order.is_empty() && self.bytes == 0
    }

    pub(super) fn field(&self, key: &str, field: &str) -> Option<Option<Bytes>> {
        self.hashes.get(key)?.fields.get(field)?.fresh()
    }

    pub(super) fn values(&self, key: &str) -> Option<Arc<Vec<Bytes>>> {
        self.hashes.get(key)?.values.as_ref()?.fresh()
    }

    /// Notes a reader. The token tells this hash from one that comes after it was dropped.
    pub(super) fn mark(&mut self, key: &str) -> u64 {
        if let Some(hash) = self.hashes.get_mut(key) {
            hash.marks += 1;
            return hash.token;
        }
        let (key, token) = (Arc::<str>::from(key), self.number());
        self.hashes.insert(Arc::clone(&key), Hash::marked(key, token));
        token
    }

    pub(super) fn is_tracked(&self, key: &str, token: u64) -> bool {
        self.hashes.get(key).is_some_and(|hash| hash.token == token && hash.tracked)
    }

    pub(super) fn set_tracked(&mut self, key: &str, token: u64) {
        if let Some(hash) = self.hash(key, token) {
            hash.tracked = true;
        }
    }

    pub(super) fn unmark(&mut self, key: &str, token: u64) {
        let Some(hash) = self.hash(key, token) else { return };
        hash.marks = hash.marks.saturating_sub(1);
        if hash.is_idle() {
            self.hashes.remove(key);
        }
    }

    pub(super) fn keep_field(
        &mut self,
        (key, token): (&str, u64),
        field: &str,
        value: Option<Bytes>,
        begun: Instant,
    ) {
        let size = field.len() + value.as_ref().map_or(0, Bytes::len);
        let Some(place) = self.place(key, size, begun) else { return };
        let Some(hash) = self.hash(key, token) else { return };
        let field = Arc::<str>::from(field);
        let label = Label { key: Arc::clone(&hash.key), field: Some(Arc::clone(&field)), begun };
        let former = hash.fields.insert(field, Kept { value, place });
        self.enter(place, label, former.map(|former| former.place));
    }

    pub(super) fn keep_values(
        &mut self,
        (key, token): (&str, u64),
        value: Arc<Vec<Bytes>>,
        begun: Instant,
    ) {
        let size = value.iter().map(|value| value.len() + PART).sum();
        let Some(place) = self.place(key, size, begun) else { return };
        let Some(hash) = self.hash(key, token) else { return };
        let label = Label { key: Arc::clone(&hash.key), field: None, begun };
        let former = hash.values.replace(Kept { value, place });
        self.enter(place, label, former.map(|former| former.place));
    }

    /// Takes all of a hash out; replies to who reads it will not be kept.
    pub(super) fn remove(&mut self, key: &str) -> Option<Hash> {
        let hash = self.hashes.remove(key)?;
        let fields = hash.fields.values().map(|kept| kept.place);
        for place in fields.chain(hash.values.as_ref().map(|kept| kept.place)) {
            self.vacate(place);
        }
        Some(hash)
    }

    /// The same of every hash.
    pub(super) fn clear(&mut self) -> Self {
        let empty = Self { numbers: self.numbers, ..Self::new(self.most) };
        mem::replace(self, empty)
    }

    fn hash(&mut self, key: &str, token: u64) -> Option<&mut Hash> {
        self.hashes.get_mut(key).filter(|hash| hash.token == token)
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// None if it is too large.
    fn place(&mut self, key: &str, size: usize, begun: Instant) -> Option<Place> {
        let size = ENTRY.saturating_add(key.len()).saturating_add(size);
        (size <= self.most / LARGEST).then(|| Place { number: self.number(), begun, size })
    }

    fn enter(&mut self, place: Place, label: Label, former: Option<Place>) {
        if let Some(former) = former {
            self.vacate(former);
        }
        self.order.insert(place.number, label);
        self.bytes += place.size;
        while let Some(oldest) = self.order.first_entry() {
            if self.bytes <= self.most && oldest.get().begun.elapsed() < AGE {
                break;
            }
            let label = oldest.remove();
            self.evict(&label);
        }
    }

    fn vacate(&mut self, place: Place) {
        self.order.remove(&place.number);
        self.bytes -= place.size;
    }

    fn evict(&mut self, Label { key, field, .. }: &Label) {
        let Some(hash) = self.hashes.get_mut(key) else { return };
        let place = match field {
            Some(field) => hash.fields.remove(field).map(|kept| kept.place),
            None => hash.values.take().map(|kept| kept.place),
        };
        hash.give_back_room();
        if hash.is_idle() {
            self.hashes.remove(key);
        }
        if let Some(place) = place {
            self.vacate(place);
        }
    }
}

impl Hash {
    fn marked(key: Arc<str>, token: u64) -> Self {
        Self { key, token, tracked: false, marks: 1, fields: HashMap::new(), values: None }
    }

    /// A map keeps room for the most that it ever held, which nobody counts.
    fn give_back_room(&mut self) {
        if self.fields.capacity() / 4 > self.fields.len() {
            self.fields.shrink_to(2 * self.fields.len());
        }
    }

    fn is_idle(&self) -> bool {
        self.marks == 0 && self.fields.is_empty() && self.values.is_none()
    }
}

impl<T: Clone> Kept<T> {
    fn fresh(&self) -> Option<T> {
        (self.place.begun.elapsed() < AGE).then(|| self.value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of so many bytes each are let in, one for each key.
    fn filled(most: usize, size: usize, keys: usize) -> Shelf {
        let mut shelf = Shelf::new(most);
        for key in 0..keys {
            keep(&mut shelf, &key.to_string(), "field", size);
            assert!(shelf.bytes() <= most);
        }
        shelf
    }

    fn keep(shelf: &mut Shelf, key: &str, field: &str, size: usize) {
        let token = shelf.mark(key);
        let value = Some(Bytes::from(vec![b'x'; size]));
        shelf.keep_field((key, token), field, value, Instant::now());
        shelf.unmark(key, token);
    }

    fn held(shelf: &Shelf, keys: usize) -> Vec<usize> {
        (0..keys).filter(|key| shelf.field(&key.to_string(), "field").is_some()).collect()
    }

    #[test]
    fn the_oldest_go_when_bytes_are_over() {
        let shelf = filled(100_000, 10_000, 20);
        assert_eq!(held(&shelf, 20), (11..20).collect::<Vec<_>>());
        assert_eq!((shelf.hashes.len(), shelf.order.len()), (9, 9));
    }

    #[test]
    fn values_that_are_as_good_as_empty_are_bounded_too() {
        let shelf = filled(100_000, 0, 10_000);
        assert_eq!(held(&shelf, 10_000).len(), 100_000 / (ENTRY + "1000".len() + "field".len()));
    }

    #[test]
    fn what_takes_more_than_an_eighth_is_not_kept() {
        assert_eq!(held(&filled(100_000, 12_000, 1), 1), Vec::<usize>::new());
        assert_eq!(held(&filled(100_000, 11_000, 1), 1), [0]);
        let mut shelf = Shelf::new(100_000);
        let token = shelf.mark("hash");
        shelf.keep_values(("hash", token), Arc::new(vec![Bytes::new(); 200]), Instant::now());
        assert_eq!(shelf.values("hash"), None, "each of many values takes some, too");
        shelf.keep_values(("hash", token), Arc::new(vec![Bytes::new(); 100]), Instant::now());
        assert!(shelf.values("hash").is_some());
    }

    /// Else a client could make it large without a bound: many fields of one hash after the other, and one
    /// of each again and again.
    #[test]
    fn room_that_a_hash_no_longer_needs_is_given_back() {
        let mut shelf = Shelf::new(1 << 20);
        for hash in 0..50_usize {
            for field in 0..900 {
                keep(&mut shelf, &hash.to_string(), &field.to_string(), 0);
                if field % 100 == 0 {
                    (0..hash).for_each(|hash| keep(&mut shelf, &hash.to_string(), "again", 0));
                }
            }
        }
        assert_eq!(shelf.hashes.len(), 50);
        let room: usize = shelf.hashes.values().map(|hash| hash.fields.capacity()).sum();
        let room = room * size_of::<(Arc<str>, Kept<Option<Bytes>>)>();
        assert!(room + shelf.bytes() < 3 << 19, "{room} and {}", shelf.bytes());
    }

    #[test]
    fn what_is_kept_anew_takes_the_place_of_what_was() {
        let mut shelf = Shelf::new(100_000);
        for _ in 0..100 {
            keep(&mut shelf, "hash", "field", 1_000);
            keep(&mut shelf, "hash", "other", 1_000);
        }
        assert!(shelf.bytes() < 5_000, "{}", shelf.bytes());
        shelf.remove("hash");
        assert!(shelf.is_empty());
    }

    #[test]
    fn a_field_goes_without_the_others_of_its_hash() {
        let mut shelf = Shelf::new(100_000);
        keep(&mut shelf, "hash", "first", 0);
        keep(&mut shelf, "hash", "second", 0);
        for key in 0..9 {
            keep(&mut shelf, &key.to_string(), "field", 9_900);
        }
        assert_eq!(shelf.field("hash", "first"), None);
        assert!(shelf.field("hash", "second").is_some());
        keep(&mut shelf, "hash", "third", 0);
        assert!(shelf.field("hash", "third").is_some());
    }
}
