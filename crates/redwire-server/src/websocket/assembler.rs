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
mod tests;
