//! How Redis is reached: where, as whom, and with which deadlines and bounds.

mod check;
mod clients;
mod endpoint;
mod link;
#[cfg_attr(not(feature = "tls"), path = "no_tls.rs")]
mod tls;
mod topology;
mod url;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

pub use endpoint::Endpoint;
pub use link::LinkConfig;
#[cfg(feature = "tls")]
pub use tls::Tls;
#[cfg(not(feature = "tls"))]
use tls::Tls;
pub(crate) use tls::is_disagreement;
pub use topology::Topology;

use crate::Error;

/// How to reach Redis.
///
/// From a URL, by setters, or both; a later setter replaces what was said before:
///
/// ```
/// use std::time::Duration;
/// use redwire_client::{Config, Endpoint};
///
/// # fn main() -> Result<(), redwire_client::Error> {
/// let config = Config::from_url("redis://ann:secret@one.example,two.example:7000/3")?
///     .client_name("shop")
///     .connect_timeout(Duration::from_secs(5));
/// let same = Config::default()
///     .endpoints([Endpoint::tcp("one.example", 6379), Endpoint::tcp("two.example", 7000)])
///     .username("ann")
///     .password("secret")
///     .database(3)
///     .client_name("shop")
///     .connect_timeout(Duration::from_secs(5));
/// assert_eq!(config, same);
/// # Ok(())
/// # }
/// ```
///
/// # URLs
///
/// ```text
/// redis://[[user:]password@][host[:port][,host[:port]]…][/database][?option=value&…]
/// redis+cluster://…                     the hosts are seeds of a cluster
/// redis+sentinel://host,host/master[/database]    they are sentinels, on port 26379
/// rediss://, rediss+cluster://, rediss+sentinel://   the same over TLS
/// redis+unix://[[user:]password@]/path[?database=3&…]
/// ```
///
/// `valkey` and `valkeys` may stand for `redis` and `rediss`, `ssl` for `rediss`, `unix` and
/// `redis-socket` for `redis+unix`. No host means localhost, no port 6379. An IPv6 address stands in
/// brackets. A lone word before the `@` is the password. In a login and a path, `@ / ? # %` are written
/// `%40 %2F %3F %23 %25`.
///
/// | option | value |
/// |---|---|
/// | `user` or `username`, `pass` or `password` | as before the `@` |
/// | `db` or `database` | as in the path |
/// | `sentinel_username`, `sentinel_password` | text |
/// | `min_other_sentinels` | a number |
/// | `client_name` | text without spaces |
/// | `connect_timeout`, `command_timeout`, `heartbeat` | seconds above 0, such as `0.5` |
/// | `keepalive` | seconds, 1 and up |
/// | `pool_wait` | seconds, 0 and up |
/// | `pool_size` | a number, 1 and up |
/// | `retries` | a number |
/// | `nodelay`, `eager`, `reconnect` | `true`, `yes`, `on`, `1` or `false`, `no`, `off`, `0` |
/// | `protocol` | `3` or `resp3`, the only one that is spoken |
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) topology: Topology,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) sentinel_username: Option<String>,
    pub(crate) sentinel_password: Option<String>,
    pub(crate) min_other_sentinels: usize,
    pub(crate) client_name: Option<String>,
    pub(crate) database: u32,
    pub(crate) tls: Option<Tls>,
    pub(crate) nodelay: bool,
    pub(crate) keepalive: Option<Duration>,
    pub(crate) pool_size: usize,
    pub(crate) pool_wait: Option<Duration>,
    pub(crate) eager: bool,
    pub(crate) retries: u32,
    pub(crate) link: LinkConfig,
}

impl Default for Config {
    /// `localhost:6379` without a login, database 0.
    fn default() -> Self {
        Self {
            endpoints: vec![Endpoint::tcp("localhost", endpoint::PORT)],
            topology: Topology::Single,
            username: None,
            password: None,
            sentinel_username: None,
            sentinel_password: None,
            min_other_sentinels: 0,
            client_name: None,
            database: 0,
            tls: None,
            nodelay: true,
            keepalive: None,
            pool_size: 10,
            pool_wait: None,
            eager: false,
            retries: 2,
            link: LinkConfig::default(),
        }
    }
}

impl Config {
    /// What a URL says, and the defaults for the rest.
    ///
    /// # Errors
    ///
    /// [`Error::Url`] names the first bad part.
    pub fn from_url(url: &str) -> Result<Self, Error> {
        Self::default().url(url)
    }

    /// Replaces what a URL speaks of: where to connect in any case, the rest as far as it is named. So a
    /// program has its own say first, and whoever runs it the last word:
    ///
    /// ```
    /// use std::time::Duration;
    /// use redwire_client::{Config, LinkConfig};
    ///
    /// # fn main() -> Result<(), redwire_client::Error> {
    /// let link = LinkConfig { feed_messages: 1_000, ..LinkConfig::default() };
    /// let config = Config::default().link(link).url("redis://one.example?command_timeout=5")?;
    /// let same = Config::from_url("redis://one.example")?.link(LinkConfig {
    ///     feed_messages: 1_000,
    ///     command_timeout: Duration::from_secs(5),
    ///     ..LinkConfig::default()
    /// });
    /// assert_eq!(config, same);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// `rediss://` leaves a `Tls` as it is, if one was given.
    ///
    /// # Errors
    ///
    /// As [`from_url`](Self::from_url); also if a `Tls` was given, and the URL is one without TLS.
    pub fn url(self, url: &str) -> Result<Self, Error> {
        url::apply(self, url)
    }

