use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use redwire_protocol::Limits;
use tokio::time::Instant;

use crate::Close;
use crate::hub::Member;
use crate::outbox::Gone;
use crate::watch::{Alarm, Watch};
use crate::websocket::{Ended, Frame, Message, Reader, Reason, Socket, Stream, Unreadable};

/// Why a connection ends: the server wants it, the client says goodbye, or it has gone.
#[derive(Debug)]
pub(crate) enum End {
    Closing(Close),
    Leaving(Option<Reason>),
    Gone,
}

/// The client's end of a connection: its socket, its outbox, its deadlines. Polled by one task.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) member: Arc<Member>,
    stream: Stream,
    reader: Reader,
    watch: Watch,
}

impl Line {
    pub(crate) fn new(socket: Socket, member: Arc<Member>, limits: &Limits) -> Self {
        let reader = Reader::new(limits.message_bytes, socket.deflate.is_some(), &socket.early);
        Self { member, stream: socket.stream, reader, watch: Watch::new(limits) }
    }

    /// Writes what is due, pings, and keeps the deadlines; wakes the task at `also` if that is to
    /// come. Ready when the connection has to end.
    pub(crate) fn poll_tend(
        &mut self,
        context: &mut Context<'_>,
        also: Option<Instant>,
    ) -> Poll<End> {
        let outbox = &self.member.outbox;
        outbox.register(context);
        loop {
            if let Some(close) = outbox.closing() {
                return Poll::Ready(End::Closing(close));
            }
            // A ping behind a large frame cannot be answered yet: that the frame is taken is the sign.
            let alive = || self.watch.alive();
            if let Poll::Ready(Err(Gone)) = outbox.poll_flush(context, &mut self.stream, alive) {
                return Poll::Ready(End::Gone);
            }
            match self.watch.poll(context, outbox.next_due(), also) {
                Poll::Ready(Alarm::Ping) => outbox.control(Frame::ping()),
                Poll::Ready(Alarm::Flush) => {}
                Poll::Ready(Alarm::End(close)) => return Poll::Ready(End::Closing(close)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Waits for something else meanwhile. Nothing is read, so silence is not the client's.
    pub(crate) async fn tending<F: Future>(&mut self, other: F) -> Result<F::Output, End> {
        let mut other = pin!(other);
        poll_fn(|context| match other.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => {
                let end = self.poll_tend(context, None);
                self.watch.alive();
                end.map(Err)
            }
        })
        .await
    }

    /// The next message of those that have come.
    pub(crate) fn received(&mut self) -> Result<Option<Message>, End> {
        let message = self.reader.next()?;
        if message.is_some() {
            self.watch.alive();
        }
        Ok(message)
    }

    pub(crate) fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, End>> {
        let message = self.reader.poll_next(context, &mut self.stream);
        if message.is_ready() {
            self.watch.alive();
        }
        message.map_err(End::from)
    }

    /// Queues a reply. Unlike a push it waits for room: the client asked for it, and one command's
    /// reply may be larger than the outbox.
    pub(crate) async fn send(&mut self, reply: Bytes) -> Result<(), End> {
        let mut reply = Some(self.member.outbox.frame(reply));
        poll_fn(|context| {
            let Some(frame) = reply.take() else { return Poll::Ready(Ok(())) };
            let Err(refused) = self.member.outbox.offer(frame) else { return Poll::Ready(Ok(())) };
            reply = Some(refused);
            if let Poll::Ready(end) = self.poll_tend(context, None) {
                return Poll::Ready(Err(end));
            }
            if !self.member.outbox.is_blocked() {
                // Nothing is read meanwhile, pongs included: that the client takes frames is the sign.
                self.watch.alive();
                context.waker().wake_by_ref();
            }
            Poll::Pending
        })
        .await
    }

    pub(crate) fn pong(&self, payload: Bytes) {
        self.member.outbox.control(Frame::pong(payload));
    }

    /// Closes politely: writes what waits, says why, and reads until the client has answered.
    pub(crate) async fn close(&mut self, close: Close) {
        self.member.outbox.finish(Frame::close(Some((close.code(), close.reason()))));
        if self.flush().await.is_ok() {
            self.read_away().await;
            self.shut_down().await;
        }
    }

    /// Answers a client's close frame.
    pub(crate) async fn leave(&mut self, reason: Option<Reason>) {
        let reason = reason.as_ref().map(|(code, words)| (*code, words.as_str()));
        self.member.outbox.finish(Frame::close(reason));
        if self.flush().await.is_ok() {
            self.shut_down().await;
        }
    }

    async fn flush(&mut self) -> Result<(), Gone> {
        let outbox = &self.member.outbox;
        poll_fn(|context| outbox.poll_flush(context, &mut self.stream, || ())).await
    }

    async fn shut_down(&mut self) {
        let _ = poll_fn(|context| self.stream.poll_shutdown(context)).await;
    }

    async fn read_away(&mut self) {
        let mut next = async || poll_fn(|context| self.poll_receive(context)).await;
        while !matches!(next().await, Ok(Message::Close(_)) | Err(_)) {}
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // Others may hold the member for a while.
        self.member.outbox.hang_up();
    }
}

impl From<Ended> for End {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Gone => Self::Gone,
            Ended::Unreadable(Unreadable::TooLarge) => Self::Closing(Close::TooLarge),
            Ended::Unreadable(Unreadable::NotUtf8) => Self::Closing(Close::NotUtf8),
            Ended::Unreadable(Unreadable::NotDeflated) => Self::Closing(Close::NotDeflated),
            Ended::Unreadable(Unreadable::Broken) => Self::Closing(Close::BrokenFrames),
        }
    }
}
