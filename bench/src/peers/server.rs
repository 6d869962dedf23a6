use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::accounts::Accounts;
use crate::Result;

const PATIENCE: Duration = Duration::from_secs(20);

/// Where a server runs.
#[derive(Debug)]
pub(crate) struct Site {
    /// What the server has to listen on.
    pub(crate) port: u16,
    /// Where its Redis listens.
    pub(crate) redis: u16,
    /// What `scripts/bench-peers` has installed.
    pub(crate) installed: PathBuf,
    /// The programs of this workspace.
    pub(crate) built: PathBuf,
    /// The sources of the peers.
    pub(crate) sources: PathBuf,
    /// A directory for what the server writes.
    pub(crate) scratch: PathBuf,
}

/// A process of its own, with all that it has started; dropping it kills them.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) accounts: Accounts,
}

impl Site {
    pub(crate) fn new(redis: u16) -> Result<Self> {
        let built = std::env::current_exe()?.parent().ok_or("no directory")?.to_owned();
        let target = built.parent().ok_or("no target directory")?;
        let (installed, scratch) = (target.join("peers"), target.join("peers/scratch"));
        fs::create_dir_all(&scratch)?;
        let sources = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("peers");
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        Ok(Self { port, redis, installed, built, sources, scratch })
    }

    /// Starts a server and waits until it listens. What it says is in a file of this name.
    pub(crate) fn start(&self, name: &str, mut command: Command) -> Result<Server> {
        let log = File::create(self.scratch.join(format!("{name}.log")))?;
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .map_err(|error| format!("{name}: {error}"))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let accounts = Accounts { group: child.id() };
        let mut server = Server { child, address, accounts };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if began.elapsed() > PATIENCE || server.child.try_wait()?.is_some() {
                return Err(format!("{name} does not listen: {name}.log says why").into());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            kill_process_group(group, Signal::KILL).ok();
        }
        self.child.wait().ok();
    }
}
