//! The scanner against random texts: it reads what serde_json reads, and any other text without harm.

use arbtest::arbitrary::{Result, Unstructured};
use arbtest::arbtest;
use redwire_protocol::Content;
use serde_json::Value;

use crate::reading::Reading;
use crate::tape::{Kind, Node, Tape};

const BUDGET_MS: u64 = 2_000;
/// Bytes of randomness: enough for the largest document, and little to make.
const SIZE_MAX: u32 = 2_048;

#[test]
fn any_text_can_be_scanned() {
    arbtest(|u| {
        let mut text = pieces(u)?;
        if u.ratio(1, 4)? {
            text += std::str::from_utf8(u.peek_bytes(u.len()).unwrap_or_default()).unwrap_or("é");
        }
        if let Some(root) = Tape::read(&text).root() {
            visit(root);
        }
        Ok(())
    })
    .size_max(SIZE_MAX)
    .budget_ms(BUDGET_MS);
}

#[test]
fn what_is_json_reads_as_in_serde_json() {
    arbtest(|u| {
        let text = if u.ratio(1, 4)? { pieces(u)? } else { value(u, 6)? };
        let known: Option<Value> = serde_json::from_str(&text).ok();
        let content = Content::parse(text.clone());
        // A number beyond `f64` is JSON, but no `Value`.
        let is_valid = known.is_some() || (content.is_ok() && text.contains("1e400"));
        assert_eq!(content.is_ok(), is_valid, "{text}");
        if let (Ok(content), Some(known)) = (content, known) {
            let tape = Tape::read(&text);
            assert_eq!(to_value(tape.root().expect("a value")), known, "{text}");
            let reading = Reading::of(&content);
            let places: usize = reading.geometries.iter().map(|one| one.positions.len()).sum();
            assert_eq!(places, reading.places.len(), "{text}");
        }
        Ok(())
    })
    .size_max(SIZE_MAX)
    .budget_ms(BUDGET_MS);
}

/// Everything that can be asked of a node.
fn visit(node: Node<'_>) {
    let _ = (node.number(), node.is_null(), node.is_string("a"), node.text(), node.span());
    let _ = node.members(["type", "a"]);
    if let Some(elements) = node.elements() {
        elements.for_each(visit);
    }
}

fn to_value(node: Node<'_>) -> Value {
    match node.kind() {
        Kind::Array => node.elements().into_iter().flatten().map(to_value).collect(),
        Kind::Object => {
            let mut children = node.children();
            let mut members = serde_json::Map::new();
            while let (Some(name), Some(value)) = (children.next(), children.next()) {
                let name = serde_json::from_str(name.text()).expect("a name");
                members.insert(name, to_value(value));
            }
            members.into()
        }
        Kind::String | Kind::Number | Kind::Literal => {
            serde_json::from_str(node.text()).expect("one value")
        }
    }
}

/// Bits of JSON in any order.
fn pieces(u: &mut Unstructured<'_>) -> Result<String> {
    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\"a\"",
        "\"\\\"\"",
        "\"type\"",
        "\"Feature\"",
        "\"geometry\"",
        "\"coordinates\"",
        "1",
        "-",
        "-2.5e1",
        "1e400",
        ".",
        "true",
        "nul",
        "null",
        " ",
        "\n",
        "é",
        "\u{1f682}",
        "\0",
    ];
    let count = u.int_in_range(0..=40)?;
    (0..count).map(|_| u.choose(PIECES).copied()).collect()
}

/// A JSON text with white space, escapes, odd numbers and names that stand twice.
fn value(u: &mut Unstructured<'_>, depth: u8) -> Result<String> {
    const NUMBERS: &[&str] =
        &["0", "-0", "7.5", "47.5", "-0.0", "1E2", "4.75e+1", "12345678901234567890", "5e-324"];
    const STRINGS: &[&str] = &[
        r#""""#,
        r#""a""#,
        r#""]}\"{[""#,
        r#""\\""#,
        r#""Z\u00fcrich""#,
        r#""\ud83d\ude82""#,
        "\"é\"",
        r#""type""#,
        r#""t\u0079pe""#,
        r#""Feature""#,
        r#""FeatureCollection""#,
        r#""features""#,
        r#""geometry""#,
        r#""Point""#,
        r#""GeometryCollection""#,
        r#""geometries""#,
        r#""coordinates""#,
        r#""bbox""#,
    ];
    let space = *u.choose(&["", "", " ", "\n\t", "\r "])?;
    let kind = u.int_in_range(0..=if depth == 0 { 2 } else { 6 })?;
    let text = match kind {
        0 => u.choose(NUMBERS)?.to_string(),
        1 => u.choose(STRINGS)?.to_string(),
        2 => u.choose(&["true", "false", "null"])?.to_string(),
        3 | 4 => {
            let elements = (0..u.int_in_range(0..=4)?).map(|_| value(u, depth - 1));
            format!("[{space}{}]", elements.collect::<Result<Vec<_>>>()?.join(","))
        }
        _ => {
            let members = (0..u.int_in_range(0..=4)?)
                .map(|_| Ok(format!("{}{space}:{}", u.choose(STRINGS)?, value(u, depth - 1)?)));
            format!("{{{space}{}}}", members.collect::<Result<Vec<_>>>()?.join(","))
        }
    };
    Ok(format!("{space}{text}{space}"))
}
