//! permessage-deflate as it is on the wire (RFC 7692, section 7.2), without a state that outlives a
//! message.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::Unreadable;

/// The windows that the deflater can keep to. RFC 7692 also has 8, zlib has not.
pub(crate) const WINDOW_BITS: RangeInclusive<u8> = 9..=15;

/// Within 8 % of the default's (6) size for half to two thirds of its time; docs/decisions.md has
/// the figures.
const LEVEL: u32 = 2;
/// Shorter payloads gain nothing worth the work of either side.
const SHORTEST: usize = 128;
/// Longer ones would keep their thread for longer than 10 ms.
const LONGEST: usize = 1 << 20;
/// What ends every flushed block, and is left out on the wire (section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// A deflater of this window, about 300 KiB.
struct Deflater {
    window_bits: u8,
    compress: Compress,
}

thread_local! {
    /// Kept for the next message, with the window of the last: to make one takes 3 to 4 µs, which is
    /// half of what a short message takes.
    static DEFLATER: RefCell<Option<Deflater>> = const { RefCell::new(None) };
    static INFLATER: RefCell<Option<Decompress>> = const { RefCell::new(None) };
}

/// The compressed payload; `None` if it would not be smaller, and is better sent as it is.
pub(crate) fn deflate(payload: &[u8], window_bits: u8) -> Option<Vec<u8>> {
    if !(SHORTEST..=LONGEST).contains(&payload.len()) {
        return None;
    }
    DEFLATER.with_borrow_mut(|kept| {
        let deflater = match kept {
            Some(deflater) if deflater.window_bits == window_bits => deflater,
            other => other.insert(Deflater::new(window_bits)),
        };
        deflater.deflate(payload)
    })
}

/// The payload of a compressed message, if it has at most `max` bytes. No more memory than about
/// that is taken, whatever the message says.
pub(crate) fn inflate(compressed: &[u8], max: usize) -> Result<Vec<u8>, Unreadable> {
    INFLATER.with_borrow_mut(|kept| {
        let inflater = kept.get_or_insert_with(|| Decompress::new(false));
        inflater.reset(false);
        let mut payload = Vec::new();
        // The flush's tail makes the inflater hand out everything (section 7.2.2).
        inflate_into(&mut payload, inflater, compressed, max)?;
        inflate_into(&mut payload, inflater, &TAIL, max)?;
        Ok(payload)
    })
}

impl Deflater {
    fn new(window_bits: u8) -> Self {
        let window = window_bits.clamp(*WINDOW_BITS.start(), *WINDOW_BITS.end());
        let compress = Compress::new_with_window_bits(Compression::new(LEVEL), false, window);
        Self { window_bits, compress }
    }

    fn deflate(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        self.compress.reset();
        // With no room for more than the payload itself, a message that does not become smaller
        // is given up on the way.
        let mut compressed = Vec::with_capacity(payload.len() + TAIL.len());
        self.compress.compress_vec(payload, &mut compressed, FlushCompress::Sync).ok()?;
        let is_all = self.compress.total_in() == payload.len() as u64;
        let len = compressed.strip_suffix(&TAIL)?.len();
        compressed.truncate(len);
        (is_all && len < payload.len()).then_some(compressed)
    }
}

