//! The cluster as one of its nodes sees it.

use std::collections::BTreeSet;

use crate::{RedisServer, Reply};

/// Ranges of slots, from first to last, each with the port of its master and those of its replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    ranges: Vec<(u16, u16, u16, BTreeSet<u16>)>,
    /// Each master with its epoch. A slot that moves while a node does not know the newest epoch can end
    /// with nobody: two masters each take the other for its owner, for ever.
    epochs: BTreeSet<(String, String)>,
}

impl View {
    pub(super) async fn of(node: &RedisServer) -> Self {
        let reply = node.command(&["CLUSTER", "SLOTS"]).await;
        let ranges = reply.as_array().and_then(|ranges| ranges.iter().map(range).collect());
        let mut ranges: Vec<_> = ranges.unwrap_or_else(|| panic!("CLUSTER SLOTS said {reply:?}"));
        ranges.sort();
        let nodes = text(node, &["CLUSTER", "NODES"]).await;
        Self { ranges, epochs: nodes.lines().filter_map(epoch).collect() }
    }

    pub(super) fn owner_of(&self, slot: u16) -> Option<u16> {
        let mut ranges = self.ranges.iter();
        ranges.find(|(first, last, ..)| (*first..=*last).contains(&slot)).map(|range| range.2)
    }

    pub(super) fn masters(&self) -> BTreeSet<u16> {
        self.ranges.iter().map(|range| range.2).collect()
    }

    pub(super) fn replicas_of(&self, master: u16) -> BTreeSet<u16> {
        let ranges = self.ranges.iter().filter(|range| range.2 == master);
        ranges.flat_map(|range| range.3.iter().copied()).collect()
    }

    pub(super) fn ports(&self) -> impl Iterator<Item = u16> {
        self.ranges.iter().flat_map(|range| range.3.iter().copied().chain([range.2]))
    }
}

/// `id address flags master ping pong epoch link slot…`
fn epoch(line: &str) -> Option<(String, String)> {
    let words: Vec<_> = line.split(' ').collect();
    let [id, _, flags, _, _, _, epoch, ..] = words.as_slice() else { return None };
    flags.contains("master").then(|| ((*id).to_owned(), (*epoch).to_owned()))
}

fn range(reply: &Reply) -> Option<(u16, u16, u16, BTreeSet<u16>)> {
    let [first, last, master, replicas @ ..] = reply.as_array()? else { return None };
    let replicas = replicas.iter().map(port).collect::<Option<_>>()?;
    Some((number(first)?, number(last)?, port(master)?, replicas))
}

fn port(node: &Reply) -> Option<u16> {
    number(node.as_array()?.get(1)?)
}

fn number(reply: &Reply) -> Option<u16> {
    reply.as_integer()?.try_into().ok()
}

pub(super) async fn is_healthy(node: &RedisServer) -> bool {
    text(node, &["CLUSTER", "INFO"]).await.contains("cluster_state:ok")
}

/// A reply of lines or of one word.
pub(super) async fn text(node: &RedisServer, command: &[&str]) -> String {
    match node.command(command).await {
        Reply::Bulk(Some(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
        reply => panic!("{command:?} answered {reply:?}"),
    }
}
