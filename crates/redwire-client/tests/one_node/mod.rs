//! A Redis Cluster of one node, which can lose slots.

#![allow(dead_code, reason = "each of the tests uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be set up fails its test")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use redwire_client::{Link, redis};
use redwire_test::{RedisServer, eventually};
use tempfile::TempDir;

pub(crate) struct OneNode {
    process: Child,
    ports: [RedisServer; 2],
    _directory: TempDir,
    admin: Link,
}

impl OneNode {
    /// Serves all slots.
    pub(crate) async fn start() -> Self {
        let node = Self::start_empty().await;
        node.cluster(&["ADDSLOTSRANGE", "0", "16383"]).await;
        eventually("the cluster to be up", async || {
            let mut command = redis::cmd("CLUSTER");
            let info = node.admin.command(command.arg("INFO")).await.unwrap();
            format!("{info:?}").contains("cluster_state:ok")
        })
        .await;
        node
    }

    async fn start_empty() -> Self {
        let ports = [RedisServer::reserved().await, RedisServer::reserved().await];
        let directory = TempDir::with_prefix("redwire-").unwrap();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.args(["--cluster-enabled", "yes", "--cluster-require-full-coverage", "no"]);
        command.arg("--port").arg(ports[0].port().to_string());
        command.arg("--cluster-port").arg(ports[1].port().to_string());
        command.arg("--dir").arg(directory.path());
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let admin = Link::connect(&ports[0].url()).await.unwrap();
        eventually("the node to answer", async || admin.is_live()).await;
        Self { process, ports, _directory: directory, admin }
    }

    pub(crate) fn url(&self) -> String {
        self.ports[0].url()
    }

    pub(crate) fn admin(&self) -> &Link {
        &self.admin
    }

    pub(crate) async fn lose_slot_of(&self, key: &str) {
        self.cluster(&["DELSLOTS", &redwire_client::slot(key).to_string()]).await;
    }

    pub(crate) async fn serve_slot_of(&self, key: &str) {
        self.cluster(&["ADDSLOTS", &redwire_client::slot(key).to_string()]).await;
    }

    /// A connection that Redis knows, so that what is written to it comes in its turn.
    pub(crate) fn connect(&self) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.ports[0].port())).unwrap();
        stream.write_all(b"PING\r\n").unwrap();
        stream.read_exact(&mut [0; 7]).unwrap();
        stream
    }

    pub(crate) async fn spublish(&self, channel: &str, payload: &str) {
        let mut command = redis::cmd("SPUBLISH");
        self.admin.command(command.arg(channel).arg(payload)).await.unwrap();
    }

    /// `kill -STOP`; returns when it has stopped.
    pub(crate) async fn freeze(&self) {
        self.signal("-STOP");
        let status = format!("/proc/{}/stat", self.process.id());
        eventually("the node to stop", async || {
            fs::read_to_string(&status).unwrap().contains(") T ")
        })
        .await;
    }

    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(name).arg(self.process.id().to_string()).status();
        assert!(sent.unwrap().success());
    }

    async fn cluster(&self, words: &[&str]) {
        let mut command = redis::cmd("CLUSTER");
        self.admin.command(command.arg(words)).await.unwrap();
    }
}

impl Drop for OneNode {
    fn drop(&mut self) {
        // Both fail only if it is already gone.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
