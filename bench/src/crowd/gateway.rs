use std::process::Stdio;
use std::time::Duration;

use axum::Router;
use redwire_protocol::{Limits, Protocol};
use redwire_server::{MemoryBackend, WebsocketApi, serve};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::sleep;

use super::Public;
use crate::Result;
use crate::cpu;

/// A server in this process, with its viewers in another one.
pub(crate) struct Gateway {
    api: WebsocketApi<Public>,
    backend: MemoryBackend,
    /// The viewers, until this is dropped.
    process: Child,
    counts: Lines<BufReader<ChildStdout>>,
    received: u64,
}

/// One text, and what has to come of it.
pub(crate) struct Publication {
    pub(crate) channel: String,
    pub(crate) text: String,
    pub(crate) subscribers: u64,
    pub(crate) deliveries: u64,
}

/// What the server has spent, and on what.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    pub(crate) cpu: Duration,
    pub(crate) delivered: u64,
    pub(crate) rewritten: u64,
    pub(crate) encoded: u64,
}

impl Gateway {
    /// Ends all connections, so that there is room for others.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.process.kill().await?;
        self.api.drain(Duration::ZERO).await;
        Ok(())
    }

    /// Starts a viewer for each of the lines, which hold its commands.
    pub(crate) async fn start(protocol: Protocol<Public>, lines: &[String]) -> Result<Self> {
        let backend = MemoryBackend::new();
        // No pings: they are not what is measured.
        let limits = Limits { ping: Duration::from_secs(86_400), ..Limits::default() };
        let api = WebsocketApi::new(protocol, backend.clone()).limits(limits.clone());
        let app = Router::new().route("/", api.route(Public));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { serve(listener, app, &limits, std::future::pending()).await });

        let mut process = Command::new(std::env::current_exe()?)
            .args(["viewers", &address.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut stdin = process.stdin.take().ok_or("no standard input")?;
        stdin.write_all(lines.join("\n").as_bytes()).await?;
        drop(stdin);
        let stdout = process.stdout.take().ok_or("no standard output")?;
        let mut counts = BufReader::new(stdout).lines();
        if counts.next_line().await?.as_deref() != Some("ready") {
            return Err("the viewers could not connect: is `ulimit -n` above 12000?".into());
        }
        Ok(Self { api, backend, process, counts, received: 0 })
    }

    /// Publishes so many at once, and goes on when all their deliveries have arrived.
    pub(crate) async fn publish(&mut self, all: &[Publication], at_once: usize) -> Result<Spent> {
        self.measure(async |own| {
            for part in all.chunks(at_once) {
                own.deliver(part).await?;
            }
            Ok(())
        })
        .await
    }

    async fn measure(&mut self, work: impl AsyncFnOnce(&mut Self) -> Result<()>) -> Result<Spent> {
        let (before, cpu) = (self.counted(), cpu::of_process());
        work(self).await?;
        let cpu = cpu::of_process().saturating_sub(cpu);
        // What a message has cost is counted when everybody has let go of it.
        sleep(Duration::from_millis(20)).await;
        let after = self.counted();
        Ok(Spent {
            cpu,
            delivered: after.delivered - before.delivered,
            rewritten: after.rewritten - before.rewritten,
            encoded: after.encoded - before.encoded,
        })
    }

    async fn deliver(&mut self, all: &[Publication]) -> Result<()> {
        let judged = self.judged() + all.iter().map(|one| one.subscribers).sum::<u64>();
        for one in all {
            self.backend.publish(&one.channel, one.text.clone());
        }
        let expected = self.received + all.iter().map(|one| one.deliveries).sum::<u64>();
        while self.received < expected {
            let count = self.counts.next_line().await?.ok_or("a viewer was lost")?;
            self.received = count.parse()?;
        }
        while self.judged() < judged {
            sleep(Duration::from_millis(1)).await;
        }
        if self.received > expected {
            Err("more than expected was delivered".into())
        } else {
            Ok(())
        }
    }

    fn judged(&self) -> u64 {
        let metrics = self.api.metrics();
        counter(&metrics, "deliveries") + counter(&metrics, "deliveries_filtered")
    }

    fn counted(&self) -> Spent {
        let metrics = self.api.metrics();
        Spent {
            cpu: Duration::ZERO,
            delivered: counter(&metrics, "deliveries"),
            rewritten: counter(&metrics, "messages_rewritten"),
            encoded: counter(&metrics, "messages_encoded"),
        }
    }
}

fn counter(metrics: &str, name: &str) -> u64 {
    let value = |line: &str| line.strip_prefix(&format!("redwire_{name}_total "))?.parse().ok();
    metrics.lines().find_map(value).unwrap_or_default()
}
