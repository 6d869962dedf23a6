use super::tag;

/// The hash ring of `txredisapi` up to 1.6, as all data was placed that it sharded.
///
/// Every node has 160 points, the CRC32 of `"name:0"` to `"name:159"`. A key belongs to the first point
/// beyond its own CRC32, and above the last point to the last one: this ring does not close. CRC32 is
/// signed, as Python 2 computed it. What stands between the last braces of a key, if anything stands
/// before them, is all that counts of it.
///
/// ```
/// use redwire_client::ring::CompatRing;
///
/// let ring = CompatRing::new(["server1:6379", "server2:6379", "server3:6379"]);
/// assert_eq!(ring.node("bar"), Some("server2:6379"));
/// assert_eq!(ring.node("test{lero}:1"), ring.node("test{lero}:2"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct CompatRing {
    /// Ascending.
    points: Vec<(i32, usize)>,
    nodes: Vec<Box<str>>,
}

const POINTS: usize = 160;

impl CompatRing {
    /// A ring of these nodes: `host:port`, or the path of a socket.
    pub fn new<S: Into<Box<str>>>(nodes: impl IntoIterator<Item = S>) -> Self {
        let nodes: Vec<Box<str>> = nodes.into_iter().map(Into::into).collect();
        let points = nodes.iter().enumerate().flat_map(|(node, name)| {
            (0..POINTS).map(move |point| (signed_crc32(format!("{name}:{point}").as_bytes()), node))
        });
        let mut points: Vec<_> = points.collect();
        points.sort_unstable();
        // Of two nodes on one point the later one has it, as in a Python dict.
        points.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1 = later.1;
            }
            same
        });
        Self { points, nodes }
    }

    /// The node that holds the key; `None` if there are no nodes.
    pub fn node(&self, key: impl AsRef<[u8]>) -> Option<&str> {
        let hash = signed_crc32(tag::txredisapi(key.as_ref()));
        let after = self.points.partition_point(|(point, _)| *point <= hash);
        let (_, node) = self.points.get(after).or(self.points.last())?;
        self.nodes.get(*node).map(|node| &**node)
    }

    /// All nodes, in the order in which they were given.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(|node| &**node)
    }

    /// Takes a node out, so that others hold its keys. Whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        if self.nodes().all(|node| node != name) {
            return false;
        }
        // Anew, because another node may have wanted one of its points.
        let left = self.nodes.iter().filter(|node| &***node != name);
        *self = Self::new(left.cloned());
        true
    }
}

fn signed_crc32(bytes: &[u8]) -> i32 {
    crc32fast::hash(bytes).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> CompatRing {
        CompatRing::new(["server1:6379", "server2:6379", "server3:6379"])
    }

    fn number(ring: &CompatRing, key: &str) -> char {
        ring.node(key).unwrap().chars().nth(6).unwrap()
    }

    #[test]
    fn s302_keys_are_where_txredisapi_placed_them() {
        let ring = ring();
        for (key, node) in [
            ("foo", '1'),
            ("bar", '2'),
            ("a", '1'),
            ("b", '1'),
            ("foo00", '2'),
            ("foo01", '2'),
            ("foo99", '2'),
            ("test:0", '1'),
            ("test:99", '1'),
            ("user:1000", '1'),
            ("k:999", '1'),
        ] {
            assert_eq!(number(&ring, key), node, "{key}");
        }
    }

    #[test]
    fn s303_hashes_are_signed_and_the_last_point_keeps_what_is_above_it() {
        let ring = ring();
        for key in ["k:156", "k:1039", "k:1264"] {
            assert_eq!(number(&ring, key), '2', "{key}");
        }
    }

    #[test]
    fn s304_of_a_key_with_a_tag_only_the_tag_counts() {
        let ring = ring();
        for key in ["test{lero}:1", "test{lero}:2"] {
            assert_eq!(ring.node(key), ring.node("lero"), "{key}");
            assert_eq!(number(&ring, key), '3');
        }
        assert_eq!(number(&ring, "x{a}y{b}z"), '1');
        assert_eq!(ring.node("x{a}y{b}z"), ring.node("b"));
        assert_eq!(number(&ring, "foo{}"), '2');
        assert_eq!(number(&ring, "{lero}x"), '3');
    }

    #[test]
    fn s305_a_thousand_keys_are_spread_as_they_were() {
        let ring = ring();
        let count = |node| (0..1000).filter(|k| number(&ring, &format!("k:{k}")) == node).count();
        assert_eq!(['1', '2', '3'].map(count), [290, 433, 277]);
    }

    // T-59
    #[test]
    fn a_node_that_is_removed_leaves_its_keys_to_the_others() {
        let mut ring = ring();
        assert!(ring.remove("server2:6379"));
        let without = CompatRing::new(["server1:6379", "server3:6379"]);
        for key in (0..1000).map(|key| format!("k:{key}")) {
            assert_eq!(ring.node(&key), without.node(&key), "{key}");
        }
        assert!(!ring.remove("server2:6379"));
        assert_eq!(ring.nodes().collect::<Vec<_>>(), ["server1:6379", "server3:6379"]);
    }

    #[test]
    fn a_ring_without_nodes_holds_nothing() {
        assert_eq!(CompatRing::default().node("a"), None);
    }
}
