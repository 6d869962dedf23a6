//! How Redis is reached: where, as whom, and with which deadlines and bounds.

mod endpoint;
mod link;
mod option;
#[cfg_attr(not(feature = "tls"), path = "no_tls.rs")]
mod tls;
mod url;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::io::tcp::socket2::TcpKeepalive;
use redis::{
    Client, ConnectionAddr, IntoConnectionInfo as _, ProtocolVersion, RedisConnectionInfo,
    RedisError,
};

pub use endpoint::Endpoint;
pub use link::LinkConfig;
#[cfg(feature = "tls")]
pub use tls::Tls;
#[cfg(not(feature = "tls"))]
use tls::Tls;
pub(crate) use tls::is_disagreement;

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

    /// Replaces what the URL speaks of.
    pub(crate) fn url(self, url: &str) -> Result<Self, Error> {
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

    /// All deadlines and bounds of a connection at once.
    pub fn link(mut self, link: LinkConfig) -> Self {
        self.link = link;
        self
    }

    /// What redis-rs needs to reach each of the endpoints, in order. For sentinels with their login.
    pub(crate) fn clients(&self) -> Result<Vec<(Endpoint, Client)>, Error> {
        self.check()?;
        let login = match self.topology {
            Topology::Sentinel { .. } => {
                login(self.sentinel_username.as_deref(), self.sentinel_password.as_deref())
            }
            Topology::Single | Topology::Cluster => self.login(),
        };
        let client = |endpoint: &Endpoint| {
            Ok((endpoint.clone(), self.client_with(endpoint, login.clone())?))
        };
        self.endpoints.iter().map(client).collect()
    }

    /// What redis-rs needs to reach a server: RESP3, for pushes beside replies, and the login. Neither
    /// the database nor the name: redis-rs would rewrite or ignore what Redis says to them.
    pub(crate) fn client(&self, endpoint: &Endpoint) -> Result<Client, Error> {
        self.client_with(endpoint, self.login())
    }

    fn client_with(
        &self,
        endpoint: &Endpoint,
        login: RedisConnectionInfo,
    ) -> Result<Client, Error> {
        let (address, tls) = match (endpoint, &self.tls) {
            (Endpoint::Tcp { host, port }, Some(tls)) => (Tls::address(host, *port), Some(tls)),
            (Endpoint::Tcp { host, port }, None) => {
                (ConnectionAddr::Tcp(host.to_string(), *port), None)
            }
            (Endpoint::Unix(_), Some(_)) => return Err(bad("tls", "is not for unix sockets")),
            (Endpoint::Unix(path), None) => (ConnectionAddr::Unix(path.to_path_buf()), None),
        };
        let unusable = |error: RedisError| bad("endpoint", error.to_string());
        let info = address.into_connection_info().map_err(unusable)?;
        let info = info.set_redis_settings(login).set_tcp_settings(self.tcp());
        match tls {
            Some(tls) => tls.client(info),
            None => Client::open(info).map_err(unusable),
        }
    }

    fn login(&self) -> RedisConnectionInfo {
        login(self.username.as_deref(), self.password.as_deref())
    }

    fn tcp(&self) -> TcpSettings {
        // Said outright, because redis-rs 1.x leaves NODELAY off.
        let settings = TcpSettings::default().set_nodelay(self.nodelay);
        let Some(idle) = self.keepalive else { return settings };
        let interval = (idle / 3).max(MIN_KEEPALIVE);
        let probes = TcpKeepalive::new().with_time(idle).with_interval(interval).with_retries(3);
        settings.set_keepalive(probes)
    }

    /// What the setters take without looking.
    fn check(&self) -> Result<(), Error> {
        if self.endpoints.is_empty() {
            return Err(bad("endpoints", "are none"));
        }
        if self.pool_size == 0 {
            return Err(bad("pool_size", "is 0, and must be at least 1"));
        }
        if self.keepalive.is_some_and(|idle| idle < MIN_KEEPALIVE) {
            return Err(bad("keepalive", "is below one second"));
        }
        if self.client_name.as_deref().is_some_and(|name| !is_client_name(name)) {
            return Err(bad("client_name", NOT_A_CLIENT_NAME));
        }
        if self.username.is_some() && self.password.is_none() {
            return Err(bad("username", "has no password"));
        }
        if self.sentinel_username.is_some() && self.sentinel_password.is_none() {
            return Err(bad("sentinel_username", "has no password"));
        }
        Ok(())
    }
}