/// Appends what `input` says.
fn inflate_into(
    payload: &mut Vec<u8>,
    inflater: &mut Decompress,
    mut input: &[u8],
    max: usize,
) -> Result<(), Unreadable> {
    loop {
        // Grows as vectors do, but not beyond the one byte more than may be, which shows that the
        // message is too large.
        let growth = payload.len().max(2 * input.len()).max(256);
        payload.reserve_exact(growth.min((max - payload.len()).saturating_add(1)));
        let (read, before) = (inflater.total_in(), payload.len());
        let status = inflater
            .decompress_vec(input, payload, FlushDecompress::Sync)
            .map_err(|_| Unreadable::NotDeflated)?;
        if payload.len() > max {
            return Err(Unreadable::TooLarge);
        }
        let read = (inflater.total_in() - read) as usize;
        input = input.get(read..).unwrap_or_default();
        match status {
            // A client may end each block for good; the next one begins anew (section 7.2.3.4).
            Status::StreamEnd => inflater.reset(false),
            _ if input.is_empty() && payload.len() < payload.capacity() => return Ok(()),
            _ if read == 0 && payload.len() == before => return Err(Unreadable::NotDeflated),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(len: usize) -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(len as u64);
        let mut text = String::new();
        while text.len() < len {
            let (train, x, y) = (random.u32(..), random.f64(), random.f64());
            text.push_str(&format!("{{\"train\":{train},\"at\":[{x:.5},{y:.5}]}},"));
        }
        text.truncate(len);
        text.into()
    }

    #[test]
    fn what_was_deflated_inflates_to_the_same_in_every_window() {
        // Up and down, so that the deflater is kept in some cases and made anew in others.
        for len in [SHORTEST, 200, 1_000, 100_000, 300] {
            for window_bits in WINDOW_BITS.rev() {
                let payload = json(len);
                let compressed = deflate(&payload, window_bits).unwrap();
                assert!(compressed.len() < len, "{len}, {window_bits}");
                assert!(inflate(&compressed, len).unwrap() == payload, "{len}, {window_bits}");
            }
        }
    }

    #[test]
    fn nothing_refers_to_what_lies_beyond_the_window_that_was_agreed_upon() {
        // Each part repeats the one before, 2,500 bytes back: the three smallest windows have
        // forgotten it. The inflater cannot tell, it remembers everything.
        let part = json(2_500);
        for window_bits in WINDOW_BITS {
            let alone = deflate(&part, window_bits).unwrap().len();
            let repeated = deflate(&part.repeat(8), window_bits).unwrap().len();
            match window_bits {
                ..=11 => assert!(repeated > 7 * alone, "{window_bits}: {repeated}, {alone}"),
                _ => assert!(repeated < 4 * alone, "{window_bits}: {repeated}, {alone}"),
            }
        }
    }

    #[test]
    fn what_gains_nothing_or_takes_long_is_left_as_it_is() {
        assert_eq!(deflate(&[], 15), None);
        assert_eq!(deflate(&[b'a'; SHORTEST - 1], 15), None);
        assert!(deflate(&[b'a'; SHORTEST], 15).is_some());
        assert!(deflate(&vec![b'a'; LONGEST], 15).is_some());
        assert_eq!(deflate(&vec![b'a'; LONGEST + 1], 15), None);
        let mut random = fastrand::Rng::with_seed(1);
        for len in [SHORTEST, 1_000, 100_000] {
            let noise: Vec<u8> = (0..len).map(|_| random.u8(..)).collect();
            assert_eq!(deflate(&noise, 15), None, "{len} random bytes");
        }
        assert!(deflate(&json(200), 15).is_some(), "and the next one is none the worse");
    }

    #[test]
    fn the_examples_of_rfc_7692_inflate() {
        let examples: [&[u8]; 5] = [
            &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
            &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
            // A block that says that it is the last one.
            &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
            &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
            // As some deflaters flush: an empty block more.
            &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00, 0x00, 0xff, 0xff, 0x00],
        ];
        for example in examples {
            assert_eq!(inflate(example, 5).unwrap(), b"Hello", "{example:x?}");
        }
        assert_eq!(inflate(&[0x00], 5).unwrap(), b"");
        assert_eq!(inflate(&[], 5).unwrap(), b"");
    }

    #[test]
    fn blocks_after_a_last_one_are_read_on() {
        let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflate(&last.repeat(3), 15).unwrap(), b"HelloHelloHello");
    }

    #[test]
    fn a_message_of_the_largest_size_is_read_and_one_byte_more_is_not() {
        for len in [SHORTEST, 1_000, 65_536, 1_000_000] {
            let compressed = deflate(&vec![b'0'; len], 15).unwrap();
            assert_eq!(inflate(&compressed, len).unwrap().len(), len);
            assert_eq!(inflate(&compressed, len - 1), Err(Unreadable::TooLarge));
            assert_eq!(inflate(&compressed, 0), Err(Unreadable::TooLarge));
        }
    }

    #[test]
    fn a_bomb_takes_no_more_memory_than_may_be() {
        let bomb = Deflater::new(15).deflate(&vec![0; 10_000_000]).unwrap();
        assert!(bomb.len() < 100_000);
        let mut payload = Vec::new();
        let mut inflater = Decompress::new(false);
        let read = inflate_into(&mut payload, &mut inflater, &bomb, 100_000);
        assert_eq!(read, Err(Unreadable::TooLarge));
        assert!(payload.capacity() <= 100_001, "{}", payload.capacity());
    }

    #[test]
    fn what_no_deflater_made_is_broken() {
        for broken in [
            &[0xff, 0xff, 0xff][..],
            // A stored block whose length and its complement differ.
            &[0x00, 0x05, 0x00, 0x00, 0x00, b'H'],
            // Refers to what is before the beginning.
            &[0x4b, 0x04, 0x13, 0x00],
        ] {
            assert_eq!(inflate(broken, 1_000), Err(Unreadable::NotDeflated), "{broken:x?}");
        }
        assert_eq!(inflate(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], 5).unwrap(), b"Hello");
    }

    #[test]
    fn any_bytes_inflate_to_no_more_than_may_be_or_are_refused() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..4_000 {
            let mut bytes = deflate(&json(random.usize(SHORTEST..2_000)), 15).unwrap();
            for _ in 0..random.usize(..4) {
                let at = random.usize(..bytes.len());
                bytes[at] = random.u8(..);
            }
            bytes.truncate(random.usize(..=bytes.len()));
            if let Ok(payload) = inflate(&bytes, 1_000) {
                assert!(payload.len() <= 1_000);
            }
        }
    }
}
