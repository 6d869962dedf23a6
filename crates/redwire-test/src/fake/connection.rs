use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::answer::{self, Answer};
use super::received::Received;
use super::request::Requests;
use super::{Shared, lock};

/// An answer on its way, and how often had been released when its command arrived.
pub(super) struct Outgoing {
    pub(super) answer: Answer,
    pub(super) held_at: u64,
}

/// Serves one connection until one side closes it. Reads on while answers are held.
pub(super) async fn serve(
    stream: TcpStream,
    number: usize,
    shared: Arc<Shared>,
    writer: UnboundedSender<Outgoing>,
    outgoing: UnboundedReceiver<Outgoing>,
) {
    // So that single bytes travel alone.
    let _ = stream.set_nodelay(true);
    let (read, write) = stream.into_split();
    // Either fails only when the client is gone.
    let _ = tokio::select! {
        ended = receive(read, number, &shared, &writer) => ended,
        ended = send(write, &shared, outgoing) => ended,
    };
}

async fn receive(
    mut stream: OwnedReadHalf,
    connection: usize,
    shared: &Shared,
    writer: &UnboundedSender<Outgoing>,
) -> io::Result<()> {
    let (mut requests, mut bytes) = (Requests::default(), vec![0; 64 * 1024]);
    for read in 0.. {
        let count = stream.read(&mut bytes).await?;
        if count == 0 {
            break;
        }
        requests.feed(bytes.get(..count).unwrap_or_default());
        while let Some(args) = requests.next() {
            // Before it is answered: whoever has the answer finds it recorded, and what is
            // released from now on includes it.
            let held_at = *shared.releases.borrow();
            let scripted = shared.scripts(&args);
            let received = Received { connection, read, args: args.clone(), scripted };
            lock(&shared.received).push(received);
            let script = lock(&shared.script).clone();
            let answer = if scripted { script(&args) } else { Answer::Usual };
            let answer = match answer {
                Answer::Usual => {
                    Answer::Bytes(answer::usual(&args).unwrap_or_else(|| answer::unknown(&args)))
                }
                other => other,
            };
            let _ = writer.send(Outgoing { answer, held_at });
        }
    }
    Ok(())
}

async fn send(
    mut stream: OwnedWriteHalf,
    shared: &Shared,
    mut outgoing: UnboundedReceiver<Outgoing>,
) -> io::Result<()> {
    while let Some(Outgoing { answer, held_at }) = outgoing.recv().await {
        match answer {
            Answer::Bytes(bytes) => stream.write_all(&bytes).await?,
            Answer::OneByteAtATime(bytes) => {
                for byte in bytes {
                    stream.write_all(&[byte]).await?;
                    // So that a reader in this runtime sees this one before the next.
                    tokio::task::yield_now().await;
                }
            }
            Answer::Hold(bytes) => {
                let mut releases = shared.releases.subscribe();
                let _ = releases.wait_for(|releases| *releases > held_at).await;
                stream.write_all(&bytes).await?;
            }
            Answer::Close => break,
            Answer::Silence | Answer::Usual => {}
        }
    }
    Ok(())
}

impl Shared {
    fn scripts(&self, command: &[Vec<u8>]) -> bool {
        match command.first() {
            Some(name) if name.eq_ignore_ascii_case(b"PING") => {
                self.scripts_pings.load(Ordering::Relaxed)
            }
            _ if answer::usual(command).is_some() => {
                self.scripts_handshakes.load(Ordering::Relaxed)
            }
            _ => true,
        }
    }
}
