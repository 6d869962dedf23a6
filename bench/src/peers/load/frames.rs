use super::inflater::{Inflater, LARGEST};
use super::stamp::{Stamp, WINDOW};

/// Longest head of a server's frame, which has no mask.
const HEAD: usize = 10;

/// One frame that has come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    /// Bytes of its payload.
    pub(crate) length: usize,
    /// The first of them.
    pub(crate) first: Option<u8>,
    pub(crate) stamp: Option<Stamp>,
}

/// Where a stream of a server's frames is. Allocates nothing for a frame, whatever its size: only its head
/// and the beginning of its payload are ever put aside, or all of it if it is compressed.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// The beginning of a frame, if too little of it has come to know it.
    held: Vec<u8>,
    /// A frame that is known, and what has yet to come of it.
    open: Option<(Frame, usize)>,
    /// The server may compress messages, each by itself.
    pub(crate) may_be_deflated: bool,
}

/// The stream is no longer one of frames that a server may send.
#[derive(Debug)]
pub(crate) struct Malformed;

impl Frames {
    /// Takes these bytes, which come after all earlier ones, and tells of every frame that they complete.
    pub(crate) fn take(
        &mut self,
        mut bytes: &[u8],
        inflater: &mut Inflater,
        mut complete: impl FnMut(Frame),
    ) -> Result<(), Malformed> {
        while !bytes.is_empty() {
            if let Some((frame, rest)) = &mut self.open {
                let (skipped, after) = bytes.split_at(bytes.len().min(*rest));
                *rest -= skipped.len();
                bytes = after;
                if *rest == 0 {
                    complete(*frame);
                    self.open = None;
                }
                continue;
            }
            if self.held.is_empty() {
                match Beginning::of(bytes, self.may_be_deflated)? {
                    Some(beginning) if bytes.len() >= beginning.known_at() => {
                        bytes = self.begin(&beginning, bytes, inflater, &mut complete)?;
                    }
                    _ => {
                        self.held.extend_from_slice(bytes);
                        return Ok(());
                    }
                }
            } else {
                let known = Beginning::of(&self.held, self.may_be_deflated)?;
                let goal = known.map_or(HEAD, |beginning| beginning.known_at());
                let taken = bytes.len().min(goal - self.held.len());
                self.held.extend_from_slice(bytes.get(..taken).unwrap_or_default());
                let known = Beginning::of(&self.held, self.may_be_deflated)?;
                let mut left = 0;
                if let Some(beginning) = known.filter(|known| self.held.len() >= known.known_at()) {
                    let mut held = std::mem::take(&mut self.held);
                    left = self.begin(&beginning, &held, inflater, &mut complete)?.len();
                    held.clear();
                    self.held = held;
                }
                bytes = bytes.get(taken - left..).unwrap_or_default();
            }
        }
        Ok(())
    }

    /// What comes after the part of this frame that is here.
    fn begin<'a>(
        &mut self,
        beginning: &Beginning,
        bytes: &'a [u8],
        inflater: &mut Inflater,
        complete: &mut impl FnMut(Frame),
    ) -> Result<&'a [u8], Malformed> {
        let Beginning { opcode, length, is_deflated, .. } = *beginning;
        let payload = bytes.get(beginning.head..).unwrap_or_default();
        let (here, after) = payload.split_at(payload.len().min(length));
        let text = if is_deflated { inflater.inflate(here).ok_or(Malformed)? } else { here };
        let stamp = text.get(..text.len().min(WINDOW)).and_then(Stamp::find);
        let frame = Frame { opcode, length, first: text.first().copied(), stamp };
        match length - here.len() {
            0 => complete(frame),
            rest => self.open = Some((frame, rest)),
        }
        Ok(after)
    }
}

struct Beginning {
    opcode: u8,
    is_deflated: bool,
    /// Bytes of the head.
    head: usize,
    /// Bytes of the payload.
    length: usize,
}

