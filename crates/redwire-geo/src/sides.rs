//! The four numbers of `BBOX`.

use redwire_protocol::{Error, Result};

use crate::bbox::Rect;

/// Reads left, bottom, right, top; as Python's `float`, Rust's numbers know `inf` and `nan`.
pub(crate) fn read([left, bottom, right, top]: [&String; 4]) -> Result<Rect> {
    let read = |name, word: &String| word.parse().map_err(|_| bad(name, word, "not a number"));
    Ok(Rect {
        left: read("left", left)?,
        bottom: read("bottom", bottom)?,
        right: read("right", right)?,
        top: read("top", top)?,
    })
}

/// A box that can show something, on a world with this period.
pub(crate) fn check(bbox: Rect, period: Option<f64>) -> Result<Rect> {
    let Rect { left, bottom, right, top } = bbox;
    let sides = [("left", left), ("bottom", bottom), ("right", right), ("top", top)];
    if let Some((name, side)) = sides.into_iter().find(|(_, side)| side.is_nan()) {
        return Err(bad(name, &side.to_string().to_lowercase(), "not a number"));
    }
    if bottom > top {
        return Err(bad("top", &top.to_string(), &format!("less than bottom, which is {bottom}")));
    }
    let wraps = period.is_some() && left.is_finite() && right.is_finite();
    if left > right && !wraps {
        let reason = format!("less than left, which is {left}, where the world does not repeat");
        return Err(bad("right", &right.to_string(), &reason));
    }
    Ok(bbox)
}

fn bad(name: &'static str, value: &str, reason: &str) -> Error {
    let value = value.chars().take(80).collect::<String>().into();
    Error::BadArgument { name, value, reason: reason.into() }
}
