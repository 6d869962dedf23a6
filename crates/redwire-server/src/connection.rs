use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures_util::stream::SplitStream;
use futures_util::{FutureExt, StreamExt};
use redwire_protocol::{Error, HandlerBase, Limits, Refused, Replay, Response, Session};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use crate::api::Shared;
use crate::connections::Place;
use crate::hub::{Member, Seat};
use crate::outbox::Outbox;
use crate::rate::Rate;
use crate::replays::Replays;
use crate::writer::Writer;
use crate::{Close, clock};

/// One WebSocket: reads lines, runs one command at a time, and writes replies and pushes in the
/// order in which they arose. Writing, pings and deadlines go on while a command runs.
pub(crate) struct Connection<H: HandlerBase> {
    session: Session<H>,
    lines: SplitStream<WebSocket>,
    writer: Writer,
    watch: Watch,
    rate: Rate,
    replays: Replays,
    shared: Arc<Shared<H>>,
}

/// What a connection does next.
enum Next {
    Replay(Replay),
    Message(Option<Result<Message, axum::Error>>),
}

/// Why a connection ends: the server wants it, the client says goodbye, or it has gone.
enum End {
    Closing(Close),
    Leaving,
    Gone,
}

impl<H: HandlerBase> Connection<H> {
    /// Serves `socket` until it ends.
    pub(crate) async fn serve(socket: WebSocket, handler: H, shared: Arc<Shared<H>>, place: Place) {
        let limits = &shared.limits;
        let (sink, lines) = socket.split();
        let outbox = Outbox::new(limits);
        outbox.push_status(Session::<H>::greeting().encode(clock::now()));
        let member = Arc::new(Member::new(place.id, outbox, shared.protocol.filters().clone()));
        place.take(&member);
        let seat = Seat { hub: Arc::clone(&shared.hub), member: Arc::clone(&member) };
        let mut connection = Self {
            session: shared.protocol.session_within(handler, seat, limits),
            lines,
            writer: Writer::new(sink, Arc::clone(&member), limits.ping),
            watch: Watch::new(member, limits),
            rate: Rate::new(limits.commands_per_second),
            replays: Replays::new(limits.replay_interval),
            shared: Arc::clone(&shared),
        };
        // A panic in a user's command or filter ends its own connection, with a close frame.
        let conversation = AssertUnwindSafe(connection.converse()).catch_unwind().await;
        match conversation.unwrap_or(End::Closing(Close::Failed)) {
            End::Closing(close) => connection.goodbye(close).await,
            // The library answers the client's close frame when it is asked to read on.
            End::Leaving => connection.read_away().await,
            End::Gone => {}
        }
    }

    async fn converse(&mut self) -> End {
        loop {
            let member = Arc::clone(&self.watch.member);
            let message = tokio::select! {
                biased;
                close = self.watch.expired() => return End::Closing(close),
                _ = self.writer.run() => return End::Gone,
                replay = self.replays.due(&member.outbox) => Next::Replay(replay),
                message = self.lines.next() => Next::Message(message),
            };
            let message = match message {
                Next::Message(message) => message,
                Next::Replay(replay) => match self.replay(replay).await {
                    Ok(()) => continue,
                    Err(end) => return end,
                },
            };
            self.watch.alive();
            let result = match message {
                None => return End::Gone,
                Some(Ok(Message::Close(_))) => return End::Leaving,
                Some(Err(error)) => return why_unreadable(&error),
                Some(Ok(_)) if !self.rate.allows_one() => Err(End::Closing(Close::Flood)),
                Some(Ok(Message::Text(line))) => self.run(&line).await,
                // Binary frames were never commands; pings are answered by the library.
                Some(Ok(_)) => Ok(()),
            };
            if let Err(end) = result {
                return end;
            }
        }
    }

    /// Queues a replay. On a thread of its own: a whole layer is long for one that others wait for.
    async fn replay(&mut self, replay: Replay) -> Result<(), End> {
        let (hub, member) = (Arc::clone(&self.shared.hub), Arc::clone(&self.watch.member));
        let replayed = async move {
            // Never closed, so there is always a permit in the end.
            let _permit = hub.replaying.acquire().await;
            spawn_blocking(move || member.replay(&replay)).await
        };
        tokio::select! {
            biased;
            close = self.watch.expired() => Err(End::Closing(close)),
            _ = self.writer.run() => Err(End::Gone),
            replayed = replayed => replayed.map_err(|_| End::Closing(Close::Failed)),
        }
    }

