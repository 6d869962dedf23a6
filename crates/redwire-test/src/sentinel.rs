use crate::patience::eventually;
use crate::{RedisServer, Reply};

const NAME: &str = "mymaster";
const SENTINELS: usize = 3;
const REPLICAS: usize = 2;

/// A master, two replicas and three Sentinels that watch them, all of them real processes.
///
/// Two Sentinels have to agree, which they do 1.2 seconds after a master fell silent; a failover then takes
/// two seconds or three. Dropping the set kills all processes.
///
/// ```no_run
/// # async fn test() {
/// use redwire_test::SentinelSet;
///
/// let mut set = SentinelSet::start().await;
/// let old = set.master().await;
/// set.kill_master().await;
/// set.until_master_is_not(old).await;
/// # }
/// ```
#[derive(Debug)]
pub struct SentinelSet {
    servers: Vec<RedisServer>,
    sentinels: Vec<RedisServer>,
}

impl SentinelSet {
    /// Starts all six, and waits until the replicas are in step and every Sentinel knows everybody.
    ///
    /// # Panics
    ///
    /// As [`RedisServer::start`].
    pub async fn start() -> Self {
        let master = RedisServer::start_with(&QUICK).await;
        let port = master.port().to_string();
        let (mut servers, mut sentinels) = (vec![master], Vec::new());
        for _ in 0..REPLICAS {
            let args = [&["--replicaof", "127.0.0.1", &port], &QUICK[..]].concat();
            servers.push(RedisServer::start_with(&args).await);
        }
        // Sentinels ask a master for its replicas at once, and then every ten seconds.
        eventually("the replicas to be in step", async || {
            let role = servers.first().expect("a master").command(&["ROLE"]).await;
            let replicas = role.as_array().and_then(|role| role.get(2)?.as_array());
            replicas.is_some_and(|replicas| replicas.len() == REPLICAS)
        })
        .await;
        for _ in 0..SENTINELS {
            sentinels.push(sentinel(&port).await);
        }
        let set = Self { servers, sentinels };
        for number in 0..SENTINELS {
            set.until_known_to(number).await;
        }
        set
    }

    /// The name under which the Sentinels know the master.
    pub fn name(&self) -> &str {
        NAME
    }

    /// `redis://127.0.0.1:PORT` of each Sentinel, dead ones too.
    pub fn urls(&self) -> Vec<String> {
        self.sentinels.iter().map(RedisServer::url).collect()
    }

    /// Host and port of each Sentinel, dead ones too.
    pub fn endpoints(&self) -> Vec<(String, u16)> {
        self.sentinels.iter().map(|one| ("127.0.0.1".to_owned(), one.port())).collect()
    }

    /// The master's port, as the first live Sentinel says.
    ///
    /// # Panics
    ///
    /// If none lives, or it knows no master.
    pub async fn master(&self) -> u16 {
        let sentinel = self.sentinels.iter().find(|sentinel| sentinel.is_live());
        master_as_said_by(sentinel.expect("a Sentinel that runs")).await
    }

