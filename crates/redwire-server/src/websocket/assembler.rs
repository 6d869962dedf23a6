use std::io::Cursor;
use std::mem::take;

use bytes::Bytes;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};

use super::deflate::inflate;

/// What a client said.
#[derive(Debug, PartialEq)]
pub(crate) enum Message {
    Text(String),
    Binary(Vec<u8>),
    Ping(Bytes),
    Pong,
    Close(Option<Reason>),
}

/// The code of a close frame and the words behind it.
pub(crate) type Reason = (u16, String);

/// Why nothing more can be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// A message has more bytes than may be.
    TooLarge,
    /// A text or a reason is not UTF-8.
    NotUtf8,
    /// A compressed message is not what a deflater makes.
    NotDeflated,
    /// The frames break RFC 6455.
    Broken,
}

/// Puts messages together from bytes as they come (RFC 6455, section 5). Holds nothing while no
/// message is on its way.
#[derive(Debug)]
pub(crate) struct Assembler {
    /// The longest message, in bytes.
    max: usize,
    /// Whether messages may be compressed, and whether the one that is being put together is.
    inflates: bool,
    is_deflated: bool,
    frame: Option<Incoming>,
    /// The message that is being put together, and what it is if a frame of it has been read.
    message: Vec<u8>,
    kind: Option<Data>,
    /// What counts against `max`: its bytes, and the frames without any, which could go on for ever.
    size: u64,
    /// How many bytes of `message` are known to be UTF-8.
    checked: usize,
    control: Vec<u8>,
}

/// A frame whose payload is being read.
#[derive(Debug)]
struct Incoming {
    opcode: OpCode,
    is_final: bool,
    mask: [u8; 4],
    /// How many bytes have been read, and how many are missing.
    read: usize,
    missing: usize,
}

/// The longest payload of a control frame.
const LONGEST_CONTROL: u64 = 125;

impl Assembler {
    /// Reads messages of at most `max` bytes, compressed ones if that was agreed upon.
    pub(crate) fn new(max: usize, inflates: bool) -> Self {
        Self {
            max,
            inflates,
            is_deflated: false,
            frame: None,
            message: Vec::new(),
            kind: None,
            size: 0,
            checked: 0,
            control: Vec::new(),
        }
    }

    /// Reads on in `bytes`, which it shortens by what it read, until a message is complete; `None`
    /// if that needs more.
    pub(crate) fn read(&mut self, bytes: &mut &[u8]) -> Result<Option<Message>, Unreadable> {
        loop {
            let mut frame = match self.frame.take() {
                Some(frame) => frame,
                None => match self.read_header(bytes)? {
                    Some(frame) => frame,
                    None => return Ok(None),
                },
            };
            self.read_payload(&mut frame, bytes);
            if frame.missing > 0 {
                self.check_text()?;
                self.frame = Some(frame);
                return Ok(None);
            }
            if let Some(message) = self.complete(&frame)? {
                return Ok(Some(message));
            }
        }
    }

    fn read_header(&mut self, bytes: &mut &[u8]) -> Result<Option<Incoming>, Unreadable> {
        let mut cursor = Cursor::new(*bytes);
        let header = FrameHeader::parse(&mut cursor).map_err(|_| Unreadable::Broken)?;
        let Some((header, len)) = header else { return Ok(None) };
        *bytes = bytes.get(cursor.position() as usize..).unwrap_or_default();
        let FrameHeader { is_final, rsv1, rsv2, rsv3, opcode, mask } = header;
        // Clients mask all that they send (section 5.1).
        let (Some(mask), false) = (mask, rsv2 || rsv3) else {
            return Err(Unreadable::Broken);
        };
        match opcode {
            OpCode::Control(_) if len > LONGEST_CONTROL || !is_final || rsv1 => {
                return Err(Unreadable::Broken);
            }
            OpCode::Control(_) => {}
            OpCode::Data(data) => {
                // A message's later frames continue it, and only they do.
                if (data == Data::Continue) != self.kind.is_some() {
                    return Err(Unreadable::Broken);
                }
                // The first frame says that the message is compressed (RFC 7692, section 6).
                if rsv1 && (!self.inflates || data == Data::Continue) {
                    return Err(Unreadable::Broken);
                }
                if self.kind.is_none() {
                    (self.kind, self.is_deflated) = (Some(data), rsv1);
                }
                self.size = self.size.saturating_add(if is_final { len } else { len.max(1) });
                if self.size > self.max as u64 {
                    return Err(Unreadable::TooLarge);
                }
            }
        }
        Ok(Some(Incoming { opcode, is_final, mask, read: 0, missing: len as usize }))
    }

