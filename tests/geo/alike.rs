//! Two JSON texts, read in step by a reader that has nothing in common with the scanner under test.

/// What may differ at some place of the original.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// A feature or a collection: its geometry and its `bbox`.
    Item,
    /// The list of a collection, or of a geometry collection: what is in it.
    Geometry,
    /// All numbers.
    Numbers,
    Nothing,
}

impl Place {
    fn of_member(self, name: &str) -> Self {
        match (self, name) {
            (Self::Item, "geometry") | (Self::Geometry, "geometries") => Self::Geometry,
            (Self::Item, "features") => Self::Item,
            (Self::Geometry, "coordinates") | (Self::Item | Self::Geometry, "bbox") => {
                Self::Numbers
            }
            _ => Self::Nothing,
        }
    }
}

/// What a projection may have done to a text.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Changes {
    pub(crate) numbers: usize,
    /// Geometries that became `null`.
    pub(crate) nulls: usize,
}

/// Panics at the first byte that no projection may change.
pub(crate) fn alike(original: &str, rewritten: &str) -> Changes {
    let mut pair =
        Pair { original, rewritten, left: (original, rewritten), changes: Changes::default() };
    pair.space();
    pair.value(Place::Item, false);
    pair.space();
    assert_eq!(pair.left, ("", ""), "{original}\n{rewritten}");
    pair.changes
}

struct Pair<'t> {
    original: &'t str,
    rewritten: &'t str,
    left: (&'t str, &'t str),
    changes: Changes,
}

impl<'t> Pair<'t> {
    /// One token of each.
    fn tokens(&mut self, length: impl Fn(&str) -> usize) -> (&'t str, &'t str) {
        let (a, after_a) = self.left.0.split_at(length(self.left.0));
        let (b, after_b) = self.left.1.split_at(length(self.left.1));
        self.left = (after_a, after_b);
        (a, b)
    }

    /// One token of each, which must be the same.
    fn same(&mut self, length: impl Fn(&str) -> usize) -> &'t str {
        let (a, b) = self.tokens(length);
        assert_eq!(a, b, "{}\n{}", self.original, self.rewritten);
        a
    }

    fn space(&mut self) {
        self.same(|text| text.len() - text.trim_start_matches([' ', '\t', '\r', '\n']).len());
    }

    fn value(&mut self, place: Place, may_vanish: bool) {
        match self.left.0.as_bytes().first() {
            Some(b'{') if may_vanish && self.left.1.starts_with("null") => {
                self.left = (after_value(self.left.0), &self.left.1[4..]);
                self.changes.nulls += 1;
            }
            Some(b'{') => self.object(place),
            Some(b'[') => self.array(place),
            Some(b'"') => _ = self.same(string),
            _ => {
                let (a, b) = self.tokens(word);
                assert!(a == b || place == Place::Numbers, "{}\n{}", self.original, self.rewritten);
                assert!(!b.is_empty(), "{}", self.rewritten);
                self.changes.numbers += usize::from(a != b);
            }
        }
    }

    fn object(&mut self, place: Place) {
        self.same(|_| 1);
        self.space();
        while self.left.0.starts_with('"') {
            let name = self.same(string);
            let name: String = serde_json::from_str(name).expect("a name");
            self.space();
            self.same(|_| 1);
            self.space();
            let may_vanish = place == Place::Item && name == "geometry";
            self.value(place.of_member(&name), may_vanish);
            self.separator();
        }
        self.same(|_| 1);
    }

    fn array(&mut self, place: Place) {
        self.same(|_| 1);
        self.space();
        while !self.left.0.starts_with(']') {
            self.value(place, false);
            self.separator();
        }
        self.same(|_| 1);
    }

    fn separator(&mut self) {
        self.space();
        if self.left.0.starts_with(',') {
            self.same(|_| 1);
            self.space();
        }
    }
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|&(_, c)| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

/// A number or a literal.
fn word(text: &str) -> usize {
    text.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(text.len())
}

/// What follows an object.
fn after_value(text: &str) -> &str {
    let (mut rest, mut depth) = (text, 0);
    loop {
        let length = match rest.as_bytes().first() {
            Some(b'"') => string(rest),
            Some(b'{') => {
                depth += 1;
                1
            }
            Some(b'}') => {
                depth -= 1;
                1
            }
            Some(_) => rest.chars().next().map_or(1, char::len_utf8),
            None => return rest,
        };
        rest = &rest[length..];
        if depth == 0 {
            return rest;
        }
    }
}
