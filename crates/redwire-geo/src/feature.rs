use crate::geometry::Geometry;
use crate::tape::Node;

/// What a message is, to a map.
#[derive(Debug)]
pub(crate) enum Item<'a> {
    /// Not a feature: nothing here looks at it.
    Alien,
    /// A feature; its geometry where it has one that is well formed.
    Feature(Node<'a>, Option<(Node<'a>, Geometry)>),
    /// A feature collection.
    Collection(Node<'a>, Vec<Self>),
}

impl<'a> Item<'a> {
    pub(crate) fn read(node: Node<'a>) -> Self {
        let Some(kind) = node.member("type") else { return Self::Alien };
        if kind.is_string("Feature") {
            let geometry = node.member("geometry");
            let located = geometry.and_then(|node| Some((node, Geometry::read(node)?)));
            return Self::Feature(node, located);
        }
        let members = node.member("features").and_then(|members| members.elements());
        match members {
            Some(members) if kind.is_string("FeatureCollection") => {
                Self::Collection(node, members.map(Self::read).collect())
            }
            _ => Self::Alien,
        }
    }
}
