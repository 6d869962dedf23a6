/// One number that a set has to tell whoever runs the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    /// In snake case, without a prefix and without `_total`: `geo_unlocatable`.
    pub name: &'static str,
    /// What it counts, in a few words.
    pub help: &'static str,
    /// Whether it only grows.
    pub is_counter: bool,
    /// The number now.
    pub value: u64,
}

impl Figure {
    /// A number that only grows.
    pub fn counter(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, help, is_counter: true, value }
    }

    /// A number that comes and goes.
    pub fn gauge(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, help, is_counter: false, value }
    }
}
