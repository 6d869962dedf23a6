//! Reads of which Redis says when they are no longer true.

use std::fmt;
use std::sync::{Arc, Mutex, Weak};

use bytes::Bytes;
use redis::{Cmd, FromRedisValue, Value};

use super::commands::{hget, hvals};
use super::connection::Connection;
use super::state::State;
use super::{Link, Shared};
use crate::Error;
use crate::lock::lock;

/// Reads over one link, and hears over another which keys have changed since: what a cache needs that
/// Redis itself keeps true (`CLIENT TRACKING` with `REDIRECT` and `OPTIN`; Redis 6 or later).
///
/// Invalidations come in one stream with what is published to the link that hears, in Redis' own order. So
/// who changes a key and then publishes it is heard in that order, too.
///
/// A cache keeps what it reads only if it was [armed](Self::arm), only if the read says that it is tracked,
/// and only if nothing was heard of the key since before the read was sent; it serves that only while
/// [`connections`](Self::connections) are those that it was armed on. Redis tracks keys: one
/// invalidation is for all fields of a hash.
///
/// Redis forgets what it tracks when the connection that reads is closed, and does not say so over the other
/// one. And what a script or a transaction changes that was itself sent over the link that reads, it tells
/// only after the end of it, so behind what the script has published.
#[derive(Clone)]
pub struct Tracking {
    reads: Link,
    hears: Link,
    _hearer: Arc<Hearer>,
}

/// Which connection a link had, of both links of a [`Tracking`]. Those of other moments are other ones.
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

    /// Has Redis track what is read on these connections from now on.
    ///
    /// # Errors
    ///
    /// [`Error::Server`] if Redis, or what stands before it, does not know or permit one of the commands:
    /// `CLIENT` with `ID`, `TRACKING` and `CACHING`, and `INFO`. [`Error::Invalid`] if the links lead to
    /// different servers. [`Error::Lost`] if they have other connections by now, and as [`Link::command`].
    pub async fn arm(&self, on: Connections) -> Result<(), Error> {
        let id = asked(&self.hears, "CLIENT ID", redis::cmd("CLIENT").arg("ID")).await?;
        let id = self.hears.number("CLIENT ID", &id)?;
        // A client's number means something only within one run of one server.
        if run(&self.hears).await? != run(&self.reads).await? {
            let problem = "the connections lead to different servers".into();
            return Err(Error::Invalid { command: TRACKING.to_owned(), problem });
        }
        let mut tracking = redis::cmd("CLIENT");
        tracking.arg("TRACKING").arg("ON").arg("REDIRECT").arg(id).arg("OPTIN");
        asked(&self.reads, TRACKING, &tracking).await?;
        asked(&self.reads, "CLIENT CACHING", &caching()).await?;
        if self.connections() == Some(on) {
            return Ok(());
        }
        Err(Error::Lost { endpoint: self.reads.endpoint(), command: TRACKING.to_owned() })
    }

    /// [`Link::hget`], and whether Redis will tell when the key changes.
    ///
    /// # Errors
    ///
    /// As [`Link::command`].
    pub async fn hget(&self, key: &str, field: &str) -> Result<(Option<Bytes>, bool), Error> {
        let (reply, is_tracked) = self.tracked("HGET", hget(key, field)).await?;
        Ok((self.reads.field(reply)?, is_tracked))
    }

    /// [`Link::hvals`], and whether Redis will tell when the key changes.
    ///
    /// # Errors
    ///
    /// As [`Link::command`].
    pub async fn hvals(&self, key: &str) -> Result<(Vec<Bytes>, bool), Error> {
        let (reply, is_tracked) = self.tracked("HVALS", hvals(key)).await?;
        Ok((self.reads.values(reply)?, is_tracked))
    }

    /// `CLIENT CACHING YES` is for the next command of the connection, so both leave in one piece. On a
    /// connection that does not track it is an error: that shows whether this one does.
    async fn tracked(&self, name: &str, command: Cmd) -> Result<(Value, bool), Error> {
        let mut both = redis::Pipeline::with_capacity(2);
        both.add_command(caching()).add_command(command);
        let replies = self.reads.replies(name, &both, 0, 2).await?;
        let Ok([caching, reply]) = <[Value; 2]>::try_from(replies) else {
            return Err(self.reads.unexpected(name));
        };
        Ok((self.reads.accepted(name, reply)?, matches!(caching, Value::Okay)))
    }
}

const TRACKING: &str = "CLIENT TRACKING";

fn caching() -> Cmd {
    let mut command = redis::cmd("CLIENT");
    command.arg("CACHING").arg("YES");
    command
}

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