impl Beginning {
    /// `None`: more has to come of its head.
    fn of(bytes: &[u8], may_be_deflated: bool) -> Result<Option<Self>, Malformed> {
        let (first, head, length) = match *bytes {
            [first, 126, a, b, ..] => (first, 4, u64::from(u16::from_be_bytes([a, b]))),
            [first, 127, a, b, c, d, e, f, g, h, ..] => {
                (first, 10, u64::from_be_bytes([a, b, c, d, e, f, g, h]))
            }
            [first, length, ..] if length < 126 => (first, 2, u64::from(length)),
            [_, 128..=255, ..] => return Err(Malformed),
            _ => return Ok(None),
        };
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        // Whole messages only: nobody here sends them in parts, or with other extensions.
        let (is_deflated, opcode) = match (first & 0xf0, first & 0x0f) {
            (0x80, opcode @ (1 | 2 | 8..=10)) => (false, opcode),
            (0xc0, opcode @ (1 | 2)) if may_be_deflated && length <= LARGEST => (true, opcode),
            _ => return Err(Malformed),
        };
        Ok(Some(Self { opcode, is_deflated, head, length }))
    }

    /// How many bytes of the frame have to be here.
    fn known_at(&self) -> usize {
        self.head + if self.is_deflated { self.length } else { self.length.min(WINDOW) }
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compress, Compression, FlushCompress};

    use super::*;
    use crate::peers::load::payload::Payload;
    use crate::peers::load::publisher;

    fn frame(stamp: Stamp, size: usize) -> Vec<u8> {
        publisher::frame(&stamp.payload(size))
    }

    fn deflated(text: &[u8]) -> Vec<u8> {
        let mut state = Compress::new(Compression::fast(), false);
        let mut payload = Vec::with_capacity(2 * text.len());
        state.compress_vec(text, &mut payload, FlushCompress::Sync).unwrap();
        payload.truncate(payload.len() - 4);
        let mut frame = publisher::frame(&payload);
        frame[0] = 0xc1;
        frame
    }

    fn read<'a>(mut frames: Frames, parts: impl Iterator<Item = &'a [u8]>) -> Vec<Frame> {
        let (mut inflater, mut seen) = (Inflater::new(), Vec::new());
        parts.for_each(|part| {
            frames.take(part, &mut inflater, |frame| seen.push(frame)).unwrap();
        });
        seen
    }

    #[test]
    fn compressed_frames_are_read_among_others_however_they_are_cut() {
        let stamp = |number| Stamp { sent: 7, number, channel: 3 };
        let payload = Payload::trajectories([10, 300]);
        let parts = (0..8).map(|number| match number % 3 {
            0 => publisher::frame(&payload.message(stamp(number))),
            _ => deflated(&payload.message(stamp(number))),
        });
        let stream = parts.collect::<Vec<_>>().concat();
        for cut in [1, 2, 3, 7, 100, 266, 1_000, stream.len()] {
            let frames = Frames { may_be_deflated: true, ..Frames::default() };
            let seen = read(frames, stream.chunks(cut));
            let numbers: Vec<_> = seen.iter().filter_map(|frame| frame.stamp).collect();
            assert_eq!(numbers, (0..8).map(stamp).collect::<Vec<_>>(), "cut at {cut}");
            assert!(seen.iter().all(|frame| frame.first == Some(b'{')));
        }
    }

    #[test]
    fn frames_are_read_however_they_are_cut() {
        let stamp = |number| Stamp { sent: 7, number, channel: 3 };
        let sizes = [60, 200, 100_000, 255, 256, 257, 65_536, 70, 66];
        let parts: Vec<_> = (0..).zip(sizes).map(|(n, size)| frame(stamp(n), size)).collect();
        let stream = parts.concat();
        for cut in [1, 2, 3, 7, 100, 266, 1_000, stream.len()] {
            let seen = read(Frames::default(), stream.chunks(cut));
            let numbers: Vec<_> = seen.iter().filter_map(|frame| frame.stamp).collect();
            assert_eq!(numbers, (0..9).map(stamp).collect::<Vec<_>>(), "cut at {cut}");
            assert_eq!(seen.iter().map(|frame| frame.length).collect::<Vec<_>>(), sizes);
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        let refused = |mut frames: Frames, bytes: &[u8]| {
            frames.take(bytes, &mut Inflater::new(), |_| ()).is_err()
        };
        for bytes in [&b"HTTP/1.1 200 OK"[..], &[0xc1, 1, 0], &[0x81, 0x85, 1, 2, 3, 4]] {
            assert!(refused(Frames::default(), bytes), "{bytes:?}");
        }
        // A block of a kind that does not exist, and one that ends too early.
        for bytes in [&[0xc1, 1, 0xff], &[0xc1, 1, 0x05]] {
            let frames = Frames { may_be_deflated: true, ..Frames::default() };
            assert!(refused(frames, bytes), "{bytes:?}");
        }
    }
}
