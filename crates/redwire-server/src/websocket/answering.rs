use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::http::StatusCode;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Lingering;

/// What HTTP is spoken over. It keeps the answer to a handshake back, so that it leaves together with
/// the first frame: a write of its own would be a seventh of what it costs to accept a client.
#[derive(Debug)]
pub(crate) struct Answering {
    stream: Lingering,
    wait: Wait,
    answer: Vec<u8>,
}

/// Goes along with a request, and learns what becomes of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wait(Arc<Handshake>);

#[derive(Debug, Default)]
struct Handshake {
    /// Whoever upgrades the request will write what is kept.
    is_awaited: AtomicBool,
    /// The client is told to go on with another protocol.
    is_switching: AtomicBool,
}

impl Wait {
    pub(super) fn for_first_frame(&self) {
        self.0.is_awaited.store(true, Ordering::Release);
    }

    /// What the client is told, after all layers around the route.
    pub(crate) fn answered(&self, status: StatusCode) {
        self.0.is_switching.store(status == StatusCode::SWITCHING_PROTOCOLS, Ordering::Release);
    }

    fn is_switching(&self) -> bool {
        self.0.is_switching.load(Ordering::Acquire)
    }
}

impl Answering {
    pub(crate) fn new(stream: Lingering, wait: Wait) -> Self {
        Self { stream, wait, answer: Vec::new() }
    }

    /// The stream, and what is to be written to it before anything else; `None` if the client got
    /// another answer than the one that was announced, from a layer around the route. hyper hands the
    /// stream over nevertheless.
    pub(super) fn into_parts(self) -> Option<(Lingering, Bytes)> {
        self.wait.is_switching().then(|| (self.stream, self.answer.into()))
    }

    fn keeps(&self) -> bool {
        self.wait.is_switching() && self.wait.0.is_awaited.load(Ordering::Acquire)
    }
}

impl AsyncRead for Answering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Answering {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if !self.keeps() {
            return Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        }
        let before = self.answer.len();
        slices.iter().for_each(|slice| self.answer.extend_from_slice(slice));
        Poll::Ready(Ok(self.answer.len() - before))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
