//! What nobody can do without: a loop that writes ready frames to sockets.

use std::collections::HashMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use super::load::publisher::frame;
use super::load::stamp::Stamp;
use crate::Result;

const LISTENER: Token = Token(usize::MAX);

/// The accepting of the one key that clients send.
const ACCEPTED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// Serves on this port until it is killed. Whoever connects with `PUB` is the publisher, whose ready frames
/// everybody else gets; whatever else a client sends is answered with a ready frame of its own.
pub(crate) fn run(port: u16, coalesced: bool) -> Result<()> {
    let mut floor = Floor::new(port, coalesced)?;
    let mut events = Events::with_capacity(1024);
    loop {
        floor.poll.poll(&mut events, None)?;
        for event in &events {
            match event.token() {
                LISTENER => floor.accept()?,
                token => {
                    if event.is_writable() {
                        floor.catch_up(token);
                    }
                    floor.read(token)?;
                }
            }
        }
    }
}

struct Floor {
    poll: Poll,
    listener: TcpListener,
    clients: Vec<Option<Client>>,
    publisher: Option<Token>,
    /// What the publisher has sent and nobody has got yet.
    published: Vec<u8>,
    buffer: Vec<u8>,
    answer: Vec<u8>,
    /// All frames that came together are one write to each client.
    coalesced: bool,
    /// What did not fit into a socket's buffer.
    behind: HashMap<Token, Vec<u8>>,
}

struct Client {
    stream: TcpStream,
    is_open: bool,
}

impl Floor {
    fn new(port: u16, coalesced: bool) -> Result<Self> {
        let poll = Poll::new()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut listener = TcpListener::bind(address)?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let answer = frame(&Stamp { sent: 0, number: 0, channel: 0 }.payload(200));
        Ok(Self {
            poll,
            listener,
            clients: Vec::new(),
            publisher: None,
            published: Vec::new(),
            buffer: vec![0; 64 * 1024],
            answer,
            coalesced,
            behind: HashMap::new(),
        })
    }

    fn accept(&mut self) -> Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            stream.set_nodelay(true)?;
            let (token, interest) =
                (Token(self.clients.len()), Interest::READABLE | Interest::WRITABLE);
            self.poll.registry().register(&mut stream, token, interest)?;
            self.clients.push(Some(Client { stream, is_open: false }));
        }
    }

    fn read(&mut self, token: Token) -> Result<()> {
        loop {
            let Some(Some(client)) = self.clients.get_mut(token.0) else { return Ok(()) };
            let bytes = match client.stream.read(&mut self.buffer) {
                Ok(length) if length > 0 => self.buffer.get(..length).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                _ => {
                    self.clients.get_mut(token.0).into_iter().for_each(|client| *client = None);
                    return Ok(());
                }
            };
            let is_all = bytes.len() < self.buffer.len();
            if self.publisher == Some(token) {
                self.published.extend_from_slice(bytes);
                self.spread();
            } else if client.is_open {
                let answer = std::mem::take(&mut self.answer);
                self.write(token, &answer);
                self.answer = answer;
            } else if let Some(frames) = bytes.strip_prefix(b"PUB\n") {
                self.publisher = Some(token);
                self.published.extend_from_slice(frames);
                self.spread();
            } else {
                client.is_open = true;
                self.write(token, ACCEPTED);
            }
            if is_all {
                return Ok(());
            }
        }
    }

    /// Writes what has been published to everybody.
    fn spread(&mut self) {
        let published = std::mem::take(&mut self.published);
        let mut rest = published.as_slice();
        let whole = std::iter::from_fn(|| {
            let (frame, after) = rest.split_at_checked(length(rest)?)?;
            rest = after;
            Some(frame.len())
        });
        if self.coalesced {
            let length = whole.sum();
            self.write_to_all(published.get(..length).unwrap_or_default());
        } else {
            let lengths: Vec<_> = whole.collect();
            let mut frames = published.as_slice();
            for length in lengths {
                let (frame, after) = frames.split_at(length);
                self.write_to_all(frame);
                frames = after;
            }
        }
        self.published = rest.to_vec();
    }

    fn write_to_all(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        for number in 0..self.clients.len() {
            if matches!(self.clients.get(number), Some(Some(client)) if client.is_open) {
                self.write(Token(number), bytes);
            }
        }
    }

    fn write(&mut self, token: Token, bytes: &[u8]) {
        if let Some(behind) = self.behind.get_mut(&token) {
            behind.extend_from_slice(bytes);
            return;
        }
        let Some(Some(client)) = self.clients.get_mut(token.0) else { return };
        let written = match client.stream.write(bytes) {
            Ok(written) => written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(_) => bytes.len(),
        };
        if let Some(rest @ [_, ..]) = bytes.get(written..) {
            self.behind.insert(token, rest.to_vec());
        }
    }

    fn catch_up(&mut self, token: Token) {
        if let Some(bytes) = self.behind.remove(&token) {
            self.write(token, &bytes);
        }
    }
}

/// The length of the frame that these bytes begin with, its head included.
fn length(bytes: &[u8]) -> Option<usize> {
    match *bytes {
        [_, 126, a, b, ..] => Some(4 + usize::from(u16::from_be_bytes([a, b]))),
        [_, 127, a, b, c, d, e, f, g, h, ..] => {
            usize::try_from(u64::from_be_bytes([a, b, c, d, e, f, g, h])).ok()?.checked_add(10)
        }
        [_, length, ..] if length < 126 => Some(2 + usize::from(length)),
        _ => None,
    }
}
