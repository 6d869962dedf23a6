use crate::tape::Span;

/// New numbers for places of a text, which do not overlap.
#[derive(Debug, Default)]
pub(crate) struct Edits(Vec<(Span, Replacement)>);

#[derive(Clone, Copy, Debug)]
enum Replacement {
    /// Finite.
    Number(f64),
    Null,
}

impl Edits {
    pub(crate) fn with_capacity(edits: usize) -> Self {
        Self(Vec::with_capacity(edits))
    }

    pub(crate) fn number(&mut self, place: Span, number: f64) {
        self.0.push((place, Replacement::Number(number)));
    }

    pub(crate) fn null(&mut self, place: Span) {
        self.0.push((place, Replacement::Null));
    }

    /// The text with the edits, and every other byte as it was.
    pub(crate) fn apply(mut self, text: &str) -> String {
        self.0.sort_by_key(|(place, _)| place.start);
        let mut edited = String::with_capacity(text.len() + self.0.len() * 8);
        let mut buffer = zmij::Buffer::new();
        let mut copied = 0;
        for (place, replacement) in self.0 {
            edited.push_str(text.get(copied..place.start as usize).unwrap_or_default());
            edited.push_str(match replacement {
                // The shortest text that reads as the same number.
                Replacement::Number(number) => {
                    let text = buffer.format_finite(number);
                    text.strip_suffix(".0").unwrap_or(text)
                }
                Replacement::Null => "null",
            });
            copied = place.end as usize;
        }
        edited.push_str(text.get(copied..).unwrap_or_default());
        edited
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_replaced_in_any_order_and_the_rest_stays() {
        let mut edits = Edits::default();
        edits.null(Span { start: 7, end: 9 });
        edits.number(Span { start: 1, end: 2 }, -0.5);
        edits.number(Span { start: 4, end: 5 }, 7.0);
        assert_eq!(edits.apply("[1, 2, {}] "), "[-0.5, 7, null] ");
    }

    #[test]
    fn numbers_read_as_the_same_numbers() {
        for number in [0.0, -0.0, 1.0, 0.1, 1e16, 1e300, 5e-324, f64::MAX, 834_896.180_949_551_8] {
            let mut edits = Edits::default();
            edits.number(Span { start: 0, end: 1 }, number);
            let text = edits.apply("x");
            let read: f64 = serde_json::from_str(&text).expect("JSON");
            assert_eq!(read.to_bits(), number.to_bits(), "{text}");
        }
    }
}