    /// The data server at this port, to send commands to it.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn server(&self, port: u16) -> &RedisServer {
        self.servers.iter().find(|server| server.port() == port).expect("a server at this port")
    }

    /// The same, to kill and to restart it. One that comes back believes to be what it was when it was
    /// started first; see [`demote`](Self::demote).
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn server_mut(&mut self, port: u16) -> &mut RedisServer {
        let mut servers = self.servers.iter_mut();
        servers.find(|server| server.port() == port).expect("a server at this port")
    }

    /// A Sentinel by number from 0, to send commands to it and to kill it.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn sentinel_mut(&mut self, number: usize) -> &mut RedisServer {
        self.sentinels.get_mut(number).unwrap_or_else(|| panic!("there is no Sentinel {number}"))
    }

    /// `kill -9` for the master; returns the port that it had.
    ///
    /// # Panics
    ///
    /// As [`master`](Self::master).
    pub async fn kill_master(&mut self) -> u16 {
        let port = self.master().await;
        self.server_mut(port).kill().await;
        port
    }

    /// `kill -STOP` for the master; returns its port. Thaw it with [`server`](Self::server).
    ///
    /// # Panics
    ///
    /// As [`master`](Self::master).
    pub async fn freeze_master(&self) -> u16 {
        let port = self.master().await;
        self.server(port).freeze();
        port
    }

    /// `SENTINEL FAILOVER`, while the master lives. Waits until all Sentinels name another one, and returns
    /// its port.
    ///
    /// # Panics
    ///
    /// If that does not happen within [`PATIENCE`](crate::PATIENCE).
    pub async fn failover(&self) -> u16 {
        let old = self.master().await;
        // Refused as long as a Sentinel believes that an earlier failover is under way.
        eventually("a Sentinel to begin a failover", async || {
            let sentinel = self.sentinels.iter().find(|sentinel| sentinel.is_live());
            let reply =
                sentinel.expect("a live one").command(&["SENTINEL", "FAILOVER", NAME]).await;
            reply == Reply::Simple("OK".into())
        })
        .await;
        self.until_master_is_not(old).await
    }

    /// Waits until all live Sentinels name the same master, which is not this one and takes that role, and
    /// the failover is over for each of them; returns its port.
    ///
    /// # Panics
    ///
    /// If that does not happen within [`PATIENCE`](crate::PATIENCE).
    pub async fn until_master_is_not(&self, old: u16) -> u16 {
        eventually("another master", async || {
            let new = self.master().await;
            let mut agreed = new != old && self.server(new).is_live();
            for sentinel in self.sentinels.iter().filter(|sentinel| sentinel.is_live()) {
                agreed =
                    agreed && master_as_said_by(sentinel).await == new && is_calm(sentinel).await;
            }
            agreed && is_master(self.server(new)).await
        })
        .await;
        self.master().await
    }

    /// Makes a former master, restarted or thawed, a replica of the master, and waits until it is in step.
    /// The Sentinels would do so eight seconds after they saw it again, or later.
    ///
    /// # Panics
    ///
    /// If there is no such server, or that does not happen within [`PATIENCE`](crate::PATIENCE).
    pub async fn demote(&self, port: u16) {
        let (server, master) = (self.server(port), self.master().await.to_string());
        server.done(&["REPLICAOF", "127.0.0.1", &master]).await;
        eventually("a replica to be in step", async || {
            let role = server.command(&["ROLE"]).await;
            role.as_array().and_then(|role| role.get(3)) == Some(&Reply::bulk("connected"))
        })
        .await;
    }

    async fn until_known_to(&self, number: usize) {
        let sentinel = self.sentinels.get(number).expect("a Sentinel");
        eventually("the Sentinels to know each other and the replicas", async || {
            let others = sentinel.command(&["SENTINEL", "SENTINELS", NAME]).await;
            let replicas = sentinel.command(&["SENTINEL", "REPLICAS", NAME]).await;
            let count = |reply: &Reply| reply.as_array().map_or(0, <[_]>::len);
            count(&others) == SENTINELS - 1 && count(&replicas) == REPLICAS
        })
        .await;
    }
}

/// A master that waits for nobody before it sends its data.
const QUICK: [&str; 4] = ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"];

/// Sentinels ping once a second. If they waited for less than that, each new master would seem to be down
/// before it is asked first, and failovers would follow each other.
async fn sentinel(master: &str) -> RedisServer {
    RedisServer::start_sentinel(&format!(
        "sentinel monitor {NAME} 127.0.0.1 {master} 2\n\
         sentinel down-after-milliseconds {NAME} 1200\n\
         sentinel failover-timeout {NAME} 1500\n"
    ))
    .await
}

async fn master_as_said_by(sentinel: &RedisServer) -> u16 {
    let reply = sentinel.command(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME]).await;
    let port = reply.as_array().and_then(|address| address.get(1)?.as_bytes());
    let port = port.and_then(|port| str::from_utf8(port).ok()?.parse().ok());
    port.unwrap_or_else(|| panic!("the Sentinel said {reply:?}"))
}

/// Whether it sees a master that lives, and conducts no failover.
///
/// A Sentinel that conducts one names the new master before the end. If that one dies then, it goes on
/// naming it, whatever the others have agreed on since.
async fn is_calm(sentinel: &RedisServer) -> bool {
    let reply = sentinel.command(&["SENTINEL", "MASTER", NAME]).await;
    let fields = reply.as_array().unwrap_or_default();
    let (names, values) = (fields.iter().step_by(2), fields.iter().skip(1).step_by(2));
    let mut flags = names.zip(values).filter(|(name, _)| **name == Reply::bulk("flags"));
    flags.next().is_some_and(|(_, flags)| *flags == Reply::bulk("master"))
}

async fn is_master(server: &RedisServer) -> bool {
    let role = server.command(&["ROLE"]).await;
    role.as_array().and_then(<[_]>::first) == Some(&Reply::bulk("master"))
}
