use std::collections::HashMap;

use redis::Value;

use crate::{Endpoint, SLOTS};

/// More nodes than any cluster has (its specification names 1,000), so that no reply fills memory.
pub(super) const MOST_NODES: usize = 1_024;

const NOBODY: u16 = u16::MAX;

/// Which master has which slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SlotMap {
    /// For each slot the place of its master in `shards`.
    owners: Box<[u16]>,
    shards: Vec<Shard>,
}

/// A master and those that hold the same.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shard {
    master: Endpoint,
    replicas: Vec<Endpoint>,
}

impl Default for SlotMap {
    /// Nobody has anything.
    fn default() -> Self {
        Self { owners: vec![NOBODY; usize::from(SLOTS)].into(), shards: Vec::new() }
    }
}

impl SlotMap {
    /// From the reply to `CLUSTER SLOTS`; `asked` stands in where it names no host. None if it names no
    /// master.
    pub(super) fn parse(reply: &Value, asked: &Endpoint) -> Option<Self> {
        let Value::Array(ranges) = reply else { return None };
        let mut map = Self::default();
        let mut places = HashMap::new();
        for (first, last, nodes) in ranges.iter().filter_map(range) {
            let mut nodes = nodes.iter().filter_map(|node| endpoint(node, asked));
            let Some(master) = nodes.next() else { continue };
            let place = *places.entry(master.clone()).or_insert_with(|| map.place_of(&master));
            if let Some(shard) = map.shards.get_mut(usize::from(place)) {
                shard.replicas = nodes.take(MOST_NODES).collect();
            }
            if let Some(owners) = map.owners.get_mut(usize::from(first)..=usize::from(last)) {
                owners.fill(place);
            }
        }
        (!map.shards.is_empty()).then_some(map)
    }

    pub(super) fn owner(&self, slot: u16) -> Option<&Endpoint> {
        let place = self.owners.get(usize::from(slot))?;
        self.shards.get(usize::from(*place)).map(|shard| &shard.master)
    }

    /// Whether that is news.
    pub(super) fn assign(&mut self, slot: u16, master: &Endpoint) -> bool {
        if self.owner(slot) == Some(master) {
            return false;
        }
        let place = self.place_of(master);
        if let Some(owner) = self.owners.get_mut(usize::from(slot)) {
            *owner = place;
        }
        true
    }

    pub(super) fn masters(&self) -> impl ExactSizeIterator<Item = &Endpoint> + Clone {
        self.shards.iter().map(|shard| &shard.master)
    }

    /// Masters and replicas.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Endpoint> {
        self.shards.iter().flat_map(|shard| shard.replicas.iter().chain([&shard.master]))
    }

    /// Where the master stands, added if it is new.
    fn place_of(&mut self, master: &Endpoint) -> u16 {
        if let Some(place) = self.masters().position(|known| known == master) {
            return u16::try_from(place).unwrap_or(NOBODY);
        }
        if self.shards.len() >= MOST_NODES {
            return NOBODY;
        }
        self.shards.push(Shard { master: master.clone(), replicas: Vec::new() });
        u16::try_from(self.shards.len() - 1).unwrap_or(NOBODY)
    }
}

/// From the first slot to the last, and the nodes that have them, the master first.
fn range(range: &Value) -> Option<(u16, u16, &[Value])> {
    let Value::Array(range) = range else { return None };
    let [Value::Int(first), Value::Int(last), nodes @ ..] = range.as_slice() else { return None };
    Some((u16::try_from(*first).ok()?, u16::try_from(*last).ok()?, nodes))
}

/// None if even the node that answered does not know where it is.
fn endpoint(node: &Value, asked: &Endpoint) -> Option<Endpoint> {
    let Value::Array(node) = node else { return None };
    let [host, Value::Int(port), ..] = node.as_slice() else { return None };
    let host = match host {
        Value::Nil => "",
        Value::BulkString(host) => str::from_utf8(host).ok()?,
        Value::SimpleString(host) => host,
        _ => return None,
    };
    located(host, u16::try_from(*port).ok()?, asked)
}

/// No host means the host that was asked, and a question mark that it is not known (redis.io,
/// CLUSTER SLOTS).
pub(super) fn located(host: &str, port: u16, asked: &Endpoint) -> Option<Endpoint> {
    let host = match (host, asked) {
        ("?", _) => return None,
        ("", Endpoint::Tcp { host, .. }) => host,
        ("", Endpoint::Unix(_)) => "localhost",
        (host, _) => host,
    };
    (port > 0).then(|| Endpoint::tcp(host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(host: Value, port: i64) -> Value {
        Value::Array(vec![host, Value::Int(port), Value::BulkString(b"id".to_vec())])
    }

    fn host(name: &str) -> Value {
        Value::BulkString(name.as_bytes().to_vec())
    }

    fn slots(first: i64, last: i64, nodes: Vec<Value>) -> Value {
        Value::Array([vec![Value::Int(first), Value::Int(last)], nodes].concat())
    }

    fn parse(ranges: Vec<Value>) -> Option<SlotMap> {
        SlotMap::parse(&Value::Array(ranges), &Endpoint::tcp("asked", 7000))
    }

    #[test]
    fn every_slot_is_its_masters() {
        let one = || node(host("one"), 1);
        let two = slots(101, 16_383, vec![node(host("::1"), 2), node(host("two"), 3)]);
        let map = parse(vec![slots(0, 0, vec![one()]), two, slots(2, 100, vec![one()])]).unwrap();
        for (slot, owner) in [
            (0, Some(Endpoint::tcp("one", 1))),
            (1, None),
            (100, Some(Endpoint::tcp("one", 1))),
            (101, Some(Endpoint::tcp("::1", 2))),
            (16_383, Some(Endpoint::tcp("::1", 2))),
            (16_384, None),
        ] {
            assert_eq!(map.owner(slot), owner.as_ref(), "{slot}");
        }
        assert_eq!((map.masters().len(), map.nodes().count()), (2, 3));
    }

    #[test]
    fn a_node_without_a_host_is_where_the_answer_came_from() {
        for nameless in [Value::Nil, host("")] {
            let map = parse(vec![slots(0, 9, vec![node(nameless, 7001)])]).unwrap();
            assert_eq!(map.owner(9), Some(&Endpoint::tcp("asked", 7001)));
        }
        assert_eq!(parse(vec![slots(0, 9, vec![node(host("?"), 7001)])]), None);
    }

    #[test]
    fn what_is_no_map_is_none() {
        assert_eq!(parse(vec![]), None);
        assert_eq!(parse(vec![Value::Nil, slots(0, 9, vec![])]), None);
        let odd = parse(vec![slots(9, 0, vec![node(host("one"), 1)])]).unwrap();
        assert_eq!(odd.owner(5), None);
        assert_eq!(parse(vec![slots(0, 9, vec![node(host("one"), 70_000)])]), None);
    }

    #[test]
    fn one_slot_moves_and_the_others_stay() {
        let mut map = parse(vec![slots(0, 9, vec![node(host("one"), 1)])]).unwrap();
        let two = Endpoint::tcp("two", 2);
        assert!(map.assign(5, &two));
        assert!(!map.assign(5, &two));
        assert_eq!(map.owner(5), Some(&two));
        assert_eq!(map.owner(4), Some(&Endpoint::tcp("one", 1)));
    }
}
