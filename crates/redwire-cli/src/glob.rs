/// A pattern in the syntax of Redis' `PSUBSCRIBE` and `KEYS`: `*`, `?`, `[a-z]`, `[^a-z]`, and `\` for
/// the next character as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob(Box<str>);

impl Glob {
    pub(crate) fn new(pattern: &str) -> Self {
        Self(pattern.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        matches(self.0.as_bytes(), name.as_bytes())
    }
}

/// Time is bounded by the product of the lengths: only the latest `*` is ever retried.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut rest, mut name) = (pattern, name);
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        if let Some((b'*', after)) = rest.split_first() {
            star = Some((after, name));
            rest = after;
            continue;
        }
        match (step(rest, name), star) {
            (Step::Matched(after, tail), _) => (rest, name) = (after, tail),
            (Step::Done, _) => return true,
            (Step::Failed, Some((after, [_, tail @ ..]))) => {
                star = Some((after, tail));
                (rest, name) = (after, tail);
            }
            (Step::Failed, _) => return false,
        }
    }
}

enum Step<'a> {
    Matched(&'a [u8], &'a [u8]),
    Done,
    Failed,
}

/// Matches one character of the name against the pattern's next element, which is no `*`.
fn step<'a>(pattern: &'a [u8], name: &'a [u8]) -> Step<'a> {
    let (element, byte) = match (pattern.split_first(), name.split_first()) {
        (None, None) => return Step::Done,
        (None, _) | (_, None) => return Step::Failed,
        (Some(element), Some(byte)) => (element, byte),
    };
    let (byte, tail) = byte;
    let (after, matched) = match element {
        (b'?', after) => (after, true),
        (b'[', class) => class_matches(class, *byte),
        (b'\\', [escaped, after @ ..]) => (after, escaped == byte),
        (literal, after) => (after, literal == byte),
    };
    if matched { Step::Matched(after, tail) } else { Step::Failed }
}

/// What follows the class's `]`, and whether the byte is in the class. As in Redis, a class without
/// `]` ends with the pattern.
fn class_matches(class: &[u8], byte: u8) -> (&[u8], bool) {
    let (mut class, negated) = match class {
        [b'^', class @ ..] => (class, true),
        class => (class, false),
    };
    let mut found = false;
    loop {
        class = match class {
            [] => return (&[], found != negated),
            [b']', after @ ..] => return (after, found != negated),
            [b'\\', escaped, after @ ..] => {
                found |= *escaped == byte;
                after
            }
            [from, b'-', to, after @ ..] => {
                found |= (*from.min(to)..=*from.max(to)).contains(&byte);
                after
            }
            [literal, after @ ..] => {
                found |= *literal == byte;
                after
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_redis() {
        for (pattern, name, expected) in [
            ("[a-z]*", "trains", true),
            ("[a-z]*", "Trains", false),
            ("[a-z]*", "1abc", false),
            ("[a-z]*", "", false),
            ("*", "", true),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h[^e]llo", "hello", false),
            ("h[^e]llo", "hallo", true),
            ("h[a-b]llo", "hbllo", true),
            ("h[b-a]llo", "hallo", true),
            (r"h\*llo", "h*llo", true),
            (r"h\*llo", "hello", false),
            ("*.public.*", "a.public.b.public.c", true),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXbX", false),
            ("public", "public.trains", false),
            ("h[a", "ha", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(name), expected, "{pattern} on {name}");
        }
    }

    #[test]
    fn many_stars_on_a_long_name_take_no_time() {
        let pattern = "a*".repeat(50) + "b";
        assert!(!Glob::new(&pattern).matches(&"a".repeat(10_000)));
    }
}
