use bytes::{BufMut, Bytes, BytesMut};

use crate::clock;

/// Several frames as one, of source `buffer`: what they say stays in order.
pub(crate) fn encode(frames: &[Bytes]) -> Bytes {
    let head = br#"{"source":"buffer","content":["#;
    let tail = format!(r#"],"timestamp":{},"client_reference":null}}"#, clock::now());
    let bytes = frames.iter().map(|frame| frame.len() + 1).sum::<usize>();
    let mut text = BytesMut::with_capacity(head.len() + bytes + tail.len());
    text.put_slice(head);
    for (place, frame) in frames.iter().enumerate() {
        if place > 0 {
            text.put_u8(b',');
        }
        text.put_slice(frame);
    }
    text.put_slice(tail.as_bytes());
    text.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_members_of_one_array() {
        let frames = [Bytes::from_static(b"{\"source\":\"a\"}"), Bytes::from_static(b"null")];
        let text = encode(&frames);
        let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(json["source"], "buffer");
        assert_eq!(json["content"], serde_json::json!([{"source": "a"}, null]));
        assert!(json["timestamp"].is_u64() && json["client_reference"].is_null());
    }
}
