mod launch;
mod tls;

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tempfile::TempDir;

pub use self::launch::Generation;
use self::launch::Launch;
use crate::patience::{eventually, within};
use crate::port::ReservedPort;
use crate::resp::{self, Reply};

/// A real `redis-server` of one test's own, on a loopback port and a unix socket. Saves nothing.
///
/// Dropping it kills the process, also when the test panics.
///
/// It has an ACL user `redwire-test`, as whom [`command`](Self::command) logs in where Redis wants a
/// password; so a test may set and change passwords as it likes.
#[derive(Debug)]
pub struct RedisServer {
    port: ReservedPort,
    directory: TempDir,
    launch: Launch,
    process: Option<Child>,
    frozen: AtomicBool,
}

impl RedisServer {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    ///
    /// If `redis-server` is not on the `PATH`, or does not answer within [`PATIENCE`](crate::PATIENCE).
    pub async fn start() -> Self {
        Self::start_as(Generation::Redis, &[]).await
    }

    /// Starts a server of this generation.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub async fn start_on(generation: Generation) -> Self {
        Self::start_as(generation, &[]).await
    }

    /// Starts a server with more arguments: `&["--requirepass", "x"]`. They outdo the usual ones.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub async fn start_with(args: &[&str]) -> Self {
        Self::start_as(Generation::Redis, args).await
    }

    /// Starts a server of this generation with these arguments.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub async fn start_as(generation: Generation, args: &[&str]) -> Self {
        let args = args.iter().map(OsString::from).collect();
        let mut server = Self::new(Launch { generation, args, ..Launch::default() });
        server.restart().await;
        server
    }

    /// Starts a server that speaks TLS on its port, and nothing else, with a certificate for `127.0.0.1` and
    /// `localhost`; [`authority_pem`](Self::authority_pem) has signed it. Clients need no certificate.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start), also if `redis-server` was built without TLS; Debian's has it.
    pub async fn start_tls() -> Self {
        let mut server = Self::new(Launch { tls: true, ..Launch::default() });
        server.launch.args = tls::certify(server.directory.path());
        server.restart().await;
        server
    }

    /// Starts a Sentinel, which rewrites its file of configuration as it likes.
    pub(crate) async fn start_sentinel(config: &str) -> Self {
        let mut server = Self::new(Launch::default());
        let file = server.directory.path().join("sentinel.conf");
        fs::write(&file, config).expect("to write into the temporary directory");
        server.launch.config = Some(file);
        server.launch.args = vec!["--sentinel".into()];
        server.restart().await;
        server
    }

    /// A port that refuses connections until [`restart`](Self::restart): Redis that is down from the start.
    ///
    /// # Panics
    ///
    /// If there is no free port or no writable temporary directory.
    pub async fn reserved() -> Self {
        Self::new(Launch::default())
    }

    fn new(launch: Launch) -> Self {
        let directory = TempDir::with_prefix("redwire-").expect("a temporary directory");
        let (port, frozen) = (ReservedPort::any(), AtomicBool::new(false));
        Self { port, directory, launch, process: None, frozen }
    }

    /// `redis://127.0.0.1:PORT`, or `rediss:` with TLS.
    pub fn url(&self) -> String {
        let scheme = if self.launch.tls { "rediss" } else { "redis" };
        format!("{scheme}://127.0.0.1:{}", self.port())
    }

    /// The file with the certificate of the authority that a client has to trust; only with TLS. It lives as
    /// long as the server.
    pub fn authority_pem(&self) -> Option<PathBuf> {
        self.launch.tls.then(|| tls::authority(self.directory.path()))
    }

    /// `redis+unix:///…/redis.sock`.
    pub fn unix_url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// The TCP port, the same for this server's whole life.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// `kill -9`: connections break at once and all data is lost. Does nothing if it isn't running.
    pub async fn kill(&mut self) {
        self.end();
    }

    /// Starts it again, with the same arguments on the same port, empty, and waits until it answers. Kills it first if it runs.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub async fn restart(&mut self) {
        self.end();
        self.process = Some(self.spawn());
        within("redis-server to answer PING", async {
            while resp::call(&self.socket(), &["PING"]).await.is_err() {
                self.assert_running();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }

    /// `kill -STOP`: connections stay open and nothing answers. Returns when it has stopped.
    ///
    /// # Panics
    ///
    /// If it isn't running.
    pub fn freeze(&self) {
        let pid = self.pid();
        self.frozen.store(true, Ordering::Relaxed);
        kill_process(pid, Signal::STOP).expect("kill -STOP");
        let either = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(pid), either).expect("waitid of a child");
    }

    /// `kill -CONT`: what arrived in the meantime is answered now.
    ///
    /// # Panics
    ///
    /// If it isn't running.
    pub fn thaw(&self) {
        kill_process(self.pid(), Signal::CONT).expect("kill -CONT");
        self.frozen.store(false, Ordering::Relaxed);
    }

    /// Whether it runs and is not frozen.
    pub fn is_live(&self) -> bool {
        self.process.is_some() && !self.frozen.load(Ordering::Relaxed)
    }

    /// Sends one command over the unix socket. Arguments may hold any bytes.
    ///
    /// # Panics
    ///
    /// If Redis does not answer within [`PATIENCE`](crate::PATIENCE). An error reply is a [`Reply::Error`].
    pub async fn command<A: AsRef<[u8]>>(&self, args: &[A]) -> Reply {
        let name = args.first().map(|name| String::from_utf8_lossy(name.as_ref()).into_owned());
        let name = name.unwrap_or_default();
        match within(&format!("the reply to {name}"), resp::call(&self.socket(), args)).await {
            Ok(reply) => reply,
            Err(error) => panic!("{name} failed: {error}"),
        }
    }

    /// `HSET key field value`.
    ///
    /// # Panics
    ///
    /// If Redis refuses, for example because the key is no hash.
    pub async fn hset(
        &self,
        key: impl AsRef<[u8]>,
        field: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
    ) {
        self.integer(&[b"HSET", key.as_ref(), field.as_ref(), value.as_ref()]).await;
    }

    /// `PUBLISH channel payload`; returns how many subscribers received it.
    pub async fn publish(&self, channel: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> i64 {
        self.integer(&[b"PUBLISH", channel.as_ref(), payload.as_ref()]).await
    }

    /// How many connections are subscribed to the channel (`PUBSUB NUMSUB`).
    pub async fn subscribers(&self, channel: impl AsRef<[u8]>) -> i64 {
        let reply = self.command(&[b"PUBSUB".as_slice(), b"NUMSUB", channel.as_ref()]).await;
        match &reply {
            Reply::Array(Some(pair)) => pair.get(1).and_then(Reply::as_integer).unwrap_or(0),
            _ => panic!("PUBSUB NUMSUB answered {reply:?}"),
        }
    }

    /// Waits until exactly `count` connections wait in a blocking command.
    ///
    /// # Panics
    ///
    /// If that does not happen within [`PATIENCE`](crate::PATIENCE).
    pub async fn until_blocked(&self, count: usize) {
        let wanted = format!("blocked_clients:{count}\r\n");
        eventually(&format!("{count} blocked clients"), async || {
            let clients = self.command(&["INFO", "clients"]).await;
            String::from_utf8_lossy(clients.as_bytes().unwrap_or_default()).contains(&wanted)
        })
        .await;
    }

    /// Waits until exactly `count` connections are subscribed to the channel.
    ///
    /// # Panics
    ///
    /// If that does not happen within [`PATIENCE`](crate::PATIENCE).
    pub async fn until_subscribed(&self, channel: impl AsRef<[u8]>, count: i64) {
        let channel = channel.as_ref();
        let awaited = format!("{count} subscribers of {:?}", String::from_utf8_lossy(channel));
        eventually(&awaited, async || self.subscribers(channel).await == count).await;
    }

    /// [`command`](Self::command), of which it panics if Redis refuses.
    pub(crate) async fn done<A: AsRef<[u8]>>(&self, args: &[A]) {
        let reply = self.command(args).await;
        assert!(!matches!(reply, Reply::Error(_)), "port {}: {reply:?}", self.port());
    }

    pub(crate) async fn integer<A: AsRef<[u8]>>(&self, args: &[A]) -> i64 {
        let reply = self.command(args).await;
        reply.as_integer().unwrap_or_else(|| panic!("expected an integer, got {reply:?}"))
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("redis.sock")
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("redis.log")
    }

    fn spawn(&self) -> Child {
        let log = File::create(self.log()).expect("a log file in the temporary directory");
        self.launch.spawn(self.port(), self.directory.path(), &self.socket(), log)
    }

    /// Its log since it was started last.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn assert_running(&mut self) {
        let ended = self.process.as_mut().and_then(|process| process.try_wait().ok().flatten());
        if let Some(status) = ended {
            let (program, log) = (self.launch.generation.program(), self.said());
            panic!("{program} ended with {status}; its log:\n{log}");
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(self.process.as_ref().expect("redis-server is running"))
    }

    fn end(&mut self) {
        self.frozen.store(false, Ordering::Relaxed);
        if let Some(mut process) = self.process.take() {
            // Both fail only if it is already gone.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.end();
    }
}
