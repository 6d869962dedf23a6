//! One server, and every connection to it.

mod dedicated;
mod lane;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use redis::{Pipeline, Value};
use tokio::sync::Mutex as AsyncMutex;

pub(crate) use dedicated::Dedicated;
pub(crate) use lane::{Batch, Call, Lane};

use crate::link::{FirstAttempt, Link, Route, Setup};
use crate::lock::lock;
use crate::{Config, Endpoint, Error};

/// A lane for each database that is used, and one link for subscriptions, each made when it is first
/// wanted.
#[derive(Debug)]
pub(crate) struct Node {
    route: Arc<dyn Route>,
    config: Arc<Config>,
    lanes: Mutex<Lanes>,
    /// The one that was wanted first. While it is live, its commands need no lock.
    home: OnceLock<Arc<Lane>>,
    subscriptions: OnceLock<Link>,
    /// Of the subscriptions.
    first: AsyncMutex<Option<FirstAttempt>>,
}

#[derive(Debug, Default)]
struct Lanes {
    open: HashMap<u32, Arc<Lane>>,
    closed: bool,
}

impl Node {
    pub(crate) fn new(route: Arc<dyn Route>, config: Arc<Config>) -> Self {
        Self {
            route,
            config,
            lanes: Mutex::default(),
            home: OnceLock::new(),
            subscriptions: OnceLock::new(),
            first: AsyncMutex::default(),
        }
    }

    /// The lane of a database; `command` is for whom it is.
    pub(crate) fn lane(&self, database: u32, command: &str) -> Result<Cow<'_, Arc<Lane>>, Error> {
        if let Some(home) = self.home.get()
            && home.database() == database
            && home.link().is_live()
        {
            return Ok(Cow::Borrowed(home));
        }
        let mut lanes = lock(&self.lanes);
        if lanes.closed {
            return Err(Error::Closed { command: command.to_owned() });
        }
        match lanes.open.get(&database) {
            // Whoever asks again asks the server again.
            Some(lane) if !lane.link().is_refused() => Ok(Cow::Owned(lane.clone())),
            _ => {
                let setup = Setup { ends_when_refused: true, ..self.setup(database) };
                let lane = Arc::new(Lane::new(&self.route, setup, &self.config));
                lanes.open.insert(database, lane.clone());
                let _ = self.home.set(lane.clone());
                Ok(Cow::Owned(lane))
            }
        }
    }

    /// Returns when the first attempt to connect was made, and the pool is full if it has to be.
    pub(crate) async fn once_tried(&self, database: u32) -> Result<(), Error> {
        let lane = self.lane(database, "HELLO")?;
        lane.once_tried().await?;
        if self.config.eager {
            lane.fill_pool().await?;
        }
        Ok(())
    }

    pub(crate) async fn reply(&self, database: u32, call: Call<'_>) -> Result<Value, Error> {
        self.lane(database, call.name)?.reply(call).await
    }

    /// All replies to a transaction, from `MULTI` to `EXEC`, and the endpoint of who has sent them.
    pub(crate) async fn together(
        &self,
        database: u32,
        name: &str,
        enclosed: &Pipeline,
    ) -> Result<(Arc<str>, Vec<Value>), Error> {
        let lane = self.lane(database, name)?;
        let replies = lane.replies(name, enclosed, 0, enclosed.len()).await?;
        Ok((lane.link().endpoint(), replies))
    }

    /// The link that all subscribers share, after its first attempt to connect: whoever subscribes
    /// before there is a connection is told of a gap when there is one.
    pub(crate) async fn subscriptions(&self) -> Result<Link, Error> {
        let link = self.subscriptions_now()?;
        match self.first.lock().await.take() {
            Some(first) => link.once_tried(first).await,
            None if link.is_refused() => Err(link.refusal("SUBSCRIBE")),
            None => Ok(link),
        }
    }

    /// The same, however it stands. It knows no databases: neither do channels.
    pub(crate) fn subscriptions_now(&self) -> Result<Link, Error> {
        let lanes = lock(&self.lanes);
        if lanes.closed {
            return Err(Error::Closed { command: "SUBSCRIBE".to_owned() });
        }
        let start = || {
            let (route, config) = (self.route.clone(), self.config.link.clone());
            let (link, first) = Link::start(route, self.setup(0), config);
            if let Ok(mut waiting) = self.first.try_lock() {
                *waiting = Some(first);
            }
            link
        };
        Ok(self.subscriptions.get_or_init(start).clone())
    }

    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        self.config.endpoints.clone()
    }

    /// Gives up every connection; those that are still wanted are made anew.
    pub(crate) fn renew(&self) {
        lock(&self.lanes).open.values().for_each(|lane| lane.link().renew());
        if let Some(link) = self.subscriptions.get() {
            link.renew();
        }
    }

    /// Gives up every connection to another server than this.
    pub(crate) fn move_to(&self, endpoint: &Endpoint) {
        lock(&self.lanes).open.values().for_each(|lane| lane.move_to(endpoint));
        if let Some(link) = self.subscriptions.get() {
            link.move_to(endpoint);
        }
    }

    pub(crate) fn close(&self) {
        let mut lanes = lock(&self.lanes);
        lanes.closed = true;
        lanes.open.drain().for_each(|(_, lane)| lane.close());
        if let Some(link) = self.subscriptions.get() {
            link.close();
        }
    }

    fn setup(&self, database: u32) -> Setup {
        let client_name = self.config.client_name.clone();
        Setup { database, client_name, ends_when_refused: false }
    }
}
