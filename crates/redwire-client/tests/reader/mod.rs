//! A feed that is read event by event.

use std::collections::VecDeque;
use std::time::SystemTime;

use redwire_client::{Feed, Link, LinkEvent};
use redwire_test::PATIENCE;
use tokio::time::timeout;

pub(crate) struct Reader {
    feed: Feed,
    read: VecDeque<LinkEvent>,
}

impl Reader {
    pub(crate) fn new(link: &Link) -> Self {
        Self { feed: link.feed(), read: VecDeque::new() }
    }

    pub(crate) async fn next(&mut self) -> LinkEvent {
        if let Some(event) = self.read.pop_front() {
            return event;
        }
        let mut events = Vec::new();
        let more = timeout(PATIENCE, self.feed.recv(&mut events)).await;
        assert!(more.expect("an event in time"), "the feed has ended");
        self.read.extend(events);
        self.read.pop_front().expect("recv appends at least one event")
    }

    pub(crate) async fn expect(&mut self, channel: &str, payload: impl AsRef<[u8]>) {
        let payload = bytes::Bytes::copy_from_slice(payload.as_ref());
        let channel = channel.into();
        assert_eq!(self.next().await, LinkEvent::Message { channel, payload });
    }

    /// The next two events are one outage. Returns since when.
    #[allow(dead_code, reason = "not every test binary has outages")]
    pub(crate) async fn expect_outage(&mut self) -> SystemTime {
        let LinkEvent::Lost { since: lost } = self.next().await else { panic!("not lost") };
        let gap = self.expect_gap().await;
        assert_eq!(gap, lost);
        gap
    }

    #[allow(dead_code, reason = "not every test binary has outages")]
    pub(crate) async fn expect_gap(&mut self) -> SystemTime {
        match self.next().await {
            LinkEvent::Gap { since } => since,
            other => panic!("expected a gap, got {other:?}"),
        }
    }

    #[allow(dead_code, reason = "not every test binary ends its link")]
    pub(crate) async fn expect_end(&mut self) {
        let mut events = Vec::new();
        let more = timeout(PATIENCE, self.feed.recv(&mut events)).await;
        assert!(!more.expect("an end in time"), "expected the end, got {events:?}");
    }
}
