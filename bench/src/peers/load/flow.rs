use std::time::{Duration, Instant};

use super::clients::Clients;
use super::ledger::Ledger;
use super::payload::Payload;
use super::publisher::Publisher;
use crate::Result;

/// Nothing has come for so long: what is still missing never will.
const SILENCE: Duration = Duration::from_millis(1_500);

/// How long it may take until all subscriptions are in effect.
const PATIENCE: Duration = Duration::from_secs(20);

/// Messages from the publisher to the clients.
pub(crate) struct Flow<'a> {
    pub(crate) clients: &'a mut Clients,
    pub(crate) publisher: &'a mut Publisher,
    pub(crate) ledger: Ledger,
    pub(crate) payload: Payload,
}

/// A stretch of time at saturation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    pub(crate) deliveries: u64,
    pub(crate) taken: Duration,
}

impl Flow<'_> {
    /// Publishes on every channel until everybody has got it: all subscriptions are in effect, and nothing
    /// is on its way any more. Each attempt has a ledger that begins with its number.
    pub(crate) fn warm_up(&mut self, fresh: impl Fn(u32) -> Ledger) -> Result<()> {
        let began = Instant::now();
        for attempt in 0.. {
            self.ledger = fresh(attempt);
            for channel in 0..self.ledger.channels() {
                self.publish(channel)?;
            }
            self.publisher.flush()?;
            self.settle(Duration::from_millis(400))?;
            if self.ledger.is_complete() {
                break;
            }
            if began.elapsed() > PATIENCE {
                let tally = self.ledger.tally();
                let (arrived, expected) = (tally.arrived, tally.expected);
                return Err(format!("{arrived} of {expected} subscriptions are in effect").into());
            }
        }
        Ok(())
    }

    /// Publishes so many messages, one at a time, with this interval.
    pub(crate) fn pace(&mut self, messages: u32, interval: Duration) -> Result<()> {
        let began = Instant::now();
        for (channel, number) in (0..self.ledger.channels()).cycle().zip(0..messages) {
            let due = began + interval * number;
            if due > Instant::now() {
                self.publisher.flush()?;
                self.listen_until(due)?;
            }
            self.publish(channel)?;
        }
        self.publisher.flush()?;
        self.settle(SILENCE)
    }

    /// Keeps so many messages of each channel on their way, first to warm up, and then for a `length`, at
    /// whose beginning and end is a mark.
    pub(crate) fn saturate(
        &mut self,
        outstanding: u32,
        warm_up: Duration,
        length: Duration,
        mut mark: impl FnMut() -> Result<()>,
    ) -> Result<Stretch> {
        self.keep_full(outstanding, warm_up)?;
        mark()?;
        let (before, began) = (self.ledger.tally().arrived, Instant::now());
        self.keep_full(outstanding, length)?;
        mark()?;
        let deliveries = self.ledger.tally().arrived - before;
        let taken = began.elapsed();
        self.settle(SILENCE)?;
        Ok(Stretch { deliveries, taken })
    }

    fn keep_full(&mut self, outstanding: u32, length: Duration) -> Result<()> {
        let began = Instant::now();
        let (mut arrived, mut progress) = (0, began);
        while began.elapsed() < length {
            for channel in 0..self.ledger.channels() {
                for _ in 0..self.ledger.room(channel, outstanding) {
                    self.publish(channel)?;
                }
            }
            self.publisher.flush()?;
            self.listen(Duration::from_millis(10))?;
            if self.ledger.tally().arrived > arrived {
                (arrived, progress) = (self.ledger.tally().arrived, Instant::now());
            } else if progress.elapsed() > SILENCE {
                self.ledger.give_up();
                progress = Instant::now();
            }
        }
        Ok(())
    }

    /// Waits until all has arrived, or nothing has come for so long.
    pub(crate) fn settle(&mut self, silence: Duration) -> Result<()> {
        let (mut arrived, mut progress) = (0, Instant::now());
        while !self.ledger.is_complete() && progress.elapsed() < silence {
            self.listen(Duration::from_millis(10))?;
            if self.ledger.tally().arrived > arrived {
                (arrived, progress) = (self.ledger.tally().arrived, Instant::now());
            }
        }
        Ok(())
    }

    pub(crate) fn publish(&mut self, channel: u32) -> Result<()> {
        let stamp = self.ledger.publish(channel);
        self.publisher.gather(&name(channel), &self.payload.message(stamp));
        Ok(())
    }

    pub(crate) fn listen_until(&mut self, when: Instant) -> Result<()> {
        loop {
            let left = when.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.listen(left)?;
        }
    }

    fn listen(&mut self, patience: Duration) -> Result<()> {
        self.clients.turn(patience, |client, frame| self.ledger.take(client, frame))?;
        match self.clients.lost() {
            0 => Ok(()),
            lost => Err(format!("the server ended {lost} connections").into()),
        }
    }
}

/// What a channel is called.
pub(crate) fn name(channel: u32) -> String {
    format!("c{channel}")
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

    use super::*;
    use crate::peers::floor;
    use crate::peers::load::clients::FEW;
    use crate::peers::load::publisher::Way;
    use crate::peers::load::script::Script;

    #[test]
    fn what_the_floor_writes_arrives_once_and_in_order() {
        for coalesced in [false, true] {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            std::thread::spawn(move || floor::run(port, coalesced).unwrap());
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            while TcpStream::connect(address).is_err() {
                std::thread::yield_now();
            }
            let mut clients = Clients::none().unwrap();
            let scripts = (0..10).map(|_| Script::open("/"));
            clients.open(address, scripts, FEW, |_, _| ()).unwrap();
            let mut publisher = Publisher::connect(Way::Frames, address, address).unwrap();
            let ledger = |from| Ledger::new((0..10).map(|_| 0..1), from);
            let (clients, publisher) = (&mut clients, &mut publisher);
            let payload = Payload::Padded(70_000);
            let mut flow = Flow { clients, publisher, ledger: ledger(0), payload };
            flow.warm_up(ledger).unwrap();
            flow.pace(20, Duration::ZERO).unwrap();
            let tally = flow.ledger.tally();
            assert_eq!(tally.arrived, 210);
            assert_eq!((tally.lost(), tally.doubled, tally.reordered, tally.foreign), (0, 0, 0, 0));
        }
    }
}
