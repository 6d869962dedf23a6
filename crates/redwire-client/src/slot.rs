use crate::ring::cluster_tag;

/// How many slots a Redis Cluster has.
pub const SLOTS: u16 = 16_384;

/// The slot of a key in a Redis Cluster: the CRC16 of the key, or of the part that stands between the
/// first `{` and the first `}` after it, modulo [`SLOTS`].
///
/// ```
/// use redwire_client::slot;
///
/// assert_eq!(slot("foo"), 12182);
/// assert_eq!(slot("{user1000}.following"), slot("{user1000}.followers"));
/// ```
pub fn slot(key: impl AsRef<[u8]>) -> u16 {
    crc16(cluster_tag(key.as_ref())) % SLOTS
}

/// CRC16/XMODEM, as the cluster specification names it.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s258_s260_slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        for (key, number) in [
            ("foo", 12182),
            ("bar", 5061),
            ("hello", 866),
            ("aa", 1180),
            ("bb", 8620),
            ("cc", 700),
            ("{user1000}.following", 3443),
            ("foo{}{bar}", 8363),
            ("foo{{bar}}zap", 4015),
            ("foo{bar}{zap}", 5061),
            ("a}b{c}d", 7365),
            ("", 0),
            ("06S", 0),
            ("{06S}x", 0),
        ] {
            assert_eq!(slot(key), number, "{key}");
        }
    }
}
