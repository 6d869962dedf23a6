use flate2::{Decompress, FlushDecompress};

/// What ends every flushed block, and is left out on the wire (RFC 7692, section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Bytes of a message, compressed or not.
pub(crate) const LARGEST: usize = 64 * 1024;

/// Of messages that are compressed each by itself, so that one does for all connections.
#[derive(Debug)]
pub(crate) struct Inflater {
    state: Decompress,
    text: Vec<u8>,
}

impl Inflater {
    pub(crate) fn new() -> Self {
        Self { state: Decompress::new(false), text: Vec::with_capacity(LARGEST) }
    }

    /// The message in this payload; `None` if it has none, or a larger one.
    pub(crate) fn inflate(&mut self, payload: &[u8]) -> Option<&[u8]> {
        self.state.reset(false);
        self.text.clear();
        for input in [payload, &TAIL] {
            let before = self.state.total_in();
            self.state.decompress_vec(input, &mut self.text, FlushDecompress::Sync).ok()?;
            if self.state.total_in() - before < input.len() as u64 {
                return None;
            }
        }
        Some(&self.text)
    }
}
