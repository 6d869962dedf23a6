use std::cell::RefCell;
use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::extension::Deflate;
use super::{Answering, Lingering, WRITE};

/// An upgraded connection, and what the client sent right behind its handshake.
pub(crate) struct Socket {
    pub(crate) stream: Stream,
    /// What has to be written before the first frame.
    pub(crate) answer: Bytes,
    pub(crate) early: Bytes,
    /// The compression that was agreed upon, if any.
    pub(crate) deflate: Option<Deflate>,
}

/// TCP, which whoever has something to say may write to at any time; or anything else, such as TLS
/// or a stream of HTTP/2, which only the connection's own task can.
pub(crate) enum Stream {
    Tcp(Arc<Lingering>),
    Any(Box<TokioIo<Upgraded>>),
}

/// What is read at once.
const READ: usize = 16 * 1024;

thread_local! {
    /// Where a thread reads to: connections have no buffer of their own for what has not come yet.
    static SCRATCH: RefCell<Box<[u8; READ]>> = RefCell::new(Box::new([0; READ]));
}

impl Socket {
    /// Finds out what is under it: [`serve`](crate::serve()) and `axum::serve` hand over a TCP stream.
    /// `None` if there is no client that waits for frames.
    pub(super) fn new(
        upgraded: Upgraded,
        deflate: Option<Deflate>,
        close: Duration,
    ) -> Option<Self> {
        let upgraded = match upgraded.downcast::<TokioIo<Answering>>() {
            Ok(parts) => {
                let (stream, answer) = parts.io.into_inner().into_parts()?;
                let (stream, early) = Stream::tcp(stream, parts.read_buf);
                return Some(Self { stream, answer, early, deflate });
            }
            Err(upgraded) => upgraded,
        };
        let (stream, early) = Stream::under(upgraded, close);
        Some(Self { stream, answer: Bytes::new(), early, deflate })
    }
}

impl Stream {
    fn under(upgraded: Upgraded, close: Duration) -> (Self, Bytes) {
        match downcast::<TokioIo<TcpStream>>(upgraded) {
            Ok(parts) => Self::tcp(Lingering::new(parts.io.into_inner(), close), parts.read_buf),
            Err(upgraded) => (Self::Any(Box::new(TokioIo::new(upgraded))), Bytes::new()),
        }
    }

    fn tcp(stream: Lingering, early: Bytes) -> (Self, Bytes) {
        (Self::Tcp(Arc::new(stream)), early)
    }

    /// Hands what has come to `take`; how many bytes that were, 0 at the end.
    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        take: impl FnOnce(&[u8]),
    ) -> Poll<io::Result<usize>> {
        SCRATCH.with_borrow_mut(|scratch| {
            let scratch = &mut scratch[..];
            let read = match self {
                Self::Tcp(stream) => loop {
                    match stream.try_read(scratch) {
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                            ready!(stream.poll_read_ready(context))?;
                        }
                        result => break result?,
                    }
                },
                Self::Any(stream) => {
                    let mut buffer = ReadBuf::new(scratch);
                    ready!(Pin::new(stream).poll_read(context, &mut buffer))?;
                    buffer.filled().len()
                }
            };
            take(scratch.get(..read).unwrap_or_default());
            Poll::Ready(Ok(read))
        })
    }

    pub(crate) fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream) => loop {
                match stream.try_write(slices) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        ready!(stream.poll_write_ready(context))?;
                    }
                    result => return Poll::Ready(result),
                }
            },
            Self::Any(stream) => {
                // A little at a time: a stream of HTTP/2 takes all that it is given, and nobody would
                // know how much of it the client has.
                let some = slices.iter().find(|slice| !slice.is_empty());
                let some = some.map_or(&[][..], |slice| slice);
                let (some, _) = some.split_at(some.len().min(WRITE));
                Pin::new(stream).poll_write(context, some)
            }
        }
    }

    /// Of what is behind TCP: TLS has buffers of its own.
    pub(crate) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(_) => Poll::Ready(Ok(())),
            Self::Any(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    /// TLS says goodbye; TCP does when it is dropped.
    pub(crate) fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(_) => Poll::Ready(Ok(())),
            Self::Any(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }

    /// The socket itself, for whoever has frames for it.
    pub(crate) fn direct(&self) -> Option<Arc<Lingering>> {
        match self {
            Self::Tcp(stream) => Some(Arc::clone(stream)),
            Self::Any(_) => None,
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp(_) => "Tcp",
            Self::Any(_) => "Any",
        })
    }
}
