use std::time::Duration;

use redwire_protocol::Replay;
use tokio::time::Instant;

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

    /// When to look for one that is due, if its time is to come.
    pub(crate) fn not_before(&self) -> Option<Instant> {
        self.waiting.as_ref().map(|_| self.not_before)
    }

    /// Takes a replay whose time has come, if the client has taken the one before.
    pub(crate) fn due(&mut self, outbox: &Outbox) -> Option<Replay> {
        let now = Instant::now();
        let replay = self.waiting.take_if(|_| self.not_before <= now && outbox.is_taken());
        if replay.is_some() {
            self.not_before = now + self.interval;
        }
        replay
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use redwire_protocol::{Limits, Take};

    use super::*;

    fn replay(source: &'static str) -> Option<Replay> {
        let content = redwire_protocol::Content::null();
        let message = redwire_protocol::Message::new(source, content, 0);
        Some(Replay::new(move |_| vec![message.clone()]))
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_comes_at_once_and_of_a_storm_the_last() {
        let outbox = Outbox::new(&Arc::new(Limits::default()), None, None);
        let mut replays = Replays::new(Duration::from_millis(100));
        replays.put(replay("a"));
        let source = |replay: Option<Replay>| {
            replay.map(|replay| replay.messages(Take::Performance)[0].source().to_owned())
        };
        assert_eq!(source(replays.due(&outbox)).as_deref(), Some("a"));
        replays.put(replay("b"));
        replays.put(replay("c"));
        replays.put(None);
        assert_eq!(source(replays.due(&outbox)), None);
        let time = replays.not_before().unwrap();
        assert_eq!(time - Instant::now(), Duration::from_millis(100));
        tokio::time::sleep_until(time).await;
        assert_eq!(source(replays.due(&outbox)).as_deref(), Some("c"));
        assert_eq!(replays.not_before(), None);
    }
}
