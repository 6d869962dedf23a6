use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;

use crate::Result;

/// How a message gets to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// `PUBLISH` to Redis, which the server has subscribed to.
    Redis,
    /// A ready frame, to the floor itself.
    Frames,
    /// `POST /publish?id=CHANNEL`, to the server itself.
    Http,
}

/// Gathers messages and sends them in one write.
#[derive(Debug)]
pub(crate) struct Publisher {
    way: Way,
    stream: TcpStream,
    gathered: Vec<u8>,
}

impl Publisher {
    /// `redis` and `server` are where they listen.
    pub(crate) fn connect(way: Way, redis: SocketAddr, server: SocketAddr) -> Result<Self> {
        let address = match way {
            Way::Redis => redis,
            Way::Frames | Way::Http => server,
        };
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        // Answers are not waited for, but somebody has to take them.
        let mut answers = stream.try_clone()?;
        thread::spawn(move || io::copy(&mut answers, &mut io::sink()));
        match way {
            Way::Redis => stream.write_all(b"CLIENT REPLY OFF\r\n")?,
            Way::Frames => stream.write_all(b"PUB\n")?,
            Way::Http => {}
        }
        Ok(Self { way, stream, gathered: Vec::new() })
    }

    pub(crate) fn gather(&mut self, channel: &str, payload: &[u8]) {
        match self.way {
            Way::Redis => {
                let head = format!(
                    "*3\r\n$7\r\nPUBLISH\r\n${}\r\n{channel}\r\n${}\r\n",
                    channel.len(),
                    payload.len()
                );
                self.gathered.extend_from_slice(head.as_bytes());
                self.gathered.extend_from_slice(payload);
                self.gathered.extend_from_slice(b"\r\n");
            }
            Way::Frames => self.gathered.extend_from_slice(&frame(payload)),
            Way::Http => {
                let length = payload.len();
                let head = format!(
                    "POST /publish?id={channel} HTTP/1.1\r\nHost: 127.0.0.1\r\n\
                     Content-Length: {length}\r\n\r\n"
                );
                self.gathered.extend_from_slice(head.as_bytes());
                self.gathered.extend_from_slice(payload);
            }
        }
    }

    pub(crate) fn flush(&mut self) -> Result<()> {
        if !self.gathered.is_empty() {
            self.stream.write_all(&self.gathered)?;
            self.gathered.clear();
        }
        Ok(())
    }
}

/// A server's text frame.
pub(crate) fn frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u16::try_from(payload.len()) {
        Ok(length @ 0..126) => frame.extend(length.to_be_bytes().get(1)),
        Ok(length) => {
            frame.push(126);
            frame.extend(length.to_be_bytes());
        }
        Err(_) => {
            frame.push(127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}
