use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redwire_test::RedisServer;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Result};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// From one number to the next: a rate, and how often a Redis that is down is tried.
const PACE: Duration = Duration::from_millis(2);

/// Publishes 1, 2, 3, … on a channel whether Redis is there or not; a number that could not be
/// published is not tried again.
pub(crate) struct Publisher {
    stopping: Arc<AtomicBool>,
    task: JoinHandle<u64>,
}

impl Publisher {
    pub(crate) fn start(redis: &RedisServer, channel: &'static str) -> Self {
        let (port, stopping) = (redis.port(), Arc::new(AtomicBool::new(false)));
        let task = tokio::spawn(publish(port, channel, Arc::clone(&stopping)));
        Self { stopping, task }
    }

    /// Ends after the number that is on its way, and says which one it was.
    pub(crate) async fn stop(self) -> u64 {
        self.stopping.store(true, Ordering::Relaxed);
        self.task.await.expect("the publisher to end")
    }
}

async fn publish(port: u16, channel: &str, stopping: Arc<AtomicBool>) -> u64 {
    let (mut number, mut connection) = (0, None);
    while !stopping.load(Ordering::Relaxed) {
        number += 1;
        if connection.is_none() {
            let connected = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
            connection = connected.ok().map(BufReader::new);
        }
        if let Some(stream) = &mut connection
            && say(stream, &format!("PUBLISH {channel} {number}\r\n")).await.is_err()
        {
            connection = None;
        }
        tokio::time::sleep(PACE).await;
    }
    number
}

/// Sends one command and reads its one line of reply.
async fn say(stream: &mut BufReader<TcpStream>, command: &str) -> Result<String> {
    stream.write_all(command.as_bytes()).await?;
    let mut reply = String::new();
    stream.read_line(&mut reply).await?;
    if reply.is_empty() { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(reply) }
}

/// A connection to Redis that says what it is told to, and logs in only then.
pub(crate) struct Telnet(BufReader<TcpStream>);

impl Telnet {
    pub(crate) async fn connect(redis: &RedisServer) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, redis.port())).await;
        Self(BufReader::new(stream.expect("a connection to redis")))
    }

    /// Sends a command and compares the first line of the reply.
    pub(crate) async fn expect(&mut self, command: &str, reply: &str) {
        let answer = say(&mut self.0, &format!("{command}\r\n")).await.expect("a reply");
        assert_eq!(answer.trim_end(), reply, "{command}");
    }
}