fn login(username: Option<&str>, password: Option<&str>) -> RedisConnectionInfo {
    let mut login =
        RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3).set_skip_set_lib_name();
    if let Some(password) = password {
        login = login.set_password(password);
    }
    if let Some(username) = username {
        login = login.set_username(username);
    }
    login
}

fn bad(option: &'static str, problem: impl Into<String>) -> Error {
    Error::Config { option, problem: problem.into() }
}

/// The kernel counts in seconds.
const MIN_KEEPALIVE: Duration = Duration::from_secs(1);

const NOT_A_CLIENT_NAME: &str = "is not printable ascii without spaces";

/// Redis refuses any other (`validateClientName` in its `networking.c`).
fn is_client_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
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

    fn problem(config: &Config) -> String {
        config.clients().unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_work_is_named() {
        let config = Config::default;
        let is = |option: &str| format!("bad redis configuration: {option}");
        assert_eq!(problem(&config().endpoints([])), is("endpoints are none"));
        assert_eq!(problem(&config().pool_size(0)), is("pool_size is 0, and must be at least 1"));
        let short = config().keepalive(Duration::from_millis(999));
        assert_eq!(problem(&short), is("keepalive is below one second"));
        let name = is("client_name is not printable ascii without spaces");
        assert_eq!(problem(&config().client_name("my shop")), name);
        assert_eq!(problem(&config().client_name("")), name);
        assert_eq!(problem(&config().username("ann")), is("username has no password"));
    }

    #[test]
    fn passwords_are_not_printed() {
        let config = Config::default().password("hunter2").sentinel_password("hunter2");
        let clients = config.clients().unwrap();
        assert!(!format!("{config:?} {clients:?}").contains("hunter2"));
        assert!(format!("{config:?}").contains("password: Some(\"…\")"), "{config:?}");
    }

    #[test]
    fn connections_speak_resp3_without_delay_and_choose_no_database() {
        let config = Config::default().username("ann").password("secret").database(3);
        let client = config.client(&Endpoint::tcp("::1", 7000)).unwrap();
        let info = client.get_connection_info();
        assert_eq!(info.addr(), &ConnectionAddr::Tcp("::1".to_owned(), 7000));
        assert!(info.tcp_settings().nodelay());
        assert!(info.tcp_settings().keepalive().is_none());
        let redis = info.redis_settings();
        assert_eq!((redis.username(), redis.password()), (Some("ann"), Some("secret")));
        assert_eq!((redis.protocol(), redis.db()), (ProtocolVersion::RESP3, 0));
        assert!(redis.skip_set_lib_name());
    }

    #[test]
    fn keepalive_probes_three_times_a_third_apart() {
        let probes = |idle, interval| {
            let seconds = Duration::from_secs;
            TcpKeepalive::new()
                .with_time(seconds(idle))
                .with_interval(seconds(interval))
                .with_retries(3)
        };
        for (idle, interval) in [(60, 20), (1, 1)] {
            let config = Config::default().keepalive(Duration::from_secs(idle));
            let tcp = config.tcp();
            let expected = probes(idle, interval);
            assert_eq!(format!("{:?}", tcp.keepalive().unwrap()), format!("{expected:?}"));
        }
    }

    #[test]
    fn sentinels_are_not_told_the_password_of_redis() {
        let config = Config::default()
            .topology(Topology::Sentinel { master: "mymaster".to_owned() })
            .password("redis")
            .sentinel_username("guard")
            .sentinel_password("sentinel");
        let clients = config.clients().unwrap();
        let login = |client: &Client| {
            let redis = client.get_connection_info().redis_settings().clone();
            (redis.username().map(str::to_owned), redis.password().map(str::to_owned))
        };
        let (guard, sentinel) = (Some("guard".to_owned()), Some("sentinel".to_owned()));
        assert_eq!(login(&clients[0].1), (guard, sentinel));
        let master = config.client(&Endpoint::tcp("master", 6379)).unwrap();
        assert_eq!(login(&master), (None, Some("redis".to_owned())));
    }
}
