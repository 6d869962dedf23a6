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
/// and the beginning of its payload are ever put aside.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// The beginning of a frame, if too little of it has come to know it.
    held: Vec<u8>,
    /// A frame that is known, and what has yet to come of it.
    open: Option<(Frame, usize)>,
}

/// The stream is no longer one of frames that a server may send.
#[derive(Debug)]
pub(crate) struct Malformed;

impl Frames {
    /// Takes these bytes, which come after all earlier ones, and tells of every frame that they complete.
    pub(crate) fn take(
        &mut self,
        mut bytes: &[u8],
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
                let Some(beginning) = Beginning::of(bytes)? else {
                    self.held.extend_from_slice(bytes);
                    return Ok(());
                };
                bytes = self.begin(&beginning, bytes, &mut complete);
            } else {
                let before = self.held.len();
                let taken = bytes.len().min(HEAD + WINDOW - before);
                self.held.extend_from_slice(bytes.get(..taken).unwrap_or_default());
                let Some(beginning) = Beginning::of(&self.held)? else { return Ok(()) };
                let held = std::mem::take(&mut self.held);
                let left = self.begin(&beginning, &held, &mut complete).len();
                bytes = bytes.get(taken - left..).unwrap_or_default();
                self.held = held;
                self.held.clear();
            }
        }
        Ok(())
    }

    /// What comes after the part of this frame that is here.
    fn begin<'a>(
        &mut self,
        beginning: &Beginning,
        bytes: &'a [u8],
        complete: &mut impl FnMut(Frame),
    ) -> &'a [u8] {
        let payload = bytes.get(beginning.head..).unwrap_or_default();
        let (here, after) = payload.split_at(payload.len().min(beginning.length));
        let stamp = here.get(..here.len().min(WINDOW)).and_then(Stamp::find);
        let Beginning { opcode, length, .. } = *beginning;
        let frame = Frame { opcode, length, first: here.first().copied(), stamp };
        match length - here.len() {
            0 => complete(frame),
            rest => self.open = Some((frame, rest)),
        }
        after
    }
}

struct Beginning {
    opcode: u8,
    /// Bytes of the head.
    head: usize,
    /// Bytes of the payload.
    length: usize,
}

impl Beginning {
    /// `None`: more has to come of it.
    fn of(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        let (first, head, length) = match *bytes {
            [first, 126, a, b, ..] => (first, 4, u64::from(u16::from_be_bytes([a, b]))),
            [first, 127, a, b, c, d, e, f, g, h, ..] => {
                (first, 10, u64::from_be_bytes([a, b, c, d, e, f, g, h]))
            }
            [first, length, ..] if length < 126 => (first, 2, u64::from(length)),
            [_, 128..=255, ..] => return Err(Malformed),
            _ => return Ok(None),
        };
        // Whole messages only: nobody here sends them in parts, or with extensions.
        let (0x80, opcode @ (1 | 2 | 8..=10)) = (first & 0xf0, first & 0x0f) else {
            return Err(Malformed);
        };
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        let is_enough = bytes.len() - head >= length.min(WINDOW);
        Ok(is_enough.then_some(Self { opcode, head, length }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(stamp: Stamp, size: usize) -> Vec<u8> {
        let payload = stamp.payload(size);
        let length = payload.len();
        let head = match length {
            0..126 => vec![0x81, length as u8],
            126..65_536 => [&[0x81, 126][..], &(length as u16).to_be_bytes()].concat(),
            _ => [&[0x81, 127][..], &(length as u64).to_be_bytes()].concat(),
        };
        [head, payload].concat()
    }

    #[test]
    fn frames_are_read_however_they_are_cut() {
        let stamp = |number| Stamp { sent: 7, number, channel: 3 };
        let sizes = [60, 200, 100_000, 255, 256, 257, 65_536, 70, 66];
        let parts: Vec<_> = (0..).zip(sizes).map(|(n, size)| frame(stamp(n), size)).collect();
        let stream = parts.concat();
        for cut in [1, 2, 3, 7, 100, 266, 1_000, stream.len()] {
            let (mut frames, mut seen) = (Frames::default(), Vec::new());
            for bytes in stream.chunks(cut) {
                frames.take(bytes, |frame| seen.push(frame)).unwrap();
            }
            let numbers: Vec<_> = seen.iter().filter_map(|frame| frame.stamp).collect();
            assert_eq!(numbers, (0..9).map(stamp).collect::<Vec<_>>(), "cut at {cut}");
            assert_eq!(seen.iter().map(|frame| frame.length).collect::<Vec<_>>(), sizes);
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for bytes in [&b"HTTP/1.1 200 OK"[..], &[0xc1, 1, 0], &[0x81, 0x85, 1, 2, 3, 4]] {
            assert!(Frames::default().take(bytes, |_| ()).is_err(), "{bytes:?}");
        }
    }
}
