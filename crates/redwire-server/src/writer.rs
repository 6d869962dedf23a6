use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use futures_util::stream::SplitSink;
use futures_util::{Sink, SinkExt};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::Close;
use crate::connection::NEVER;
use crate::hub::Member;

/// The sending half of a connection: feeds everything that waits, then flushes once, so that
/// messages that came together leave in one write.
///
/// Every `async fn` here is cancel-safe: a frame is taken from the outbox only when the socket takes
/// it.
pub(crate) struct Writer {
    sink: SplitSink<WebSocket, Message>,
    member: Arc<Member>,
    pings: Interval,
    unflushed: bool,
}

/// The socket is gone.
#[derive(Debug)]
pub(crate) struct Gone;

impl From<axum::Error> for Gone {
    fn from(_: axum::Error) -> Self {
        Self
    }
}

impl Writer {
    pub(crate) fn new(
        sink: SplitSink<WebSocket, Message>,
        member: Arc<Member>,
        ping: Duration,
    ) -> Self {
        // The first ping comes at a random time, so that clients that came together are not
        // pinged together for ever.
        let ping = ping.clamp(Duration::from_millis(1), NEVER);
        let first = Instant::now() + ping.mul_f64(fastrand::f64().max(0.1));
        let mut pings = interval_at(first, ping);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { sink, member, pings, unflushed: false }
    }

    /// Writes frames and pings as they come; returns only when the socket is gone.
    pub(crate) async fn run(&mut self) -> Gone {
        loop {
            if let Err(gone) = self.flush().await {
                return gone;
            }
            tokio::select! {
                () = self.member.outbox.filled() => {}
                _ = self.pings.tick() => {
                    if let Err(gone) = self.feed(Message::Ping(Bytes::new())).await {
                        return gone;
                    }
                }
            }
        }
    }

    /// Writes everything that waits.
    pub(crate) async fn flush(&mut self) -> Result<(), Gone> {
        loop {
            self.ready().await?;
            let Some(frame) = self.member.outbox.pop() else { break };
            if let Ok(text) = Utf8Bytes::try_from(frame) {
                self.start(Message::Text(text))?;
            }
        }
        if self.unflushed {
            self.sink.flush().await?;
            self.unflushed = false;
        }
        Ok(())
    }

    /// Writes what waits, says goodbye, and flushes.
    pub(crate) async fn close(&mut self, close: Close) -> Result<(), Gone> {
        self.flush().await?;
        let (code, reason) = (close.code(), Utf8Bytes::from_static(close.reason()));
        self.feed(Message::Close(Some(CloseFrame { code, reason }))).await?;
        Ok(self.sink.flush().await?)
    }

    async fn feed(&mut self, message: Message) -> Result<(), Gone> {
        self.ready().await?;
        self.start(message)
    }

    /// Waits until the socket takes more. Unlike `SinkExt::feed`, nothing is lost if it is dropped.
    async fn ready(&mut self) -> Result<(), Gone> {
        Ok(poll_fn(|context| self.sink.poll_ready_unpin(context)).await?)
    }

    fn start(&mut self, message: Message) -> Result<(), Gone> {
        self.unflushed = true;
        Ok(std::pin::Pin::new(&mut self.sink).start_send(message)?)
    }
}
