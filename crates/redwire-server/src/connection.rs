use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::Poll;

use futures_util::FutureExt;
use redwire_protocol::{Error, HandlerBase, Refused, Replay, Response, Session};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::api::Shared;
use crate::connections::Place;
use crate::hub::{Member, Seat};
use crate::line::{End, Line};
use crate::outbox::Outbox;
use crate::rate::Rate;
use crate::replays::Replays;
use crate::websocket::{Compression, Message, Socket};
use crate::{Close, clock};

/// One WebSocket: reads lines, runs one command at a time, and answers in the order in which they
/// came. Writing, pings and deadlines go on while a command runs.
pub(crate) struct Connection<H: HandlerBase> {
    session: Session<H>,
    line: Line,
    rate: Rate,
    replays: Replays,
    shared: Arc<Shared<H>>,
    /// Given back when all else is gone.
    _place: Place,
}

/// What a connection does next.
enum Next {
    Replay(Replay),
    Message(Message),
}

impl<H: HandlerBase> Connection<H> {
    /// In a box: what a future is given it has twice, once as it came and once as it is used.
    pub(crate) fn open(
        socket: Socket,
        handler: H,
        shared: Arc<Shared<H>>,
        place: Place,
    ) -> Box<Self> {
        let limits = &shared.limits;
        let count = &shared.metrics.deflated;
        let compression =
            socket.deflate.map(|deflate| Compression::new(deflate.window_bits, count.clone()));
        let outbox = Outbox::new(limits, socket.stream.direct(), compression);
        outbox.begin_with(socket.answer.clone());
        // The connection's own task flushes before it waits for anything.
        let _ = outbox.push_status(Session::<H>::greeting().encode(clock::now()));
        let member = Arc::new(Member::new(place.id, outbox, shared.protocol.filters().clone()));
        place.take(&member);
        let seat = Seat { hub: Arc::clone(&shared.hub), member: Arc::clone(&member) };
        Box::new(Self {
            session: shared.protocol.session_within(handler, seat, limits),
            line: Line::new(socket, member, limits),
            rate: Rate::new(limits.commands_per_second),
            replays: Replays::new(limits.replay_interval),
            shared,
            _place: place,
        })
    }

    /// Serves until one side has enough.
    pub(crate) async fn serve(mut self: Box<Self>) {
        // A panic in a user's command or filter ends its own connection, with a close frame.
        let conversation = AssertUnwindSafe(self.converse()).catch_unwind().await;
        let end = conversation.unwrap_or(End::Closing(Close::Failed));
        Box::pin(self.end(end)).await;
    }

    /// Whoever does not answer in time is dropped.
    async fn end(&mut self, end: End) {
        let limit = self.shared.limits.close;
        match end {
            End::Closing(close) => {
                self.shared.metrics.closed(close);
                let _ = timeout(limit, self.line.close(close)).await;
            }
            End::Leaving(reason) => {
                let _ = timeout(limit, self.line.leave(reason)).await;
            }
            End::Gone => {}
        }
    }

    async fn converse(&mut self) -> End {
        loop {
            let result = match self.next().await {
                Err(end) => Err(end),
                Ok(Next::Replay(replay)) => Box::pin(self.replay(replay)).await,
                Ok(Next::Message(message)) => self.take(message).await,
            };
            if let Err(end) = result {
                return end;
            }
        }
    }

    /// A replay whose time has come is part of its command. Otherwise lines that came together are taken
    /// one after the other, so that their answers leave together.
    async fn next(&mut self) -> Result<Next, End> {
        poll_fn(|context| {
            if let Some(replay) = self.replays.due(&self.line.member.outbox) {
                return Poll::Ready(Ok(Next::Replay(replay)));
            }
            if self.replays.not_before().is_none()
                && let Some(message) = self.line.received()?
            {
                return Poll::Ready(Ok(Next::Message(message)));
            }
            if let Poll::Ready(end) = self.line.poll_tend(context, self.replays.not_before()) {
                return Poll::Ready(Err(end));
            }
            // The last one may have left just now.
            if let Some(replay) = self.replays.due(&self.line.member.outbox) {
                return Poll::Ready(Ok(Next::Replay(replay)));
            }
            self.line.poll_receive(context).map_ok(Next::Message)
        })
        .await
    }

    async fn take(&mut self, message: Message) -> Result<(), End> {
        match message {
            Message::Close(reason) => return Err(End::Leaving(reason)),
            _ if !self.rate.allows_one() => return Err(End::Closing(Close::Flood)),
            // In a box, so that a connection that is idle does not hold the room.
            Message::Text(line) => Box::pin(self.run(&line)).await?,
            Message::Ping(payload) => self.line.pong(payload),
            // Binary frames were never commands.
            Message::Binary(_) | Message::Pong => {}
        }
        Ok(())
    }

    /// Queues a replay. On a thread of its own: a whole layer is long for one that others wait for.
    async fn replay(&mut self, replay: Replay) -> Result<(), End> {
        let (hub, member) = (Arc::clone(&self.shared.hub), Arc::clone(&self.line.member));
        let replayed = async move {
            // Never closed, so there is always a permit in the end. It is given back when the thread is
            // done, also if the client has gone by then.
            let permit = Arc::clone(&hub.replaying).acquire_owned().await;
            // What is published meanwhile is part of it, or leaves after it.
            member.outbox.hold(true);
            let held = Arc::clone(&member);
            let replay = move || {
                let _permit = permit;
                held.replay(&replay);
            };
            let replayed = spawn_blocking(replay).await;
            member.outbox.hold(false);
            replayed
        };
        let replayed = self.line.tending(replayed).await?;
        replayed.map_err(|_| End::Closing(Close::Failed))
    }

    async fn run(&mut self, line: &str) -> Result<(), End> {
        self.shared.metrics.commands.inc();
        let result = self.line.tending(self.session.respond(line)).await?;
        self.publish_state();
        let response = match result {
            Ok(response) => response,
            Err(refused) => Response { frames: self.refuse(&refused)?, replay: None },
        };
        for reply in response.frames {
            self.line.send(reply.encode(clock::now())).await?;
        }
        self.replays.put(response.replay);
        Ok(())
    }

    /// What the command has changed is in force before its reply can be seen.
    fn publish_state(&self) {
        let (context, member) = (self.session.context(), &self.line.member);
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
}
