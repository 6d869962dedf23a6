use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use super::client::{Client, Scratch};
use super::frames::Frame;
use super::script::Script;
use crate::Result;

/// Clients that are about to connect at the same time, unless all are to come at once.
pub(crate) const FEW: usize = 64;

/// How long nobody may have got any further while clients connect.
const PATIENCE: Duration = Duration::from_secs(10);

/// Thousands of connections, read by one thread.
pub(crate) struct Clients {
    poll: Poll,
    events: Events,
    scratch: Scratch,
    all: Vec<Client>,
    live: usize,
    lost: usize,
}

impl Clients {
    /// Nobody.
    pub(crate) fn none() -> Result<Self> {
        let (poll, events) = (Poll::new()?, Events::with_capacity(4096));
        let scratch = Scratch::new();
        Ok(Self { poll, events, scratch, all: Vec::new(), live: 0, lost: 0 })
    }

    /// Connects a client for each script, of whom so many at the same time, and returns when the last one has
    /// come to the end of its script. Frames for those who already have are told of.
    pub(crate) fn open(
        &mut self,
        address: SocketAddr,
        scripts: impl IntoIterator<Item = Script>,
        at_once: usize,
        mut seen: impl FnMut(usize, Frame),
    ) -> Result<()> {
        let mut scripts = scripts.into_iter();
        let mut progress = Instant::now();
        loop {
            let room = at_once.saturating_sub(self.all.len() - self.live);
            for script in scripts.by_ref().take(room) {
                let at = (self.poll.registry(), Token(self.all.len()));
                self.all.push(Client::connect(address, script, at)?);
            }
            let live = self.live;
            if live == self.all.len() {
                return Ok(());
            }
            self.turn(Duration::from_millis(100), &mut seen)?;
            if self.lost > 0 {
                return Err("the server ended a new connection".into());
            }
            if self.live > live {
                progress = Instant::now();
            } else if progress.elapsed() > PATIENCE {
                return Err(format!("{live} of {} connections are live", self.all.len()).into());
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// How many bytes have come to them.
    pub(crate) fn received(&self) -> u64 {
        self.all.iter().map(Client::received).sum()
    }

    /// How many have lost their connection.
    pub(crate) fn lost(&self) -> usize {
        self.lost
    }

    pub(crate) fn send(&mut self, client: usize, frame: &[u8]) -> Result<()> {
        self.all.get_mut(client).ok_or("no such client")?.send(frame)
    }

    /// Waits for something to come, or for so long, and reads it.
    pub(crate) fn turn(
        &mut self,
        patience: Duration,
        mut seen: impl FnMut(usize, Frame),
    ) -> Result<()> {
        match self.poll.poll(&mut self.events, Some(patience)) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return Ok(()),
            result => result?,
        }
        for event in &self.events {
            let Token(number) = event.token();
            let Some(client) = self.all.get_mut(number) else { continue };
            let (was_live, was_lost) = (client.is_live(), client.is_lost());
            let at = (self.poll.registry(), event.token());
            client.turn(at, &mut self.scratch, |frame| seen(number, frame))?;
            self.live += usize::from(client.is_live() && !was_live);
            self.lost += usize::from(client.is_lost() && !was_lost);
        }
        Ok(())
    }
}
