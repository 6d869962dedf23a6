/// The structure of a JSON text in one flat list, with the place of every token: so that single
/// numbers can be replaced and every other byte stays.
#[derive(Debug)]
pub(crate) struct Tape<'t> {
    text: &'t str,
    tokens: Vec<Token>,
}

/// Sixteen bytes: a message of many numbers is mostly this.
#[derive(Clone, Copy, Debug)]
struct Token {
    start: u32,
    end: u32,
    /// The token after this one and all that is inside it.
    next: u32,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    Number,
    Literal,
}

impl<'t> Tape<'t> {
    /// Reads a text that is known to be JSON. Of any other text the structure is arbitrary, but
    /// reading it ends and does not panic. One of 4 GiB, which Redis cannot hold, reads as nothing.
    pub(crate) fn read(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let mut tape = Self { text, tokens: Vec::with_capacity(bytes.len() / 8) };
        if u32::try_from(bytes.len()).is_err() {
            return tape;
        }
        let mut open = Vec::new();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            let (kind, end) = match byte {
                b'-' | b'0'..=b'9' => (Kind::Number, end_of_word(bytes, at)),
                b'{' => (Kind::Object, at + 1),
                b'[' => (Kind::Array, at + 1),
                b'"' => (Kind::String, end_of_string(bytes, at)),
                b't' | b'f' | b'n' => (Kind::Literal, end_of_word(bytes, at)),
                b'}' | b']' => {
                    at += 1;
                    tape.close(open.pop(), at);
                    continue;
                }
                _ => {
                    at += 1;
                    continue;
                }
            };
            if matches!(kind, Kind::Object | Kind::Array) {
                open.push(tape.tokens.len());
            }
            let next = tape.tokens.len() + 1;
            tape.tokens.push(Token { kind, start: at as u32, end: end as u32, next: next as u32 });
            at = end;
        }
        tape
    }

    fn close(&mut self, token: Option<usize>, end: usize) {
        let next = self.tokens.len();
        if let Some(token) = token.and_then(|token| self.tokens.get_mut(token)) {
            (token.end, token.next) = (end as u32, next as u32);
        }
    }

    pub(crate) fn root(&self) -> Option<Node<'_>> {
        self.node(0)
    }

    fn node(&self, index: u32) -> Option<Node<'_>> {
        let token = *self.tokens.get(index as usize)?;
        Some(Node { tape: self, token, index })
    }
}

fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn end_of_word(bytes: &[u8], start: usize) -> usize {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
    let rest = bytes.get(start + 1..).unwrap_or_default();
    start + 1 + rest.iter().position(|byte| !is_word(byte)).unwrap_or(rest.len())
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// One value of a tape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a> {
    tape: &'a Tape<'a>,
    token: Token,
    index: u32,
}

impl<'a> Node<'a> {
    /// Where its text is.
    pub(crate) fn span(&self) -> Span {
        Span { start: self.token.start, end: self.token.end }
    }

    #[cfg(test)]
    pub(crate) fn kind(&self) -> Kind {
        self.token.kind
    }

    pub(crate) fn text(&self) -> &'a str {
        self.span().of(self.tape.text)
    }

    /// The elements of an array; `None` for anything else.
    pub(crate) fn elements(&self) -> Option<impl Iterator<Item = Node<'a>> + use<'a>> {
        (self.token.kind == Kind::Array).then(|| self.children())
    }

    /// How many values are inside it, at any depth; names of members count, too.
    pub(crate) fn tokens_inside(&self) -> usize {
        self.token.next.saturating_sub(self.index + 1) as usize
    }

    /// The members of an object with these names; the last one, where a name stands twice.
    pub(crate) fn members<const N: usize>(&self, names: [&str; N]) -> [Option<Self>; N] {
        let mut found = [None; N];
        if self.token.kind != Kind::Object {
            return found;
        }
        let mut children = self.children();
        while let (Some(key), Some(value)) = (children.next(), children.next()) {
            let place = names.iter().position(|name| key.is_string(name));
            if let Some(found) = place.and_then(|place| found.get_mut(place)) {
                *found = Some(value);
            }
        }
        found
    }

    pub(crate) fn is_null(&self) -> bool {
        self.token.kind == Kind::Literal && self.text() == "null"
    }

    pub(crate) fn is_string(&self, expected: &str) -> bool {
        let inner = self.text().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        match inner {
            Some(inner) if inner.contains('\\') => {
                serde_json::from_str::<String>(self.text()).is_ok_and(|text| text == expected)
            }
            Some(inner) => inner == expected,
            None => false,
        }
    }

    /// A finite number.
    pub(crate) fn number(&self) -> Option<f64> {
        let number = (self.token.kind == Kind::Number).then(|| self.text().parse().ok())??;
        f64::is_finite(number).then_some(number)
    }

    pub(crate) fn children(&self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        let (tape, end) = (self.tape, self.token.next);
        let first = Some(self.index + 1).filter(|&index| index < end);
        std::iter::successors(first.and_then(|index| tape.node(index)), move |node| {
            Some(node.token.next).filter(|&index| index < end).and_then(|index| tape.node(index))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_elements_are_found_with_their_place() {
        let text = r#" {"a": [1, {"b":"]}\"{"}, -2.5e1], "c": null, "a\u0062": true, "a" :[ ] }"#;
        let tape = Tape::read(text);
        let root = tape.root().unwrap();
        let [a, b, c, ab] = root.members(["a", "b", "c", "ab"]);
        assert_eq!(a.unwrap().elements().unwrap().count(), 0, "the last one wins");
        assert!(b.is_none() && c.unwrap().is_null());
        let Span { start, end } = ab.unwrap().span();
        assert_eq!(&text[start as usize..end as usize], "true");

        let tape = Tape::read("[1, -2.5e1, [3], {}]");
        let numbers: Vec<_> =
            tape.root().unwrap().elements().unwrap().map(|node| node.number()).collect();
        assert_eq!(numbers, [Some(1.0), Some(-25.0), None, None]);
    }
}
