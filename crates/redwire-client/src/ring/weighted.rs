use xxhash_rust::xxh3::xxh3_64;

use super::tag;

/// A hash ring that closes, with weights and with the tags of Redis Cluster: `{user7}.name` and
/// `{user7}.mail` are together.
///
/// Nodes have names of their own, which stay when their addresses change. When a node comes or goes, only
/// the keys that it takes or leaves move.
///
/// ```
/// use redwire_client::ring::WeightedRing;
///
/// let ring = WeightedRing::new([("a", 1.0), ("b", 1.0), ("large", 2.0)]);
/// let node = ring.node("user:1000").unwrap();
/// let replicas: Vec<_> = ring.preference("user:1000").take(2).collect();
/// assert_eq!(replicas[0], node);
/// ```
#[derive(Clone, Debug, Default)]
pub struct WeightedRing {
    /// Ascending.
    points: Vec<(u64, usize)>,
    nodes: Vec<Box<str>>,
}

/// Points of a node of weight 1: with as many, loads differ by a few percent.
const POINTS: f64 = 256.0;

impl WeightedRing {
    /// A ring of named nodes with their weights. A node whose weight is no positive number holds nothing.
    pub fn new<S: Into<Box<str>>>(nodes: impl IntoIterator<Item = (S, f64)>) -> Self {
        let mut ring = Self::default();
        for (node, (name, weight)) in nodes.into_iter().enumerate() {
            let name = name.into();
            let count = (POINTS * weight).round().clamp(0.0, 1e6) as u32;
            let hash = |point: u32| xxh3_64(format!("{name}#{point}").as_bytes());
            ring.points.extend((0..count).map(|point| (hash(point), node)));
            ring.nodes.push(name);
        }
        ring.points.sort_unstable();
        ring
    }

    /// The node that holds the key; `None` if no node holds anything.
    pub fn node(&self, key: impl AsRef<[u8]>) -> Option<&str> {
        self.preference(key).next()
    }

    /// All nodes that hold anything, the key's own first: where to go when that one is not there.
    pub fn preference(&self, key: impl AsRef<[u8]>) -> impl Iterator<Item = &str> {
        let hash = xxh3_64(tag::cluster(key.as_ref()));
        let after = self.points.partition_point(|(point, _)| *point <= hash);
        let (before, from) = self.points.split_at(after);
        let mut seen = vec![false; self.nodes.len()];
        from.iter().chain(before).filter_map(move |(_, node)| {
            let seen = seen.get_mut(*node)?;
            let is_new = !std::mem::replace(seen, true);
            is_new.then(|| self.nodes.get(*node).map(|name| &**name))?
        })
    }

    /// All nodes, in the order in which they were given.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(|node| &**node)
    }

    /// Takes a node out, so that others hold its keys. Whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let Some(gone) = self.nodes().position(|node| node == name) else { return false };
        self.nodes.remove(gone);
        self.points.retain(|(_, node)| *node != gone);
        for (_, node) in self.points.iter_mut().filter(|(_, node)| *node > gone) {
            *node -= 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(ring: &WeightedRing, names: &[&str]) -> Vec<usize> {
        let count = |name: &&str| {
            (0..100_000).filter(|key| ring.node(format!("k:{key}")) == Some(name)).count()
        };
        names.iter().map(count).collect()
    }

    #[test]
    fn keys_are_spread_by_weight() {
        let ring = WeightedRing::new([("a", 1.0), ("b", 1.0), ("large", 2.0)]);
        for (count, expected) in
            counts(&ring, &["a", "b", "large"]).into_iter().zip([25_000, 25_000, 50_000])
        {
            assert!(count.abs_diff(expected) < expected / 8, "{count} of {expected}");
        }
    }

    #[test]
    fn only_the_keys_of_a_node_that_goes_move_and_they_go_where_the_preference_said() {
        let nodes = ["a", "b", "c", "d"].map(|name| (name, 1.0));
        let (all, mut fewer) = (WeightedRing::new(nodes), WeightedRing::new(nodes));
        assert!(fewer.remove("b") && !fewer.remove("b"));
        for key in (0..10_000).map(|key| format!("k:{key}")) {
            let expected = all.preference(&key).find(|node| *node != "b");
            assert_eq!(fewer.node(&key), expected, "{key}");
        }
    }

    #[test]
    fn the_preference_has_every_node_once() {
        let ring = WeightedRing::new([("a", 1.0), ("b", 0.1), ("none", 0.0), ("c", f64::NAN)]);
        let mut nodes: Vec<_> = ring.preference("x").collect();
        nodes.sort_unstable();
        assert_eq!(nodes, ["a", "b"]);
        assert_eq!(WeightedRing::default().node("x"), None);
    }

    #[test]
    fn tags_keep_keys_together() {
        let ring = WeightedRing::new([("a", 1.0), ("b", 1.0), ("c", 1.0)]);
        for user in 0..100 {
            let key = |part: &str| format!("{{user{user}}}.{part}");
            assert_eq!(ring.node(key("name")), ring.node(key("mail")));
        }
    }
}
