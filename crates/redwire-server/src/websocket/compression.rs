use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use prometheus_client::metrics::counter::Counter;

use super::Frame;
use super::deflate::{WINDOW_BITS, deflate};

/// How a connection's texts are compressed.
#[derive(Clone, Debug)]
pub(crate) struct Compression {
    window_bits: u8,
    /// Texts that were compressed, by all connections together.
    count: Counter<u64, AtomicU64>,
}

/// The compressed forms of one text: each is made when it is first asked for, for all who ask.
#[derive(Default)]
pub(crate) struct Deflated([OnceLock<Option<Arc<[u8]>>>; WINDOWS]);

const WINDOWS: usize = (*WINDOW_BITS.end() - *WINDOW_BITS.start() + 1) as usize;

impl Compression {
    /// `count` counts the texts that are compressed.
    pub(crate) fn new(window_bits: u8, count: Counter<u64, AtomicU64>) -> Self {
        Self { window_bits, count }
    }

    /// A text that only this connection gets.
    pub(crate) fn frame(&self, text: Bytes) -> Frame {
        let deflated = self.deflate(&text);
        Frame::deflated(text, deflated)
    }

    /// A text that others get, too; `deflated` belongs to it.
    pub(crate) fn shared_frame(&self, text: Bytes, deflated: &Deflated) -> Frame {
        let window = self.window_bits.saturating_sub(*WINDOW_BITS.start());
        let Some(place) = deflated.0.get(usize::from(window)) else { return Frame::text(text) };
        let deflated = place.get_or_init(|| self.deflate(&text)).clone();
        Frame::deflated(text, deflated)
    }

    fn deflate(&self, text: &[u8]) -> Option<Arc<[u8]>> {
        let deflated = deflate(text, self.window_bits)?;
        self.count.inc();
        Some(deflated.into())
    }
}

impl fmt::Debug for Deflated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflated").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_text_is_compressed_once_for_each_window_and_not_at_all_if_that_gains_nothing() {
        let (count, text) = (Counter::default(), Bytes::from(vec![b'a'; 1_000]));
        let (shared, short) = (Deflated::default(), Deflated::default());
        thread::scope(|scope| {
            for window_bits in [15, 15, 9, 15, 9, 15] {
                let compression = Compression::new(window_bits, count.clone());
                scope.spawn(|| {
                    let compression = compression;
                    let frame = compression.shared_frame(text.clone(), &shared);
                    assert!(frame.wire_len() < 30, "{frame:?}");
                    let frame = compression.shared_frame("short".into(), &short);
                    assert_eq!(frame, Frame::text("short".into()));
                });
            }
        });
        assert_eq!(count.get(), 2);
    }
}
