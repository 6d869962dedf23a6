use redwire_protocol::Content;

use crate::pluck::{Path, Scalar, path, pluck};

/// What a map has to know of a message, read once for all viewers.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) kind: Kind,
    /// The values that filters compare, in the order of configuration.
    attributes: Vec<Option<Scalar>>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Kind {
    /// A feature, and the name it is known by, if it has one.
    Feature(Option<Scalar>),
    /// `{"deleted": id}`: the feature is no more.
    Deleted(Scalar),
    /// Not for a map: passes as it is.
    Alien,
}

/// Where to look for facts.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    paths: Vec<Path>,
    identities: usize,
}

const KIND: usize = 0;
const DELETED: usize = 1;
/// What comes before the identities.
const FIXED: usize = 2;

impl Reader {
    pub(crate) fn new(identities: &[String], attributes: &[String]) -> Self {
        let pointers = ["/type", "/deleted"].into_iter();
        let pointers = pointers.chain(identities.iter().chain(attributes).map(String::as_str));
        Self { paths: pointers.map(path).collect(), identities: identities.len() }
    }

    pub(crate) fn read(&self, content: &Content) -> Facts {
        let mut found = pluck(content.text(), &self.paths);
        let attributes = found.split_off(FIXED + self.identities);
        let name = |scalar: &Scalar| !matches!(scalar, Scalar::Other(_));
        let identity = found.split_off(FIXED).into_iter().flatten().find(name);
        let mut take = |place: usize| found.get_mut(place).and_then(Option::take);
        let kind = match (take(KIND), take(DELETED).filter(name)) {
            (Some(kind), _) if kind.text() == "Feature" => Kind::Feature(identity),
            (None, Some(id)) => Kind::Deleted(id),
            _ => Kind::Alien,
        };
        Facts { kind, attributes }
    }
}

impl Facts {
    /// The text of an attribute, where the feature has it.
    pub(crate) fn attribute(&self, place: usize) -> Option<&str> {
        Some(self.attributes.get(place)?.as_ref()?.text())
    }
}

/// What a message on a channel of deletions names: a string or an integer, or an object that says
/// so.
pub(crate) fn deleted(content: &Content, facts: &Facts) -> Option<Scalar> {
    match &facts.kind {
        Kind::Deleted(id) => Some(id.clone()),
        _ => pluck(content.text(), &[Path::default()]).pop()?,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Facts {
        let identities = ["/properties/train_id".to_owned(), "/id".to_owned()];
        let reader = Reader::new(&identities, &["/properties/type".to_owned()]);
        reader.read(&Content::parse(text.to_owned()).unwrap())
    }

    #[test]
    fn a_feature_is_known_by_the_first_identity_that_it_has() {
        for (text, id) in [
            (r#"{"type":"Feature","id":7,"properties":{"train_id":"a"}}"#, Some("a")),
            (r#"{"type":"Feature","id":7,"properties":{}}"#, Some("7")),
            (r#"{"type":"Feature","id":1.5}"#, None),
            (r#"{"type":"Feature","id":{"x":1}}"#, None),
        ] {
            let Kind::Feature(found) = read(text).kind else { panic!("{text}") };
            assert_eq!(found.as_ref().map(Scalar::text), id, "{text}");
        }
    }

    #[test]
    fn deletions_and_all_else_are_told_apart() {
        assert_eq!(read(r#"{"deleted":"a"}"#).kind, Kind::Deleted(Scalar::Text("a".into())));
        for text in [r#"{"type":"FeatureCollection","features":[]}"#, "7", r#"{"deleted":[]}"#] {
            assert_eq!(read(text).kind, Kind::Alien, "{text}");
        }
        let content = |text: &'static str| Content::parse(text).unwrap();
        for (text, id) in [
            (r#""a""#, Some("a")),
            ("7", Some("7")),
            (r#"{"deleted":"b"}"#, Some("b")),
            ("[]", None),
        ] {
            let facts = read(text);
            assert_eq!(deleted(&content(text), &facts).as_ref().map(Scalar::text), id, "{text}");
        }
    }

    #[test]
    fn attributes_are_texts() {
        let facts = read(r#"{"type":"Feature","properties":{"type":"rail"}}"#);
        assert_eq!(facts.attribute(0), Some("rail"));
        assert_eq!(read("{}").attribute(0), None);
    }
}