    /// Where to connect: at least one. See [`Topology`] for what several mean.
    pub fn endpoints(mut self, endpoints: impl IntoIterator<Item = Endpoint>) -> Self {
        self.endpoints = endpoints.into_iter().collect();
        self
    }

    /// What the endpoints are. A single server by default.
    pub fn topology(mut self, topology: Topology) -> Self {
        self.topology = topology;
        self
    }

    /// The user of Redis' access lists (Redis 6). Without one, the password is the default user's.
    pub fn username(mut self, name: impl Into<String>) -> Self {
        self.username = Some(name.into());
        self
    }

    /// Sent on each new connection before anything else. Never printed.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// The user for the sentinels. They have access lists of their own.
    pub fn sentinel_username(mut self, name: impl Into<String>) -> Self {
        self.sentinel_username = Some(name.into());
        self
    }

    /// The password for the sentinels. [`password`](Self::password) is not sent to them.
    pub fn sentinel_password(mut self, password: impl Into<String>) -> Self {
        self.sentinel_password = Some(password.into());
        self
    }

    /// How many other sentinels a sentinel must know of for its word on the master to count: one that was
    /// cut off from the others, or has just started, may be wrong. 0 by default.
    pub fn min_other_sentinels(mut self, count: usize) -> Self {
        self.min_other_sentinels = count;
        self
    }

    /// What `CLIENT LIST` shows for each connection. Printable ASCII without spaces.
    pub fn client_name(mut self, name: impl Into<String>) -> Self {
        self.client_name = Some(name.into());
        self
    }

    /// The database that commands go to. 0 by default.
    pub fn database(mut self, number: u32) -> Self {
        self.database = number;
        self
    }

    /// Encrypts the connections, and says whom to trust; also those to sentinels. `rediss://` in a URL is
    /// [`Tls::default()`].
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// For connecting and logging in together. Writes [`LinkConfig::connect_timeout`].
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.link.connect_timeout = timeout;
        self
    }

    /// From the call of a command to its reply. Writes [`LinkConfig::command_timeout`].
    pub fn command_timeout(mut self, timeout: Duration) -> Self {
        self.link.command_timeout = timeout;
        self
    }

    /// Lets the kernel probe a connection that was idle for this long, three times, a third of it
    /// apart: a lost host is noticed after twice this. Whole seconds, 1 and up. Off by default, because
    /// [`LinkConfig::heartbeat`] is quicker; it is for connections that wait in a blocking command.
    pub fn keepalive(mut self, idle: Duration) -> Self {
        self.keepalive = Some(idle);
        self
    }

    /// Whether small writes are sent at once (`TCP_NODELAY`). On by default.
    pub fn nodelay(mut self, on: bool) -> Self {
        self.nodelay = on;
        self
    }

    /// How many connections blocking commands may occupy at a time, for each server and database. 1 and
    /// up, 10 by default.
    pub fn pool_size(mut self, connections: usize) -> Self {
        self.pool_size = connections;
        self
    }

    /// How long a blocking command waits for a free connection. As long as it takes by default.
    pub fn pool_wait(mut self, longest: Duration) -> Self {
        self.pool_wait = Some(longest);
        self
    }

    /// Whether a Redis that cannot be reached is an error at once. Off by default: then connecting
    /// succeeds, and commands are refused until Redis is there.
    pub fn eager(mut self, on: bool) -> Self {
        self.eager = on;
        self
    }

    /// Whether a lost connection is made again. On by default. Writes [`LinkConfig::reconnect`].
    pub fn reconnect(mut self, on: bool) -> Self {
        self.link.reconnect = on;
        self
    }

    /// How often a command that only reads is sent again after its connection broke. 2 by default. What
    /// may have changed something is never repeated.
    pub fn retries(mut self, times: u32) -> Self {
        self.retries = times;
        self
    }

    /// All deadlines and bounds of a connection at once, also those that a URL has named: for a URL that
    /// has the last word, see [`url`](Self::url).
    pub fn link(mut self, link: LinkConfig) -> Self {
        self.link = link;
        self
    }
}

impl FromStr for Config {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self, Error> {
        Self::from_url(url)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = |secret: &Option<String>| secret.as_ref().map(|_| "…");
        f.debug_struct("Config")
            .field("endpoints", &self.endpoints)
            .field("topology", &self.topology)
            .field("username", &self.username)
            .field("password", &hidden(&self.password))
            .field("sentinel_username", &self.sentinel_username)
            .field("sentinel_password", &hidden(&self.sentinel_password))
            .field("min_other_sentinels", &self.min_other_sentinels)
            .field("client_name", &self.client_name)
            .field("database", &self.database)
            .field("tls", &self.tls)
            .field("nodelay", &self.nodelay)
            .field("keepalive", &self.keepalive)
            .field("pool_size", &self.pool_size)
            .field("pool_wait", &self.pool_wait)
            .field("eager", &self.eager)
            .field("retries", &self.retries)
            .field("link", &self.link)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_printed() {
        let config = Config::default().password("hunter2").sentinel_password("hunter2");
        let clients = config.clients().unwrap();
        assert!(!format!("{config:?} {clients:?}").contains("hunter2"));
        assert!(format!("{config:?}").contains("password: Some(\"…\")"), "{config:?}");
    }
}
