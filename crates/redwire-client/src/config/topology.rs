/// What the endpoints are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Topology {
    /// One server. Several endpoints are ways to it, or stand-ins for it: they are tried in order until
    /// one connects.
    #[default]
    Single,
    /// A cluster. The endpoints are seeds: any of them can name all the others.
    Cluster,
    /// A server with replicas, watched by sentinels. The endpoints are the sentinels.
    Sentinel {
        /// The name under which the sentinels know the master, such as `mymaster`.
        master: String,
    },
}
