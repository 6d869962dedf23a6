use std::collections::HashSet;

use crate::args::Shape;

/// A command's declaration, parsed: `NEAR lon lat [radius]`, `ECHO words...`, `PING [words...]`.
#[derive(Debug, PartialEq)]
pub(crate) struct Usage {
    pub(crate) line: &'static str,
    pub(crate) name: &'static str,
    pub(crate) parameters: Vec<Parameter>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
}

/// The place that takes every `name=value` without a place of its own.
const NAMED: &str = "[name=value...]";

impl Usage {
    pub(crate) fn parse(line: &'static str) -> Result<Self, String> {
        let mut words = line.split(' ');
        let name = words.next().filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| format!("usage line `{line}` has no command"))?;
        let parameters =
            words.map(Parameter::parse).collect::<Option<Vec<_>>>().ok_or_else(|| {
                format!("usage line `{line}`: expected `name`, `[name]`, `name...`, `[name...]` or `{NAMED}`")
            })?;
        let named = parameters.last().is_some_and(|last| last.shape == Shape::Named);
        let words = parameters.iter().rev().skip(usize::from(named));
        if words.skip(1).any(|p| p.shape.is_many() || p.shape == Shape::Named) {
            return Err(format!("usage line `{line}`: only the last argument can be repeated"));
        }
        let mut shapes = parameters.iter().map(|parameter| parameter.shape);
        if shapes.any(|shape| shape != Shape::Required) && shapes.any(|s| s == Shape::Required) {
            return Err(format!(
                "usage line `{line}`: a required argument follows an optional one"
            ));
        }
        let mut names = HashSet::new();
        if let Some(twice) = parameters.iter().find(|parameter| !names.insert(parameter.name)) {
            return Err(format!("usage line `{line}`: `{}` is named twice", twice.name));
        }
        Ok(Self { line, name, parameters })
    }
}

impl Parameter {
    fn parse(word: &'static str) -> Option<Self> {
        if word == NAMED {
            return Some(Self { name: NAMED, shape: Shape::Named });
        }
        let (word, optional) = match word.strip_prefix('[').and_then(|w| w.strip_suffix(']')) {
            Some(inner) => (inner, true),
            None => (word, false),
        };
        let (name, many) = match word.strip_suffix("...") {
            Some(name) => (name, true),
            None => (word, false),
        };
        let shape = match (optional, many) {
            (false, false) => Shape::Required,
            (true, false) => Shape::Optional,
            (false, true) => Shape::OneOrMore,
            (true, true) => Shape::ZeroOrMore,
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        (!name.is_empty() && name.chars().all(is_name)).then_some(Self { name, shape })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usage_line_declares_names_and_shapes() {
        let usage = Usage::parse("NEAR lon lat [radius]").unwrap();
        assert_eq!(usage.name, "NEAR");
        let shapes: Vec<_> = usage.parameters.iter().map(|p| (p.name, p.shape)).collect();
        assert_eq!(
            shapes,
            [("lon", Shape::Required), ("lat", Shape::Required), ("radius", Shape::Optional)]
        );
        assert_eq!(Usage::parse("ECHO words...").unwrap().parameters[0].shape, Shape::OneOrMore);
        assert_eq!(Usage::parse("PING [words...]").unwrap().parameters[0].shape, Shape::ZeroOrMore);
    }

    #[test]
    fn a_usage_line_that_makes_no_sense_is_refused() {
        for (line, message) in [
            ("", "has no command"),
            ("GET  key", "expected `name`, `[name]`, `name...`, `[name...]` or `[name=value...]`"),
            ("GET [key", "expected `name`"),
            ("GET a=b", "expected `name`"),
            ("GET []", "expected `name`"),
            ("GET [a] b", "a required argument follows an optional one"),
            ("GET a... b", "only the last argument can be repeated"),
            ("GET a [b] [a]", "`a` is named twice"),
        ] {
            let error = Usage::parse(line).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }
}
