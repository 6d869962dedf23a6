//! What comes from elsewhere while a client is measured: raw commands on a plain socket, by a thread
//! whose CPU time is known and not the client's.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::data::{END, LISTS, message};
use super::spent::Over;
use crate::{Result, cpu};

/// How often each list gets an element.
const PUSHES: Duration = Duration::from_millis(2);
/// Messages of one write.
const BURST: u64 = 64;
/// How many messages the publisher may be ahead: fewer than any client here keeps before it drops some.
const AHEAD: u64 = 4096;
const PATIENCE: Duration = Duration::from_secs(10);

/// Pushes numbers from 0 to every list, at least one, until it is over, and then the end. Returns its CPU time.
pub(crate) fn push(port: u16, over: Over) -> JoinHandle<Result<Duration>> {
    thread(port, move |socket| {
        for number in 0_u64.. {
            let is_over = number > 0 && over.is_reached();
            let element = if is_over { END.to_vec() } else { number.to_string().into_bytes() };
            for list in LISTS {
                socket.add(&[b"RPUSH", list.as_bytes(), &element]);
            }
            socket.exchange()?;
            if is_over {
                break;
            }
            sleep(PUSHES);
        }
        Ok(())
    })
}

/// Publishes as fast as somebody takes it until it is over, and then the end. Returns its CPU time.
pub(crate) fn publish(
    port: u16,
    channel: String,
    taken: Arc<AtomicU64>,
    over: Over,
) -> JoinHandle<Result<Duration>> {
    thread(port, move |socket| {
        let mut sent = 0;
        while !over.is_reached() {
            if sent - taken.load(Ordering::Relaxed) > AHEAD {
                sleep(Duration::from_micros(20));
                continue;
            }
            for number in sent..sent + BURST {
                socket.add(&[b"PUBLISH", channel.as_bytes(), &message(number)]);
            }
            socket.exchange()?;
            sent += BURST;
        }
        socket.add(&[b"PUBLISH", channel.as_bytes(), END]);
        socket.exchange()
    })
}

fn thread(
    port: u16,
    work: impl FnOnce(&mut Socket) -> Result<()> + Send + 'static,
) -> JoinHandle<Result<Duration>> {
    tokio::task::spawn_blocking(move || {
        let begin = cpu::of_thread();
        work(&mut Socket::connect(port)?)?;
        Ok(cpu::of_thread().saturating_sub(begin))
    })
}

struct Socket {
    stream: TcpStream,
    commands: Vec<u8>,
    replies: usize,
}

impl Socket {
    fn connect(port: u16) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, commands: Vec::new(), replies: 0 })
    }

    fn add(&mut self, command: &[&[u8]]) {
        self.commands.extend(format!("*{}\r\n", command.len()).bytes());
        for word in command {
            self.commands.extend(format!("${}\r\n", word.len()).bytes());
            self.commands.extend_from_slice(word);
            self.commands.extend_from_slice(b"\r\n");
        }
        self.replies += 1;
    }

    /// Sends what was added, and reads a line for each.
    fn exchange(&mut self) -> Result<()> {
        self.stream.write_all(&self.commands)?;
        self.commands.clear();
        let mut buffer = [0; 4096];
        while self.replies > 0 {
            let length = self.stream.read(&mut buffer)?;
            let read =
                buffer.get(..length).filter(|read| !read.is_empty() && !read.contains(&b'-'));
            let read = read.ok_or("Redis refused to push or publish")?;
            self.replies -= read.iter().filter(|&&byte| byte == b'\n').count();
        }
        Ok(())
    }
}