    fn read_payload(&mut self, frame: &mut Incoming, bytes: &mut &[u8]) {
        let (some, rest) = bytes.split_at(frame.missing.min(bytes.len()));
        *bytes = rest;
        let payload = match frame.opcode {
            OpCode::Control(_) => &mut self.control,
            OpCode::Data(_) => &mut self.message,
        };
        let mask = frame.mask.iter().cycle().skip(frame.read % frame.mask.len());
        payload.extend(some.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
        frame.read += some.len();
        frame.missing -= some.len();
    }

    /// The message that a frame completes.
    fn complete(&mut self, frame: &Incoming) -> Result<Option<Message>, Unreadable> {
        if let OpCode::Control(control) = frame.opcode {
            return control_message(control, take(&mut self.control)).map(Some);
        }
        if !frame.is_final {
            self.check_text()?;
            return Ok(None);
        }
        (self.size, self.checked) = (0, 0);
        let mut message = take(&mut self.message);
        if self.is_deflated {
            message = inflate(&message, self.max)?;
        }
        Ok(Some(match self.kind.take() {
            Some(Data::Text) => {
                Message::Text(String::from_utf8(message).map_err(|_| Unreadable::NotUtf8)?)
            }
            _ => Message::Binary(message),
        }))
    }

    /// A text that can no longer become one is refused before its end.
    fn check_text(&mut self) -> Result<(), Unreadable> {
        if self.kind == Some(Data::Text) && !self.is_deflated {
            let unchecked = self.message.get(self.checked..).unwrap_or_default();
            match std::str::from_utf8(unchecked) {
                Ok(text) => self.checked += text.len(),
                Err(error) if error.error_len().is_some() => return Err(Unreadable::NotUtf8),
                // A character may be cut in two.
                Err(error) => self.checked += error.valid_up_to(),
            }
        }
        Ok(())
    }
}

fn control_message(control: Control, payload: Vec<u8>) -> Result<Message, Unreadable> {
    Ok(match control {
        Control::Ping => Message::Ping(payload.into()),
        Control::Pong => Message::Pong,
        _ => Message::Close(close_reason(&payload)?),
    })
}

fn close_reason(payload: &[u8]) -> Result<Option<Reason>, Unreadable> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return if payload.is_empty() { Ok(None) } else { Err(Unreadable::Broken) };
    };
    let code = u16::from_be_bytes(*code);
    match (CloseCode::from(code).is_allowed(), std::str::from_utf8(reason)) {
        (false, _) => Err(Unreadable::Broken),
        (true, Err(_)) => Err(Unreadable::NotUtf8),
        (true, Ok(reason)) => Ok(Some((code, reason.to_owned()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client's frame, masked.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [1, 2, 3, 4];
        let mut frame = vec![first];
        match payload.len() {
            len @ 0..126 => frame.push(0x80 | len as u8),
            len @ 126..65536 => {
                frame.push(0x80 | 126);
                frame.extend((len as u16).to_be_bytes());
            }
            len => {
                frame.push(0x80 | 127);
                frame.extend((len as u64).to_be_bytes());
            }
        }
        frame.extend(mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    /// What is understood of bytes that come so many at a time.
    fn read(bytes: &[u8], at_a_time: usize) -> Result<Vec<Message>, Unreadable> {
        read_with(Assembler::new(100_000, false), bytes, at_a_time)
    }

    fn read_with(
        mut assembler: Assembler,
        bytes: &[u8],
        at_a_time: usize,
    ) -> Result<Vec<Message>, Unreadable> {
        let (mut messages, mut pending) = (Vec::new(), Vec::new());
        for some in bytes.chunks(at_a_time) {
            pending.extend_from_slice(some);
            let mut rest = &pending[..];
            while let Some(message) = assembler.read(&mut rest)? {
                messages.push(message);
            }
            pending = rest.to_vec();
        }
        assert!(pending.is_empty(), "{} bytes are left", pending.len());
        Ok(messages)
    }

    #[test]
    fn messages_are_put_together_however_their_bytes_come() {
        let large = "l".repeat(70_000);
        let stream = [
            frame(0x81, "GET a".as_bytes()),
            frame(0x01, "in ".as_bytes()),
            frame(0x89, b"ping"),
            frame(0x00, "p\u{e4}".as_bytes()),
            frame(0x80, b"rts"),
            frame(0x82, &[0xff]),
            frame(0x8a, b""),
            frame(0x81, large.as_bytes()),
            frame(0x81, b""),
            frame(0x88, &[0x03, 0xe8, b'b']),
        ]
        .concat();
        for at_a_time in [1, 2, 3, 7, 1000, usize::MAX] {
            let messages = read(&stream, at_a_time).unwrap();
            let expected = [
                Message::Text("GET a".into()),
                Message::Ping("ping".into()),
                Message::Text("in p\u{e4}rts".into()),
                Message::Binary(vec![0xff]),
                Message::Pong,
                Message::Text(large.clone()),
                Message::Text(String::new()),
                Message::Close(Some((1000, "b".into()))),
            ];
            assert!(messages == expected, "{at_a_time} at a time");
        }
    }

    #[test]
    fn frames_that_break_the_rules_are_refused() {
        let unmasked = vec![0x81, 1, b'a'];
        let broken = [
            unmasked,
            frame(0xc1, b"reserved bit"),
            frame(0x83, b"reserved opcode"),
            frame(0x80, b"continues nothing"),
            [frame(0x01, b"begun"), frame(0x81, b"and begun anew")].concat(),
            frame(0x09, b"a ping in parts"),
            frame(0x89, &[b'p'; 126]),
            frame(0x88, &[0x03]),
            frame(0x88, &1005u16.to_be_bytes()),
        ];
        for stream in broken {
            assert_eq!(read(&stream, 1), Err(Unreadable::Broken), "{stream:?}");
        }
    }

    #[test]
    fn a_text_is_refused_as_soon_as_it_cannot_be_utf8() {
        assert_eq!(read(&frame(0x81, b"\xff"), 1), Err(Unreadable::NotUtf8));
        assert_eq!(read(&frame(0x81, b"cut \xc3"), 1), Err(Unreadable::NotUtf8));
        let mut begun = frame(0x01, b"a\xff and more");
        begun.truncate(8);
        assert_eq!(read(&begun, 1), Err(Unreadable::NotUtf8));
        assert_eq!(read(&frame(0x88, b"\x03\xe8\xff"), 1), Err(Unreadable::NotUtf8));
    }

    #[test]
    fn a_message_that_is_too_large_is_refused_by_its_header() {
        let mut large = frame(0x81, &[b'l'; 100_001]);
        large.truncate(14);
        assert_eq!(read(&large, 1), Err(Unreadable::TooLarge));
        let in_parts = [frame(0x01, &[b'l'; 99_999]), frame(0x80, b"12")].concat();
        assert_eq!(read(&in_parts, 1000), Err(Unreadable::TooLarge));
    }

    #[test]
    fn frames_without_bytes_count_but_for_the_one_that_ends_a_message() {
        let empty = || frame(0x00, b"");
        let most = [frame(0x01, &[b'l'; 99_998]), empty(), empty(), frame(0x80, b"")].concat();
        assert_eq!(read(&most, 1_000).unwrap().len(), 1);
        let more = [frame(0x01, &[b'l'; 99_998]), empty(), empty(), empty()].concat();
        assert_eq!(read(&more, 1_000), Err(Unreadable::TooLarge));
        assert_eq!(read(&most.repeat(2), 1_000).unwrap().len(), 2, "counted anew");
    }

    /// What is understood if compression was agreed upon.
    fn inflated(bytes: &[u8], at_a_time: usize) -> Result<Vec<Message>, Unreadable> {
        read_with(Assembler::new(100_000, true), bytes, at_a_time)
    }

    #[test]
    fn messages_are_inflated_if_their_first_frame_says_that_they_are_compressed() {
        // RFC 7692, sections 7.2.3.1 and 7.2.3.2.
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        let stream = [
            frame(0xc1, &hello),
            frame(0x41, &hello[..3]),
            frame(0x89, b"ping"),
            frame(0x80, &hello[3..]),
            frame(0x81, b"plain"),
            frame(0xc2, &hello),
            frame(0xc1, b""),
        ]
        .concat();
        for at_a_time in [1, 3, usize::MAX] {
            let messages = inflated(&stream, at_a_time).unwrap();
            let expected = [
                Message::Text("Hello".into()),
                Message::Ping("ping".into()),
                Message::Text("Hello".into()),
                Message::Text("plain".into()),
                Message::Binary(b"Hello".to_vec()),
                Message::Text(String::new()),
            ];
            assert!(messages == expected, "{at_a_time} at a time: {messages:?}");
        }
    }

    #[test]
    fn only_the_first_frame_of_a_message_may_say_that_it_is_compressed() {
        for stream in [
            frame(0xc9, b"a ping"),
            frame(0xc8, b""),
            [frame(0x41, &[0xf2, 0x48]), frame(0xc0, &[0x05, 0x00])].concat(),
            [frame(0x01, b"plain"), frame(0xc0, &[0x05, 0x00])].concat(),
            frame(0xa1, b"another reserved bit"),
        ] {
            assert_eq!(inflated(&stream, 1), Err(Unreadable::Broken), "{stream:x?}");
        }
    }

    #[test]
    fn what_does_not_inflate_to_a_text_of_the_right_size_is_refused() {
        let compressed =
            |text: &[u8]| frame(0xc1, &super::super::deflate::deflate(text, 15).unwrap());
        assert_eq!(inflated(&frame(0xc1, &[0xff; 9]), 1), Err(Unreadable::NotDeflated));
        assert_eq!(inflated(&compressed(&[0xff; 999]), 1), Err(Unreadable::NotUtf8));
        assert_eq!(inflated(&compressed(&[b'a'; 100_001]), 1), Err(Unreadable::TooLarge));
        assert_eq!(inflated(&compressed(&[b'a'; 100_000]), 1).map(|read| read.len()), Ok(1));
    }
}
