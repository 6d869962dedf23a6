//! How a cluster comes to be, as fast as Redis allows.

use super::view::{View, text};
use super::{Node, RedisCluster};
use crate::patience::eventually;
use crate::port::ReservedPort;
use crate::{Generation, RedisServer};

const SLOTS: usize = 16384;

pub(super) async fn form(generation: Generation, masters: usize, replicas: usize) -> RedisCluster {
    assert!(masters > 0, "a cluster without a master");
    let mut nodes = Vec::new();
    for _ in 0..masters * (1 + replicas) {
        nodes.push(start(generation).await);
    }
    let cluster = RedisCluster { nodes };
    let (chiefs, followers) = cluster.nodes.split_at(masters);
    share_out(chiefs).await;
    introduce(&cluster.nodes).await;
    for (number, follower) in followers.iter().enumerate() {
        let chief = chiefs.get(number % masters).expect("a number below theirs");
        follower.server.done(&["CLUSTER", "REPLICATE", &chief.id]).await;
    }
    for follower in followers {
        eventually("a replica to be in step with its master", async || {
            let replication = text(&follower.server, &["INFO", "replication"]).await;
            replication.contains("master_link_status:up")
        })
        .await;
    }
    eventually("everybody to know every replica", async || {
        let mut all = true;
        for node in &cluster.nodes {
            let view = View::of(&node.server).await;
            all &= view.masters().len() == masters;
            all &= view.masters().iter().all(|port| view.replicas_of(*port).len() == replicas);
        }
        all
    })
    .await;
    cluster.until_agreed().await;
    cluster
}

async fn start(generation: Generation) -> Node {
    let bus = ReservedPort::any();
    let bus_port = bus.number().to_string();
    let args = [
        &["--cluster-enabled", "yes", "--cluster-port", &bus_port][..],
        // Redis learns its own address late, from others.
        &["--cluster-announce-ip", "127.0.0.1"],
        &["--cluster-node-timeout", "1000", "--cluster-allow-replica-migration", "no"],
        // A replica takes over however old its data is.
        &["--cluster-replica-validity-factor", "0"],
        // By default a master waits five seconds for more replicas before it sends its data.
        &["--repl-diskless-sync-delay", "0"],
        // CLUSTER SLOTS hides a replica that has received nothing, not even a ping.
        &["--repl-ping-replica-period", "1"],
    ];
    let server = RedisServer::start_as(generation, &args.concat()).await;
    let id = text(&server, &["CLUSTER", "MYID"]).await;
    Node { server, bus, id }
}

async fn share_out(masters: &[Node]) {
    for (number, master) in masters.iter().enumerate() {
        let first = number * SLOTS / masters.len();
        let last = (number + 1) * SLOTS / masters.len() - 1;
        let (first, last) = (first.to_string(), last.to_string());
        let epoch = (number + 1).to_string();
        master.server.done(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]).await;
        master.server.done(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]).await;
    }
}

/// Each pair by itself, because gossip would take seconds.
async fn introduce(nodes: &[Node]) {
    for (number, node) in nodes.iter().enumerate() {
        for other in nodes.iter().skip(number + 1) {
            let (port, bus) = (other.server.port().to_string(), other.bus.number().to_string());
            node.server.done(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]).await;
        }
    }
    for node in nodes {
        eventually("the nodes to know each other", async || {
            let known = text(&node.server, &["CLUSTER", "NODES"]).await;
            known.lines().filter(|line| !line.contains("handshake")).count() == nodes.len()
        })
        .await;
    }
}
