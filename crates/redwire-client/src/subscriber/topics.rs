use std::collections::HashMap;
use std::mem;
use std::time::SystemTime;

use tokio::sync::oneshot;

use super::Event;
use super::inbox::Change;
use crate::Error;
use crate::link::{Fan, Link, Queue, Standing};
use crate::topic::Topic;

/// The topics of one subscriber, and how each stands.
#[derive(Debug, Default)]
pub(super) struct Topics {
    held: HashMap<Topic, Held>,
    confirmed: usize,
    /// Topics that no link brings until they are attached elsewhere, and since when.
    adrift: usize,
    adrift_since: Option<SystemTime>,
    /// The fans of links that are lost, by their addresses.
    lost: Vec<usize>,
    closed: bool,
}

#[derive(Debug)]
struct Held {
    link: Link,
    stands: Stands,
    /// Since when its link is down, if it stood before: the gap that the link will report.
    lost: Option<SystemTime>,
    waiting: Vec<oneshot::Sender<Standing>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    Awaited,
    Confirmed,
    Adrift,
}

impl Held {
    fn is_of(&self, fan: &Fan) -> bool {
        std::ptr::eq(self.link.fan(), fan)
    }

    /// Whether anybody listened.
    fn tell(&mut self, standing: Standing) -> bool {
        let told = self.waiting.drain(..).filter_map(|waiting| waiting.send(standing).ok());
        told.count() > 0
    }
}

impl Topics {
    pub(super) fn want(
        &mut self,
        topic: &Topic,
        link: &Link,
        waiting: oneshot::Sender<Standing>,
        queue: &Queue<Event>,
    ) -> Result<Change, Error> {
        if self.closed {
            return Err(super::closed());
        }
        let Some(held) = self.held.get_mut(topic) else {
            let held = Held {
                link: link.clone(),
                stands: Stands::Awaited,
                lost: None,
                waiting: vec![waiting],
            };
            self.held.insert(topic.clone(), held);
            return Ok(Change::Join);
        };
        let is_there = held.is_of(link.fan()) && held.stands != Stands::Adrift;
        if is_there && held.stands == Stands::Confirmed {
            let _ = waiting.send(Standing::Confirmed);
            return Ok(Change::Nothing);
        }
        held.waiting.retain(|waiting| !waiting.is_closed());
        held.waiting.push(waiting);
        if is_there {
            return Ok(Change::Nothing);
        }
        let former = mem::replace(&mut held.link, link.clone());
        let lost = held.lost;
        self.set_adrift(topic, lost, queue);
        Ok(Change::Leave(former))
    }

    pub(super) fn confirm(&mut self, topic: &Topic, queue: &Queue<Event>) {
        let Some(held) = self.held.get_mut(topic) else { return };
        let before = mem::replace(&mut held.stands, Stands::Confirmed);
        if before == Stands::Confirmed {
            return;
        }
        held.lost = None;
        held.tell(Standing::Confirmed);
        self.confirmed += 1;
        queue.push(Event::Subscribed { topic: topic.clone(), count: self.confirmed });
        if before == Stands::Adrift {
            self.adrift -= 1;
            if self.adrift == 0
                && let Some(since) = self.adrift_since.take()
            {
                queue.push(Event::Gap { since });
            }
        }
    }

    /// Its node does not serve it any more; another one will. A topic that has never stood is not
    /// missed, unless `since` says so.
    pub(super) fn set_adrift(
        &mut self,
        topic: &Topic,
        since: Option<SystemTime>,
        queue: &Queue<Event>,
    ) {
        let Some(held) = self.held.get_mut(topic) else { return };
        let stood = match held.stands {
            Stands::Adrift => return,
            Stands::Awaited => since.is_some(),
            Stands::Confirmed => {
                self.confirmed -= 1;
                true
            }
        };
        held.stands = Stands::Adrift;
        let is_told = held.lost.take().is_some();
        self.adrift += 1;
        if !stood {
            return;
        }
        let since = since.unwrap_or_else(SystemTime::now);
        match self.adrift_since {
            Some(known) => self.adrift_since = Some(known.min(since)),
            None => {
                self.adrift_since = Some(since);
                if !is_told {
                    queue.push(Event::Lost { since });
                }
            }
        }
    }

    /// Redis does not let us read it. Whoever waits for it is told; if nobody does, the reader is.
    pub(super) fn refuse(
        &mut self,
        topic: &Topic,
        standing: Standing,
        since: Option<SystemTime>,
        queue: &Queue<Event>,
    ) {
        let Some(mut held) = self.take(topic) else { return };
        if held.tell(standing) {
            // Perhaps it was the last topic, and there is nothing left to wait for.
            queue.ready.notify_one();
            return;
        }
        queue.push(Event::Unsubscribed { topic: topic.clone(), count: self.confirmed });
        if held.stands == Stands::Confirmed
            && let Some(since) = since
        {
            queue.push(Event::Gap { since });
        }
    }

    pub(super) fn remove(&mut self, topic: &Topic, queue: &Queue<Event>) {
        if self.take(topic).is_some() {
            queue.push(Event::Unsubscribed { topic: topic.clone(), count: self.confirmed });
        }
    }

    /// The link is down, and nothing that came over it stands.
    pub(super) fn lose(&mut self, fan: &Fan, since: SystemTime) {
        if !self.lost.contains(&address(fan)) {
            self.lost.push(address(fan));
        }
        for held in self.held.values_mut().filter(|held| held.is_of(fan)) {
            if held.stands == Stands::Confirmed {
                held.stands = Stands::Awaited;
                held.lost = Some(since);
                self.confirmed -= 1;
            }
        }
    }

    /// Whether the reader was told that this link is lost, and not yet that it is back.
    pub(super) fn is_owed(&mut self, fan: &Fan) -> bool {
        let before = self.lost.len();
        self.lost.retain(|lost| *lost != address(fan));
        self.lost.len() < before
    }

    /// Returns what it held.
    pub(super) fn close(&mut self) -> Vec<(Topic, Link)> {
        self.closed = true;
        self.confirmed = 0;
        self.held.drain().map(|(topic, held)| (topic, held.link)).collect()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn has(&self, topic: &Topic, fan: &Fan) -> bool {
        self.held.get(topic).is_some_and(|held| held.is_of(fan))
    }

    pub(super) fn of(&self, fan: &Fan) -> Vec<Topic> {
        let held = self.held.iter().filter(|(_, held)| held.is_of(fan));
        held.map(|(topic, _)| topic.clone()).collect()
    }

    pub(super) fn link(&self, topic: &Topic) -> Option<Link> {
        self.held.get(topic).map(|held| held.link.clone())
    }

    pub(super) fn all(&self) -> Vec<(Topic, Link, bool)> {
        let each = |(topic, held): (&Topic, &Held)| {
            (topic.clone(), held.link.clone(), held.stands == Stands::Confirmed)
        };
        self.held.iter().map(each).collect()
    }

    pub(super) fn link_of_any(&self) -> Option<Link> {
        self.held.values().next().map(|held| held.link.clone())
    }

    fn take(&mut self, topic: &Topic) -> Option<Held> {
        let held = self.held.remove(topic)?;
        match held.stands {
            Stands::Awaited => {}
            Stands::Confirmed => self.confirmed -= 1,
            Stands::Adrift => {
                self.adrift -= 1;
                self.adrift_since.take_if(|_| self.adrift == 0);
            }
        }
        Some(held)
    }
}

fn address(fan: &Fan) -> usize {
    std::ptr::from_ref(fan).addr()
}
