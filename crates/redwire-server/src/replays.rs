use std::future::pending;
use std::time::Duration;

use redwire_protocol::Replay;
use tokio::time::{Instant, sleep_until};

use crate::outbox::Outbox;

/// The replay that a connection still has to get: the last one that was asked for, and not more often
/// than every so often. A map that is dragged asks at every step, and each time for all that it shows.
#[derive(Debug)]
pub(crate) struct Replays {
    waiting: Option<Replay>,
    not_before: Instant,
    interval: Duration,
}

impl Replays {
    pub(crate) fn new(interval: Duration) -> Self {
        Self { waiting: None, not_before: Instant::now(), interval }
    }

    /// Takes the place of one that waits.
    pub(crate) fn put(&mut self, replay: Option<Replay>) {
        if replay.is_some() {
            self.waiting = replay;
        }
    }

    /// Waits for a replay whose time has come, and for the client to have taken the one before.
    /// Cancel-safe.
    pub(crate) async fn due(&mut self, outbox: &Outbox) -> Replay {
        // Not through the timer if the time has come: it takes a moment, and the next line is waiting.
        if self.waiting.is_some() && self.not_before > Instant::now() {
            sleep_until(self.not_before).await;
        }
        outbox.taken().await;
        match self.waiting.take() {
            Some(replay) => {
                self.not_before = Instant::now() + self.interval;
                replay
            }
            None => pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use redwire_protocol::{Limits, Take};

    use super::*;

    fn replay(source: &'static str) -> Option<Replay> {
        let content = redwire_protocol::Content::null();
        let message = redwire_protocol::Message::new(source, content, 0);
        Some(Replay::new(move |_| vec![message.clone()]))
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_comes_at_once_and_of_a_storm_the_last() {
        let (start, outbox) = (Instant::now(), Outbox::new(&Limits::default()));
        let mut replays = Replays::new(Duration::from_millis(100));
        replays.put(replay("a"));
        assert_eq!(replays.due(&outbox).await.messages(Take::Performance)[0].source(), "a");
        assert_eq!(start.elapsed(), Duration::ZERO);
        replays.put(replay("b"));
        replays.put(replay("c"));
        replays.put(None);
        assert_eq!(replays.due(&outbox).await.messages(Take::Performance)[0].source(), "c");
        assert_eq!(start.elapsed(), Duration::from_millis(100));
    }
}
