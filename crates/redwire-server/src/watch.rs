use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use redwire_protocol::Limits;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::Close;

/// A time that no connection lives to see, and that every clock can still add.
const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// The task was woken so much later than it asked for that it is to read before it judges.
const LATE: Duration = Duration::from_secs(1);

/// A connection's times: when to ping, when it has been silent too long, when it is too old, and
/// whatever its task wants besides. One timer for all of them.
#[derive(Debug)]
pub(crate) struct Watch {
    ping: Duration,
    next_ping: Instant,
    last_alive: Instant,
    silence: Duration,
    oldest: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

/// What a time has come for.
#[derive(Debug)]
pub(crate) enum Alarm {
    Ping,
    Flush,
    End(Close),
}

impl Watch {
    pub(crate) fn new(limits: &Limits) -> Self {
        let now = Instant::now();
        let ping = limits.ping.clamp(Duration::from_millis(1), NEVER);
        // The first ping comes at a random time, so that clients that came together are not
        // pinged together for ever.
        let next_ping = now + ping.mul_f64(fastrand::f64().max(0.1));
        let silence = limits.ping.saturating_add(limits.pong).min(NEVER);
        let oldest = limits.max_age.and_then(|age| now.checked_add(age));
        let timer = Box::pin(sleep_until(next_ping));
        Self { ping, next_ping, last_alive: now, silence, oldest, timer }
    }

    /// The client has said or taken something.
    pub(crate) fn alive(&mut self) {
        self.last_alive = Instant::now();
    }

    /// Ready when something is to be done; wakes the task at `also` if that is to come.
    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
        flush: Option<Instant>,
        also: Option<Instant>,
    ) -> Poll<Alarm> {
        loop {
            let now = Instant::now();
            let silent = self.last_alive + self.silence;
            if self.oldest.is_some_and(|oldest| oldest <= now) {
                return Poll::Ready(Alarm::End(Close::TooOld));
            }
            if silent <= now {
                // Who was not there in time, as after a pause of the machine, has not listened.
                if now.saturating_duration_since(self.timer.deadline()) > LATE {
                    self.last_alive += now - silent + LATE;
                    continue;
                }
                return Poll::Ready(Alarm::End(Close::NoPong));
            }
            if self.next_ping <= now {
                self.next_ping = now + self.ping;
                return Poll::Ready(Alarm::Ping);
            }
            if flush.is_some_and(|flush| flush <= now) {
                return Poll::Ready(Alarm::Flush);
            }
            let also = also.filter(|also| *also > now);
            let others = [self.oldest, flush, also].into_iter().flatten();
            let next = others.fold(self.next_ping.min(silent), Instant::min);
            // It is not moved with every frame: when it fires too early, this looks again.
            if next < self.timer.deadline() || self.timer.is_elapsed() {
                self.timer.as_mut().reset(next);
            }
            ready!(self.timer.as_mut().poll(context));
        }
    }
}
