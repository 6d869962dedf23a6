use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::frames::{Frame, Frames};
use super::inflater::Inflater;
use super::script::{Script, Step};
use crate::Result;

const PING: u8 = 9;
/// An unasked one, which says as well that somebody is here.
const PONG: [u8; 6] = [0x8a, 0x80, 0, 0, 0, 0];
/// What Socket.IO has instead: the texts `2` and `3`.
const TEXT_PONG: [u8; 7] = [0x81, 0x81, 0, 0, 0, 0, b'3'];

/// One connection.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    stage: Stage,
    frames: Frames,
    /// Bytes that have been read.
    received: u64,
}

/// What is filled and read without a break, so that one does for all connections.
#[derive(Debug)]
pub(crate) struct Scratch {
    buffer: Vec<u8>,
    inflater: Inflater,
}

#[derive(Debug)]
enum Stage {
    Connecting(Script),
    /// The answer to the handshake, as far as it has come, and what to do then.
    Upgrading(Vec<u8>, Script),
    /// What is left to do.
    Scripted(VecDeque<Step>),
    Live,
    Lost,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self { buffer: vec![0; 128 * 1024], inflater: Inflater::new() }
    }
}

impl Client {
    /// Begins to connect.
    pub(crate) fn connect(
        address: SocketAddr,
        script: Script,
        (registry, token): (&Registry, Token),
    ) -> Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        registry.register(&mut stream, token, Interest::WRITABLE)?;
        Ok(Self {
            stream,
            stage: Stage::Connecting(script),
            frames: Frames::default(),
            received: 0,
        })
    }

    /// How many bytes have come to it.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Goes on with what its socket is ready for.
    pub(crate) fn turn(
        &mut self,
        at: (&Registry, Token),
        scratch: &mut Scratch,
        seen: impl FnMut(Frame),
    ) -> Result<()> {
        if matches!(self.stage, Stage::Connecting(_)) {
            self.upgrade(at)
        } else {
            self.read(scratch, seen)
        }
    }

    fn upgrade(&mut self, (registry, token): (&Registry, Token)) -> Result<()> {
        let Stage::Connecting(script) = std::mem::replace(&mut self.stage, Stage::Lost) else {
            return Ok(());
        };
        if self.stream.take_error()?.is_none() {
            self.stream.set_nodelay(true)?;
            self.stream.write_all(&script.upgrade)?;
            registry.reregister(&mut self.stream, token, Interest::READABLE)?;
            self.stage = Stage::Upgrading(Vec::new(), script);
        }
        Ok(())
    }

    pub(crate) fn is_live(&self) -> bool {
        matches!(self.stage, Stage::Live)
    }

    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.stage, Stage::Lost)
    }

    /// Sends a frame, which has to fit into the socket's buffer.
    pub(crate) fn send(&mut self, frame: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(frame)?)
    }

    /// Reads all that is there, and tells of each frame of data once the script is done.
    fn read(&mut self, scratch: &mut Scratch, mut seen: impl FnMut(Frame)) -> Result<()> {
        let Scratch { buffer, inflater } = scratch;
        loop {
            match self.stream.read(buffer) {
                Ok(0) => {
                    self.stage = Stage::Lost;
                    return Ok(());
                }
                Ok(length) => {
                    self.received += length as u64;
                    self.take(buffer.get(..length).unwrap_or_default(), inflater, &mut seen)?;
                    // A read that does not fill the buffer has emptied the socket.
                    if length < buffer.len() {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => {
                    self.stage = Stage::Lost;
                    return Ok(());
                }
            }
        }
    }

    fn take(
        &mut self,
        bytes: &[u8],
        inflater: &mut Inflater,
        seen: &mut impl FnMut(Frame),
    ) -> Result<()> {
        let Stage::Upgrading(head, script) = &mut self.stage else {
            return self.take_frames(bytes, inflater, seen);
        };
        head.extend_from_slice(bytes);
        let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") else {
            return Ok(());
        };
        let rest = head.split_off(end + 4);
        if !head.starts_with(b"HTTP/1.1 101") {
            return Err(String::from_utf8_lossy(head).lines().next().unwrap_or_default().into());
        }
        if script.offers_deflate {
            agreed_on_deflate(head)?;
            self.frames.may_be_deflated = true;
        }
        self.stage = Stage::Scripted(std::mem::take(&mut script.steps).into());
        self.go_on(0)?;
        self.take_frames(&rest, inflater, seen)
    }

    fn take_frames(
        &mut self,
        bytes: &[u8],
        inflater: &mut Inflater,
        seen: &mut impl FnMut(Frame),
    ) -> Result<()> {
        let (mut data, mut pong, mut closing) = (0, None, false);
        let is_live = self.is_live();
        let frames = self.frames.take(bytes, inflater, |frame| match (frame.opcode, frame.first) {
            (1, Some(b'2')) if frame.length == 1 => pong = Some(&TEXT_PONG[..]),
            (1 | 2, _) if is_live => seen(frame),
            (1 | 2, _) => data += 1,
            (PING, _) => pong = Some(&PONG),
            _ => closing = true,
        });
        frames.map_err(|_| "the server sent what is no frame")?;
        if let Some(pong) = pong {
            self.send(pong)?;
        }
        if closing {
            self.stage = Stage::Lost;
        }
        self.go_on(data)
    }

    /// So many frames have come: does what was to be done after them.
    fn go_on(&mut self, mut frames: u32) -> Result<()> {
        while let Stage::Scripted(steps) = &mut self.stage {
            match steps.front_mut() {
                Some(Step::Await(awaited)) if *awaited > frames => {
                    *awaited -= frames;
                    return Ok(());
                }
                Some(Step::Await(awaited)) => {
                    frames -= *awaited;
                    steps.pop_front();
                }
                Some(Step::Send(frame)) => {
                    self.stream.write_all(frame)?;
                    steps.pop_front();
                }
                None => self.stage = Stage::Live,
            }
        }
        Ok(())
    }
}

/// Whether this answer to the handshake promises that messages are compressed each by itself.
fn agreed_on_deflate(head: &[u8]) -> Result<()> {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let answer = head.lines().find_map(|line| line.strip_prefix("sec-websocket-extensions:"));
    let answer = answer.ok_or("the server does not compress")?;
    if answer.contains("permessage-deflate") && answer.contains("server_no_context_takeover") {
        Ok(())
    } else {
        Err(format!("compression that is not understood:{answer}").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_compression_that_keeps_nothing_between_messages_is_agreed_on() {
        let answered = |extensions: &str| {
            let head = format!("HTTP/1.1 101 Switching Protocols\r\n{extensions}\r\n");
            agreed_on_deflate(head.as_bytes()).is_ok()
        };
        let name = "Sec-WebSocket-Extensions";
        assert!(answered(&format!("{name}: permessage-deflate; server_no_context_takeover\r\n")));
        assert!(!answered(&format!("{name}: permessage-deflate; client_no_context_takeover\r\n")));
        assert!(!answered(""));
    }
}
