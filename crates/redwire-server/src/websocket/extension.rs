//! permessage-deflate as it is offered and answered (RFC 7692, sections 5 and 7.1).

use axum::http::header::SEC_WEBSOCKET_EXTENSIONS;
use axum::http::{HeaderMap, HeaderValue};

use super::deflate::WINDOW_BITS;

/// Compression of each message by itself, as it was agreed upon.
///
/// Nothing is kept from one message to the next, on neither side: so a message is compressed once
/// for all clients, and an idle connection needs no memory for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deflate {
    /// How far the server's messages may refer back: 2 to the power of this, in bytes.
    pub(crate) window_bits: u8,
    /// Whether the client asked for this window, so that the answer has to name it.
    is_asked_for: bool,
}

/// The first offer that can be met, in the client's order.
pub(crate) fn negotiate(headers: &HeaderMap) -> Option<Deflate> {
    let lines = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).iter();
    let mut offers = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| split(line, ','));
    offers.find_map(accept)
}

impl Deflate {
    /// The value of `Sec-WebSocket-Extensions` in the server's answer.
    ///
    /// A server may keep nothing, and forbid the client to, whether the offer says so or not
    /// (sections 7.1.1.1 and 7.1.1.2).
    pub(crate) fn answer(self) -> HeaderValue {
        const ANSWER: &str =
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        let named = format!("{ANSWER}; server_max_window_bits={}", self.window_bits);
        match HeaderValue::try_from(named) {
            Ok(named) if self.is_asked_for => named,
            _ => HeaderValue::from_static(ANSWER),
        }
    }
}

/// One offer; a parameter that is unknown, said twice, or out of range declines it (section 7.1).
fn accept(offer: &str) -> Option<Deflate> {
    let mut parts = split(offer, ';');
    if parts.next()?.trim() != "permessage-deflate" {
        return None;
    }
    let (mut seen, mut asked) = (Vec::new(), None);
    for part in parts {
        let (name, value) = parameter(part)?;
        match (name, value.as_deref()) {
            _ if seen.contains(&name) => return None,
            ("server_no_context_takeover" | "client_no_context_takeover", None)
            | ("client_max_window_bits", None) => {}
            // How far the client's messages refer back does not matter: the inflater's window is
            // the largest.
            ("client_max_window_bits", Some(bits)) => drop(window_bits(bits)?),
            ("server_max_window_bits", Some(bits)) => asked = Some(window_bits(bits)?),
            _ => return None,
        }
        seen.push(name);
    }
    let window_bits = asked.unwrap_or(*WINDOW_BITS.end());
    let is_asked_for = asked.is_some();
    WINDOW_BITS.contains(&window_bits).then_some(Deflate { window_bits, is_asked_for })
}

/// 8 to 15, without leading zeros (section 7.1.2.1).
fn window_bits(text: &str) -> Option<u8> {
    (8..=15).find(|bits| bits.to_string() == text)
}

/// `name`, `name=value` or `name="value"`.
fn parameter(text: &str) -> Option<(&str, Option<String>)> {
    let Some((name, value)) = text.split_once('=') else { return Some((text.trim(), None)) };
    let value = value.trim();
    let value = match value.strip_prefix('"') {
        Some(quoted) => unescape(quoted.strip_suffix('"')?)?,
        None => value.to_owned(),
    };
    Some((name.trim(), Some(value)))
}

/// A backslash stands for the character behind it (RFC 2616, section 2.2, to which RFC 6455 refers).
fn unescape(quoted: &str) -> Option<String> {
    let mut characters = quoted.chars();
    let mut text = String::new();
    while let Some(character) = characters.next() {
        text.push(if character == '\\' { characters.next()? } else { character });
    }
    Some(text)
}

/// The parts of a list; separators within quotes do not count.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |character| {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ => return character == separator && !is_quoted,
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: &str =
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

    /// The answer to handshakes with these headers.
    fn answer(offers: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for offer in offers {
            headers.append(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(offer));
        }
        Some(negotiate(&headers)?.answer().to_str().unwrap().to_owned())
    }

    fn with_window(bits: u8) -> Option<String> {
        Some(format!("{SHORT}; server_max_window_bits={bits}"))
    }

    #[test]
    fn the_offers_of_browsers_are_accepted_and_nothing_is_kept_between_messages() {
        for offer in [
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            " permessage-deflate ;client_max_window_bits = 10;server_no_context_takeover",
            "permessage-deflate; client_max_window_bits=8",
        ] {
            assert_eq!(answer(&[offer]).as_deref(), Some(SHORT), "{offer}");
        }
    }

    #[test]
    fn a_window_that_is_asked_for_is_kept_to_and_named() {
        assert_eq!(answer(&["permessage-deflate; server_max_window_bits=9"]), with_window(9));
        assert_eq!(answer(&["permessage-deflate; server_max_window_bits=15"]), with_window(15));
        assert_eq!(
            answer(&[r#"permessage-deflate; server_max_window_bits="12""#]),
            with_window(12)
        );
        assert_eq!(
            answer(&[r#"permessage-deflate; server_max_window_bits="1\2""#]),
            with_window(12)
        );
    }

    #[test]
    fn an_offer_that_cannot_be_met_is_passed_over() {
        for offer in [
            "permessage-deflate; server_max_window_bits=8",
            "permessage-deflate; server_max_window_bits=7",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=09",
            "permessage-deflate; server_max_window_bits=+9",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
            "permessage-deflate; client_max_window_bits=16",
            "permessage-deflate; client_max_window_bits=",
            "permessage-deflate; client_max_window_bits; client_max_window_bits=9",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; client_no_context_takeover=\"\"",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; level=9",
            "permessage-deflate; ",
            "permessage-deflate; server_max_window_bits=\"10",
            "permessage-deflate; server_max_window_bits=\"10\\\"",
            "x-webkit-deflate-frame",
            "permessage-bzip2; server_no_context_takeover",
            "",
        ] {
            assert_eq!(answer(&[offer]), None, "{offer}");
            assert_eq!(answer(&[offer, "permessage-deflate"]).as_deref(), Some(SHORT), "{offer}");
        }
    }

    #[test]
    fn the_first_offer_that_can_be_met_wins_within_a_header_and_across_headers() {
        let fallback = "permessage-deflate; server_max_window_bits=8, , permessage-deflate; server_max_window_bits=11";
        assert_eq!(answer(&[fallback]), with_window(11));
        assert_eq!(answer(&["foo; bar=\"a, permessage-deflate;\"", fallback]), with_window(11));
        assert_eq!(
            answer(&["permessage-deflate; server_max_window_bits=10", "permessage-deflate"]),
            with_window(10)
        );
        assert_eq!(answer(&["foo; bar=\"permessage-deflate, permessage-deflate\""]), None);
        assert_eq!(answer(&[]), None);
    }

    #[test]
    fn a_header_that_is_no_text_is_passed_over() {
        let mut headers = HeaderMap::new();
        let broken = HeaderValue::from_bytes(b"permessage-deflate; \xff").unwrap();
        headers.append(SEC_WEBSOCKET_EXTENSIONS, broken);
        assert_eq!(negotiate(&headers), None);
        headers.append(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static("permessage-deflate"));
        assert_eq!(negotiate(&headers).map(|deflate| deflate.window_bits), Some(15));
    }
}
