//! Slots that change their master.

use super::RedisCluster;
use crate::Reply;

impl RedisCluster {
    /// Moves a slot with its keys from one master to another, as `redis-cli --cluster reshard` does, and
    /// waits until all nodes agree.
    ///
    /// # Panics
    ///
    /// If `from` does not own the slot, `to` is no master, or a node refuses.
    pub async fn move_slot(&self, slot: u16, from: usize, to: usize) {
        self.begin_move(slot, from, to).await;
        self.move_keys(slot, from, to).await;
        self.finish_move(slot, from, to).await;
        self.until_agreed().await;
    }

    /// The first step: `from` answers for keys that it has and says ASK for others; `to` answers who was
    /// sent there by ASK.
    ///
    /// # Panics
    ///
    /// As [`move_slot`](Self::move_slot).
    pub async fn begin_move(&self, slot: u16, from: usize, to: usize) {
        let (from, to, slot) = (self.at(from), self.at(to), slot.to_string());
        to.server.done(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from.id]).await;
        from.server.done(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to.id]).await;
    }

    /// The second step: all keys of the slot that `from` has now.
    ///
    /// # Panics
    ///
    /// As [`move_slot`](Self::move_slot).
    pub async fn move_keys(&self, slot: u16, from: usize, to: usize) {
        loop {
            let slot = slot.to_string();
            let keys = ["CLUSTER", "GETKEYSINSLOT", &slot, "100"];
            let reply = self.at(from).server.command(&keys).await;
            let keys = reply.as_array().unwrap_or_else(|| panic!("no keys, but {reply:?}"));
            if keys.is_empty() {
                return;
            }
            let keys: Vec<_> = keys.iter().filter_map(Reply::as_bytes).collect();
            self.migrate(&keys, from, to).await;
        }
    }

    /// Only this key, so that its slot is in two places.
    ///
    /// # Panics
    ///
    /// As [`move_slot`](Self::move_slot).
    pub async fn move_key(&self, key: impl AsRef<[u8]>, from: usize, to: usize) {
        self.migrate(&[key.as_ref()], from, to).await;
    }

    /// The last step: every live master is told who owns the slot now. Replicas hear of it later.
    ///
    /// # Panics
    ///
    /// As [`move_slot`](Self::move_slot).
    pub async fn finish_move(&self, slot: u16, from: usize, to: usize) {
        let slot = slot.to_string();
        let assign = ["CLUSTER", "SETSLOT", &slot, "NODE", &self.at(to).id];
        // The new owner first: if the old one were first, nobody would own the slot for a moment.
        self.at(to).server.done(&assign).await;
        self.at(from).server.done(&assign).await;
        for number in self.masters().await {
            if number != to && number != from && self.at(number).server.is_live() {
                self.at(number).server.done(&assign).await;
            }
        }
    }

    async fn migrate(&self, keys: &[&[u8]], from: usize, to: usize) {
        let port = self.at(to).server.port().to_string();
        let timeout_ms = "5000";
        let head = ["MIGRATE", "127.0.0.1", &port, "", "0", timeout_ms, "KEYS"];
        let command: Vec<_> =
            head.iter().map(|arg| arg.as_bytes()).chain(keys.iter().copied()).collect();
        self.at(from).server.done(&command).await;
    }

    /// How many keys the node has of the slot.
    ///
    /// # Panics
    ///
    /// If there is no such node.
    pub async fn keys_in(&self, slot: u16, number: usize) -> i64 {
        let count = ["CLUSTER", "COUNTKEYSINSLOT", &slot.to_string()];
        self.at(number).server.integer(&count).await
    }
}