    async fn run(&mut self, line: &str) -> Result<(), End> {
        self.shared.metrics.commands.inc();
        let result = tokio::select! {
            biased;
            close = self.watch.expired() => return Err(End::Closing(close)),
            _ = self.writer.run() => return Err(End::Gone),
            result = self.session.respond(line) => result,
        };
        self.publish_state();
        let response = match result {
            Ok(response) => response,
            Err(refused) => Response { frames: self.refuse(&refused)?, replay: None },
        };
        for reply in response.frames {
            self.send(reply.encode(clock::now())).await?;
        }
        self.replays.put(response.replay);
        Ok(())
    }

    /// What the command has changed is in force before its reply can be seen.
    fn publish_state(&self) {
        let (context, member) = (self.session.context(), &self.watch.member);
        let filters = self.session.filters().clone();
        self.shared.hub.publish_state(member, filters, context.subscriptions());
        member.outbox.set_pace(context.pace);
    }

    /// The rule for refused lines: an error frame, or under `compat` what the original did.
    fn refuse(&self, refused: &Refused) -> Result<Vec<redwire_protocol::Envelope>, End> {
        self.shared.metrics.refused.inc();
        // Not the error's text: it repeats the line, and what visitors read is not for the log.
        tracing::debug!(malformed = refused.error.is_malformed(), "refused a line");
        if self.shared.compat {
            if refused.error.is_unavailable_to_visitor() {
                return Ok(Vec::new());
            }
            if refused.error.is_malformed() || matches!(refused.error, Error::Backend(_)) {
                return Err(End::Closing(Close::Failed));
            }
        }
        Ok(vec![refused.envelope()])
    }

    /// Queues a reply. Unlike a push it waits for room: the client asked for it, and one command's
    /// reply may be larger than the outbox.
    async fn send(&mut self, mut frame: Bytes) -> Result<(), End> {
        while let Err(refused) = self.watch.member.outbox.offer(frame) {
            frame = refused;
            tokio::select! {
                biased;
                close = self.watch.expired() => return Err(End::Closing(close)),
                flushed = self.writer.flush() => flushed.map_err(|_| End::Gone)?,
            }
            // Nothing is read meanwhile, pongs included: that the client takes frames is the sign.
            self.watch.alive();
        }
        Ok(())
    }

    /// Closes politely, within a limit: writes what waits, says why, and reads until the client
    /// has answered.
    async fn goodbye(&mut self, close: Close) {
        self.shared.metrics.closed(close);
        let limit = self.shared.limits.close;
        let handshake = async {
            if self.writer.close(close).await.is_ok() {
                self.read_away().await;
            }
        };
        // Whoever does not answer in time is dropped.
        let _ = timeout(limit, handshake).await;
    }

    /// Reads until the closing handshake is complete, within a limit.
    async fn read_away(&mut self) {
        let lines = async { while let Some(Ok(_)) = self.lines.next().await {} };
        let _ = timeout(self.shared.limits.close, lines).await;
    }
}

fn why_unreadable(error: &axum::Error) -> End {
    use tungstenite::Error;
    match std::error::Error::source(error).and_then(|source| source.downcast_ref()) {
        Some(Error::Capacity(_)) => End::Closing(Close::TooLarge),
        Some(Error::Utf8(_)) => End::Closing(Close::NotUtf8),
        Some(Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)) => {
            End::Gone
        }
        Some(Error::Protocol(_)) => End::Closing(Close::BrokenFrames),
        _ => End::Gone,
    }
}

/// A time that no connection lives to see, and that every clock can still add.
pub(crate) const NEVER: std::time::Duration =
    std::time::Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// Everything but the client that can end a connection: its outbox, silence, age.
struct Watch {
    member: Arc<Member>,
    last_alive: Instant,
    silence: std::time::Duration,
    oldest: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl Watch {
    fn new(member: Arc<Member>, limits: &Limits) -> Self {
        let now = Instant::now();
        let silence = limits.ping.saturating_add(limits.pong).min(NEVER);
        let oldest = limits.max_age.and_then(|age| now.checked_add(age));
        let first = oldest.map_or(now + silence, |oldest| oldest.min(now + silence));
        Self { member, last_alive: now, silence, oldest, timer: Box::pin(sleep_until(first)) }
    }

    fn alive(&mut self) {
        self.last_alive = Instant::now();
    }

    /// Waits until the connection has to end. Cancel-safe.
    async fn expired(&mut self) -> Close {
        loop {
            tokio::select! {
                close = self.member.outbox.closed() => return close,
                () = &mut self.timer => {}
            }
            // The timer is not moved with every frame; when it fires, it looks.
            let (now, silent) = (Instant::now(), self.last_alive + self.silence);
            if self.oldest.is_some_and(|oldest| oldest <= now) {
                return Close::TooOld;
            }
            if silent <= now {
                return Close::NoPong;
            }
            self.timer.as_mut().reset(self.oldest.map_or(silent, |oldest| oldest.min(silent)));
        }
    }
}
