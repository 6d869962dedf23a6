/// The structure of a JSON text in one flat list, with the place of every token: so that single
/// numbers can be replaced and every other byte stays.
#[derive(Debug)]
pub(crate) struct Tape<'t> {
    text: &'t str,
    tokens: Vec<Token>,
}

#[derive(Clone, Copy, Debug)]
struct Token {
    kind: Kind,
    start: usize,
    end: usize,
    /// The token after this one and all that is inside it.
    next: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Object,
    Array,
    String,
    Number,
    Literal,
}

impl<'t> Tape<'t> {
    /// Reads a text that is known to be JSON. Of any other text the structure is arbitrary, but
    /// reading it ends and does not panic.
    pub(crate) fn read(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let (mut tokens, mut open) = (Vec::<Token>::new(), Vec::<usize>::new());
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            let (kind, end) = match byte {
                b'{' => (Kind::Object, at + 1),
                b'[' => (Kind::Array, at + 1),
                b'"' => (Kind::String, end_of_string(bytes, at)),
                b'-' | b'0'..=b'9' => (Kind::Number, end_of_word(bytes, at)),
                b't' | b'f' | b'n' => (Kind::Literal, end_of_word(bytes, at)),
                b'}' | b']' => {
                    at += 1;
                    let next = tokens.len();
                    if let Some(token) = open.pop().and_then(|open| tokens.get_mut(open)) {
                        (token.end, token.next) = (at, next);
                    }
                    continue;
                }
                _ => {
                    at += 1;
                    continue;
                }
            };
            if matches!(kind, Kind::Object | Kind::Array) {
                open.push(tokens.len());
            }
            tokens.push(Token { kind, start: at, end, next: tokens.len() + 1 });
            at = end;
        }
        Self { text, tokens }
    }

    pub(crate) fn root(&self) -> Option<Node<'_>> {
        self.node(0)
    }

    fn node(&self, index: usize) -> Option<Node<'_>> {
        let token = *self.tokens.get(index)?;
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
    let length = bytes.iter().skip(start).take_while(|byte| is_word(byte)).count();
    start + length.max(1)
}

/// One value of a tape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a> {
    tape: &'a Tape<'a>,
    token: Token,
    index: usize,
}

impl<'a> Node<'a> {
    /// Where its text is.
    pub(crate) fn span(&self) -> std::ops::Range<usize> {
        self.token.start..self.token.end
    }

    fn text(&self) -> &'a str {
        self.tape.text.get(self.span()).unwrap_or_default()
    }

    /// The elements of an array; `None` for anything else.
    pub(crate) fn elements(&self) -> Option<impl Iterator<Item = Node<'a>> + use<'a>> {
        (self.token.kind == Kind::Array).then(|| self.children())
    }

    /// The member of an object; the last one, where a name stands twice.
    pub(crate) fn member(&self, name: &str) -> Option<Self> {
        if self.token.kind != Kind::Object {
            return None;
        }
        let mut children = self.children();
        let mut found = None;
        while let (Some(key), Some(value)) = (children.next(), children.next()) {
            if key.is_string(name) {
                found = Some(value);
            }
        }
        found
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

    fn children(&self) -> impl Iterator<Item = Node<'a>> + use<'a> {
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
        assert_eq!(root.member("a").unwrap().elements().unwrap().count(), 0, "the last one wins");
        assert_eq!(&text[root.member("c").unwrap().span()], "null");
        assert_eq!(&text[root.member("ab").unwrap().span()], "true");
        assert!(root.member("b").is_none());

        let tape = Tape::read("[1, -2.5e1, [3], {}]");
        let numbers: Vec<_> =
            tape.root().unwrap().elements().unwrap().map(|node| node.number()).collect();
        assert_eq!(numbers, [Some(1.0), Some(-25.0), None, None]);
    }

    #[test]
    fn any_text_can_be_read() {
        for text in ["", "]", "[", "{\"", "\"\\", "}{", "[1", "é", "{\"a\":", "nul", "-"] {
            let tape = Tape::read(text);
            if let Some(root) = tape.root() {
                let _ = (root.member("a"), root.number(), root.elements().map(Iterator::count));
            }
        }
    }
}
