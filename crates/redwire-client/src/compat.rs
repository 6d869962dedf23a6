//! What programs that come from `txredisapi` may need while they move.

use redis::Value;

/// Replaces texts that look like numbers by numbers, at any depth, as `txredisapi` did unless it was told
/// not to (`convertNumbers`).
///
/// Nothing here does so by itself, because it changes data: `"007"` becomes 7, `"1.10"` becomes 1.1. A text
/// is a number if it begins with a digit, a sign or a dot, and Python reads it as one: a float if it has a
/// dot, else an integer. So `"1.5e3"` is one and `"1e5"` is not, and `"1_000"` is. Integers that do not fit
/// an `i64`, and digits of other scripts, stay text.
///
/// ```
/// use redwire_client::compat::convert_numbers;
/// use redwire_client::redis::Value;
///
/// let text = |text: &str| Value::BulkString(text.into());
/// assert_eq!(convert_numbers(text("007")), Value::Int(7));
/// assert_eq!(convert_numbers(text("1.10")), Value::Double(1.1));
/// assert_eq!(convert_numbers(text("1.2.3")), text("1.2.3"));
/// ```
pub fn convert_numbers(value: Value) -> Value {
    let all = |values: Vec<Value>| values.into_iter().map(convert_numbers).collect();
    match value {
        Value::BulkString(bytes) => number(&bytes).unwrap_or(Value::BulkString(bytes)),
        Value::SimpleString(text) => number(text.as_bytes()).unwrap_or(Value::SimpleString(text)),
        Value::Array(values) => Value::Array(all(values)),
        Value::Set(values) => Value::Set(all(values)),
        Value::Map(pairs) => {
            let pairs = pairs.into_iter();
            Value::Map(pairs.map(|(k, v)| (convert_numbers(k), convert_numbers(v))).collect())
        }
        other => other,
    }
}

fn number(bytes: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(bytes).ok()?;
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return None;
    }
    let digits = without_underscores(text.trim_end())?;
    match digits.contains('.') {
        true => digits.parse().map(Value::Double).ok(),
        false => digits.parse().map(Value::Int).ok(),
    }
}

/// None if one of them does not stand between digits: Python takes them nowhere else.
fn without_underscores(text: &str) -> Option<String> {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    let is_right = |(at, byte): (usize, &u8)| {
        *byte != b'_' || (is_digit(bytes.get(at.wrapping_sub(1))) && is_digit(bytes.get(at + 1)))
    };
    bytes.iter().enumerate().all(is_right).then(|| text.replace('_', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    // S288. Python's own results.
    #[test]
    fn numbers_are_what_python_reads_as_numbers() {
        for (written, number) in [
            ("5", 5),
            ("-10", -10),
            ("+5", 5),
            ("-0", 0),
            ("007", 7),
            ("1_000", 1000),
            ("5 ", 5),
            ("5\n", 5),
            ("5\u{a0}", 5),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(convert_numbers(text(written)), Value::Int(number), "{written:?}");
        }
        for (written, number) in [
            (".1", 0.1),
            (".5", 0.5),
            ("+.5", 0.5),
            ("-.5", -0.5),
            ("1.", 1.0),
            ("1.10", 1.1),
            ("1.5e3", 1500.0),
            ("1.e5", 1e5),
            ("1_0.5", 10.5),
            ("1.5_0", 1.5),
            ("1.5\t", 1.5),
            ("1.0e999", f64::INFINITY),
        ] {
            assert_eq!(convert_numbers(text(written)), Value::Double(number), "{written:?}");
        }
    }

    // S288
    #[test]
    fn all_other_texts_stay_as_they_are() {
        for written in [
            "",
            "+",
            "-",
            ".",
            "+inf",
            "-inf",
            "inf",
            "NaN",
            "nan",
            "1e5",
            "0x10",
            "123test",
            "1.2.3",
            "2013-01-01",
            " 5",
            "1_",
            "_1",
            "1__0",
            "1._5",
            "1_.5",
            "1.5 5",
            "5\u{1c}",
            "--5",
            "9223372036854775808",
        ] {
            assert_eq!(convert_numbers(text(written)), text(written), "{written:?}");
        }
        let bytes = Value::BulkString(b"5\xff".to_vec());
        assert_eq!(convert_numbers(bytes.clone()), bytes);
        for other in [Value::Nil, Value::Okay, Value::Boolean(true), Value::Double(0.5)] {
            assert_eq!(convert_numbers(other.clone()), other);
        }
    }

    #[test]
    fn replies_of_any_depth_are_converted() {
        let reply = Value::Array(vec![
            Value::Map(vec![(text("1"), Value::Set(vec![text("2"), text("x")]))]),
            Value::Array(vec![text("0.5")]),
        ]);
        let converted = Value::Array(vec![
            Value::Map(vec![(Value::Int(1), Value::Set(vec![Value::Int(2), text("x")]))]),
            Value::Array(vec![Value::Double(0.5)]),
        ]);
        assert_eq!(convert_numbers(reply), converted);
    }
}
