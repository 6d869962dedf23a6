//! One server, and every connection to it.

mod dedicated;
mod lane;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use redis::{Pipeline, Value};
use tokio::sync::OnceCell;

pub(crate) use dedicated::Dedicated;
pub(crate) use lane::{Batch, Call, Lane};

use crate::link::{Link, Route, Setup};
use crate::lock::lock;
use crate::{Config, Endpoint, Error};

/// A lane for each database that is used, and one link for subscriptions, each made when it is first
/// wanted.
#[derive(Debug)]
pub(crate) struct Node {
    route: Arc<dyn Route>,
    config: Arc<Config>,
    lanes: Mutex<Lanes>,
    subscriptions: OnceCell<Link>,
}

#[derive(Debug, Default)]
struct Lanes {
    open: HashMap<u32, Arc<Lane>>,
    closed: bool,
}

impl Node {
    pub(crate) fn new(route: Arc<dyn Route>, config: Arc<Config>) -> Self {
        Self { route, config, lanes: Mutex::default(), subscriptions: OnceCell::new() }
    }

    /// The lane of a database; `command` is for whom it is.
    pub(crate) fn lane(&self, database: u32, command: &str) -> Result<Arc<Lane>, Error> {
        let mut lanes = lock(&self.lanes);
        if lanes.closed {
            return Err(Error::Closed { command: command.to_owned() });
        }
        let new = || Arc::new(Lane::new(&self.route, self.setup(database), &self.config));
        Ok(lanes.open.entry(database).or_insert_with(new).clone())
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
        let lane = self.lane(database, call.name)?;
        let reply = lane.reply(call).await;
        if let Err(Error::Refused { .. }) = reply {
            self.forget(database, &lane);
        }
        reply
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

    /// The link that all subscribers share, after its first attempt to connect. It knows no databases:
    /// neither do channels.
    pub(crate) async fn subscriptions(&self) -> Result<Link, Error> {
        let start = async || {
            if lock(&self.lanes).closed {
                return Err(Error::Closed { command: "SUBSCRIBE".to_owned() });
            }
            let (link, first) =
                Link::start(self.route.clone(), self.setup(0), self.config.link.clone());
            // Who subscribes before there is a connection is told of a gap when there is one.
            link.once_tried(first).await
        };
        self.subscriptions.get_or_try_init(start).await.cloned()
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

    /// A login or a database that was refused is not tried again until somebody asks for it.
    fn forget(&self, database: u32, refused: &Arc<Lane>) {
        let mut lanes = lock(&self.lanes);
        if lanes.open.get(&database).is_some_and(|lane| Arc::ptr_eq(lane, refused)) {
            lanes.open.remove(&database);
        }
    }

    fn setup(&self, database: u32) -> Setup {
        Setup { database, client_name: self.config.client_name.clone() }
    }
}
