//! What Redis says of keys that were read and have changed.

use std::fmt;
use std::sync::{Arc, Mutex, Weak};

use redis::{Cmd, FromRedisValue, Value};

use super::connection::Connection;
use super::state::State;
use super::{Link, Shared};
use crate::Error;
use crate::lock::lock;

/// Hears which keys have changed: what a cache needs that Redis itself keeps true (`CLIENT TRACKING` with
/// `OPTIN`; Redis 6 or later).
///
/// The link that hears is one with subscriptions. It does the tracking, too, so that invalidations and
/// publications come in one stream, in Redis' own order, and end together: whoever changes a key and then
/// publishes it is heard in that order, whatever becomes of other connections. The replies, which may be
/// large, are read over another link.
///
/// A cache keeps what it reads only if Redis was [armed](Self::arm) and then [tracked](Self::track) the key
/// before it was read, and if nothing was heard of the key since. It serves that only while
/// [`connections`](Self::connections) are those that Redis was armed on. Redis tracks keys: one
/// invalidation is for all fields of a hash.
#[derive(Clone)]
pub struct Tracking {
    reads: Link,
    hears: Link,
    _hearer: Arc<Hearer>,
}

/// Which connections the links of a [`Tracking`] have. Later ones are never equal to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    reading: u64,
    hearing: u64,
}

/// What may be another than it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalidated<'a> {
    /// This key, in any of the databases.
    Key(&'a [u8]),
    /// Every key.
    All,
}

impl Tracking {
    /// `hear` is called by whatever reads the connection of `hears`, before what Redis sent after the
    /// invalidation is in any feed. It must be quick. Any number of them may share the links.
    pub fn new(
        reads: Link,
        hears: Link,
        hear: impl Fn(Invalidated<'_>) + Send + Sync + 'static,
    ) -> Self {
        let hearer: Arc<Hearer> = Arc::new(hear);
        hears.shared().hearers.add(&hearer);
        Self { reads, hears, _hearer: hearer }
    }

    /// The connections of this moment; None if one of the links is not live.
    pub fn connections(&self) -> Option<Connections> {
        let (reading, hearing) = (self.reads.shared(), self.hears.shared());
        Some(Connections { reading: reading.connection()?, hearing: hearing.connection()? })
    }

    /// Waits until both links are live. Cancel safe.
    pub async fn connected(&self) -> Connections {
        loop {
            let hearing = live(self.hears.shared()).await;
            let reading = live(self.reads.shared()).await;
            if number(&self.hears.shared().state.borrow()) == Some(hearing) {
                return Connections { reading, hearing };
            }
        }
    }

    /// Waits until one of the links no longer has this connection. Cancel safe.
    pub async fn parted(&self, from: Connections) {
        tokio::select! {
            () = gone(self.reads.shared(), from.reading) => {}
            () = gone(self.hears.shared(), from.hearing) => {}
        }
    }

    /// Prepares these connections: from now on Redis tracks what it is told to.
    ///
    /// # Errors
    ///
    /// [`Error::Server`] if Redis, or what stands before it, does not know or permit one of the commands:
    /// `INFO`, `EXISTS`, and `CLIENT` with `TRACKING` and `CACHING`. [`Error::Invalid`] if the links lead to
    /// different servers. [`Error::Lost`] if they have other connections by now, and as [`Link::command`].
    pub async fn arm(&self, on: Connections) -> Result<(), Error> {
        // What is read at one server and tracked at another nobody would hear of.
        if run(&self.hears).await? != run(&self.reads).await? {
            let problem = "the connections lead to different servers".into();
            return Err(Error::Invalid { command: TRACKING.to_owned(), problem });
        }
        let mut tracking = redis::cmd("CLIENT");
        asked(&self.hears, TRACKING, tracking.arg("TRACKING").arg("ON").arg("OPTIN")).await?;
        match self.track("").await {
            Err(error) if !is_about_the_key(&error) => Err(error),
            _ if self.connections() == Some(on) => Ok(()),
            _ => Err(Error::Lost { endpoint: self.hears.endpoint(), command: TRACKING.to_owned() }),
        }
    }

    /// Has Redis tell once when this key changes, which may be before this returns.
    ///
    /// `CLIENT CACHING YES` is for the next command of the connection, so both leave in one piece. On a
    /// connection that was not armed it is an error: success is the proof.
    ///
    /// # Errors
    ///
    /// As [`Link::command`]; the key is not tracked then.
    pub async fn track(&self, key: &str) -> Result<(), Error> {
        let mut both = redis::pipe();
        both.cmd("CLIENT").arg("CACHING").arg("YES");
        // The shortest answer about a key of any type.
        both.cmd("EXISTS").arg(key);
        let replies = self.hears.replies("EXISTS", &both, 0, 2).await?;
        for (name, reply) in ["CLIENT CACHING", "EXISTS"].into_iter().zip(replies) {
            self.hears.accepted(name, reply)?;
        }
        Ok(())
    }
}

/// An ACL may know keys that the command may not be used on; on others it may.
fn is_about_the_key(error: &Error) -> bool {
    // The words for both are Redis': "… to run the 'exists' command", "… to access a key".
    matches!(error, Error::Server { code, detail, .. } if code == "NOPERM" && !detail.contains("command"))
}

const TRACKING: &str = "CLIENT TRACKING";

/// Past what the list of commands says: what it refuses are the very commands of this file.
async fn asked(link: &Link, name: &str, command: &Cmd) -> Result<Value, Error> {
    let reply = link.reply(name, command, false).await?;
    link.accepted(name, reply)
}

/// What names one run of one server.
async fn run(link: &Link) -> Result<String, Error> {
    let info = asked(link, "INFO", redis::cmd("INFO").arg("server")).await?;
    let info = String::from_redis_value(info).map_err(|_| link.unexpected("INFO"))?;
    let run = info.lines().find_map(|line| line.strip_prefix("run_id:"));
    run.map(str::to_owned).ok_or_else(|| link.unexpected("INFO"))
}

async fn live(shared: &Shared) -> u64 {
    let mut states = shared.state.subscribe();
    let state = states.wait_for(State::is_live).await;
    // The sender lives in `shared`.
    state.ok().and_then(|state| number(&state)).unwrap_or_default()
}

async fn gone(shared: &Shared, connection: u64) {
    let _ = shared.state.subscribe().wait_for(|state| number(state) != Some(connection)).await;
}

fn number(state: &State) -> Option<u64> {
    state.connection().map(Connection::number)
}

impl fmt::Debug for Tracking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (reads, hears) = (&self.reads, &self.hears);
        f.debug_struct("Tracking").field("reads", reads).field("hears", hears).finish()
    }
}

type Hearer = dyn Fn(Invalidated<'_>) + Send + Sync;

/// Who hears of invalidations, as long as there is a [`Tracking`] of theirs.
#[derive(Default)]
pub(super) struct Hearers(Mutex<Vec<Weak<Hearer>>>);

impl Hearers {
    fn add(&self, hearer: &Arc<Hearer>) {
        let mut hearers = lock(&self.0);
        hearers.retain(|hearer| hearer.strong_count() > 0);
        hearers.push(Arc::downgrade(hearer));
    }

    pub(super) fn tell(&self, what: Invalidated<'_>) {
        lock(&self.0).iter().filter_map(Weak::upgrade).for_each(|hear| hear(what));
    }
}

impl fmt::Debug for Hearers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(lock(&self.0).iter().map(Weak::strong_count)).finish()
    }
}
