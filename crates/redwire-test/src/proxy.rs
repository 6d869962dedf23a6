use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::RedisServer;
use crate::patience::eventually;
use crate::port::ReservedPort;

/// A TCP proxy in front of a server: what a network may do to a connection, at a byte that the test names.
///
/// It runs on the test's own tokio runtime; dropping it closes all connections.
#[derive(Debug)]
pub struct Proxy {
    port: ReservedPort,
    target: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Shared {
    connections: Mutex<JoinSet<()>>,
    accepted: AtomicUsize,
    open: AtomicUsize,
    frozen: watch::Sender<bool>,
    /// How many bytes of replies still pass before a connection is closed.
    cut_after: Mutex<Option<usize>>,
}

impl Proxy {
    /// Stands before this server, which may be killed and restarted behind it.
    ///
    /// # Panics
    ///
    /// If there is no free loopback port.
    pub async fn start(redis: &RedisServer) -> Self {
        Self::before(redis.port()).await
    }

    /// Stands before whatever listens on this loopback port.
    ///
    /// # Panics
    ///
    /// If there is no free loopback port.
    pub async fn before(port: u16) -> Self {
        let mut proxy = Self {
            port: ReservedPort::any(),
            target: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            shared: Arc::default(),
            accepting: JoinSet::new(),
        };
        proxy.accept();
        proxy
    }

    /// `redis://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// The TCP port, the same for its whole life.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Passes `bytes` more bytes of replies, counted over all connections, and closes the connection on
    /// which the last of them went. With 0 it closes when the next reply begins, of which nothing passes.
    /// Once; later connections are whole again.
    pub fn cut_reply_after(&self, bytes: usize) {
        *self.shared.cut_after() = Some(bytes);
    }

    /// Waits until the cut that was asked for has happened.
    ///
    /// # Panics
    ///
    /// If that does not happen within [`PATIENCE`](crate::PATIENCE).
    pub async fn until_cut(&self) {
        eventually("a reply to be cut", async || self.shared.cut_after().is_none()).await;
    }

    /// From now on nothing passes in either direction; connections stay open, and new ones are accepted.
    pub fn freeze(&self) {
        self.shared.frozen.send_replace(true);
    }

    /// Passes on what arrived in the meantime, and what follows.
    pub fn thaw(&self) {
        self.shared.frozen.send_replace(false);
    }

    /// Closes all connections; new ones are accepted. Returns when they are closed.
    pub async fn kill_all(&self) {
        let mut connections = {
            let mut connections = self.shared.connections();
            std::mem::take(&mut *connections)
        };
        connections.shutdown().await;
    }

    /// From now on new connections are refused. Returns when they are. Those that exist stay.
    ///
    /// # Panics
    ///
    /// If they are accepted for longer than [`PATIENCE`](crate::PATIENCE).
    pub async fn refuse(&mut self) {
        self.accepting.shutdown().await;
        // A process that another thread is just starting holds the listener, too, until its `exec`.
        let address = (Ipv4Addr::LOCALHOST, self.port());
        let refused = async || TcpStream::connect(address).await.is_err();
        eventually("new connections to be refused", refused).await;
    }

    /// Accepts connections again, on the same port.
    ///
    /// # Panics
    ///
    /// If it cannot listen.
    pub fn accept(&mut self) {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("SO_REUSEADDR");
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port()))).expect("our own port");
        let listener = socket.listen(128).expect("to listen on our own port");
        self.accepting.abort_all();
        self.accepting.spawn(accept(listener, self.target, self.shared.clone()));
    }

    /// How many connections were ever made through it.
    pub fn connections(&self) -> usize {
        self.shared.accepted.load(Ordering::Relaxed)
    }

    /// How many are open now.
    pub fn open_connections(&self) -> usize {
        self.shared.open.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn connections(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cut_after(&self) -> MutexGuard<'_, Option<usize>> {
        self.cut_after.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many of the next `count` bytes of replies may pass, and whether the connection ends after them.
    fn allow(&self, count: usize) -> (usize, bool) {
        let mut cut_after = self.cut_after();
        match *cut_after {
            Some(left) if left <= count => {
                *cut_after = None;
                (left, true)
            }
            Some(left) => {
                *cut_after = Some(left - count);
                (count, false)
            }
            None => (count, false),
        }
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        shared.accepted.fetch_add(1, Ordering::Relaxed);
        let connection = Open::new(shared.clone());
        let mut connections = shared.connections();
        while connections.try_join_next().is_some() {}
        connections.spawn(async move {
            // Fails when one of the two is gone; then both go.
            let _ = pass(client, target, &connection.0).await;
        });
    }
}

/// Counts a connection for as long as it lives, also when its task is aborted.
struct Open(Arc<Shared>);

impl Open {
    fn new(shared: Arc<Shared>) -> Self {
        shared.open.fetch_add(1, Ordering::Relaxed);
        Self(shared)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn pass(mut client: TcpStream, target: SocketAddr, shared: &Shared) -> io::Result<()> {
    let mut server = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (client_read, client_write) = client.split();
    let (server_read, server_write) = server.split();
    tokio::select! {
        ended = pump(client_read, server_write, shared, |count| (count, false)) => ended,
        ended = pump(server_read, client_write, shared, |count| shared.allow(count)) => ended,
    }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    shared: &Shared,
    allow: impl Fn(usize) -> (usize, bool),
) -> io::Result<()> {
    let (mut bytes, mut frozen) = (vec![0; 64 * 1024], shared.frozen.subscribe());
    loop {
        let count = from.read(&mut bytes).await?;
        // Fails only without a sender, and `shared` holds it.
        let _ = frozen.wait_for(|frozen| !frozen).await;
        let (passing, ends) = allow(count);
        to.write_all(bytes.get(..passing).unwrap_or_default()).await?;
        if count == 0 || ends {
            return to.shutdown().await;
        }
    }
}
