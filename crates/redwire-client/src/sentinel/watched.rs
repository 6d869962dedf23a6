use std::sync::{Arc, Weak};

use tokio::sync::watch;

use super::Sentinels;
use super::route::{ToMaster, ToReplica};
use crate::handle::Scope;
use crate::link::Server;
use crate::node::Node;
use crate::{Config, Endpoint};

/// A master under sentinels, and its replicas: whoever they are at present.
#[derive(Debug)]
pub(crate) struct Watched {
    sentinels: Arc<Sentinels>,
    master: Arc<Node>,
    replicas: Arc<Node>,
}

impl Watched {
    pub(crate) fn new(sentinels: Vec<Server>, master: &str, config: &Arc<Config>) -> Self {
        let sentinels = Sentinels::new(sentinels, master, config);
        let node = |route| Arc::new(Node::new(route, config.clone()));
        let master = node(Arc::new(ToMaster(sentinels.clone())));
        let replicas = node(Arc::new(ToReplica::new(sentinels.clone())));
        let nodes = [Arc::downgrade(&master), Arc::downgrade(&replicas)];
        tokio::spawn(follow(sentinels.place.subscribe(), nodes));
        Self { sentinels, master, replicas }
    }

    pub(crate) fn master(&self) -> &Node {
        &self.master
    }

    /// The server for a handle of this scope.
    pub(crate) fn node(&self, scope: Scope) -> &Node {
        if scope.replicas { &self.replicas } else { &self.master }
    }

    /// The master if it is known, or else the sentinels.
    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        match &*self.sentinels.place.borrow() {
            Some(master) => vec![master.clone()],
            None => self.master.endpoints(),
        }
    }

    pub(crate) fn close(&self) {
        self.master.close();
        self.replicas.close();
        self.sentinels.close();
    }
}

/// Drops what is connected to a former master, as soon as there is a new one. Ends with the sentinels.
async fn follow(mut place: watch::Receiver<Option<Endpoint>>, [master, replicas]: [Weak<Node>; 2]) {
    let mut last = None;
    while place.changed().await.is_ok() {
        let Some(new) = place.borrow_and_update().clone() else { continue };
        if let Some(node) = master.upgrade() {
            node.move_to(&new);
        }
        // One of them has become the master.
        if let Some(_old) = last.replace(new)
            && let Some(node) = replicas.upgrade()
        {
            node.renew();
        }
    }
}
