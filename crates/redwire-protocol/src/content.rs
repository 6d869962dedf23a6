use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::Value;

/// A JSON text that is known to be well formed: the publisher's own bytes, parsed at most once and
/// only if somebody looks. Cloning it copies a pointer.
#[derive(Clone, Debug)]
pub struct Content(Arc<Json>);

#[derive(Debug)]
struct Json {
    text: String,
    value: OnceLock<Value>,
    was_parsed: AtomicBool,
}

/// Deepest nesting of arrays and objects; the depth that `serde_json` reads, too.
const MAX_DEPTH: usize = 127;

impl Content {
    /// Takes a JSON text as it is: big integers, key order, float digits and white space survive.
    ///
    /// # Errors
    ///
    /// If the text is not UTF-8, not JSON (`NaN` is not), or nested deeper than 127 levels.
    pub fn parse(text: impl Into<Bytes>) -> Result<Self, NotJson> {
        let text = String::from_utf8(text.into().into()).map_err(|_| NotJson::Utf8)?;
        serde_json::from_str::<serde::de::IgnoredAny>(&text).map_err(|_| NotJson::Syntax)?;
        // Counting costs next to nothing, and is enough for most texts.
        if openings(text.as_bytes()) > MAX_DEPTH && depth(text.as_bytes()) > MAX_DEPTH {
            return Err(NotJson::Depth);
        }
        Ok(Self::new(text, OnceLock::new()))
    }

    /// The JSON value `null`.
    pub fn null() -> Self {
        Self::from(Value::Null)
    }

    /// The JSON text.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The parsed text; the same value for every caller. `Null` where the text holds what
    /// no [`Value`] can: a number beyond `f64` such as `1e400`, or half a surrogate pair.
    ///
    /// Read it with [`Value::get`] and [`Value::pointer`], which cannot panic.
    pub fn json(&self) -> &Value {
        self.0.value.get_or_init(|| {
            self.0.was_parsed.store(true, Ordering::Relaxed);
            serde_json::from_str(&self.0.text).unwrap_or_default()
        })
    }

    pub(crate) fn was_parsed(&self) -> bool {
        self.0.was_parsed.load(Ordering::Relaxed)
    }

    fn new(text: String, value: OnceLock<Value>) -> Self {
        Self(Arc::new(Json { text, value, was_parsed: AtomicBool::new(false) }))
    }
}

impl From<Value> for Content {
    fn from(value: Value) -> Self {
        Self::new(value.to_string(), OnceLock::from(value))
    }
}

/// How many arrays and objects begin in a text, at most: it also counts what strings hold.
fn openings(text: &[u8]) -> usize {
    // In chunks that one byte can count, which compilers turn into vector instructions.
    let opens = |byte: &u8| u8::from(matches!(byte, b'[' | b'{'));
    text.chunks(128).map(|chunk| usize::from(chunk.iter().map(opens).sum::<u8>())).sum()
}

/// Depth of nesting of a text that is known to be JSON.
fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Why a text cannot be sent as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotJson {
    /// Not UTF-8.
    Utf8,
    /// Not JSON.
    Syntax,
    /// Nested deeper than 127 levels.
    Depth,
}

impl fmt::Display for NotJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "not UTF-8",
            Self::Syntax => "not JSON",
            Self::Depth => "nested deeper than 127 levels",
        })
    }
}

impl std::error::Error for NotJson {}
