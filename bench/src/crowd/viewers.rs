//! Thousands of clients in a process of their own. They count frames and look at nothing else.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead as _, Write as _};
use std::rc::Rc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::{LocalSet, spawn_local};

use crate::Result;

/// Viewers that connect at the same time.
const AT_ONCE: usize = 100;

/// Connects a viewer for each line of standard input, which holds its commands with `|` between
/// them. Prints `ready` when the answer to all of them has come, and from then on how many frames
/// have come.
pub(crate) fn run(address: &str) -> Result<()> {
    let address: Rc<str> = address.into();
    let lines: Vec<_> = io::stdin().lock().lines().collect::<io::Result<_>>()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let all = Rc::new(Shared::default());
        for lines in lines.chunks(AT_ONCE) {
            let viewers = lines.iter().map(|line| {
                let viewer = Viewer::connect(address.clone(), line.clone(), Rc::clone(&all));
                spawn_local(async { viewer.await.map_err(|error| error.to_string()) })
            });
            for viewer in viewers.collect::<Vec<_>>() {
                spawn_local(viewer.await??.read_on(Rc::clone(&all)));
            }
        }
        writeln!(io::stdout(), "ready")?;
        let mut told = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(2)).await;
            if all.lost.get() {
                return Err("a connection was lost".into());
            }
            if all.frames.get() > told {
                told = all.frames.get();
                writeln!(io::stdout(), "{told}")?;
            }
        }
    })
}

struct Shared {
    frames: Cell<u64>,
    lost: Cell<bool>,
    /// One for all: a task fills and reads it without a break.
    buffer: RefCell<Vec<u8>>,
}

impl Default for Shared {
    fn default() -> Self {
        let buffer = RefCell::new(vec![0; 64 * 1024]);
        Self { frames: Cell::default(), lost: Cell::default(), buffer }
    }
}

struct Viewer {
    stream: TcpStream,
    frames: Frames,
}

impl Viewer {
    /// Connects, sends the commands and a `PING`, and waits for the answer to that.
    async fn connect(address: Rc<str>, commands: String, all: Rc<Shared>) -> Result<Self> {
        let mut stream = TcpStream::connect(&*address).await?;
        let upgrade = format!(
            "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(upgrade.as_bytes()).await?;
        let mut viewer = Self { stream, frames: Frames::default() };
        let mut head = Vec::new();
        let end = loop {
            viewer.stream.readable().await?;
            viewer.take(&all, |_, bytes| head.extend_from_slice(bytes))?;
            let end = head.windows(4).position(|window| window == b"\r\n\r\n");
            if let Some(end) = end {
                break end + 4;
            }
        };
        let mut frames = viewer.frames.count(head.get(end..).unwrap_or_default());
        for command in commands.split('|').filter(|command| !command.is_empty()).chain(["PING"]) {
            viewer.stream.write_all(&text_frame(command)).await?;
        }
        // The greeting and the answer.
        while frames < 2 {
            viewer.stream.readable().await?;
            viewer.take(&all, |own, bytes| frames += own.count(bytes))?;
        }
        Ok(viewer)
    }

    async fn read_on(mut self, all: Rc<Shared>) {
        while self.stream.readable().await.is_ok() {
            let mut frames = 0;
            if self.take(&all, |own, bytes| frames += own.count(bytes)).is_err() {
                break;
            }
            all.frames.set(all.frames.get() + frames);
        }
        all.lost.set(true);
    }

    fn take(&mut self, all: &Shared, take: impl FnOnce(&mut Frames, &[u8])) -> io::Result<()> {
        let mut buffer = all.buffer.borrow_mut();
        match self.stream.try_read(&mut buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => {
                take(&mut self.frames, buffer.get(..length).unwrap_or_default());
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// A client's frame; its mask is zero, which changes nothing.
fn text_frame(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[0x81, 0xfe][..], &length, &[0; 4], text.as_bytes()].concat()
}

/// Where a stream of a server's frames is.
#[derive(Default)]
struct Frames {
    /// What has come of a frame's head.
    head: Vec<u8>,
    /// What has yet to come of its payload.
    rest: usize,
}

impl Frames {
    /// How many frames begin in these bytes, which come after all earlier ones.
    fn count(&mut self, mut bytes: &[u8]) -> u64 {
        let mut frames = 0;
        loop {
            let (skipped, after) = bytes.split_at(self.rest.min(bytes.len()));
            self.rest -= skipped.len();
            let Some((&byte, after)) = after.split_first() else { return frames };
            bytes = after;
            self.head.push(byte);
            if let Some(length) = payload(&self.head) {
                self.rest = length;
                self.head.clear();
                frames += 1;
            }
        }
    }
}

/// The length of the payload, if the head is complete.
fn payload(head: &[u8]) -> Option<usize> {
    match *head {
        [_, 126, a, b] => Some(usize::from(u16::from_be_bytes([a, b]))),
        [_, 127, a, b, c, d, e, f, g, h] => {
            usize::try_from(u64::from_be_bytes([a, b, c, d, e, f, g, h])).ok()
        }
        [_, length] if length < 126 => Some(usize::from(length)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_counted_however_they_are_cut() {
        let frame = |head: &[u8], length: usize| [head, &vec![7; length]].concat();
        let stream = [
            frame(&[0x81, 0], 0),
            frame(&[0x81, 5], 5),
            frame(&[0x81, 126, 1, 0], 256),
            frame(&[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0], 65_536),
            frame(&[0x81, 125], 125),
        ]
        .concat();
        for size in [1, 3, 100, stream.len()] {
            let mut frames = Frames::default();
            assert_eq!(stream.chunks(size).map(|bytes| frames.count(bytes)).sum::<u64>(), 5);
        }
    }
}
