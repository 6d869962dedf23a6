/// Who sent a message when, as which one of its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Nanoseconds on the load program's clock.
    pub(crate) sent: u64,
    /// Counts the messages of a channel.
    pub(crate) number: u32,
    pub(crate) channel: u32,
}

/// All numbers begin with a 1, so that they have the same length always.
const SENT: u64 = 10u64.pow(18);
const NUMBER: u64 = 10u64.pow(9);
const CHANNEL: u64 = 10u64.pow(5);

/// Digits of the three, with the points between them.
const DIGITS: usize = 19 + 1 + 10 + 1 + 6;

/// Where to look for the mark: nobody's envelope is longer.
pub(crate) const WINDOW: usize = 256;

impl Stamp {
    /// The stamp, without anything that would be escaped in a string.
    pub(crate) fn text(self) -> String {
        let (sent, number) = (SENT + self.sent, NUMBER + u64::from(self.number));
        format!("@{sent}.{number}.{}", CHANNEL + u64::from(self.channel))
    }

    /// A JSON text of so many bytes, or the shortest possible. The stamp is found in any envelope, also in a
    /// text inside a text.
    pub(crate) fn payload(self, size: usize) -> Vec<u8> {
        let mut payload = format!(r#"{{"at":"{}","pad":""#, self.text()).into_bytes();
        payload.resize(size.saturating_sub(2).max(payload.len()), b'x');
        payload.extend_from_slice(br#""}"#);
        payload
    }

    /// This JSON object, with the stamp as its first member, one that nobody knows.
    pub(crate) fn in_object(self, object: &str) -> Vec<u8> {
        let members = object.strip_prefix('{').unwrap_or(object);
        let mut payload = format!(r#"{{"at":"{}","#, self.text()).into_bytes();
        payload.extend_from_slice(members.as_bytes());
        payload
    }

    /// Finds the stamp in the beginning of a frame.
    pub(crate) fn find(text: &[u8]) -> Option<Self> {
        let mark = memchr::memchr(b'@', text)?;
        let digits = text.get(mark + 1..mark + 1 + DIGITS)?;
        let (sent, rest) = digits.split_at_checked(19)?;
        let (number, channel) = rest.get(1..)?.split_at_checked(10)?;
        Some(Self {
            sent: read(sent)?.checked_sub(SENT)?,
            number: u32::try_from(read(number)?.checked_sub(NUMBER)?).ok()?,
            channel: u32::try_from(read(channel.get(1..)?)?.checked_sub(CHANNEL)?).ok()?,
        })
    }
}

fn read(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |value: u64, digit| {
        digit.is_ascii_digit().then(|| value * 10 + u64::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_found_in_any_envelope() {
        let stamp = Stamp { sent: 123_456_789, number: 42, channel: 9_999 };
        let payload = String::from_utf8(stamp.payload(200)).unwrap();
        assert_eq!(payload.len(), 200);
        serde_json::from_str::<serde_json::Value>(&payload).unwrap();
        let escaped = serde_json::to_string(&payload).unwrap();
        for text in [&payload, &escaped, &format!(r#"{{"source":"c","content":{payload}}}"#)] {
            assert_eq!(Stamp::find(text.as_bytes()), Some(stamp), "{text}");
        }
        assert_eq!(Stamp::find(br#"{"status":"open"}"#), None);
        assert_eq!(Stamp::find(payload.get(..30).unwrap().as_bytes()), None);
    }
}
