use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A path to a member of a JSON object: `/properties/type`. Names are compared as they are: there
/// is no escape.
pub(crate) type Path = Box<[Box<str>]>;

pub(crate) fn path(pointer: &str) -> Path {
    pointer.trim_start_matches('/').split('/').map(Box::from).collect()
}

/// A string or a number that can name something: compared as text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scalar {
    Text(Box<str>),
    Integer(Box<str>),
    /// `true`, `false`, or a number that is no integer of 64 bits: no name.
    Other(Box<str>),
}

impl Scalar {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Integer(text) | Self::Other(text) => text,
        }
    }

    /// The value as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        match self {
            Self::Integer(text) => serde_json::from_str(text).unwrap_or_default(),
            Self::Text(text) | Self::Other(text) => text.as_ref().into(),
        }
    }
}

/// The scalars at these paths, in one pass and without a tree. Of a name that stands twice, the last.
pub(crate) fn pluck(text: &str, paths: &[Path]) -> Vec<Option<Scalar>> {
    let mut found = vec![None; paths.len()];
    let wanted = paths.iter().map(|path| &**path).enumerate().collect();
    let mut reader = serde_json::Deserializer::from_str(text);
    // An error is a number that nothing can hold; what was found before it is good.
    let _ = Wanted { wanted, found: &mut found }.deserialize(&mut reader);
    found
}

/// What is looked for inside one value: its place in `found`, and the rest of its path.
struct Wanted<'p, 'f> {
    wanted: Vec<(usize, &'p [Box<str>])>,
    found: &'f mut Vec<Option<Scalar>>,
}

impl Wanted<'_, '_> {
    fn is(self, scalar: &Scalar) {
        for (place, rest) in self.wanted {
            if let (true, Some(found)) = (rest.is_empty(), self.found.get_mut(place)) {
                *found = Some(scalar.clone());
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for Wanted<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Wanted<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.is(&Scalar::Text(text.into()));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.is(&Scalar::Integer(number.to_string().into()));
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.is(&Scalar::Integer(number.to_string().into()));
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.is(&Scalar::Other(number.to_string().into()));
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.is(&Scalar::Other(value.to_string().into()));
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<std::borrow::Cow<'de, str>>()? {
            let inside: Vec<_> = self
                .wanted
                .iter()
                .filter_map(|(place, path)| match path.split_first() {
                    Some((first, rest)) if **first == *name => Some((*place, rest)),
                    _ => None,
                })
                .collect();
            if inside.is_empty() {
                members.next_value::<IgnoredAny>()?;
            } else {
                members.next_value_seed(Wanted { wanted: inside, found: &mut *self.found })?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plucked(text: &str) -> Vec<Option<String>> {
        let paths = ["/a", "/b/c", "/b/d"].map(path);
        let found = pluck(text, &paths);
        found.into_iter().map(|found| found.map(|scalar| scalar.text().to_owned())).collect()
    }

    #[test]
    fn scalars_are_found_by_their_paths_and_nothing_else_is() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            plucked(r#"{"x":[1,{"a":2}],"b":{"c":"\u00e9","a":3,"d":-4},"a":1.5}"#),
            [some("1.5"), some("é"), some("-4")],
        );
        assert_eq!(plucked(r#"{"a":{"a":1},"b":[{"c":1}],"c":1}"#), [None, None, None]);
        assert_eq!(plucked(r#"{"a":1,"a":null,"b":7,"a":2}"#), [some("2"), None, None]);
        assert_eq!(plucked("[]"), [None, None, None]);
    }

    #[test]
    fn a_number_that_nothing_can_hold_hides_only_itself() {
        assert_eq!(plucked(r#"{"a":1,"x":1e999,"b":{"c":2}}"#)[0], Some("1".to_owned()));
    }
}
