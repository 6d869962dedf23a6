use std::io::{BufRead, BufReader, Read};
use std::net::Ipv4Addr;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::patience::{eventually, within};
use crate::port::ReservedPort;
use crate::{PATIENCE, RedisServer};

/// A program under test: a server that reads `REDIS_DSN`, `HOST` and `PORT`, on a loopback port of its
/// own that stays the same when it is restarted.
///
/// Dropping it kills the process, also when the test panics.
#[derive(Debug)]
pub struct Program {
    executable: String,
    args: Vec<String>,
    redis: Option<String>,
    port: ReservedPort,
    process: Option<Child>,
}

impl Program {
    /// Starts `executable` (usually `env!("CARGO_BIN_EXE_…")`) on `redis` and waits until it accepts
    /// connections.
    ///
    /// # Panics
    ///
    /// If it ends, or does not listen within [`PATIENCE`].
    pub async fn start(executable: &str, redis: &RedisServer) -> Self {
        Self::start_with(executable, &[], Some(redis)).await
    }

    /// The same with arguments, and perhaps without Redis.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub async fn start_with(executable: &str, args: &[&str], redis: Option<&RedisServer>) -> Self {
        let mut program = Self {
            executable: executable.to_owned(),
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            redis: redis.map(RedisServer::url),
            port: ReservedPort::any(),
            process: None,
        };
        program.restart().await;
        program
    }

    /// Starts it again on the same port; kills it first if it runs.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub async fn restart(&mut self) {
        self.kill();
        let mut command = Command::new(&self.executable);
        command.args(&self.args).env("HOST", "127.0.0.1").env("PORT", self.port().to_string());
        match &self.redis {
            Some(url) => command.env("REDIS_DSN", url),
            None => command.env_remove("REDIS_DSN"),
        };
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let process = spawned.unwrap_or_else(|error| panic!("{}: {error}", self.executable));
        self.process = Some(process);
        eventually("the program to listen", async || {
            let ended = self.process.as_mut().and_then(|process| process.try_wait().ok()?);
            assert!(ended.is_none(), "{} ended: {ended:?}", self.executable);
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.port.number())).await.is_ok()
        })
        .await;
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// `ws://127.0.0.1:PORT` and `path`.
    pub fn websocket(&self, path: &str) -> String {
        format!("ws://127.0.0.1:{}{path}", self.port())
    }

    /// The status and the body of a plain `GET`.
    ///
    /// # Panics
    ///
    /// If there is no answer within [`PATIENCE`], or it is not HTTP.
    pub async fn http(&self, path: &str) -> (u16, String) {
        let request = format!("GET {path} HTTP/1.0\r\nhost: localhost\r\n\r\n");
        let answer = within("an HTTP answer", async {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port())).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.map(|_| answer)
        });
        let answer = answer.await.expect("an HTTP answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.expect("a status"), body.to_owned())
    }

    /// The resident memory of the process, in bytes.
    ///
    /// # Panics
    ///
    /// If it isn't running.
    pub fn resident_bytes(&self) -> u64 {
        let process = self.process.as_ref().expect("a running program");
        let status = std::fs::read_to_string(format!("/proc/{}/status", process.id()));
        let status = status.expect("the process's status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.expect("VmRSS in KiB") * 1024
    }

    /// SIGTERM, and the exit status when it has ended.
    ///
    /// # Panics
    ///
    /// If it isn't running, or does not end within [`PATIENCE`].
    pub async fn terminate(&mut self) -> ExitStatus {
        self.ask_to_end();
        let mut process = self.process.take().expect("a running program");
        within("the program to end", async move {
            loop {
                if let Some(status) = process.try_wait().expect("a child") {
                    return status;
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        })
        .await
    }

    /// SIGTERM, without waiting for what comes of it.
    ///
    /// # Panics
    ///
    /// If it isn't running.
    pub fn ask_to_end(&self) {
        let process = self.process.as_ref().expect("a running program");
        kill_process(Pid::from_child(process), Signal::TERM).expect("kill -TERM");
    }

    /// `kill -9`. Does nothing if it isn't running.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Runs `executable` to its end: its exit code and what it wrote to stderr.
    ///
    /// # Panics
    ///
    /// If it does not end within [`PATIENCE`].
    pub fn fails(executable: &str, args: &[&str]) -> (i32, String) {
        let mut process = Command::new(executable)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{executable}: {error}"));
        let stderr = BufReader::new(process.stderr.take().expect("a pipe"));
        let deadline = std::time::Instant::now() + PATIENCE;
        while process.try_wait().expect("a child").is_none() {
            if std::time::Instant::now() > deadline {
                let _ = process.kill();
                panic!("{executable} {args:?} did not end within {PATIENCE:?}");
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let lines = stderr.take(1 << 20).lines().map_while(Result::ok).collect::<Vec<_>>();
        let code = process.wait().expect("a child").code().expect("an exit code");
        (code, lines.join("\n"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}
