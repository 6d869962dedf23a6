use std::ops::Range;
use std::time::Instant;

use hdrhistogram::Histogram;

use super::frames::Frame;
use super::order::{Arrival, Order};
use super::stamp::Stamp;
use crate::Result;

/// Messages of one channel that may be on their way.
pub(crate) const MOST_OUTSTANDING: u32 = 64;

/// What was published, and what has come of it.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// When the clock of all stamps began.
    began: Instant,
    channels: Vec<Channel>,
    /// By client.
    readers: Vec<Reader>,
    latency: Option<Histogram<u64>>,
    tally: Tally,
}

/// Deliveries.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) expected: u64,
    pub(crate) arrived: u64,
    pub(crate) doubled: u64,
    pub(crate) reordered: u64,
    /// To somebody who has not asked for the channel, or without a stamp.
    pub(crate) foreign: u64,
}

#[derive(Debug)]
struct Channel {
    subscribers: u32,
    /// The number of the next message.
    next: u32,
    /// The oldest message that somebody has yet to get.
    oldest: u32,
    /// How often each of the messages from `oldest` on has arrived, by its number's remainder.
    arrived: [u32; MOST_OUTSTANDING as usize],
}

/// A client, with the channels that it has subscribed to, which lie side by side.
#[derive(Debug)]
struct Reader {
    first: u32,
    orders: Box<[Order]>,
}

impl Ledger {
    /// Of readers who have subscribed to these channels each, and who will get messages from this number on.
    pub(crate) fn new(subscriptions: impl Iterator<Item = Range<u32>>, from: u32) -> Self {
        let mut channels = Vec::new();
        let reader = |range: Range<u32>| {
            for number in range.clone() {
                let channel = channel_of(&mut channels, number);
                channel.subscribers += 1;
                (channel.next, channel.oldest) = (from, from);
            }
            Reader { first: range.start, orders: vec![Order::from(from); range.len()].into() }
        };
        let readers = subscriptions.map(reader).collect();
        let (began, latency) = (Instant::now(), None);
        Self { began, channels, readers, latency, tally: Tally::default() }
    }

    pub(crate) fn channels(&self) -> u32 {
        self.channels.len() as u32
    }

    /// The number of the channel's next message.
    pub(crate) fn next(&self, channel: u32) -> u32 {
        self.channels.get(channel as usize).map_or(0, |channel| channel.next)
    }

    /// Whether this client has got the message before this one.
    pub(crate) fn has_reached(&self, client: u32, channel: u32, next: u32) -> bool {
        let reader = self.readers.get(client as usize);
        let order = reader.and_then(|reader| reader.orders.get((channel - reader.first) as usize));
        order.is_some_and(|order| order.next() >= next)
    }

    pub(crate) fn tally(&self) -> Tally {
        self.tally
    }

    /// From now on the time that each delivery takes is written down.
    pub(crate) fn watch_latency(&mut self) -> Result<()> {
        self.latency = Some(Histogram::new_with_bounds(1_000, 60_000_000_000, 3)?);
        Ok(())
    }

    pub(crate) fn latency(&mut self) -> Option<Histogram<u64>> {
        self.latency.take()
    }

    /// How many more messages this channel may have on their way.
    pub(crate) fn room(&self, channel: u32, outstanding: u32) -> u32 {
        let channel = self.channels.get(channel as usize);
        channel.map_or(0, |channel| outstanding.saturating_sub(channel.next - channel.oldest))
    }

    /// The stamp of the channel's next message, which is now on its way.
    pub(crate) fn publish(&mut self, channel: u32) -> Stamp {
        let sent = self.now();
        let of = channel_of(&mut self.channels, channel);
        let number = of.next;
        of.next += 1;
        self.tally.expected += u64::from(of.subscribers);
        Stamp { sent, number, channel }
    }

    pub(crate) fn take(&mut self, client: usize, frame: Frame) {
        let arrival = frame.stamp.and_then(|stamp| {
            let reader = self.readers.get_mut(client)?;
            let place = stamp.channel.checked_sub(reader.first)?;
            Some((stamp, reader.orders.get_mut(place as usize)?.take(stamp.number)))
        });
        let Some((stamp, arrival)) = arrival else {
            self.tally.foreign += 1;
            return;
        };
        match arrival {
            Arrival::New => self.tally.arrived += 1,
            Arrival::Reordered => {
                self.tally.arrived += 1;
                self.tally.reordered += 1;
            }
            Arrival::Doubled => {
                self.tally.doubled += 1;
                return;
            }
        }
        channel_of(&mut self.channels, stamp.channel).take(stamp.number);
        if self.latency.is_some() {
            let taken = self.now() - stamp.sent;
            self.latency.iter_mut().for_each(|latency| latency.saturating_record(taken));
        }
    }

    /// What is still on its way counts as lost.
    pub(crate) fn give_up(&mut self) {
        for channel in &mut self.channels {
            channel.oldest = channel.next;
            channel.arrived.fill(0);
        }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.tally.arrived >= self.tally.expected
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Default for Channel {
    fn default() -> Self {
        Self { subscribers: 0, next: 0, oldest: 0, arrived: [0; MOST_OUTSTANDING as usize] }
    }
}

impl Channel {
    fn take(&mut self, number: u32) {
        if number < self.oldest {
            return;
        }
        self.slot(number, |count| *count += 1);
        while self.oldest < self.next && self.slot(self.oldest, |count| *count) == self.subscribers
        {
            self.slot(self.oldest, |count| *count = 0);
            self.oldest += 1;
        }
    }

    fn slot<T: Default>(&mut self, number: u32, change: impl FnOnce(&mut u32) -> T) -> T {
        let slot = self.arrived.get_mut((number % MOST_OUTSTANDING) as usize);
        slot.map(change).unwrap_or_default()
    }
}

/// The channel of this number, which is made by the first who asks for it.
fn channel_of(channels: &mut Vec<Channel>, number: u32) -> &mut Channel {
    let place = number as usize;
    if place >= channels.len() {
        channels.resize_with(place + 1, Channel::default);
    }
    channels.get_mut(place).expect("it has just been made")
}

impl Tally {
    pub(crate) fn lost(&self) -> u64 {
        self.expected.saturating_sub(self.arrived)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_doubled_reordered_or_not_asked_for_is_counted() {
        let mut ledger = Ledger::new([0..1, 0..1, 1..2].into_iter(), 0);
        for _ in 0..4 {
            ledger.publish(0);
        }
        let mut take = |client, channel, number| {
            let stamp = Some(Stamp { sent: 0, number, channel });
            ledger.take(client, Frame { opcode: 1, length: 200, first: None, stamp });
        };
        (0..4).for_each(|number| take(0, 0, number));
        [0, 2, 1, 1].into_iter().for_each(|number| take(1, 0, number));
        take(2, 0, 0);
        let tally = ledger.tally();
        assert_eq!((tally.expected, tally.arrived, tally.lost()), (8, 7, 1));
        assert_eq!((tally.doubled, tally.reordered, tally.foreign), (1, 1, 1));
        assert_eq!(ledger.room(0, 4), 3, "the last one is not with everybody yet");
    }
}
