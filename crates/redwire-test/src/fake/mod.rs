mod answer;
mod connection;
mod received;
mod request;

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

pub use self::answer::Answer;
use self::connection::Outgoing;
pub use self::received::Received;
use crate::patience::eventually;

/// A server on a loopback port that speaks RESP, records what it is sent and answers as a test says: late,
/// in pieces, with garbage or not at all. For what no real Redis can be made to do.
///
/// What every connection begins with (`HELLO`, `AUTH`, `SELECT`, `CLIENT …`) and every `PING` it answers by
/// itself, as a Redis of RESP3 without a password would. It runs on the test's own tokio runtime; dropping
/// it closes all connections.
///
/// ```
/// # #[tokio::main] async fn main() {
/// use redwire_test::{Answer, FakeServer};
///
/// let fake = FakeServer::start(|command| match command {
///     [name, ..] if name == b"GET" => Answer::bytes("$5\r\nhello\r\n"),
///     [name, ..] if name == b"INCR" => Answer::Close,
///     _ => Answer::Usual,
/// })
/// .await;
/// // … a client of `fake.url()` sends INCR; then:
/// # use tokio::io::AsyncWriteExt;
/// # let mut client = tokio::net::TcpStream::connect(("127.0.0.1", fake.port())).await.unwrap();
/// # client.write_all(b"*2\r\n$4\r\nINCR\r\n$1\r\na\r\n").await.unwrap();
/// fake.until_received("INCR", 1).await;
/// assert_eq!(fake.commands(), ["INCR a"]);
/// # }
/// ```
#[derive(Debug)]
pub struct FakeServer {
    port: u16,
    shared: Arc<Shared>,
    /// Accepts, and owns all connections: they end with it.
    _accepting: JoinSet<()>,
}

type Script = Arc<dyn Fn(&[Vec<u8>]) -> Answer + Send + Sync>;

struct Shared {
    script: Mutex<Script>,
    scripts_handshakes: AtomicBool,
    scripts_pings: AtomicBool,
    received: Mutex<Vec<Received>>,
    attempts: AtomicUsize,
    /// How to write to each connection, by number.
    writers: Mutex<Vec<mpsc::UnboundedSender<Outgoing>>>,
    /// How often [`FakeServer::release`] was called.
    releases: watch::Sender<u64>,
}

impl FakeServer {
    /// Listens, and answers with what `script` says of each command, name first.
    ///
    /// # Panics
    ///
    /// If there is no free loopback port.
    pub async fn start(script: impl Fn(&[Vec<u8>]) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("the address of a listener").port();
        let shared = Arc::new(Shared {
            script: Mutex::new(Arc::new(script)),
            scripts_handshakes: AtomicBool::new(false),
            scripts_pings: AtomicBool::new(false),
            received: Mutex::default(),
            attempts: AtomicUsize::new(0),
            writers: Mutex::default(),
            releases: watch::Sender::new(0),
        });
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, shared.clone()));
        Self { port, shared, _accepting: accepting }
    }

    /// `redis://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Another script from now on, for commands that have not arrived yet.
    pub fn answer_with(&self, script: impl Fn(&[Vec<u8>]) -> Answer + Send + Sync + 'static) {
        *lock(&self.shared.script) = Arc::new(script);
    }

    /// From now on the script is asked about `HELLO`, `AUTH`, `SELECT` and `CLIENT …`, too.
    /// [`Answer::Usual`] is what they would have got.
    pub fn script_handshakes(&self) {
        self.shared.scripts_handshakes.store(true, Ordering::Relaxed);
    }

    /// From now on the script is asked about `PING`, too.
    pub fn script_pings(&self) {
        self.shared.scripts_pings.store(true, Ordering::Relaxed);
    }

    /// Sends what is held by [`Answer::Hold`] so far, on every connection.
    pub fn release(&self) {
        self.shared.releases.send_modify(|releases| *releases += 1);
    }

    /// Sends these bytes on every open connection, after the answers that wait there: a push, or garbage.
    pub fn push(&self, bytes: impl AsRef<[u8]>) {
        self.to_all(|| Answer::bytes(bytes.as_ref()));
    }

    /// Closes every open connection, after the answers that wait there. New ones are accepted.
    pub fn close_all(&self) {
        self.to_all(|| Answer::Close);
    }

    /// All commands that the script was asked about, in the order of their arrival.
    pub fn commands(&self) -> Vec<Received> {
        let received = lock(&self.shared.received);
        received.iter().filter(|received| received.scripted).cloned().collect()
    }

    /// The same of one connection; they are numbered from 0 as they were accepted.
    pub fn commands_of(&self, connection: usize) -> Vec<Received> {
        let commands = self.commands().into_iter();
        commands.filter(|received| received.connection == connection).collect()
    }

    /// All that has arrived: handshakes and pings, too.
    pub fn everything(&self) -> Vec<Received> {
        lock(&self.shared.received).clone()
    }

    /// How many connections were ever made to it.
    pub fn attempts(&self) -> usize {
        self.shared.attempts.load(Ordering::Relaxed)
    }

    /// Waits until commands of this name, in any case, arrived at least `count` times, on any connections.
    ///
    /// # Panics
    ///
    /// If that does not happen within [`PATIENCE`](crate::PATIENCE).
    pub async fn until_received(&self, name: &str, count: usize) {
        let arrived = async || {
            let received = lock(&self.shared.received);
            received.iter().filter(|received| received.is(name)).count() >= count
        };
        eventually(&format!("{count} times {name}"), arrived).await;
    }

    /// Waits until at least `count` connections were made.
    ///
    /// # Panics
    ///
    /// If that does not happen within [`PATIENCE`](crate::PATIENCE).
    pub async fn until_attempted(&self, count: usize) {
        eventually(&format!("{count} connections"), async || self.attempts() >= count).await;
    }

    fn to_all(&self, answer: impl Fn() -> Answer) {
        for writer in lock(&self.shared.writers).iter() {
            // Fails only if that connection is gone.
            let _ = writer.send(Outgoing { answer: answer(), held_at: 0 });
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let number = shared.attempts.fetch_add(1, Ordering::Relaxed);
        let (writer, outgoing) = mpsc::unbounded_channel();
        lock(&shared.writers).push(writer.clone());
        connections.spawn(connection::serve(stream, number, shared.clone(), writer, outgoing));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("received", &self.received).finish_non_exhaustive()
    }
}
