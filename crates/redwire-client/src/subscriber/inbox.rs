use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use tokio::sync::{Notify, oneshot};

use super::Event;
use super::topics::Topics;
use crate::Error;
use crate::link::{Fan, Limits, Link, Queue, Standing};
use crate::lock::lock;
use crate::topic::Topic;

/// The half of a subscriber that links know: its queue, and which link each of its topics comes over.
///
/// Those can be several links, and a topic can change its link.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) queue: Queue<Event>,
    topics: Mutex<Topics>,
    /// Held while topics change their links; taken before any link's lock.
    changing: Mutex<()>,
    /// Wakes who attaches a topic elsewhere when its node does not serve it any more.
    roams: Option<Arc<Notify>>,
}

/// How a topic got the link that was asked for.
pub(super) enum Change {
    /// It had it.
    Nothing,
    Join,
    Leave(Link),
}

/// For whoever owns the subscriber.
impl Inbox {
    pub(super) fn new(roams: Option<Arc<Notify>>, limits: Limits) -> Self {
        Self {
            queue: Queue::new(limits),
            topics: Mutex::default(),
            changing: Mutex::default(),
            roams,
        }
    }

    /// From now on the topic comes over this link. The receiver hears how it stands, once Redis has
    /// said it, and nothing if it is detached before.
    pub(crate) fn attach(
        self: &Arc<Self>,
        topic: &Topic,
        link: &Link,
    ) -> Result<oneshot::Receiver<Standing>, Error> {
        let _changing = lock(&self.changing);
        let (sender, receiver) = oneshot::channel();
        let change = lock(&self.topics).want(topic, link, sender, &self.queue)?;
        match change {
            Change::Nothing => return Ok(receiver),
            Change::Join => {}
            Change::Leave(former) => former.part(topic, self, || {}),
        }
        link.join(topic, self);
        Ok(receiver)
    }

    /// Once the event says so, nothing of the topic comes any more.
    pub(crate) fn detach(self: &Arc<Self>, topic: &Topic) {
        let _changing = lock(&self.changing);
        let Some(link) = lock(&self.topics).link(topic) else { return };
        link.part(topic, self, || lock(&self.topics).remove(topic, &self.queue));
    }

    /// What was not read is gone.
    pub(crate) fn close(self: &Arc<Self>) {
        let _changing = lock(&self.changing);
        let topics = lock(&self.topics).close();
        for (topic, link) in topics {
            link.part(&topic, self, || {});
        }
        self.queue.abandon();
    }

    pub(super) fn is_closed(&self) -> bool {
        lock(&self.topics).is_closed()
    }

    pub(super) fn has_topics(&self) -> bool {
        lock(&self.topics).link_of_any().is_some()
    }

    /// Each topic, with the link that brings it and whether Redis has confirmed it there.
    pub(crate) fn topics(&self) -> Vec<(Topic, Link, bool)> {
        lock(&self.topics).all()
    }

    pub(super) fn link_of_any(&self) -> Option<Link> {
        lock(&self.topics).link_of_any()
    }
}

/// For links, which call these under their fan's lock.
impl Inbox {
    /// How a topic stands now; since when it does not, if it did. False if the subscriber does not want
    /// it of this link any more.
    pub(crate) fn settled(
        &self,
        fan: &Fan,
        topic: &Topic,
        standing: Standing,
        since: Option<SystemTime>,
    ) -> bool {
        let mut topics = lock(&self.topics);
        if !topics.has(topic, fan) {
            return false;
        }
        match standing {
            Standing::Unconfirmed => true,
            Standing::Confirmed => {
                topics.confirm(topic, &self.queue);
                true
            }
            Standing::Moved | Standing::Forbidden => match &self.roams {
                Some(roams) if standing == Standing::Moved => {
                    topics.set_adrift(topic, since, &self.queue);
                    roams.notify_one();
                    true
                }
                _ => {
                    topics.refuse(topic, standing, since, &self.queue);
                    false
                }
            },
        }
    }

    pub(crate) fn topics_of(&self, fan: &Fan) -> Vec<Topic> {
        lock(&self.topics).of(fan)
    }

    pub(crate) fn lost(&self, fan: &Fan, since: SystemTime) {
        lock(&self.topics).lose(fan, since);
        self.queue.push(Event::Lost { since });
    }

    /// The link is there again. Who was not told that it was lost misses nothing.
    pub(crate) fn gap(&self, fan: &Fan, since: SystemTime) {
        if lock(&self.topics).is_owed(fan) {
            self.queue.push(Event::Gap { since });
        }
    }

    /// A link has ended.
    pub(crate) fn end(&self) {
        lock(&self.topics).close();
        self.queue.close();
    }
}
