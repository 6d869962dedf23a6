use serde_json::{Map, Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::client::Client;
use crate::patience::within;

/// The envelope's keys, in the order in which they have to come.
const KEYS: [&str; 4] = ["source", "content", "timestamp", "client_reference"];

/// What the next frame has to be. Every method here reads exactly one frame, if not said otherwise,
/// and panics with what was awaited and what came instead.
impl Client {
    /// An envelope from `source` with this content, and without a client reference.
    ///
    /// The envelope has to be JSON of exactly the four keys source, content, timestamp and
    /// client_reference in this order. Contents are compared as JSON values.
    pub async fn expect(&mut self, source: &str, content: Value) {
        self.expect_envelope(source, &content, &Value::Null).await;
    }

    /// As [`expect`](Self::expect), with this client reference.
    pub async fn expect_referenced(
        &mut self,
        source: &str,
        content: Value,
        reference: impl Into<Value>,
    ) {
        self.expect_envelope(source, &content, &reference.into()).await;
    }

    /// An error frame: source `websocket`, status `error`, and a message that contains `part`.
    /// Returns its content.
    pub async fn expect_error(&mut self, part: &str) -> Value {
        let content = self.expect_status("error").await;
        let message = content.get("message").and_then(Value::as_str).unwrap_or_default();
        assert!(message.contains(part), "expected an error about {part:?}, got {content}");
        content
    }

    /// The notice that messages were lost: source `websocket`, status `gap`. Returns its content.
    pub async fn expect_gap(&mut self) -> Value {
        self.expect_status("gap").await
    }

    /// Nothing is on its way: a `PING` is answered by `PONG` with no frame in between.
    ///
    /// This is exact, and waits for nothing but the answer: replies and pushes of a connection
    /// come in order.
    pub async fn expect_silence(&mut self) {
        self.send("PING").await;
        self.expect("websocket", json!("PONG")).await;
    }

    /// Subscribes, and returns when the server has carried it out, with no frame in between.
    pub async fn subscribe(&mut self, channel: &str) {
        self.send(format!("SUB {channel}")).await;
        self.expect_silence().await;
    }

    /// A close frame with this code. Returns its reason.
    pub async fn expect_close(&mut self, code: u16) -> String {
        let awaited = format!("a close frame with code {code}");
        match within(&awaited, self.received()).await {
            Ok(Message::Close(Some(frame))) if u16::from(frame.code) == code => {
                frame.reason.as_str().to_owned()
            }
            other => panic!("expected {awaited}, got {other:?}"),
        }
    }

    async fn expect_envelope(&mut self, source: &str, content: &Value, reference: &Value) {
        let awaited = format!("content {content} from {source:?} with reference {reference}");
        let text = self.text_of(&awaited).await;
        let envelope = Envelope::parse(&text);
        let fields = (&envelope.source, &envelope.content, &envelope.client_reference);
        assert!(fields == (&json!(source), content, reference), "expected {awaited}, got {text}");
    }

    async fn expect_status(&mut self, status: &str) -> Value {
        let text = self.text_of(&format!("a frame with status {status}")).await;
        let Envelope { source, content, .. } = Envelope::parse(&text);
        let fields = (Some(&source), content.get("status"));
        let expected = (Some(&json!("websocket")), Some(&json!(status)));
        assert!(fields == expected, "expected status {status}, got {text}");
        content
    }
}

struct Envelope {
    source: Value,
    content: Value,
    client_reference: Value,
}

impl Envelope {
    /// Checks the form, too: the keys, their order, and that the timestamp is a number.
    fn parse(text: &str) -> Self {
        let fields: Map<String, Value> = match serde_json::from_str(text) {
            Ok(fields) => fields,
            Err(error) => panic!("expected an envelope ({error}), got {text}"),
        };
        // serde_json keeps the order of keys (feature `preserve_order`).
        let keys: Vec<&str> = fields.keys().map(String::as_str).collect();
        assert!(keys == KEYS, "expected an envelope with the keys {KEYS:?}, got {text}");
        let field = |key| fields.get(key).cloned().unwrap_or_default();
        assert!(field("timestamp").is_number(), "expected a numeric timestamp, got {text}");
        Self {
            source: field("source"),
            content: field("content"),
            client_reference: field("client_reference"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Envelope;

    #[test]
    fn an_envelope_has_its_four_keys_in_order() {
        Envelope::parse(
            r#"{"source":"a","content":1,"timestamp":1700000000000,"client_reference":null}"#,
        );
    }

    #[test]
    #[should_panic(expected = "expected an envelope with the keys")]
    fn another_order_of_keys_is_no_envelope() {
        Envelope::parse(r#"{"content":1,"source":"a","timestamp":1,"client_reference":null}"#);
    }

    #[test]
    #[should_panic(expected = "got hello")]
    fn text_that_is_not_json_is_shown() {
        Envelope::parse("hello");
    }
}
