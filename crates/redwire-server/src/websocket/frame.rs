use std::cell::RefCell;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;

use bytes::Bytes;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// A frame of the server's: the header is made when it is written, the payload is shared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Frame {
    /// `None`: the payload is on the wire as it is.
    opcode: Option<OpCode>,
    /// As the client will read it.
    pub(crate) payload: Bytes,
    /// As it goes over the wire, if that is something else.
    deflated: Option<Arc<[u8]>>,
}

/// Payloads up to this size are copied behind each other, because one slice is cheaper than many;
/// larger ones are written from where they are.
const COPIED: usize = 4 * 1024;
/// A write has about this size at most.
pub(crate) const WRITE: usize = 64 * 1024;

thread_local! {
    /// Where a thread puts frames behind each other: it keeps the capacity.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Frame {
    pub(crate) fn text(payload: Bytes) -> Self {
        Self::new(OpCode::Data(Data::Text), payload)
    }

    /// A text of which there is a compressed form, if there is.
    pub(super) fn deflated(payload: Bytes, deflated: Option<Arc<[u8]>>) -> Self {
        Self { deflated, ..Self::text(payload) }
    }

    /// The server has none to send; what Autobahn sends has to come back.
    #[cfg(test)]
    pub(super) fn binary(payload: Bytes, deflated: Option<Arc<[u8]>>) -> Self {
        Self { deflated, ..Self::new(OpCode::Data(Data::Binary), payload) }
    }

    pub(crate) fn ping() -> Self {
        Self::new(OpCode::Control(Control::Ping), Bytes::new())
    }

    pub(crate) fn pong(payload: Bytes) -> Self {
        Self::new(OpCode::Control(Control::Pong), payload)
    }

    /// `None`: an answer to a close frame without a reason.
    pub(crate) fn close(reason: Option<(u16, &str)>) -> Self {
        let mut payload = Vec::new();
        if let Some((code, reason)) = reason {
            payload.extend(code.to_be_bytes());
            payload.extend(reason.as_bytes());
        }
        Self::new(OpCode::Control(Control::Close), payload.into())
    }

    fn new(opcode: OpCode, payload: Bytes) -> Self {
        Self { opcode: Some(opcode), payload, deflated: None }
    }

    /// Bytes that are not a frame, or are one already.
    pub(crate) fn ready(payload: Bytes) -> Self {
        Self { opcode: None, payload, deflated: None }
    }

    fn header(&self) -> Option<FrameHeader> {
        let (opcode, rsv1) = (self.opcode?, self.deflated.is_some());
        Some(FrameHeader { opcode, rsv1, ..FrameHeader::default() })
    }

    /// The payload as it goes over the wire.
    fn body(&self) -> &[u8] {
        self.deflated.as_deref().unwrap_or(&self.payload)
    }

    /// The bytes that it has on the wire.
    pub(crate) fn wire_len(&self) -> usize {
        let len = self.body().len();
        self.header().map_or(0, |header| header.len(len as u64)) + len
    }
}

/// Writes frames in one go, from the byte `begun` of the first one on. Returns how many bytes the
/// socket took, which is less than all of them if there were more than fit into one write.
pub(crate) fn write<'f>(
    frames: impl Iterator<Item = &'f Frame>,
    begun: usize,
    socket: impl FnOnce(&[IoSlice<'_>]) -> io::Result<usize>,
) -> io::Result<usize> {
    SCRATCH.with_borrow_mut(|scratch| write_through(scratch, frames, begun, socket))
}

fn write_through<'f>(
    scratch: &mut Vec<u8>,
    frames: impl Iterator<Item = &'f Frame>,
    begun: usize,
    socket: impl FnOnce(&[IoSlice<'_>]) -> io::Result<usize>,
) -> io::Result<usize> {
    scratch.clear();
    let mut large: &[u8] = &[];
    let mut skip = begun;
    for frame in frames {
        let start = scratch.len();
        if let Some(header) = frame.header() {
            // Writing to a `Vec` cannot fail.
            let _ = header.format(frame.body().len() as u64, scratch);
        }
        let header = scratch.len() - start;
        scratch.drain(start..start + skip.min(header));
        let payload = frame.body().get(skip.saturating_sub(header)..).unwrap_or_default();
        skip = 0;
        if payload.len() > COPIED {
            large = payload;
            break;
        }
        scratch.extend_from_slice(payload);
        if scratch.len() >= WRITE {
            break;
        }
    }
    let slices = [IoSlice::new(scratch), IoSlice::new(large)];
    let slices = if large.is_empty() { slices.split_at(1).0 } else { &slices };
    match socket(slices)? {
        0 => Err(ErrorKind::WriteZero.into()),
        written => Ok(written),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What arrives if the socket takes so many bytes at a time.
    fn written(frames: &[Frame], at_a_time: usize) -> Vec<u8> {
        let mut wire = Vec::new();
        let (mut first, mut begun) = (0, 0);
        while first < frames.len() {
            let taken = write(frames[first..].iter(), begun, |slices| {
                let all: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
                let some = &all[..all.len().min(at_a_time)];
                wire.extend_from_slice(some);
                Ok(some.len())
            });
            begun += taken.unwrap();
            while first < frames.len() && begun >= frames[first].wire_len() {
                begun -= frames[first].wire_len();
                first += 1;
            }
        }
        wire
    }

    #[test]
    fn however_little_the_socket_takes_all_arrives_in_order() {
        let large = Bytes::from(vec![b'l'; 5_000]);
        let frames = [
            Frame::text("small".into()),
            Frame::ping(),
            Frame::text(large.clone()),
            Frame::text(vec![b'm'; 300].into()),
            Frame::close(Some((1012, "bye"))),
        ];
        let mut expected = b"\x81\x05small\x89\x00\x81\x7e\x13\x88".to_vec();
        expected.extend(&large);
        expected.extend(b"\x81\x7e\x01\x2c");
        expected.extend([b'm'; 300]);
        expected.extend(b"\x88\x05\x03\xf4bye");
        for at_a_time in [1, 3, 7, 4096, usize::MAX] {
            assert!(written(&frames, at_a_time) == expected, "{at_a_time} at a time");
        }
    }
}
