use std::sync::Arc;
use std::time::SystemTime;

use super::fan::State;
use super::feed::LinkEvent;
use super::names::Departure;
use super::shared::Shared;
use super::table::Standing;
use crate::lock::lock;
use crate::subscriber::Inbox;
use crate::topic::{Topic, TopicKind};

/// Where the table and the fan meet: what Redis said about a topic, for the topic's subscribers.
///
/// The fan's lock is taken first and held, so that a subscriber sees a confirmation before the first
/// message; then the table's, then a subscriber's own.
impl Shared {
    /// From now on the subscriber gets what is published there.
    pub(super) fn join(&self, topic: &Topic, inbox: &Arc<Inbox>) {
        let mut fan = self.fan.lock();
        if fan.is_closed() {
            inbox.end();
            return;
        }
        fan.route(topic, inbox);
        let (is_news, standing) = {
            let mut table = lock(&self.table);
            (table.add(topic), table.standing(topic))
        };
        if is_news {
            self.unsettled.notify_one();
        }
        if fan.is_open() {
            self.settle(&mut fan, topic, inbox, standing, None);
        }
    }

    /// The subscriber gets no more of it. `then` runs before anything else can reach it.
    pub(super) fn part(&self, topic: &Topic, inbox: &Arc<Inbox>, then: impl FnOnce()) {
        let mut fan = self.fan.lock();
        self.release(&mut fan, topic, inbox);
        then();
    }

    /// The connection is live: `first` runs before anybody is told. Subscribers hear what is
    /// confirmed, and last the gap, if there is one.
    pub(super) fn open(&self, connection: u64, gap: Option<SystemTime>, first: impl FnOnce()) {
        let mut fan = self.fan.lock();
        first();
        fan.open(connection);
        if let Some(since) = gap {
            fan.tell_feeds(LinkEvent::Gap { since });
        }
        let readers: Vec<_> = fan.readers().cloned().collect();
        for inbox in readers {
            for topic in inbox.topics_of(&self.fan) {
                let standing = lock(&self.table).standing(&topic);
                self.settle(&mut fan, &topic, &inbox, standing, gap);
            }
            if let Some(since) = gap {
                inbox.gap(&self.fan, since);
            }
        }
    }

    pub(super) fn confirmed(&self, connection: u64, kind: TopicKind, name: &str) {
        let mut fan = self.fan.lock();
        let news = lock(&self.table).joined(connection, kind, name);
        self.settle_all(&mut fan, news, Standing::Confirmed, None);
    }

    pub(super) fn refused(&self, kind: TopicKind, name: &str) {
        let mut fan = self.fan.lock();
        let news = lock(&self.table).refused(kind, name);
        self.settle_all(&mut fan, news, Standing::Forbidden, None);
    }

    pub(super) fn moved(&self, name: &str) {
        let mut fan = self.fan.lock();
        let news = lock(&self.table).moved(name);
        self.settle_all(&mut fan, news, Standing::Moved, None);
    }

    /// Redis says that we have left a sharded channel. Whether we have asked for it.
    pub(super) fn departed(
        &self,
        connection: u64,
        name: &str,
        leaving: bool,
        since: SystemTime,
    ) -> bool {
        let mut fan = self.fan.lock();
        let departure = lock(&self.table).departed(connection, name, leaving);
        match departure {
            Departure::Requested => return true,
            Departure::Unrequested => {}
            Departure::Moved(name) => {
                if fan.is_open() {
                    fan.tell_feeds(LinkEvent::Moved { channel: name.clone(), since });
                }
                let topic = Topic { kind: TopicKind::Sharded, name };
                self.settle_all(&mut fan, Some(topic), Standing::Moved, Some(since));
            }
        }
        false
    }

    /// While the link is down nobody is told; `open` does it.
    fn settle_all(
        &self,
        fan: &mut State,
        news: Option<Topic>,
        standing: Standing,
        since: Option<SystemTime>,
    ) {
        let Some(topic) = news else { return };
        if fan.is_open() {
            for inbox in fan.readers_of(&topic) {
                self.settle(fan, &topic, &inbox, standing, since);
            }
        }
    }

    fn settle(
        &self,
        fan: &mut State,
        topic: &Topic,
        inbox: &Arc<Inbox>,
        standing: Standing,
        since: Option<SystemTime>,
    ) {
        if !inbox.settled(&self.fan, topic, standing, since) {
            self.release(fan, topic, inbox);
        }
    }

    fn release(&self, fan: &mut State, topic: &Topic, inbox: &Arc<Inbox>) {
        if fan.unroute(topic, inbox) && lock(&self.table).remove(topic) {
            self.unsettled.notify_one();
        }
    }
}
