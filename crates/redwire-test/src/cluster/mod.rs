mod formation;
mod moves;
mod view;

use self::view::View;
use crate::patience::eventually;
use crate::port::ReservedPort;
use crate::{Generation, RedisServer, Reply};

/// A Redis Cluster of one test's own: real processes on loopback ports, with replicas.
///
/// Nodes are numbered. As it starts, node `i` below the number of masters is a master, in the order of
/// the slots; the others are replicas, node `n` of master `n % masters`. Slots are shared out evenly.
///
/// A node counts as failed after a second of silence. Dropping the cluster kills all processes.
///
/// ```no_run
/// # async fn test() {
/// use redwire_test::RedisCluster;
///
/// let mut cluster = RedisCluster::start(3, 1).await;
/// let owner = cluster.owner_of(12182).await; // the slot of `foo`
/// cluster.kill(owner).await;
/// cluster.until_agreed().await; // its replica has taken over
/// assert_ne!(cluster.owner_of(12182).await, owner);
/// # }
/// ```
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    server: RedisServer,
    /// Where the other nodes reach it.
    bus: ReservedPort,
    id: String,
}

impl RedisCluster {
    /// Starts `masters` × (1 + `replicas_per_master`) nodes and waits until all agree and all replicas are
    /// attached: two to three seconds, most of which Redis takes to believe in a new cluster.
    ///
    /// # Panics
    ///
    /// As [`RedisServer::start`], or if the nodes do not agree within [`PATIENCE`](crate::PATIENCE).
    pub async fn start(masters: usize, replicas_per_master: usize) -> Self {
        Self::start_on(Generation::Redis, masters, replicas_per_master).await
    }

    /// The same with servers of this generation.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub async fn start_on(
        generation: Generation,
        masters: usize,
        replicas_per_master: usize,
    ) -> Self {
        formation::form(generation, masters, replicas_per_master).await
    }

    /// The URL of the first node that runs: one seed.
    ///
    /// # Panics
    ///
    /// If none runs.
    pub fn url(&self) -> String {
        self.first_live().server.url()
    }

    /// The URLs of all nodes, by number.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.server.url()).collect()
    }

    /// Host and port of all nodes, by number.
    pub fn endpoints(&self) -> Vec<(String, u16)> {
        self.nodes.iter().map(|node| ("127.0.0.1".to_owned(), node.server.port())).collect()
    }

    /// A node's server, to send commands to it alone.
    ///
    /// # Panics
    ///
    /// If there is no such node.
    pub fn node(&self, number: usize) -> &RedisServer {
        &self.at(number).server
    }

    /// How many nodes there are, dead ones too.
    pub fn size(&self) -> usize {
        self.nodes.len()
    }

    /// The node that owns the slot, as the first live node says.
    ///
    /// # Panics
    ///
    /// If no node runs, or none owns the slot.
    pub async fn owner_of(&self, slot: u16) -> usize {
        let view = View::of(&self.first_live().server).await;
        let port = view.owner_of(slot).unwrap_or_else(|| panic!("nobody owns slot {slot}"));
        self.number_of(port)
    }

    /// The masters, as the first live node says.
    ///
    /// # Panics
    ///
    /// If no node runs.
    pub async fn masters(&self) -> Vec<usize> {
        let view = View::of(&self.first_live().server).await;
        view.masters().into_iter().map(|port| self.number_of(port)).collect()
    }

    /// The replicas of a master, as the first live node says.
    ///
    /// # Panics
    ///
    /// If no node runs.
    pub async fn replicas_of(&self, master: usize) -> Vec<usize> {
        let view = View::of(&self.first_live().server).await;
        let replicas = view.replicas_of(self.at(master).server.port());
        replicas.into_iter().map(|port| self.number_of(port)).collect()
    }

    /// `kill -9`. What it held is lost unless a replica has it.
    ///
    /// # Panics
    ///
    /// If there is no such node.
    pub async fn kill(&mut self, number: usize) {
        self.at_mut(number).server.kill().await;
    }

    /// `kill -STOP`: as [`RedisServer::freeze`].
    ///
    /// # Panics
    ///
    /// If there is no such node, or it isn't running.
    pub fn freeze(&self, number: usize) {
        self.at(number).server.freeze();
    }

    /// `kill -CONT`: as [`RedisServer::thaw`].
    ///
    /// # Panics
    ///
    /// If there is no such node, or it isn't running.
    pub fn thaw(&self, number: usize) {
        self.at(number).server.thaw();
    }

    /// Starts a node again, on the same port, without data, with what it knew of the cluster.
    ///
    /// # Panics
    ///
    /// If there is no such node, or as [`RedisServer::start`].
    pub async fn restart(&mut self, number: usize) {
        self.at_mut(number).server.restart().await;
    }

    /// `CLUSTER FAILOVER` on a replica: it and its master change places, without loss. Waits until all
    /// nodes agree.
    ///
    /// # Panics
    ///
    /// If the node is no replica, or that does not happen within [`PATIENCE`](crate::PATIENCE).
    pub async fn failover(&self, replica: usize) {
        let server = &self.at(replica).server;
        server.done(&["CLUSTER", "FAILOVER"]).await;
        eventually("the replica to become master", async || {
            let role = server.command(&["ROLE"]).await;
            role.as_array().and_then(<[_]>::first) == Some(&Reply::bulk("master"))
        })
        .await;
        self.until_agreed().await;
    }

    /// Waits until all live nodes show the same slots at the same live masters with the same live replicas,
    /// and find the cluster healthy. So after a kill it waits for the failover.
    ///
    /// # Panics
    ///
    /// If that does not happen within [`PATIENCE`](crate::PATIENCE); it can't while a dead master has no
    /// replica.
    pub async fn until_agreed(&self) {
        eventually("the nodes to agree", async || self.is_agreed().await).await;
    }

    async fn is_agreed(&self) -> bool {
        let live: Vec<_> = self.live().map(|node| node.server.port()).collect();
        let mut first = None;
        for node in self.live() {
            let view = View::of(&node.server).await;
            let is_of_live = view.ports().all(|port| live.contains(&port));
            if !is_of_live || !view::is_healthy(&node.server).await {
                return false;
            }
            if *first.get_or_insert_with(|| view.clone()) != view {
                return false;
            }
        }
        first.is_some()
    }

    fn live(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.server.is_live())
    }

    fn first_live(&self) -> &Node {
        self.live().next().expect("a node that runs")
    }

    fn at(&self, number: usize) -> &Node {
        self.nodes.get(number).unwrap_or_else(|| panic!("there is no node {number}"))
    }

    fn at_mut(&mut self, number: usize) -> &mut Node {
        self.nodes.get_mut(number).unwrap_or_else(|| panic!("there is no node {number}"))
    }

    fn number_of(&self, port: u16) -> usize {
        let number = self.nodes.iter().position(|node| node.server.port() == port);
        number.unwrap_or_else(|| panic!("no node has port {port}"))
    }
}
