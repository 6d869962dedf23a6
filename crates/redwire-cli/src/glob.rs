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

    /// Short patterns and names from few characters meet often. Only ASCII: in a class, Redis compares
    /// single bytes, as signed numbers or not depending on the machine.
    #[tokio::test]
    async fn patterns_agree_with_a_real_redis() {
        let mut random = fastrand::Rng::with_seed(8765);
        let mut text = |alphabet: &[u8], length| -> String {
            (0..length).map(|_| char::from(alphabet[random.usize(..alphabet.len())])).collect()
        };
        let mut names: Vec<_> =
            (0..300).map(|number| text(br"abc.-]\*^[?", 1 + number % 6)).collect();
        names.sort();
        names.dedup();
        let redis = redwire_test::RedisServer::start().await;
        for name in &names {
            redis.hset(name, "field", "value").await;
        }
        let mut matched = 0;
        for number in 0..2_000 {
            let pattern = text(br"abc.**??[[]]^--\", 1 + number % 9);
            let mut expected = keys(&redis, &pattern).await;
            expected.sort();
            let glob = Glob::new(&pattern);
            let ours: Vec<_> = names.iter().filter(|name| glob.matches(name)).cloned().collect();
            assert_eq!(ours, expected, "{pattern}");
            matched += ours.len();
        }
        assert!(matched > 10_000, "only {matched} matches in all");
    }

    async fn keys(redis: &redwire_test::RedisServer, pattern: &str) -> Vec<String> {
        use redwire_test::Reply;
        let Reply::Array(Some(keys)) = redis.command(&["KEYS", pattern]).await else { panic!() };
        let name = |key| match key {
            Reply::Bulk(Some(name)) => String::from_utf8(name).unwrap(),
            other => panic!("{other:?}"),
        };
        keys.into_iter().map(name).collect()
    }

    #[test]
    fn many_stars_on_a_long_name_take_no_time() {
        let pattern = "a*".repeat(50) + "b";
        assert!(!Glob::new(&pattern).matches(&"a".repeat(10_000)));
    }
}
