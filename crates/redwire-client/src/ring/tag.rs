/// What `txredisapi` hashes of a key: all of it, or what its pattern `.+\{(.*)\}.*` finds. So there has
/// to be something before the brace, and of several pairs the last one counts.
pub(super) fn txredisapi(key: &[u8]) -> &[u8] {
    // In Python's patterns the dot is no line break.
    let line = key.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let tag = || {
        let close = line.iter().rposition(|byte| *byte == b'}')?;
        let open = line.get(..close)?.iter().rposition(|byte| *byte == b'{')?;
        (open > 0).then(|| line.get(open + 1..close))?
    };
    tag().unwrap_or(key)
}

/// What Redis Cluster hashes of a key: all of it, or what stands between the first `{` and the first `}`
/// after it, unless that is nothing.
pub(crate) fn cluster(key: &[u8]) -> &[u8] {
    let tag = || {
        let open = key.iter().position(|byte| *byte == b'{')?;
        let rest = key.get(open + 1..)?;
        let close = rest.iter().position(|byte| *byte == b'}')?;
        rest.get(..close).filter(|tag| !tag.is_empty())
    };
    tag().unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn txredisapis_tags_are_between_the_last_braces() {
        for (key, tag) in [
            ("test{lero}:1", "lero"),
            ("{lero}x", "{lero}x"),
            ("x{a}y{b}z", "b"),
            ("foo{}", ""),
            ("foo", "foo"),
            ("a}b{c", "a}b{c"),
            ("a{b}c{d", "b"),
            ("a{b}}", "b}"),
            ("a{{b}", "b"),
            ("a{b\n}", "a{b\n}"),
        ] {
            assert_eq!(txredisapi(key.as_bytes()), tag.as_bytes(), "{key}");
        }
    }

    #[test]
    fn the_clusters_tags_are_between_the_first_braces() {
        for (key, tag) in [
            ("{user1000}.following", "user1000"),
            ("foo{}{bar}", "foo{}{bar}"),
            ("foo{{bar}}zap", "{bar"),
            ("foo{bar}{zap}", "bar"),
            ("a}b{c}d", "c"),
            ("", ""),
        ] {
            assert_eq!(cluster(key.as_bytes()), tag.as_bytes(), "{key}");
        }
    }
}
